"""Ocular dominance: the seven groups of Hubel and Wiesel and the indices drawn from them.

The sign is fixed everywhere: +1 is left eye only, -1 right eye only, so group 1 holds units of the right eye only and
group 7 units of the left eye only. An index that speaks of the *treated* (contralateral) eye takes the eye as an
argument and turns the groups round where the left eye was treated; the groups themselves are never turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EQUAL_EDGES",
    "N_GROUPS",
    "Dominance",
    "binocular_share",
    "contralateral_bias",
    "dominance_of",
    "group_numbers",
    "group_shares",
    "groups_of",
    "mean_rsv",
    "median_unit_mi",
    "monocularity",
    "over_units",
    "silent_units",
    "wasserstein",
]

N_GROUPS = 7
EQUAL_EDGES = (1 / 7, 3 / 7, 5 / 7)
"""Seven equal bins from -1 to +1: |RSV| at which groups 3|5, 2|6 and 1|7 begin."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def group_numbers(rsv: ArrayLike, edges: tuple[float, float, float] = EQUAL_EDGES) -> Counts:
    """Return the ocular-dominance group of each unit, 1 (right eye only) to 7 (left eye only); 0 where it is silent.

    Parameters
    ----------
    rsv, edges
        As for `groups_of`, which says which group a unit on an edge belongs to.

    Returns
    -------
    numpy.ndarray
        ``[..., unit]`` int64.

    Raises
    ------
    ValueError
        As `groups_of`.

    Examples
    --------
    >>> group_numbers([-1.0, -0.2, np.nan, 0.1, 0.6]).tolist()
    [1, 3, 0, 4, 6]
    """
    values = np.asarray(rsv, dtype=np.float64)
    if not (0 < edges[0] < edges[1] < edges[2] <= 1):
        raise ValueError(f"group edges must rise between 0 and 1, not {edges}")
    if np.any(np.abs(values) > 1):
        raise ValueError("dominance values must lie between -1 and 1")
    distance = np.searchsorted(np.asarray(edges), np.abs(values), side="right")
    return np.where(np.isnan(values), 0, np.where(values < 0, 4 - distance, 4 + distance)).astype(np.int64)


def groups_of(rsv: ArrayLike, edges: tuple[float, float, float] = EQUAL_EDGES) -> Counts:
    """Count the units in each of the seven ocular-dominance groups.

    A unit that lies exactly on an edge belongs to the more monocular group on either side, so that exchanging the
    eyes (changing every sign) mirrors the counts exactly.

    Parameters
    ----------
    rsv
        Relative source variance or ocular dominance index of each unit, ``[..., unit]``, in [-1, 1]; +1 = left eye
        only. NaN marks a silent unit, which is in no group (see `silent_units`).
    edges
        Distances from equality at which groups 3 and 5, 2 and 6, 1 and 7 begin.

    Returns
    -------
    numpy.ndarray
        Units per group, ``[..., 7]`` int64: group 1 (right eye only) first, group 7 (left eye only) last.

    Raises
    ------
    ValueError
        If a value lies outside [-1, 1] or the edges do not rise from 0 to 1.

    Examples
    --------
    >>> groups_of([-1.0, -0.2, 0.0, 0.1, 0.6]).tolist()
    [1, 0, 1, 2, 0, 1, 0]
    >>> groups_of([1.5])
    Traceback (most recent call last):
    ValueError: dominance values must lie between -1 and 1
    """
    group = group_numbers(rsv, edges)
    return np.stack([np.sum(group == number, axis=-1) for number in range(1, N_GROUPS + 1)], axis=-1).astype(np.int64)


def group_shares(groups: ArrayLike) -> Floats:
    """Return the share of the units of each group, ``[..., 7]``; NaN where all units are silent.

    Parameters
    ----------
    groups
        Units per group, ``[..., 7]``.

    Examples
    --------
    >>> group_shares([0, 0, 1, 2, 1, 0, 0]).tolist()
    [0.0, 0.0, 0.25, 0.5, 0.25, 0.0, 0.0]
    """
    counts = _counts(groups)
    return _ratio(counts, np.broadcast_to(counts.sum(-1, keepdims=True), counts.shape))


def silent_units(rsv: ArrayLike) -> Counts:
    """Count the silent units (NaN), ``[..., unit]`` to ``[...]``."""
    return np.sum(np.isnan(np.asarray(rsv, dtype=np.float64)), axis=-1).astype(np.int64)


