"""Psychometric functions: the share of right answers as it rises from guessing, and the threshold on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Psychometric", "fit_psychometric"]

GUESSING = 0.5
"""Share of right answers of two without any sight."""
_STARTS = (0.0, 0.3)
"""Lapses from which the fit sets out; the likelihood has flat parts."""
_SLOPES = (0.3, 12.0)
"""Between which the exponent of the fit lies; steeper than that is a step between two levels."""


@dataclass(frozen=True)
class Psychometric:
    """A fitted function ``1/2 + (1/2 - lapse) (1 - exp(-(level / scale) ** slope))``, and its threshold.

    Attributes
    ----------
    scale, slope
        Of Weibull's function (Quick 1974, Kybernetik 16:65): its place and its steepness.
    lapse
        Share of wrong answers, 0 to 1/2, that is left at levels however high: 1/2 where there are only guesses.
    threshold
        Level at which the criterion is met; NaN where the function does not meet it within what was shown, and the
        lowest level shown where it is met there already.
    censored
        0 where the threshold lies within what was shown, -1 where the criterion is met nowhere (no threshold), 1 where
        it is met at the lowest level already, so that the true threshold is below.
    """

    scale: float
    slope: float
    lapse: float
    threshold: float
    censored: int

    @property
    def sensitivity(self) -> float:
        """1 / threshold; 0 where there is none."""
        return 0.0 if self.censored < 0 else 1 / self.threshold

    def __call__(self, level: np.ndarray | float) -> np.ndarray:
        """Return the share of right answers at some levels."""
        return _share(np.asarray(level, dtype=float), self.scale, self.slope, self.lapse)


def fit_psychometric(levels: np.ndarray, hits: np.ndarray, count: int, criterion: float = 0.75) -> Psychometric:
    """Fit the share of right answers by maximum likelihood, and read the threshold off the fit.

    Parameters
    ----------
    levels
        Strengths of the signal, positive and rising, ``[level]``.
    hits, count
        Right answers at each, ``[level]``, of so many answers at each.
    criterion
        Share of right answers at threshold, above one half.

    Returns
    -------
    Psychometric
        The function; the upper end is free, because subjects of which a part of the cells is lost err at any level.
    """
    from scipy.optimize import minimize

    levels, hits = np.asarray(levels, dtype=float), np.asarray(hits, dtype=float)

    def surprise(place: np.ndarray) -> float:
        chance = np.clip(_share(levels, np.exp(place[0]), np.exp(place[1]), place[2]), 1e-9, 1 - 1e-9)
        return -float(hits @ np.log(chance) + (count - hits) @ np.log1p(-chance)) / (count * len(levels))

    low, high = np.log(levels[0]), np.log(levels[-1])
    bounds = [(low - 3, high + 3), tuple(np.log(_SLOPES)), (0, 0.5)]
    starts = [
        [scale, np.log(slope), lapse] for scale in np.linspace(low, high, 3) for slope in (1, 3) for lapse in _STARTS
    ]
    fits = [minimize(surprise, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    scale, slope, lapse = min(fits, key=lambda fit: fit.fun).x
    scale, slope = float(np.exp(scale)), float(np.exp(slope))
    rise = (criterion - GUESSING) / max(0.5 - lapse, 1e-12)
    if rise >= 1 or (reached := scale * (-np.log1p(-rise)) ** (1 / slope)) > levels[-1]:
        return Psychometric(scale, slope, float(lapse), float("nan"), -1)
    below = reached < levels[0]
    return Psychometric(scale, slope, float(lapse), float(max(reached, levels[0])), int(below))


def _share(level: np.ndarray, scale: float, slope: float, lapse: float) -> np.ndarray:
    return GUESSING + (0.5 - lapse) * -np.expm1(-((level / scale) ** slope))
