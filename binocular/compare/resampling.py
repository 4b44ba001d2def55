"""Sampling error on both sides, and the criterion by which two histograms count as different.

**Subjects.** Units of one network are drawn together, so a subject is not a sample of so many free units. The spread
between subjects is split into what drawing so few units would give by itself and the rest: the subjects' histograms
are shrunk towards their mean until the rest is left, then n - 1 of n subjects are drawn with replacement, and units of
every subject, also with replacement. (Drawing subjects and units without the shrinkage would count the units' sampling
error twice; n - 1 of n makes the variance of the mean unbiased.) With few subjects their spread is itself uncertain:
the subjects' part is multiplied by sqrt(v / chi-squared of v) for v = 2 (n - 1) degrees of freedom, which widens the
tails as Student's t does. With a single subject only units can be drawn, and nothing is known of the spread.

**Cells.** As many cells as were recorded are drawn from the published histogram with replacement. Where their number is
not known, the published shares are taken as they are.

**Criterion**, the same for every study and settled on invented data, 5 % in all: two histograms are ``different``
where the 97.5 % interval of the difference in CBI leaves out 0, or their Wasserstein-1 distance exceeds 97.5 % of the
distances that arise between resampled histograms when both sides have the same one; else they are ``consistent``.
Consistent is not the same: how far the histograms would have had to lie apart is given as the detectable distance.

Measured with 48 units a subject and 100 cells drawn from the same histogram, the verdict was ``different`` in 1 to 5 %
of 400 to 600 trials for 1 to 5 subjects; where subjects truly spread (a lean towards one eye, 0.5 logits s.d. at the
outer groups), in 5 to 8 % for 2 to 5 subjects, and in 17 to 31 % for a single one, whose spread cannot be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from binocular.dominance import wasserstein
from binocular.stimuli.streams import stream_key
from binocular.store.statistics import Interval

__all__ = [
    "CBI_WEIGHTS",
    "DRAWS",
    "LEVEL",
    "HistogramTest",
    "between_subjects",
    "cbi_of",
    "ends",
    "generator",
    "histogram_test",
    "resample_cells",
    "resample_shares",
    "spread_of_mean",
]

DRAWS = 4000
"""Resamplings; the ends of a 97.5 % interval then lie on 50 of them."""
LEVEL = 0.05
"""Chance of a wrong ``different``, split evenly between the two criteria."""

CBI_WEIGHTS = np.array([1, 2 / 3, 1 / 3, 0, -1 / 3, -2 / 3, -1])
"""Weights of the seven shares in CBI = (1 + their weighted sum) / 2."""

Floats = NDArray[np.float64]


def cbi_of(shares: Floats) -> Any:
    """Return CBI by its formula, linear in the seven shares along the last axis, which may be resampled ones."""
    return (1 + shares @ CBI_WEIGHTS) / 2


def generator(purpose: str) -> np.random.Generator:
    """Return the generator of one purpose: it draws other numbers than any other, and the same ones again."""
    return np.random.default_rng(stream_key(0, f"comparison/{purpose}"))


def between_subjects(counts: ArrayLike) -> float:
    """Return which share of the subjects' spread, 0 to 1, is more than drawing so few units would give.

    Parameters
    ----------
    counts
        Units per subject and bin, ``[subject, bin]``; bins are ordered.

    Returns
    -------
    float
        From the variance of the cumulative shares between subjects and its expectation under multinomial sampling,
        both summed over bins; 0 for a single subject.
    """
    units = np.asarray(counts, dtype=np.float64)
    if len(units) < 2:
        return 0.0
    total = units.sum(1, keepdims=True)
    cumulative = np.cumsum(units / total, axis=1)[:, :-1]
    observed = cumulative.var(0, ddof=1).sum()
    expected = (cumulative * (1 - cumulative) / np.maximum(total - 1, 1)).mean(0).sum()
    return float(max(0.0, 1 - expected / observed)) if observed > 0 else 0.0


def resample_shares(counts: ArrayLike, draws: int, rng: np.random.Generator) -> Floats:
    """Resample subjects and their units; see the top of this module.

    Parameters
    ----------
    counts
        Units per subject and bin, ``[subject, bin]``; a subject without units is left out. Each subject weighs the
        same, however many of its units are silent.
    draws, rng
        Number of resamplings, and their source.

    Returns
    -------
    numpy.ndarray
        Mean shares over subjects, ``[draw, bin]``. A row adds up to 1; a share may leave [0, 1] a little, because
        the tails are widened. NaN throughout where no subject has a unit.
    """
    units = np.asarray(counts, dtype=np.float64)
    units = units[units.sum(1) > 0]
    if not len(units):
        return np.full((draws, np.shape(counts)[-1]), np.nan)
    total = units.sum(1)
    shares = units / total[:, None]
    mean = shares.mean(0)
    shrunk = mean + np.sqrt(between_subjects(units)) * (shares - mean)
    part = np.zeros((draws, shares.shape[1]))
    for size, share in zip(total, shrunk, strict=True):
        part += rng.multinomial(round(size), share / share.sum(), size=draws) / round(size) - share
    result = mean + part / len(shrunk)
    if len(shrunk) > 1:
        picked = rng.integers(0, len(shrunk), size=(draws, len(shrunk) - 1))
        freedom = 2 * (len(shrunk) - 1)
        widened = np.sqrt(freedom / rng.chisquare(freedom, size=draws))
        result += (shrunk[picked].mean(1) - mean) * widened[:, None]
    return result


def resample_cells(shares: ArrayLike, cells: int | None, draws: int, rng: np.random.Generator) -> Floats:
    """Resample the cells of a published histogram, ``[7]`` to ``[draw, 7]``; unchanged where ``cells`` is None.

    Parameters
    ----------
    shares, cells
        Of the seven groups, with a sum of 1; and how many cells the animal's histogram counts.
    draws, rng
        Number of resamplings, and their source.
    """
    given = np.asarray(shares, dtype=np.float64)
    if cells is None:
        return np.tile(given, (draws, 1))
    return rng.multinomial(cells, given / given.sum(), size=draws) / cells


def spread_of_mean(values: ArrayLike, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Draw the error of a mean over subjects, ``[subject]`` to ``[draw]``: Student's t; NaN for a single subject.

    Parameters
    ----------
    values
        One per subject.
    rng, draws
        Source and number of resamplings.
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2:
        return np.full(draws, np.nan)
    return rng.standard_t(len(given) - 1, size=draws) * given.std(ddof=1) / np.sqrt(len(given))


def ends(values: ArrayLike, coverage: float = 0.95) -> tuple[float, float]:
    """Return both ends of the percentile interval of some resamplings, ``[draw]``; NaN if any is NaN.

    Parameters
    ----------
    values, coverage
        The resamplings, and the coverage of the interval, between 0 and 1.
    """
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class HistogramTest:
    """Two histograms, and whether they differ beyond sampling.

    Attributes
    ----------
    cbi_difference
        CBI of the subjects less that of the cells, with its 97.5 % interval (the criterion's).
    distance
        Wasserstein-1 over groups, 0 to 6, the mean number of groups by which units would have to move, with its 95 %
        interval: the pivotal one, because resampled distances of near histograms are too large by themselves; cut at 0
        and 6. Its ``n`` are the subjects that had units in a group.
    detectable
        Distance from which on the verdict is ``different``.
    p_distance
        Share of resampled distances between equal histograms that reach the one observed.
    verdict
        ``"consistent"``, ``"different"``, or ``"not comparable"`` where all units are silent.
    """

    cbi_difference: Interval
    distance: Interval
    detectable: float
    p_distance: float
    verdict: str


def histogram_test(
    counts: ArrayLike, shares: ArrayLike, cells: int | None, rng: np.random.Generator, draws: int = DRAWS
) -> HistogramTest:
    """Test whether subjects and published cells differ in their groups; the criterion is at the top of this module.

    Parameters
    ----------
    counts
        Units per subject and group, ``[subject, 7]``, group 1 = treated (deprived) eye only.
    shares
        The published histogram, ``[7]``, the same way round; brought to a sum of 1.
    cells
        Number of cells behind it; None where not known.
    rng, draws
        Source and number of resamplings.
    """
    units = np.asarray(counts, dtype=np.float64).reshape(-1, 7)
    units = units[units.sum(1) > 0]
    theirs = np.asarray(shares, dtype=np.float64)
    theirs = theirs / theirs.sum()
    if not len(units):
        nan = float("nan")
        return HistogramTest(Interval(nan), Interval(nan), nan, nan, "not comparable")
    ours = (units / units.sum(1, keepdims=True)).mean(0)
    resampled, drawn = resample_shares(units, draws, rng), resample_cells(theirs, cells, draws, rng)
    difference = cbi_of(resampled) - cbi_of(drawn)
    low, high = ends(difference, 1 - LEVEL / 2)
    distance = float(wasserstein(ours, theirs))
    null = _distance((resampled - ours) - (drawn - theirs))
    detectable = float(np.quantile(null, 1 - LEVEL / 2))
    spread = ends(_distance(resampled - drawn))
    different = not low <= 0 <= high or distance > detectable + 1e-12
    nearest, farthest = (float(np.clip(2 * distance - end, 0, 6)) for end in reversed(spread))
    return HistogramTest(
        Interval(float(cbi_of(ours) - cbi_of(theirs)), low, high, len(units), "bootstrap"),
        Interval(distance, nearest, farthest, len(units), "bootstrap"),
        detectable,
        p_distance=float((1 + np.sum(null >= distance)) / (1 + draws)),
        verdict="different" if different else "consistent",
    )


def _distance(difference: Floats) -> Floats:
    return np.abs(np.cumsum(difference, axis=-1)[..., :-1]).sum(-1)
