"""Numbers of subjects as arrays of xarray along ``seed``, so that differences are paired by themselves.

Subjects of one seed begin with the same weights and see the same order of stimuli, so that their difference varies less
than two independent means. Arithmetic between arrays keeps the seeds that both have.
"""

from __future__ import annotations

from collections.abc import Callable
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
    "changes",
    "costs",
    "dominance",
    "lost",
    "over",
    "settled",
    "signed",
    "swept",
    "total",
    "worst",
]

When = Literal["end", "untrained"] | int
"""At the end of rearing, before it (the null), or after so many epochs."""


def swept(study: Study, prefix: str, value: str = "removal") -> dict[int, Condition]:
    """Return the conditions whose names begin with a word and a hyphen, by a swept value, ascending.

    Parameters
    ----------
    study, prefix
        Whose, and the word.
    value
        What is swept. For ``"removal"``, the epoch in which a deficit ends, 0 is among them: the condition that all
        deficits share where this one has none of its own.

    Raises
    ------
    KeyError
        If there are fewer than two, or none without a deficit: nothing can be compared.
    """
    there = [condition for condition in study.reared if value in condition.values]
    found = {int(c.values[value]): c for c in there if c.name.startswith(f"{prefix}-")}
    if value == "removal" and found and 0 not in found:
        found.update((0, condition) for condition in there if condition.values[value] == 0)
    if len(found) < 2 or (value == "removal" and 0 not in found):
        raise KeyError(f"{study.title}: conditions '{prefix}-...' with and without a deficit are needed")
    return dict(sorted(found.items()))


def over(
    study: Study, name: str, of: Callable[[Condition, SubjectRecord], float], value: str = "removal"
) -> xr.DataArray:
    """Return a number of each subject, ``[seed]``; of several conditions ``[value, seed]``, NaN where one is missing.

    Parameters
    ----------
    study, name
        Whose, and a condition of it, or ``"blurred-*"`` for those that `swept` finds.
    of
        From condition and subject to the number.
    value
        What is swept, and the name of its dimension.
    """

    def row(condition: Condition) -> xr.DataArray:
        if not condition.subjects:
            raise KeyError(f"{study.title}: no subject of the condition '{condition.name}'")
        values = [of(condition, subject) for subject in condition.subjects]
        return xr.DataArray(values, {"seed": [subject.seed for subject in condition.subjects]}, ("seed",))

    if not name.endswith("-*"):
        return row(study.condition(name))
    found = swept(study, name[:-2], value)
    return xr.concat(map(row, found.values()), xr.DataArray(list(found), dims=value, name=value), join="outer")


def dominance(
    study: Study,
    name: str,
    measure: str,
    site: str = "representation",
    when: When = "end",
    value: str = "removal",
) -> xr.DataArray:
    """Return a measure of `binocular.dominance.Dominance` for each subject.

    Parameters
    ----------
    study, name, value
        See `over`.
    measure, site
        Such as ``"cbi"`` or ``"mean_rsv"``; ``"representation"`` for pooled units, ``"representation.map"`` by place.
    when
        ``"end"``, ``"untrained"``, or the epoch of a checkpoint.

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

    return over(study, name, of, value)


def accuracy(study: Study, name: str, task: str = "test_accuracy", value: str = "removal") -> xr.DataArray:
    """Return the accuracy of each subject in a task at the end of rearing, in per cent.

    Parameters
    ----------
    study, name, task, value
        See `over`; ``task`` is a column of the history, 0 to 1.
    """
    return 100 * over(study, name, lambda _, subject: last_value(subject.history[task]), value)


def settled(study: Study, name: str, value: str = "removal") -> xr.DataArray:
    """Return each subject's accuracy with both eyes in per cent, averaged over the tests of the last 10 epochs.

    At a learning rate that does not fall to nothing, accuracy wanders by several points from test to test.

    Parameters
    ----------
    study, name, value
        See `over`.
    """

    def of(_: Condition, subject: SubjectRecord) -> float:
        epoch, tested = subject.history["epoch"], subject.history["test_accuracy"]
        return 100 * float(np.nanmean(tested[epoch > epoch[-1] - 10]))

    return over(study, name, of, value)


def changes(values: xr.DataArray) -> xr.DataArray:
    """Return what each deficit changes compared with none, ours or published, ``[removal, ...]``, the first is none."""
    return values - values[0].drop_vars("removal")


def total(values: xr.DataArray, since: int = 0) -> xr.DataArray:
    """Return what the longest deficit changes, compared with none or with another one.

    Parameters
    ----------
    values, since
        Ours or published, ``[removal, ...]``, ascending; and the position of the other deficit, 0 for none.
    """
    return values[-1] - values[since]


def costs(study: Study, prefix: str = "blurred") -> xr.DataArray:
    """Return the points of settled accuracy that a deficit costs by its end, 0 among them, ``[removal, seed]``.

    Parameters
    ----------
    study, prefix
        See `swept`.
    """
    return -changes(settled(study, f"{prefix}-*"))


def lost(study: Study, normal: str, having: str, task: str = "") -> xr.DataArray:
    """Return the points of a task that a deficit costs, or of settled accuracy where none is named, ``[seed]``.

    Parameters
    ----------
    study, normal, having
        Whose, and the names of the conditions without the deficit and with it.
    task
        Column of the history, 0 to 1.
    """
    without, with_it = (accuracy(study, name, task) if task else settled(study, name) for name in (normal, having))
    return without - with_it


def worst(values: Any) -> Interval:
    """Return the largest of some errors as an exact number; NaN if one of them is NaN."""
    found = np.asarray(values, dtype=np.float64)
    return exact(found.max(), found.size)


def signed(value: float, digits: int = 2) -> str:
    """Return a difference for print, with its sign.

    Parameters
    ----------
    value, digits
        The difference, and its decimals.
    """
    return ("+" if value >= 0 else "") + printed(value, digits)
