"""Numbers of subjects as arrays of xarray along ``seed``, so that differences are paired by themselves.

Subjects of one seed begin with the same weights and see the same order of stimuli, so that their difference varies less
than two independent means. Arithmetic between arrays keeps the seeds that both have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from binocular.dominance import dominance_of
from binocular.store.records import SubjectRecord
from binocular.store.statistics import Interval, exact, printed
from binocular.store.study import Condition, Study
from binocular.store.summary import last_value

__all__ = [
    "accuracy",
    "condition_of",
    "dominance",
    "over",
    "seeds_of",
    "settled",
    "signed",
    "swept",
    "worst",
]

Conditions = Condition | Mapping[int, Condition]
"""A condition, or several by a swept value."""


def condition_of(study: Study, name: str) -> Condition:
    """Return a condition by its name.

    Parameters
    ----------
    study
        Where it is looked for.
    name
        Of the condition.

    Raises
    ------
    KeyError
        If the study has none of this name, or no subject of it; the names that it has are told.
    """
    for condition in study.reared:
        if condition.name == name:
            return condition
    raise KeyError(f"{study.title}: no subject of a condition '{name}'; there are {[c.name for c in study.reared]}")


def swept(study: Study, prefix: str, value: str = "removal", normal: Condition | None = None) -> dict[int, Condition]:
    """Return the conditions whose names begin with a word and a hyphen, by a swept value, ascending.

    Parameters
    ----------
    study
        Whose.
    prefix
        The word.
    value
        What is swept, such as the epoch in which a deficit ends.
    normal
        The condition without a deficit, where several deficits share it and this one has none of its own.

    Raises
    ------
    KeyError
        If there are fewer than two, or none without a deficit: nothing can be compared.
    """
    found = {int(c.values[value]): c for c in study.reared if c.name.startswith(f"{prefix}-") and value in c.values}
    found = ({} if normal is None else {0: normal}) | found
    if len(found) < 2 or (value == "removal" and 0 not in found):
        raise KeyError(f"{study.title}: conditions '{prefix}-...' with and without a deficit are needed")
    return dict(sorted(found.items()))


def over(conditions: Conditions, of: Callable[[Condition, SubjectRecord], float], dim: str = "removal") -> xr.DataArray:
    """Return a number of each subject, ``[seed]``, or ``[dim, seed]`` for several conditions, NaN where one is missing.

    Parameters
    ----------
    conditions
        One, or several by a swept value.
    of
        From condition and subject to the number.
    dim
        Name of the dimension of the swept value.
    """
    if isinstance(conditions, Condition):
        values = [of(conditions, subject) for subject in conditions.subjects]
        return xr.DataArray(values, {"seed": [subject.seed for subject in conditions.subjects]}, ("seed",))
    rows = [over(condition, of) for condition in conditions.values()]
    return xr.concat(rows, xr.DataArray(list(conditions), dims=dim, name=dim), join="outer")


def seeds_of(values: xr.DataArray) -> np.ndarray:
    """Return the values of the seeds that have one, ``[seed]``."""
    return values.dropna("seed").to_numpy()


def dominance(
    conditions: Conditions,
    measure: str,
    site: str = "representation",
    when: Literal["end", "untrained"] | int = "end",
    dim: str = "removal",
) -> xr.DataArray:
    """Return a measure of `binocular.dominance.Dominance` for each subject.

    Parameters
    ----------
    conditions, dim
        See `over`.
    measure
        ``"cbi"``, ``"mi"``, ``"binocular_share"``, ``"mean_rsv"`` or ``"median_unit_mi"``.
    site
        ``"representation"`` for pooled units, ``"representation.map"`` for units by place.
    when
        At the end of rearing, before it (the null), or after so many epochs.

    Raises
    ------
    KeyError
        If a subject was not probed there and then.
    """

    def of(condition: Condition, subject: SubjectRecord) -> float:
        epochs = [int(epoch) for epoch in subject.sites[site].epoch]
        wanted = {"end": epochs[-1], "untrained": 0}[when] if isinstance(when, str) else when
        if wanted not in epochs:
            raise KeyError(f"{condition.name}, seed {subject.seed}: {site} was not probed after epoch {wanted}")
        last = len(epochs) - 1 - epochs[::-1].index(wanted)
        rsv = subject.sites[site].values["rsv"][[last]]
        return float(getattr(dominance_of(rsv, condition.treated_eye), measure)[0])

    return over(conditions, of, dim)


def accuracy(conditions: Conditions, task: str = "test_accuracy", dim: str = "removal") -> xr.DataArray:
    """Return the accuracy of each subject in a task at the end of rearing, in per cent.

    Parameters
    ----------
    conditions
        A condition, or several by the end of their deficit.
    task
        Column of the history, 0 to 1.
    dim
        Name of the dimension along which several conditions lie.
    """
    return 100 * over(conditions, lambda condition, subject: last_value(subject.history[task]), dim)


def settled(conditions: Conditions, last: int = 10, dim: str = "removal") -> xr.DataArray:
    """Return each subject's accuracy with both eyes in per cent, averaged over the tests of the last epochs.

    At a learning rate that does not fall to nothing, accuracy wanders by several points from test to test; the mean
    over the last epochs is what the subject has come to.

    Parameters
    ----------
    conditions
        A condition, or several by the end of their deficit.
    last
        How many epochs.
    dim
        Name of the dimension along which several conditions lie.
    """

    def of(condition: Condition, subject: SubjectRecord) -> float:
        epoch, tested = subject.history["epoch"], subject.history["test_accuracy"]
        return 100 * float(np.nanmean(tested[epoch > epoch[-1] - last]))

    return over(conditions, of, dim)


def worst(values: Any) -> Interval:
    """Return the largest of some errors as an exact number; NaN if one of them is NaN."""
    found = np.asarray(values, dtype=np.float64).reshape(-1)
    return exact(float(found.max()) if len(found) else float("nan"), len(found))


def signed(value: float, digits: int = 2) -> str:
    """Return a difference for print, with its sign.

    Parameters
    ----------
    value
        The difference.
    digits
        Decimals.
    """
    return ("+" if value >= 0 else "") + printed(value, digits)
