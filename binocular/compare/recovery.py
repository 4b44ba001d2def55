"""Vision long after a deficit, by its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from binocular.compare.resampling import ends, generator, spread_of_mean
from binocular.compare.samples import Sample, accuracies, seen_alone
from binocular.store.statistics import Interval
from binocular.store.study import Condition

__all__ = ["Recovery", "recoveries"]

_SEEN: Mapping[str, Callable[[Condition, str], np.ndarray]] = {
    "deprived eye": seen_alone,
    "both eyes": lambda condition, eye: accuracies(condition, "test_accuracy"),
}


@dataclass(frozen=True)
class Recovery:
    """Vision at the end of rearing by the end of the deficit.

    Attributes
    ----------
    treatment, names
        What was done from the beginning of rearing, ``one eye closed`` or ``one eye blurred``; and the conditions.
    measure
        ``deprived eye``, the other one closed (see `seen_alone`; left out where it was not measured), or ``both eyes``:
        accuracy on the test stimuli.
    ends_at
        Epoch at which each deficit ended, ``[point]``, rising; 0 = normal subjects.
    accuracy
        Each with its 95 % t interval over subjects.
    falls
        Whether accuracy falls with every later end, point for point.
    """

    treatment: str
    measure: str
    ends_at: np.ndarray
    accuracy: tuple[Interval, ...]
    names: tuple[str, ...]
    falls: bool


def recoveries(samples: Sequence[Sample]) -> list[Recovery]:
    """Return vision after deficits of one eye from the beginning of rearing, and of normal subjects (at 0)."""
    found = []
    for treatment in ("one eye closed", "one eye blurred"):
        chosen: dict[int, Sample] = {}
        # Where several conditions end their deficit together, the one that was reared longest stands.
        for sample in sorted(samples, key=lambda one: -one.treatment.epochs):
            done = sample.treatment
            if done.name == "normal" or (done.name == treatment and done.start == 0):
                chosen.setdefault(done.stop or 0, sample)
        if set(chosen) - {0}:
            found += [_recovery(treatment, measure, chosen) for measure in _SEEN]
    return [one for one in found if len(one.accuracy) > 1]


def _recovery(treatment: str, measure: str, chosen: Mapping[int, Sample]) -> Recovery:
    points: dict[int, Interval] = {}
    for place, sample in sorted(chosen.items()):
        values = _SEEN[measure](sample.condition, sample.treatment.deprived_eye)
        values = values[~np.isnan(values)]
        if len(values):
            spread = spread_of_mean(values, generator(f"recovery/{measure}/{sample.name}"))
            mean = float(values.mean())
            low, high = ends(mean + spread) if len(values) > 1 else (float("nan"), float("nan"))
            points[place] = Interval(mean, low, high, len(values), "t")
    falls = all(later.mean <= earlier.mean for earlier, later in pairwise(points.values()))
    names = tuple(chosen[place].name for place in points)
    return Recovery(treatment, measure, np.array(list(points), float), tuple(points.values()), names, falls)