def _counts(groups: ArrayLike) -> Floats:
    counts = np.asarray(groups, dtype=np.float64)
    if counts.shape[-1:] != (N_GROUPS,):
        raise ValueError(f"expected seven groups on the last axis, not an array of shape {counts.shape}")
    if np.any(counts < 0):
        raise ValueError("a group cannot hold fewer than 0 units")
    return counts


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide, NaN where nothing was counted."""
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=np.asarray(below) > 0)


def contralateral_bias(groups: ArrayLike, treated_eye: str = "right") -> Floats:
    """Return the contralateral bias index (CBI), the treated eye playing the contralateral one.

    CBI = [(n1 - n7) + 2/3 (n2 - n6) + 1/3 (n3 - n5) + N] / 2N, where group 1 belongs to the treated eye alone.

    Parameters
    ----------
    groups
        Units (or shares) per group, ``[..., 7]``, in the fixed order right eye only ... left eye only.
    treated_eye
        ``"right"`` or ``"left"``; with ``"left"`` the groups are read from the other end.

    Returns
    -------
    numpy.ndarray
        ``[...]``: 1 = every unit belongs to the treated eye alone, 0.5 = balanced, 0 = every unit to the fellow
        eye alone; NaN where all units are silent.

    Examples
    --------
    Ten units of the right eye only, ten of the left eye only and twenty in the middle are in balance.

    >>> float(contralateral_bias([10, 0, 0, 20, 0, 0, 10]))
    0.5
    >>> float(contralateral_bias([0, 0, 0, 0, 0, 0, 40]))
    0.0
    >>> float(contralateral_bias([0, 0, 0, 0, 0, 0, 40], treated_eye="left"))
    1.0
    """
    if treated_eye not in ("left", "right"):
        raise ValueError(f"treated_eye must be 'left' or 'right', not {treated_eye!r}")
    counts = _counts(groups)
    if treated_eye == "left":
        counts = counts[..., ::-1]
    total = counts.sum(-1)
    # Differences first, so that a mirrored histogram gives the mirrored index to the last bit.
    lean = (
        (counts[..., 0] - counts[..., 6])
        + 2 / 3 * (counts[..., 1] - counts[..., 5])
        + 1 / 3 * (counts[..., 2] - counts[..., 4])
    )
    return _ratio(lean + total, 2 * total)


def monocularity(groups: ArrayLike) -> Floats:
    """Return the group monocularity index, ``[..., 7]`` to ``[...]``.

    MI = [(n1 + n7) + 2/3 (n2 + n6) + 1/3 (n3 + n5)] / N: 0 = all units binocular (group 4), 1 = all monocular; NaN
    where all units are silent.

    Examples
    --------
    >>> float(monocularity([5, 0, 0, 10, 0, 0, 5]))
    0.5
    """
    counts = _counts(groups)
    weighted = (
        (counts[..., 0] + counts[..., 6])
        + 2 / 3 * (counts[..., 1] + counts[..., 5])
        + 1 / 3 * (counts[..., 2] + counts[..., 4])
    )
    return _ratio(weighted, counts.sum(-1))


def binocular_share(groups: ArrayLike) -> Floats:
    """Return the share of units in groups 2 to 6, ``[..., 7]`` to ``[...]`` in [0, 1]; NaN where all are silent."""
    counts = _counts(groups)
    return _ratio(counts[..., 1:6].sum(-1), counts.sum(-1))


def over_units(values: Floats, reduce: str) -> Floats:
    """Reduce the last axis over what is not NaN, as silent units are; NaN, without a warning, where nothing is left.

    Parameters
    ----------
    values
        ``[..., unit]`` to ``[...]``.
    reduce
        ``"mean"`` or ``"median"``.
    """
    flat = values.reshape(-1, values.shape[-1]) if values.size else values.reshape(int(np.prod(values.shape[:-1])), -1)
    function = {"mean": np.mean, "median": np.median}[reduce]
    out = [function(row[~np.isnan(row)]) if np.any(~np.isnan(row)) else np.nan for row in flat]
    return np.asarray(out, dtype=np.float64).reshape(values.shape[:-1])


def mean_rsv(rsv: ArrayLike) -> Floats:
    """Return the mean over units that are not silent, ``[..., unit]`` to ``[...]`` in [-1, 1]; +1 = left eye only."""
    return over_units(np.asarray(rsv, dtype=np.float64), "mean")


def median_unit_mi(rsv: ArrayLike) -> Floats:
    """Return the median unit monocularity, the median size of RSV (or ODI), ``[..., unit]`` to ``[...]`` in [0, 1]."""
    return over_units(np.abs(np.asarray(rsv, dtype=np.float64)), "median")


def wasserstein(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return the Wasserstein-1 distance between two group histograms.

    Parameters
    ----------
    first, second
        Counts or shares, ``[..., 7]``; each is brought to a sum of 1 first.

    Returns
    -------
    numpy.ndarray
        ``[...]``, in groups: the mean number of groups by which units must move; 0 to 6. NaN for an empty histogram.

    Examples
    --------
    >>> float(wasserstein([0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1]))
    3.0
    """
    one, two = _counts(first), _counts(second)
    one = _ratio(one, np.broadcast_to(one.sum(-1, keepdims=True), one.shape))
    two = _ratio(two, np.broadcast_to(two.sum(-1, keepdims=True), two.shape))
    return np.abs(np.cumsum(one - two, axis=-1)[..., :-1]).sum(-1)


@dataclass(frozen=True)
class Dominance:
    """Ocular dominance of one site, checkpoint by checkpoint; what is stored under ``dominance/<site>``.

    Attributes
    ----------
    groups
        Units per group, ``[checkpoint, 7]`` int64, group 1 = right eye only.
    cbi, mi, binocular_share, mean_rsv, median_unit_mi
        The indices of this module, each ``[checkpoint]`` float64; NaN where all units are silent.
    """

    groups: Counts
    cbi: Floats
    mi: Floats
    binocular_share: Floats
    mean_rsv: Floats
    median_unit_mi: Floats


def dominance_of(rsv: ArrayLike, treated_eye: str = "right") -> Dominance:
    """Return all indices of one site from the units' RSV, ``[checkpoint, unit]``; see `Dominance`.

    Parameters
    ----------
    rsv
        In [-1, 1], NaN for a silent unit.
    treated_eye
        ``left`` or ``right``, for the contralateral bias index.

    Examples
    --------
    One checkpoint, four units: two of the left eye only, one of the right eye only, one of both.

    >>> found = dominance_of([[1.0, 0.9, -1.0, 0.0]])
    >>> found.groups.tolist()
    [[1, 0, 0, 1, 0, 0, 2]]
    >>> found.binocular_share.tolist()
    [0.25]
    """
    groups = groups_of(rsv)
    return Dominance(
        groups=groups,
        cbi=contralateral_bias(groups, treated_eye),
        mi=monocularity(groups),
        binocular_share=binocular_share(groups),
        mean_rsv=mean_rsv(rsv),
        median_unit_mi=median_unit_mi(rsv),
    )
