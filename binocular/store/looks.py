"""Looking at the same number again after more seeds without fooling oneself: how wide its interval must be at a look.

Whoever looks at a 95 % interval after 5, 10, 20 and 40 seeds, and stops at the first that leaves a bound out, is wrong
in far more than 5 of 100 cases. The error is therefore spent over looks that were declared beforehand, by one of the
functions of Lan & DeMets: that which resembles the boundary of O'Brien & Fleming spends little early, so that after 5
of 40 seeds next to nothing can be decided; that which resembles Pocock's spends about evenly, so that large effects are
decided at the first looks, and the last interval is wider in return. An interval of the coverage given here, taken at
its look, can be judged like any other (`binocular.store.statistics.verdict_of`).

References
----------
K. K. G. Lan & D. L. DeMets, Discrete sequential boundaries for clinical trials, Biometrika 70, 659-663 (1983);
P. C. O'Brien & T. R. Fleming, A multiple testing procedure for clinical trials, Biometrics 35, 549-556 (1979);
S. J. Pocock, Group sequential methods in the design and analysis of clinical trials, Biometrika 64, 191-199 (1977);
the integration over looks is that of P. Armitage, C. K. McPherson & B. C. Rowe, J. R. Stat. Soc. A 132, 235-244 (1969).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np

from binocular.stimuli.errors import BadInput

__all__ = ["LOOKS", "Spending", "boundaries", "coverages", "spent"]

Spending = Literal["obrien-fleming", "pocock"]
"""Which boundary the spending of the error resembles."""

LOOKS = (5, 10, 20, 40)
"""Seeds at which a number is looked at."""


def spent(share: float, error: float = 0.05, spending: Spending = "obrien-fleming") -> float:
    """Return the chance of a wrong decision, both sides together, that may have been spent at a look.

    Parameters
    ----------
    share
        Seeds at the look as a share of those at the last, above 0 and at most 1.
    error
        Spent in all, 0 to 1.
    spending
        How it is spread over the looks, see the top of this module.
    """
    from scipy.special import ndtr, ndtri

    if spending == "pocock":
        return error * float(np.log1p((np.e - 1) * share))
    return 4 * float(ndtr(ndtri(error / 4) / np.sqrt(share)))


def boundaries(
    looks: Sequence[int] = LOOKS, error: float = 0.05, spending: Spending = "obrien-fleming"
) -> tuple[float, ...]:
    """Return how many standard errors a mean must lie from a bound to be decided, for each look.

    Parameters
    ----------
    looks
        Seeds at each look, ascending, at least 2.
    error
        Chance, 0 to 1, that a number which lies on its bound is called to hold or not to, at any look.
    spending
        How it is spread over the looks.

    Raises
    ------
    BadInput
        If the looks do not ascend or one has fewer than two seeds.

    Examples
    --------
    >>> [round(bound, 2) for bound in boundaries((10, 20, 30, 40, 50))]
    [4.88, 3.36, 2.68, 2.29, 2.03]
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    if not looks or looks[0] < 2 or any(later <= earlier for earlier, later in itertools.pairwise(looks)):
        raise BadInput(
            f"looks: {', '.join(map(str, looks)) or 'none'}; accepted are numbers of seeds that ascend from 2"
        )
    share = np.asarray(looks) / looks[-1]
    found = [float(-ndtri(spent(share[0], error, spending) / 2))]
    # The sum of the seeds, in s.d. of the last look, where no look has decided yet: its values and their probability.
    edge = found[0] * np.sqrt(share[0])
    place, weight = _grid(edge)
    density = np.exp(-(place**2) / (2 * share[0])) / np.sqrt(2 * np.pi * share[0])
    for before, now in itertools.pairwise(share):
        step, left = np.sqrt(now - before), density * weight
        wanted = spent(now, error, spending) - spent(before, error, spending)

        def beyond(bound: float, place=place, left=left, step=step, now=now, wanted=wanted) -> float:
            edge = bound * np.sqrt(now)
            return float(left @ (ndtr((place - edge) / step) + ndtr((-place - edge) / step))) - wanted

        found.append(float(brentq(beyond, 0.1, 40)))  # type: ignore[arg-type]
        new, weight = _grid(found[-1] * np.sqrt(now))
        density = np.exp(-((new[:, None] - place) ** 2) / (2 * step**2)) @ left / (np.sqrt(2 * np.pi) * step)
        place = new
    return tuple(found)


def _grid(edge: float, points: int = 1001) -> tuple[np.ndarray, np.ndarray]:
    """Return places from -edge to edge and the weights of Simpson's rule."""
    place = np.linspace(-edge, edge, points)
    weight = np.full(points, 2.0)
    weight[1::2] = 4.0
    weight[[0, -1]] = 1.0
    return place, weight * (place[1] - place[0]) / 3


def coverages(
    looks: Sequence[int] = LOOKS, error: float = 0.05, spending: Spending = "obrien-fleming"
) -> tuple[float, ...]:
    """Return the coverage, 0 to 1, that the interval over seeds must have at each look (`boundaries`).

    Parameters
    ----------
    looks, error, spending
        As for `boundaries`.
    """
    from scipy.special import ndtr

    return tuple(1 - 2 * float(ndtr(-bound)) for bound in boundaries(looks, error, spending))
