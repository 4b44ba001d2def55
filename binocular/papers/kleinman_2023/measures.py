"""What is measured on subjects after Kleinman et al. (2023): turned and monocular units, losses, bits."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import xarray as xr

from binocular.dominance import dominance_of
from binocular.papers.claims import Had, Scale
from binocular.papers.looks import Looks
from binocular.papers.numbers import When, accuracy, dominance, over, swept
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition, Study

__all__ = [
    "BALANCED",
    "CLOCKS",
    "CLOSURES",
    "DEPTHS",
    "FIRST",
    "KEY",
    "LOOKS",
    "MAP",
    "POOLED",
    "REBUILDING",
    "SAME",
    "SHIFT",
    "SUPERVISED",
    "TRANSFORMER",
    "bias",
    "bits",
    "earliest",
    "epochs_of_rebuilding",
    "farthest",
    "losses",
    "monocular",
    "relative_losses",
    "shift",
    "stereopsis",
    "total",
    "turns",
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
KEY, SAME, TRANSFORMER = "fig8", "same-patches", "fig8-transformer"
"""Keys of the studies of objectives among what the claims need."""
SUPERVISED, REBUILDING = "classes", "rebuilding"
"""The twins: conditions with the eyes open, and the beginnings of the names of those with a closure."""


def bias(study: Study, name: str = "blurred-*", site: str = MAP, when: When = "end") -> xr.DataArray:
    """Return the clean (fellow) eye's bias of each subject: 1 minus the contralateral bias index.

    Parameters
    ----------
    study, name
        See `binocular.papers.numbers.over`.
    site
        Where the units are recorded, as in `MAP`, `POOLED` and `FIRST`.
    when
        ``"end"``, ``"untrained"``, or the epoch of a checkpoint.
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


def total(values: xr.DataArray, since: int = 0) -> xr.DataArray:
    """Return what the longest deficit changes, from ``[removal, seed]``, compared with none or with another one.

    Parameters
    ----------
    values
        Ascending.
    since
        Position of the deficit that it is compared with; 0 for none.
    """
    return values[-1] - values[since]


def shift(study: Study, without: str, having: str, site: str = MAP) -> xr.DataArray:
    """Return by how much a deficit moves the units to the clean eye: the change of that eye's bias.

    Parameters
    ----------
    study, site
        As for `bias`.
    without, having
        Names of the conditions without the deficit and with it.
    """
    return bias(study, having, site) - bias(study, without, site)


def farthest(study: Study, name: str) -> xr.DataArray:
    """Return how far from balance the units by place of each subject are at most, at any checkpoint.

    Parameters
    ----------
    study, name
        As for `bias`.
    """

    def of(condition: Condition, subject: SubjectRecord) -> float:
        cbi = dominance_of(subject.sites[MAP].values["rsv"], condition.treated_eye).cbi
        return float(np.abs(cbi - 0.5).max())

    return over(study, name, of)


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
    study
        With the measure of usable information.
    eye
        ``"left"``, ``"right"`` or ``"both"``.
    """

    def of(_: Condition, subject: SubjectRecord) -> float:
        values = subject.measures["usable-information", POOLED].values
        return float(values["information"][-1, [str(name) for name in values["seeing"]].index(eye)])

    return over(study, "blurred-*", of)


def epochs_of_rebuilding(study: Study) -> int:
    """Return the epochs in which the twins' objectives differ, the first ones of a study of the twins."""
    return int(tomllib.loads(str(study.attributes["protocol"]))["values"]["first"])


def _shares(study: Study, values: xr.DataArray) -> xr.DataArray:
    """Give onsets as shares of the epochs in which the twins' objectives differ."""
    return values.assign_coords(onset=values["onset"] / epochs_of_rebuilding(study)).transpose("onset", "seed")


def stereopsis(study: Study, name: str) -> xr.DataArray:
    """Return the accuracy at telling near from far at the end of rearing, 0 to 1; guessing gives 0.5.

    Parameters
    ----------
    study, name
        As for `bias`.
    """
    return accuracy(study, name, "stereopsis") / 100


def losses(study: Study, prefix: str) -> xr.DataArray:
    """Return the points of stereopsis that a closure costs, by its onset as a share, ``[onset, seed]``.

    Parameters
    ----------
    study
        Of `KEY` or `TRANSFORMER`.
    prefix
        Which of the twins: `SUPERVISED` or `REBUILDING`.
    """
    closed = accuracy(study, f"{prefix}-closed-*", "stereopsis", "onset")
    return _shares(study, accuracy(study, prefix, "stereopsis") - closed)


def turns(study: Study, prefix: str) -> xr.DataArray:
    """Return how far a closure moves the mean relative source variance towards the fellow eye, ``[onset, seed]``.

    Parameters
    ----------
    study, prefix
        As for `losses`.
    """
    towards = 1.0 if study.fellow_eye == "left" else -1.0
    closed = dominance(study, f"{prefix}-closed-*", "mean_rsv", value="onset")
    return _shares(study, towards * (closed - dominance(study, prefix, "mean_rsv")))


def earliest(study: Study, objective: str) -> str:
    """Return the name of the condition with the earliest closure.

    Parameters
    ----------
    study, objective
        Of `KEY`, and the name of the condition with the eyes open.
    """
    return f"{objective}-closed-{min(swept(study, f'{SUPERVISED}-closed', 'onset'))}"
