"""From values over subjects to the numbers of a claim's table, and from rows to a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from binocular.dominance import dominance_of
from binocular.papers.claims import Evidence, Finding, verdict_from
from binocular.store.statistics import Interval, exact, interval
from binocular.store.study import Condition, Study
from binocular.store.summary import last_value

__all__ = [
    "accuracies",
    "by_seed",
    "condition_of",
    "exact",
    "judged",
    "mean_of",
    "number_of",
    "paired",
    "signed",
    "worst",
]

_ORDER = {"test": 0, "control": 1, "context": 2}


def number_of(values: ArrayLike) -> Interval:
    """Return mean and 95 % t interval of values over subjects, ``[seed]``; NaN = no value, left out, not counted."""
    return interval(np.asarray(values, dtype=np.float64).reshape(-1))


def mean_of(values: Mapping[int, float]) -> Interval:
    """Return mean and 95 % t interval of one value per seed."""
    return number_of(list(values.values()))


def worst(values: ArrayLike) -> Interval:
    """Return the largest of some errors as an exact number; NaN if one of them is NaN."""
    found = np.asarray(values, dtype=np.float64).reshape(-1)
    return exact(float(found.max()) if len(found) else float("nan"), len(found))


def signed(value: float, digits: int = 2) -> str:
    """Return a difference for print, with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def judged(claim: str, rows: Sequence[Evidence], reason: str = "", deviations: Sequence[str] = ()) -> Finding:
    """Return the finding that follows from rows of evidence; tests come first, then controls, then context."""
    ordered = tuple(sorted(rows, key=lambda row: _ORDER[row.role]))
    return Finding(claim, verdict_from(ordered), ordered, reason, tuple(deviations))


def condition_of(study: Study, name: str) -> Condition:
    """Return a condition by its name.

    Raises
    ------
    KeyError
        If the study has none of this name, or no subject of it; the names that it has are told.
    """
    for condition in study.reared:
        if condition.name == name:
            return condition
    raise KeyError(f"{study.title}: no subject of a condition '{name}'; there are {[c.name for c in study.reared]}")


def by_seed(
    condition: Condition, measure: str, site: str = "representation", when: Literal["end", "untrained"] | int = "end"
) -> dict[int, float]:
    """Return a measure of `binocular.dominance.Dominance` for each subject, by its seed.

    Parameters
    ----------
    condition
        The subjects.
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
    found = {}
    for subject in condition.subjects:
        epochs = [int(epoch) for epoch in subject.sites[site].epoch]
        wanted = {"end": epochs[-1], "untrained": 0}[when] if isinstance(when, str) else when
        if wanted not in epochs:
            raise KeyError(f"{condition.name}, seed {subject.seed}: {site} was not probed after epoch {wanted}")
        values = dominance_of(subject.sites[site].values["rsv"], condition.treated_eye)
        found[subject.seed] = float(getattr(values, measure)[len(epochs) - 1 - epochs[::-1].index(wanted)])
    return found


def accuracies(condition: Condition, task: str = "test_accuracy") -> dict[int, float]:
    """Return the accuracy of each subject in a task at the end of rearing, by its seed, 0 to 1."""
    return {subject.seed: last_value(subject.history[task]) for subject in condition.subjects}


def paired(first: dict[int, float], second: dict[int, float], scale: float = 1.0) -> Interval:
    """Return ``scale * (first - second)`` over the seeds that both have.

    Subjects of one seed begin with the same weights and see the same order of stimuli, so their difference varies
    less than two independent means.
    """
    seeds = sorted(first.keys() & second.keys())
    return number_of([scale * (first[seed] - second[seed]) for seed in seeds])
