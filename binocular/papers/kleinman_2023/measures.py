"""What several claims of Kleinman et al. (2023) measure: turned and monocular units, losses, bits."""

from __future__ import annotations

from typing import Any

import xarray as xr

from binocular.papers.claims import Had, Scale
from binocular.papers.looks import Looks
from binocular.papers.numbers import When, accuracy, dominance, over
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition, Study

__all__ = [
    "BALANCED",
    "CLOCKS",
    "CLOSURES",
    "DEPTHS",
    "FIRST",
    "LOOKS",
    "MAP",
    "POOLED",
    "SHIFT",
    "bias",
    "bits",
    "monocular",
    "relative_losses",
]

MAP, POOLED, FIRST = "representation.map", "representation", "first_binocular"
"""Units by channel and place, as in the released code; channels pooled over places; the first binocular cells."""
LOOKS: dict[Scale, Looks] = {"lab": Looks(pilots=(100, 101))}
"""When claims on Fashion-MNIST are looked at; their settings come from two pilot seeds."""
SHIFT = 0.10
"""Least shift of the clean eye's bias, or rise of the monocularity index."""
BALANCED: dict[str, Any] = {"at_least": 0.3, "at_most": 0.7}
"""Bias of eyes in balance."""
DEPTHS = (1, 2, 3)
"""Blocks of a pathway in the studies of depth."""
CLOCKS = {"absolute": "falling", "constant": "constant", "cyclic": "cyclic"}
"""Clocks of the learning rate under which there is an early and a late blur: as in the protocols, and in words."""
CLOSURES = {
    "falling": ("normal", "early", "late"),
    "constant": ("normal-constant-rate", "early-constant-rate", "late-constant-rate"),
    "cyclic": ("normal-cyclic-rate", "early-cyclic-rate", "late-cyclic-rate"),
    "begun anew": ("normal", "early-phase-clock", "late-phase-clock"),
}
"""Conditions of the closure: without, early and late, by what the learning rate does."""


def bias(study: Study, name: str = "blurred-*", site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the clean (fellow) eye's bias of each subject: 1 minus the contralateral bias index.

    Parameters
    ----------
    study, name, site, when
        See `binocular.papers.numbers.dominance`; ``site`` is `MAP`, `POOLED` or `FIRST`.
    """
    return 1 - dominance(study, name, "cbi", site, when)


def monocular(study: Study, name: str = "dissociated-*", site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the monocularity index of each subject.

    Parameters
    ----------
    study, name, site, when
        As for `bias`.
    """
    return dominance(study, name, "mi", site, when)


def relative_losses(had: Had) -> dict[str, xr.DataArray]:
    """Return the share of what is above chance that an early closure costs, in a task for either eye and for both."""
    closed = accuracy(had["closure"], "closed-*")
    normal, early = (accuracy(had["stereo"], name, "stereopsis") for name in ("normal", "deprived-early"))
    # By guessing: one of ten photographs, and near or far.
    return {
        "ordinary": (closed[0] - closed[-1]) / (closed[0] - 10),
        "stereopsis": (normal - early) / (normal - 50),
    }


def bits(study: Study, eye: str) -> xr.DataArray:
    """Return usable information at the end of rearing with the left eye, the right eye or both, ``[removal, seed]``.

    Parameters
    ----------
    study, eye
        With the measure of usable information; ``"left"``, ``"right"`` or ``"both"``.
    """

    def of(_: Condition, subject: SubjectRecord) -> float:
        values = subject.measures["usable-information", POOLED].values
        return float(values["information"][-1, [str(name) for name in values["seeing"]].index(eye)])

    return over(study, "blurred-*", of)
