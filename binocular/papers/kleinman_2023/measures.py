"""What is measured on subjects after Kleinman et al. (2023): turned and monocular units, accuracies, bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from binocular.dominance import dominance_of
from binocular.papers.claims import Scale
from binocular.papers.looks import Looks
from binocular.papers.numbers import Conditions, accuracy, condition_of, dominance, over, settled, swept
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
    "accuracies",
    "bias",
    "bits",
    "changes",
    "clean_bias",
    "farthest",
    "lost",
    "lost_by_depth",
    "mi",
    "monocular",
    "relative_losses",
    "shift",
    "total",
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
When = Literal["end", "untrained"] | int


def clean_bias(conditions: Conditions, site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the clean (fellow) eye's bias of each subject: 1 minus the contralateral bias index.

    Parameters
    ----------
    conditions
        A condition, or several by the end of their deficit.
    site
        Where the units are recorded, as in `MAP`, `POOLED` and `FIRST`.
    when
        ``"end"``, ``"untrained"``, or the epoch of a checkpoint.
    """
    return 1 - dominance(conditions, "cbi", site, when)


def bias(study: Study, prefix: str = "blurred", site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the clean eye's bias by the end of a deficit, ``[removal, seed]``.

    Parameters
    ----------
    study
        Reared, with the conditions that are named here.
    prefix
        Beginning of the names of the conditions, before the epoch at which the deficit ends.
    site, when
        As for `clean_bias`.
    """
    return clean_bias(swept(study, prefix), site, when)


def monocular(conditions: Conditions, site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the monocularity index of each subject.

    Parameters
    ----------
    conditions
        A condition, or several by the end of their deficit.
    site
        Where the units are recorded, as in `MAP`, `POOLED` and `FIRST`.
    when
        ``"end"``, ``"untrained"``, or the epoch of a checkpoint.
    """
    return dominance(conditions, "mi", site, when)


def mi(study: Study, site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the monocularity index by the end of the dissociation, ``[removal, seed]``.

    Parameters
    ----------
    study
        Reared, with the conditions that are named here.
    site, when
        As for `monocular`.
    """
    return monocular(swept(study, "dissociated"), site, when)


def total(values: xr.DataArray, since: int = 0) -> xr.DataArray:
    """Return what the longest deficit changes, from ``[removal, seed]``, compared with none or with another one.

    Parameters
    ----------
    values
        ``[removal, seed]``, ascending.
    since
        Position of the deficit that it is compared with; 0 for none.
    """
    return values[-1] - values[since]


def changes(values: xr.DataArray) -> xr.DataArray:
    """Return what each deficit changes compared with none, ``[removal, seed]``."""
    return values[1:] - values[0].drop_vars("removal")


def shift(study: Study, without: str, having: str, site: str = MAP) -> xr.DataArray:
    """Return by how much a deficit moves the units to the clean eye: the change of that eye's bias.

    Parameters
    ----------
    study
        Reared, with the conditions that are named here.
    without, having
        Names of the conditions without the deficit and with it.
    site
        Where the units are recorded, as in `MAP`, `POOLED` and `FIRST`.
    """
    return clean_bias(condition_of(study, having), site) - clean_bias(condition_of(study, without), site)


def farthest(condition: Condition, site: str = MAP) -> xr.DataArray:
    """Return how far from balance each subject is at most, at any checkpoint.

    Parameters
    ----------
    condition
        Whose subjects are meant.
    site
        Where the units are recorded, as in `MAP`, `POOLED` and `FIRST`.
    """

    def of(condition: Condition, subject: SubjectRecord) -> float:
        cbi = dominance_of(subject.sites[site].values["rsv"], condition.treated_eye).cbi
        return float(np.abs(cbi - 0.5).max())

    return over(condition, of)


def accuracies(study: Study, prefix: str) -> xr.DataArray:
    """Return accuracy in per cent by the end of a deficit; subjects without one are shared with the blur.

    Parameters
    ----------
    study
        Reared, with the conditions that are named here.
    prefix
        Beginning of the names of the conditions, before the epoch at which the deficit ends.
    """
    normal = swept(study, "blurred")[0] if prefix == "dissociated" else None
    return accuracy(swept(study, prefix, normal=normal))


def lost(study: Study, normal: str, having: str, task: str = "stereopsis") -> xr.DataArray:
    """Return the points of a task that a deficit costs.

    Parameters
    ----------
    study
        Reared, with the conditions that are named here.
    normal, having
        Names of the conditions without the deficit and with it.
    task
        Column of the history, 0 to 1.
    """
    return accuracy(condition_of(study, normal), task) - accuracy(condition_of(study, having), task)


def relative_losses(had: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """Return the share of what is above chance that an early closure costs, in a task for either eye and for both."""
    closed = accuracy(swept(had["closure"], "closed"))
    normal, early = (accuracy(condition_of(had["stereo"], name), "stereopsis") for name in ("normal", "deprived-early"))
    # By guessing: one of ten photographs, and near or far.
    return {
        "ordinary": (closed[0] - closed[-1]) / (closed[0] - 10),
        "stereopsis": (normal - early) / (normal - 50),
    }


def bits(study: Study, eye: str) -> xr.DataArray:
    """Return usable information at the end of rearing with the left eye, the right eye or both, ``[removal, seed]``.

    Parameters
    ----------
    study
        With the measure of usable information.
    eye
        ``"left"``, ``"right"`` or ``"both"``.
    """

    def of(condition: Condition, subject: SubjectRecord) -> float:
        values = subject.measures["usable-information", POOLED].values
        return float(values["information"][-1, [str(name) for name in values["seeing"]].index(eye)])

    return over(swept(study, "blurred"), of)


def lost_by_depth(study: Study) -> xr.DataArray:
    """Return points of settled accuracy that a blur costs, by its end, 0 among them, ``[removal, seed]``."""
    found = settled(swept(study, "blurred"))
    return -(found - found[0].drop_vars("removal"))
