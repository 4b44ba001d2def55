"""Losses and turns by the onset of a closure, from the study of objectives (kleinman-2023-fig8)."""

from __future__ import annotations

import tomllib

import xarray as xr

from binocular.papers.kleinman_2023.measures import lost
from binocular.papers.numbers import accuracy, condition_of, dominance, swept
from binocular.store.study import Study

__all__ = [
    "KEY",
    "REBUILDING",
    "SAME",
    "SUPERVISED",
    "TRANSFORMER",
    "epochs_of_rebuilding",
    "first_loss",
    "losses",
    "stereopsis",
    "turns",
]

KEY, SAME, TRANSFORMER = "fig8", "same-patches", "fig8-transformer"
"""The studies' keys among what the claims need."""
SUPERVISED, REBUILDING = "classes", "rebuilding"
"""The twins: conditions with the eyes open, and the beginnings of the names of those with a closure."""


def epochs_of_rebuilding(study: Study) -> int:
    """Return the epochs in which the twins' objectives differ, the first ones of a study of the twins."""
    return int(tomllib.loads(str(study.attributes["protocol"]))["values"]["first"])


def _shares(study: Study, values: xr.DataArray) -> xr.DataArray:
    """Give onsets as shares of the epochs in which the twins' objectives differ."""
    return values.assign_coords(onset=values["onset"] / epochs_of_rebuilding(study))


def stereopsis(study: Study, condition: str) -> xr.DataArray:
    """Return the accuracy at telling near from far at the end of rearing, 0 to 1; guessing gives 0.5.

    Parameters
    ----------
    study
        Of `KEY`, `SAME` or `TRANSFORMER`.
    condition
        Its name.
    """
    return accuracy(condition_of(study, condition), "stereopsis") / 100


def losses(study: Study, prefix: str) -> xr.DataArray:
    """Return the points of stereopsis that a closure costs, by its onset as a share, ``[onset, seed]``.

    Parameters
    ----------
    study
        Of `KEY` or `TRANSFORMER`.
    prefix
        Which of the twins: `SUPERVISED` or `REBUILDING`.
    """
    closed = accuracy(swept(study, f"{prefix}-closed", "onset"), "stereopsis", "onset")
    return _shares(study, accuracy(condition_of(study, prefix), "stereopsis") - closed).transpose("onset", "seed")


def turns(study: Study, prefix: str) -> xr.DataArray:
    """Return how far a closure moves the mean relative source variance towards the fellow eye, ``[onset, seed]``.

    Parameters
    ----------
    study, prefix
        As for `losses`.
    """
    towards = 1.0 if study.fellow_eye == "left" else -1.0
    closed = dominance(swept(study, f"{prefix}-closed", "onset"), "mean_rsv", dim="onset")
    return _shares(study, towards * (closed - dominance(condition_of(study, prefix), "mean_rsv")))


def first_loss(study: Study, normal: str, closed: str) -> xr.DataArray:
    """Return the points of stereopsis that the earliest closure costs under an objective.

    Parameters
    ----------
    study
        Of `KEY`.
    normal
        Name of the condition with the eyes open.
    closed
        Beginning of the name of the one with a closure, before its onset.
    """
    return lost(study, normal, f"{closed}-{min(swept(study, f'{SUPERVISED}-closed', 'onset'))}")
