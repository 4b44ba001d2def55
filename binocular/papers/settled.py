"""Accuracy once rearing has settled, and losses of it in points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from binocular.store.study import Condition

__all__ = ["LAST", "combined", "losses", "settled"]

LAST = 10
"""Epochs at the end of rearing over whose tests accuracy is averaged."""


def settled(condition: Condition, last: int = LAST) -> dict[int, float]:
    """Return each subject's accuracy with both eyes in per cent, by its seed, averaged over the end of rearing.

    At a learning rate that does not fall to nothing, accuracy wanders by several points from test to test; the mean
    over the last epochs is what the subject has come to.

    Parameters
    ----------
    condition
        The subjects.
    last
        Epochs at the end whose tests are averaged.
    """
    found = {}
    for subject in condition.subjects:
        epoch, accuracy = subject.history["epoch"], subject.history["test_accuracy"]
        found[subject.seed] = 100 * float(np.nanmean(accuracy[epoch > epoch[-1] - last]))
    return found


def losses(without: Condition, having: Condition) -> dict[int, float]:
    """Return the points of settled accuracy that a deficit costs, by seed; subjects of the same seed are compared."""
    return combined([(1.0, settled(without)), (-1.0, settled(having))])


def combined(terms: Sequence[tuple[float, Mapping[int, float]]]) -> dict[int, float]:
    """Return a weighted sum of values, over the seeds that have all of them."""
    seeds = set.intersection(*(set(values) for _, values in terms))
    return {seed: sum(weight * values[seed] for weight, values in terms) for seed in sorted(seeds)}
