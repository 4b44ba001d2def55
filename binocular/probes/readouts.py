"""Linear readouts of a representation, and thresholds from what they get right.

A readout is what a downstream cell could do with the units: it is trained in closed form on one set of presentations
and tested on another. Thresholds are read from the rise of its accuracy from the hardest level to the easiest.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["cross_entropy_bits", "resampled_thresholds", "ridge_hits", "rising", "sensitivity"]


def ridge_hits(train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, ridge: float = 0.1) -> Tensor:
    """Train ridge regressions on the classes and count what they get right, ``[cell]`` int64.

    Parameters
    ----------
    train, test
        Responses ``[cell, presentation, unit]``; each cell has a readout of its own.
    train_labels, test_labels
        Classes ``[presentation]``, the same for all cells.
    ridge
        Penalty, in units of the variance of a standardised unit.
    """
    train, test = train.double(), test.double()
    mean, spread = train.mean(1, keepdim=True), train.std(1, keepdim=True)
    scale = torch.where(spread > 1e-12, 1 / spread.clamp_min(1e-12), 0.0)
    train, test = (train - mean) * scale, (test - mean) * scale
    targets = F.one_hot(train_labels).double()
    offset = targets.mean(0)
    targets = (targets - offset).expand(len(train), -1, -1)
    count, units = train.shape[1:]
    if units <= count:
        penalty = ridge * count * torch.eye(units, dtype=torch.float64)
        weights = torch.linalg.solve(train.mT @ train + penalty, train.mT @ targets)
    else:
        penalty = ridge * count * torch.eye(count, dtype=torch.float64)
        weights = train.mT @ torch.linalg.solve(train @ train.mT + penalty, targets)
    answers = (test @ weights + offset).argmax(-1)
    return (answers == test_labels).sum(1)


def rising(accuracy: np.ndarray) -> np.ndarray:
    """Return the closest rising sequence in least squares (pool adjacent violators); ``[level]``."""
    blocks: list[list[float]] = []  # mean, length
    for value in accuracy:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, length = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + mean * length) / (before[1] + length)
            before[1] += length
    return np.concatenate([np.full(int(length), mean) for mean, length in blocks])


def sensitivity(levels: np.ndarray, accuracy: np.ndarray, criterion: float) -> tuple[float, int]:
    """Return where accuracy crosses the criterion.

    Parameters
    ----------
    levels
        From the hardest to the easiest, as a quantity of which more is harder (a spatial frequency, 1 / contrast,
        1 / disparity); positive and falling.
    accuracy
        Share of correct answers at each, ``[level]``. Levels easier than the one with the best accuracy are left out:
        what is too coarse or too large can be hard to see again.
    criterion
        Accuracy at threshold.

    Returns
    -------
    tuple
        The level at threshold, by linear interpolation over the logarithm of the level on the closest rising sequence,
        and 0; or the hardest level and 1 if the criterion is met there already, so the threshold is beyond what was
        shown; or 0 and -1 if it is met nowhere.
    """
    best = int(np.argmax(accuracy)) + 1
    curve, steps = rising(np.asarray(accuracy)[:best]), np.log2(levels[:best])
    if curve[0] >= criterion:
        return float(levels[0]), 1
    if curve[-1] < criterion:
        return 0.0, -1
    after = int(np.argmax(curve >= criterion))
    share = (criterion - curve[after - 1]) / (curve[after] - curve[after - 1])
    return float(2 ** (steps[after - 1] + share * (steps[after] - steps[after - 1]))), 0


def resampled_thresholds(
    levels: np.ndarray, hits: np.ndarray, count: int, criterion: float, resamplings: int, generator: torch.Generator
) -> tuple[float, float, float, int]:
    """Return the sensitivity, both ends of its 95 % interval and whether it is censored.

    Parameters
    ----------
    levels, criterion
        As for `sensitivity`.
    hits, count
        Correct answers at each level, ``[level]``, of so many answers at each.
    resamplings
        Draws of the test's answers, binomial at the observed accuracy; 0 leaves the interval NaN. The interval holds
        the chance of the test, not that of the training of the readout.
    generator
        Source of the draws.
    """
    value, censored = sensitivity(levels, hits / count, criterion)
    if not resamplings:
        return value, np.nan, np.nan, censored
    chance = torch.from_numpy(hits / count).expand(resamplings, -1)
    drawn = torch.binomial(torch.full_like(chance, count), chance, generator=generator).numpy() / count
    values = [sensitivity(levels, row, criterion)[0] for row in drawn]
    low, high = np.percentile(values, [2.5, 97.5])
    return value, float(low), float(high), censored


def cross_entropy_bits(
    responses: Tensor,
    labels: Tensor,
    n_classes: int,
    folds: Tensor,
    penalties: tuple[float, ...],
    trained_on: Tensor | None = None,
) -> Tensor:
    """Return the surprise of cross-validated logistic readouts at the class, bits ``[way of seeing, presentation]``.

    Parameters
    ----------
    responses
        ``[way of seeing, presentation, unit]``.
    labels
        ``[presentation]``.
    n_classes
        Number of classes.
    folds
        Fold of each presentation, ``[presentation]`` int64; each is tested by the readout trained on the others.
    penalties
        Weight penalties to choose from, by the cross-entropy on the first quarter of each training set.
    trained_on
        For one readout that serves all ways of seeing: the way in which each presentation trains it,
        ``[presentation]``. None for a readout of each way.
    """
    ways, count = responses.shape[:2]
    surprise = torch.empty(ways, count, dtype=torch.float64)
    for fold in folds.unique():
        train, test = folds != fold, folds == fold
        for way in range(ways):
            if trained_on is None:
                shown = responses[way]
            elif way == 0:
                shown = responses[trained_on, torch.arange(count)]
            else:
                continue
            readout = _Readout(shown[train], labels[train], n_classes, penalties)
            for tested in (way,) if trained_on is None else range(ways):
                surprise[tested, test] = readout.surprise(responses[tested][test], labels[test])
    return surprise / np.log(2)


class _Readout:
    """A multinomial logistic readout of standardised responses."""

    def __init__(self, seen: Tensor, labels: Tensor, n_classes: int, penalties: tuple[float, ...]) -> None:
        spread = seen.std(0)
        self._mean, self._scale = seen.mean(0), torch.where(spread > 1e-12, 1 / spread.clamp_min(1e-12), 0.0)
        x, quarter = self._standard(seen), max(1, len(seen) // 4)
        held_out = []
        for penalty in penalties if len(penalties) > 1 else ():
            weights = _logistic(x[quarter:], labels[quarter:], n_classes, penalty)
            held_out.append(F.cross_entropy(_scores(x[:quarter], weights), labels[:quarter]).item())
        best = int(np.argmin(held_out)) if held_out else 0
        self._weights = _logistic(x, labels, n_classes, penalties[best])

    def _standard(self, responses: Tensor) -> Tensor:
        return (responses - self._mean) * self._scale

    def surprise(self, responses: Tensor, labels: Tensor) -> Tensor:
        """Return nats of surprise at each label."""
        return F.cross_entropy(_scores(self._standard(responses), self._weights), labels, reduction="none")


def _scores(x: Tensor, weights: Tensor) -> Tensor:
    return x @ weights[:-1] + weights[-1]


def _logistic(x: Tensor, labels: Tensor, n_classes: int, penalty: float) -> Tensor:
    """Return weights ``[unit + 1, class]`` that minimise cross-entropy + penalty / 2 * |weights|^2, offset last."""
    weights = torch.zeros(x.shape[1] + 1, n_classes, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weights], max_iter=100, tolerance_grad=1e-5, tolerance_change=1e-8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(_scores(x, weights), labels) + penalty / 2 * weights[:-1].square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[arg-type]
    return weights.detach()
