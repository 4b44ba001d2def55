"""What deep linear networks are taught: correlations of output with input, as published."""

from __future__ import annotations

import numpy as np

from binocular.stimuli.streams import stream_key

__all__ = ["HIERARCHY", "SENSORS", "STRONG_SENSOR", "low_rank_matrix", "modes_of", "observed_entries"]

SENSORS = np.array(
    [
        [1, 0, 3, 1, 0, 0, 0, 0],
        [1, 0, 0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 1, 0, 0],
        [0, 1, 0, 0, 0, 0, 1, 0],
        [0, 0, 3, 0, 0, 0, 0, 1],
    ],
    dtype=np.float64,
)
"""Five tasks by eight sensors (Kleinman et al. 2023, Fig. 2); the third sensor is strong and serves tasks 1 and 5."""

STRONG_SENSOR = 2
"""Column of the strong sensor in `SENSORS`."""

HIERARCHY = np.concatenate([np.repeat(np.eye(2**level), 8 // 2**level, axis=1) for level in range(4)])
"""Fifteen features by eight items, given one-hot: all, halves, quarters, and each its own (Kleinman et al. 2024)."""


def modes_of(target: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the modes of a target ``[out, in]``.

    Returns
    -------
    outputs, strengths, inputs
        Orthonormal columns ``[out, mode]``, singular values from strong to weak, and columns ``[in, mode]``; the
        number of modes is the smaller of the two sizes. The largest entry of each input mode is positive.
    """
    u, s, vt = np.linalg.svd(np.asarray(target, dtype=np.float64), full_matrices=False)
    signs = np.sign(vt[np.arange(len(s)), np.abs(vt).argmax(axis=1)])
    return u * signs, s, vt.T * signs


def low_rank_matrix(size: int, rank: int, seed: int, purpose: str) -> np.ndarray:
    """Return a random square matrix of a rank with entries of mean square 1 (Kleinman et al. 2024, Section 4).

    Parameters
    ----------
    size, rank
        Of the matrix, a product of two ``[size, rank]`` matrices of independent normal entries.
    seed, purpose
        Of the stream of random numbers.
    """
    if not 1 <= rank <= size:
        raise ValueError(f"rank must be from 1 to {size}, not {rank}")
    random = np.random.default_rng(stream_key(seed, f"linear {purpose}"))
    left, right = random.standard_normal((2, size, rank))
    product = left @ right.T
    return product * (size / np.linalg.norm(product))


def observed_entries(size: int, count: int, seed: int) -> np.ndarray:
    """Return which entries of a ``[size, size]`` matrix are seen, as the order of all entries drawn at random.

    Parameters
    ----------
    size
        Rows and columns.
    count
        How many are seen, 1 to ``size * size``.
    seed
        Of the order.

    Returns
    -------
    numpy.ndarray
        A mask ``[size, size]`` of ``count`` ones. A smaller count of the same seed gives a subset.
    """
    if not 1 <= count <= size * size:
        raise ValueError(f"from 1 to {size * size} entries can be seen, not {count}")
    order = np.random.default_rng(stream_key(seed, "linear observations")).permutation(size * size)
    seen = np.zeros(size * size)
    seen[order[:count]] = 1.0
    return seen.reshape(size, size)
