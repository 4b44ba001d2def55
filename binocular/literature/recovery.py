"""Vision long after a deficit, by its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from binocular.literature.histograms import Estimate
from binocular.literature.resampling import ends, generator, spread_of_mean
from binocular.literature.samples import Sample, accuracies, condition_named
from binocular.study import Study

__all__ = ["Recovery", "recoveries"]

_DEFICITS = ("one eye closed", "one eye blurred")


@dataclass(frozen=True)
class Recovery:
    """Vision at the end of rearing by the end of the deficit.

    Attributes
    ----------
    measure
        ``deprived eye alone`` or ``both eyes``: accuracy on the test stimuli.
    ends_at
        Epoch at which each deficit ended, ``[point]``, rising; 0 = normal subjects.
    accuracy
        Each with its 95 % t interval over subjects.
    names
        The conditions.
    falls
        Whether accuracy falls with every later end, point for point.
    """

    measure: str
    ends_at: np.ndarray
    accuracy: tuple[Estimate, ...]
    names: tuple[str, ...]
    falls: bool


def recoveries(study: Study, samples: Sequence[Sample]) -> list[Recovery]:
    """Return vision after deficits of one eye from the beginning of rearing, and of normal subjects (at 0)."""
    chosen: dict[int, Sample] = {}
    for sample in sorted(samples, key=lambda one: -one.treatment.epochs):
        treatment = sample.treatment
        if treatment.name == "normal" or (treatment.name in _DEFICITS and treatment.start == 0):
            chosen.setdefault(treatment.stop or 0, sample)
    if len(chosen) < 2:
        return []
    found = []
    for measure, column in (("deprived eye alone", "accuracy_deprived_only"), ("both eyes", "test_accuracy")):
        points, places, names = [], [], []
        for place, sample in sorted(chosen.items()):
            values = accuracies(condition_named(study, sample.name), column)
            values = values[~np.isnan(values)]
            if len(values):
                spread = spread_of_mean(values, generator(f"recovery/{measure}/{sample.name}"))
                mean = float(values.mean())
                interval = ends(mean + spread) if len(values) > 1 else (float("nan"), float("nan"))
                points.append(Estimate(mean, *interval))
                places.append(place)
                names.append(sample.name)
        if len(points) > 1:
            falls = all(later.value <= earlier.value for earlier, later in pairwise(points))
            found.append(Recovery(measure, np.array(places, float), tuple(points), tuple(names), falls))
    return found
