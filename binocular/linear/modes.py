"""Exact theory of deep linear networks: how the strength of one mode grows, alone or shared between pathways.

With whitened input and aligned weights the modes do not touch each other. A mode of target strength s that has the
strength p in one layer of a pathway and q in its D - 1 others contributes ``K = p q^(D - 1)``, and ``q^2 - p^2`` never
changes: it is 0 for the balanced start, ``K = p^D``, and 1 for the start of Fig. 1 of Kleinman et al. 2024. Then

    dp/dt = (p^2 + conserved)^((D - 1) / 2) (s - sum of K over pathways).

Time is that of gradient flow on half the squared error: steps times learning rate.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["contribution", "curvature", "deep_mode", "race", "settled_race", "shallow_mode"]


def deep_mode(strength: ArrayLike, start: ArrayLike, time: ArrayLike) -> np.ndarray:
    """Return the strength of a mode in a network with one hidden layer, balanced (Saxe, McClelland & Ganguli 2014).

    Parameters
    ----------
    strength
        Singular value s of the target, positive.
    start
        Strength at time 0, positive.
    time
        Time of gradient flow; all three are broadcast together.
    """
    s, a0, t = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (strength, start, time)))
    # s e^(2st) / (e^(2st) - 1 + s / a0), divided through by e^(2st) so that it does not overflow.
    decay = np.exp(-2 * s * t)
    return s / (1 - decay + decay * s / a0)


def shallow_mode(strength: ArrayLike, start: ArrayLike, time: ArrayLike) -> np.ndarray:
    """Return the strength of a mode in a network without a hidden layer: exponential approach, at one rate for all.

    Parameters
    ----------
    strength
        Of the mode in the data.
    start
        In the network at the beginning.
    time
        Steps times learning rate.
    """
    s, a0, t = (np.asarray(x, dtype=np.float64) for x in (strength, start, time))
    return s * (1 - np.exp(-t)) + a0 * np.exp(-t)


def contribution(p: ArrayLike, depth: int, conserved: float = 0.0) -> np.ndarray:
    """Return the contribution ``K = p (p^2 + conserved)^((depth - 1) / 2)`` of a pathway.

    Parameters
    ----------
    p
        Strength of the pathway's first layer, any shape.
    depth
        Layers of the pathway, at least 1.
    conserved
        Square of a later layer's strength less that of the first; 0 where they are balanced.
    """
    p = np.asarray(p, dtype=np.float64)
    return p * (p**2 + conserved) ** ((depth - 1) / 2)


def curvature(depth: int, strength: float, conserved: float = 0.0) -> float:
    """Return how fast the error of a mode that two pathways share equally dies away in the end, per unit of time.

    A step of gradient descent has to be short against its inverse to follow the differential equation.

    Parameters
    ----------
    depth
        Layers of a pathway, at least 1.
    strength
        Of the mode in the data.
    conserved
        As in `contribution`.
    """
    p = _strength_of(strength / 2, depth, conserved)
    q2 = p * p + conserved
    return 2 * q2 ** (depth - 2) * (q2 + (depth - 1) * p * p)


def race(
    depth: int,
    strength: ArrayLike,
    start: ArrayLike,
    time: Sequence[float] | np.ndarray,
    closed: Sequence[tuple[float, float]] = (),
    *,
    conserved: float = 0.0,
    correlation: float = 1.0,
    silenced: bool = False,
) -> np.ndarray:
    """Return how two pathways share modes, by integrating the differential equation.

    Parameters
    ----------
    depth
        Matrices per pathway, D.
    strength
        Singular values s, ``[mode]`` or one number for all.
    start
        Strength p of each pathway at time 0, ``[mode, 2]``; the second pathway is the one that is deprived.
    time
        Times at which the result is wanted, rising.
    closed
        From when to when the second pathway does not learn, in order of time.
    conserved
        The constant ``q^2 - p^2``.
    correlation
        Correlation between what the pathways see; 1 is the published case, at 0 there is no competition.
    silenced
        Whether the deprived pathway also contributes nothing while it does not learn (an eye that is closed), or goes
        on contributing what it did (the published gate).

    Returns
    -------
    numpy.ndarray
        Contributions K, ``[time, mode, 2]``.

    Raises
    ------
    RuntimeError
        If the integration fails.
    """
    from scipy.integrate import solve_ivp

    times = np.asarray(time, dtype=np.float64)
    begin_at = np.asarray(start, dtype=np.float64)
    s = np.atleast_1d(np.broadcast_to(np.asarray(strength, dtype=np.float64), begin_at.shape[:-1]))
    state = np.array(begin_at.reshape(-1, 2))
    edges = [0.0] + [edge for window in closed for edge in window] + [np.inf]
    found = np.full((len(times), len(s), 2), np.nan)
    for index, (begin, end) in enumerate(itertools.pairwise(edges)):
        gate = np.array([1.0, index % 2 == 0], dtype=np.float64)
        contributes = gate if silenced else np.ones(2)
        inside = (times >= begin) & (times < end)
        stop = times[-1] if np.isinf(end) else min(end, times[-1])
        if stop <= begin:
            found[inside] = contribution(state, depth, conserved)
            continue

        def slope(
            _: float, flat: np.ndarray, gate: np.ndarray = gate, contributes: np.ndarray = contributes
        ) -> np.ndarray:
            p = flat.reshape(-1, 2)
            k = contribution(p, depth, conserved) * contributes
            missing = s[:, None] - k - correlation * k[:, ::-1]
            return (gate * (p**2 + conserved) ** ((depth - 1) / 2) * missing).ravel()

        wanted = times[inside]
        points = np.unique(np.append(wanted, stop))
        # A mode's two pathways are neighbours in the state, and modes do not touch: the Jacobian is banded.
        solved = solve_ivp(
            slope, (begin, stop), state.ravel(), "LSODA", points, rtol=1e-9, atol=1e-12, lband=1, uband=1
        )
        if not solved.success:
            raise RuntimeError(f"the differential equation of depth {depth} was not solved: {solved.message}")
        p = solved.y.T.reshape(len(points), -1, 2)
        found[inside] = contribution(p[np.searchsorted(points, wanted)], depth, conserved)
        state = p[-1]
    return found


def settled_race(depth: int, strength: ArrayLike, start: ArrayLike, conserved: float = 0.0) -> np.ndarray:
    """Return the contributions of two pathways in the end, without going through time.

    Both pathways follow the same error, so that ``f(p_1) - f(p_2)`` with ``df/dp = (p^2 + conserved)^(-(D - 1) / 2)``
    never changes while both learn: for the balanced start the difference of p (D = 1), of log p (D = 2) or of
    ``p^(2 - D)``. With ``K_1 + K_2 = s`` this fixes the end.

    Parameters
    ----------
    depth, strength, conserved
        As for `race`; the pathways see the same.
    start
        Strengths p from which both pathways learn, positive, ``[mode, 2]``.

    Returns
    -------
    numpy.ndarray
        Contributions K, ``[mode, 2]``.
    """
    from scipy.optimize import brentq

    p0 = np.asarray(start, dtype=np.float64).reshape(-1, 2)
    s = np.broadcast_to(np.asarray(strength, dtype=np.float64), (len(p0),))
    found = np.empty((len(s), 2))
    for mode, total in enumerate(s):
        ahead, behind = (1, 0) if p0[mode, 1] > p0[mode, 0] else (0, 1)
        gap = _clock(p0[mode, ahead], p0[mode, behind], depth, conserved)
        top = _strength_of(float(total), depth, conserved)

        def missing(p: float, gap: float = gap, total: float = float(total)) -> float:
            other = _behind(p, gap, depth, conserved)
            return float(contribution(p, depth, conserved) + contribution(other, depth, conserved)) - total

        # The one ahead has between half and all of the mode in the end, wherever it started.
        low = _strength_of(float(total) / 2, depth, conserved) * (1 - 1e-9)
        p = cast(float, brentq(missing, low, top, xtol=1e-14))
        found[mode, ahead] = contribution(p, depth, conserved)
        found[mode, behind] = total - found[mode, ahead]
    return found


def _clock(upper: float, lower: float, depth: int, conserved: float) -> float:
    """Integral of ``(p^2 + conserved)^(-(depth - 1) / 2)`` from ``lower`` to ``upper``."""
    from scipy.integrate import quad

    if conserved == 0:
        if depth == 1:
            return upper - lower
        if depth == 2:
            return float(np.log(upper / lower))
        return (lower ** (2 - depth) - upper ** (2 - depth)) / (depth - 2)
    return quad(lambda p: (p * p + conserved) ** (-(depth - 1) / 2), lower, upper, epsabs=1e-13)[0]


def _behind(p: float, gap: float, depth: int, conserved: float) -> float:
    """Return the strength that is ``gap`` behind ``p``."""
    from scipy.optimize import brentq

    if conserved == 0:
        if depth == 1:
            return p - gap
        if depth == 2:
            return p * float(np.exp(-gap))
        return (p ** (2 - depth) + (depth - 2) * gap) ** (-1 / (depth - 2))
    low = p - gap * (p * p + conserved) ** ((depth - 1) / 2) - 1e-9
    return cast(float, brentq(lambda q: _clock(p, q, depth, conserved) - gap, low, p, xtol=1e-14))


def _strength_of(total: float, depth: int, conserved: float) -> float:
    """Return the p at which one pathway alone contributes ``total``."""
    from scipy.optimize import brentq

    if conserved == 0:
        return total ** (1 / depth)
    return cast(float, brentq(lambda p: float(contribution(p, depth, conserved)) - total, 0.0, total + 1.0))
