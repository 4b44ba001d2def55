"""Two deep linear pathways of which one is gated for a while (Kleinman et al. 2024, Figs 1 to 3).

What is measured is the share of the gated pathway, b, in what both pathways contribute to a mode in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from binocular.linear.cohort import Conditions, LinearCohort, Stretch
from binocular.linear.modes import race
from binocular.linear.starts import aligned_start
from binocular.linear.tasks import modes_of
from binocular.stimuli.streams import stream

__all__ = [
    "exact_contributions",
    "gated_contributions",
    "half_time",
    "hierarchy_starts",
    "shares",
    "single_mode_starts",
    "stepped_contributions",
]

Window = tuple[float, float]


def shares(contributions: np.ndarray) -> np.ndarray:
    """Return the share of the second pathway, 0 to 1, from contributions ``[..., 2]``."""
    return contributions[..., 1] / contributions.sum(-1)


def single_mode_starts(seeds: Sequence[int]) -> np.ndarray:
    """Return starting strengths p of both pathways for one mode, ``[seed, 1, 2]``: normal, s.d. 0.01, as in Fig. 1."""
    drawn = [torch.randn(1, 2, dtype=torch.float64, generator=stream(seed, "linear strengths")) for seed in seeds]
    return 0.01 * torch.stack(drawn).numpy()


def hierarchy_starts(seeds: Sequence[int], depth: int) -> np.ndarray:
    """Return balanced starting strengths p for the eight modes of the hierarchy, ``[seed, 8, 2]``.

    A mode contributes ``0.01 * (1 + 0.1 * normal)``, sorted from large to small and equal in both pathways, as in
    Fig. 2 of the paper.

    Parameters
    ----------
    seeds
        One row each.
    depth
        Layers of a pathway, at least 1.
    """
    rows = []
    for seed in seeds:
        normal = torch.randn(8, dtype=torch.float64, generator=stream(seed, "linear strengths")).numpy()
        rows.append(np.sort(0.01 * (1 + 0.1 * normal))[::-1])
    p = np.stack(rows) ** (1 / depth)
    return np.stack([p, p], axis=-1)


def half_time(depth: int, strength: float, start: float, conserved: float = 0.0) -> float:
    """Return when two undisturbed pathways have learned half of a mode.

    Parameters
    ----------
    depth
        Layers of a pathway, at least 1.
    strength
        Of the mode in the data.
    start
        Strength p of each pathway at the beginning.
    conserved
        As in `contribution`.
    """
    end = 1.0
    while True:
        time = np.linspace(0, end, 4001)
        learned = race(depth, strength, [[start, start]], time, conserved=conserved)[:, 0].sum(-1)
        if learned[-1] > strength / 2:
            return float(np.interp(strength / 2, learned, time))
        end *= 4


def gated_contributions(
    depth: int,
    target: np.ndarray,
    starts: np.ndarray,
    seeds: Sequence[int],
    windows: Mapping[str, Window],
    learning_rate: float,
    at: Sequence[int],
    *,
    width: int = 16,
    conserved: float = 0.0,
    silenced: Sequence[str] = (),
    lesioned: Mapping[str, int] | None = None,
    correlation: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Train networks by gradient descent, one per condition and seed, all at once.

    Parameters
    ----------
    depth
        Matrices per pathway.
    target
        What is to be learned, ``[out, in]``. Training takes place in the basis of its modes, which changes nothing for
        gradient descent.
    starts
        Strengths p of both pathways, ``[seed, mode, 2]``, for the strongest modes of the target.
    seeds
        Of the bases between the layers.
    windows
        For each condition from when to when pathway b does not learn, in time of gradient flow.
    learning_rate
        Step.
    at
        Steps at which the contributions are wanted, rising; the last one is the end.
    width
        Hidden units.
    conserved
        The constant ``q^2 - p^2``: p is the strength of the first matrix, q that of the others.
    silenced
        Conditions in which the gated pathway contributes nothing either.
    lesioned
        For conditions, the mode that pathway a can never carry.
    correlation
        For conditions, the correlation between what the two pathways see, 1 where it is not given.

    Returns
    -------
    numpy.ndarray
        ``[condition, seed, step, mode, 2]``.
    """
    outputs, strengths, inputs = modes_of(target)
    modes = starts.shape[1]
    p = torch.from_numpy(np.ascontiguousarray(starts)).transpose(1, 2)
    q = torch.sqrt(p**2 + conserved)
    layers = aligned_start(
        torch.stack([p] + [q] * (depth - 1), dim=2), torch.eye(len(outputs))[:, :modes],
        torch.eye(len(inputs))[:, :modes], width, seeds,
    )  # fmt: skip
    n, names = len(seeds), list(windows)
    diagonal = torch.zeros(target.shape, dtype=torch.float64)
    diagonal[range(len(strengths)), range(len(strengths))] = torch.from_numpy(strengths)
    passes = torch.ones(len(names), 2, *target.shape, dtype=torch.float64)
    seen = torch.ones(len(names), 2, 2, dtype=torch.float64)
    for index, name in enumerate(names):
        if lesioned and name in lesioned:
            mode = lesioned[name]
            passes[index, 0, mode, :] = 0
            passes[index, 0, :, mode] = 0
        if correlation and name in correlation:
            seen[index, 0, 1] = seen[index, 1, 0] = correlation[name]

    def conditions(gated: Tensor) -> Conditions:
        learns = torch.stack([torch.ones_like(gated), ~gated], dim=1)
        quiet = gated & torch.tensor([name in silenced for name in names])
        passing = passes.clone()
        passing[quiet, 1] = 0
        return Conditions(
            diagonal.expand(len(names) * n, *target.shape), learns.repeat_interleave(n, 0),
            passing.repeat_interleave(n, 0), correlation=seen.repeat_interleave(n, 0) if correlation else None,
        )  # fmt: skip

    begins, ends = (
        torch.tensor([round(window[edge] / learning_rate) for window in windows.values()]) for edge in (0, 1)
    )
    edges = sorted({int(edge) for edge in (*begins, *ends) if 0 < edge < at[-1]} | {int(at[-1])})
    course, start = [], 0
    for edge in edges:
        course.append(Stretch(edge, conditions((begins <= start) & (start < ends))))
        start = edge
    cohort = LinearCohort([layer.repeat(len(names), 1, 1, 1) for layer in layers], learning_rate)
    kept: list[np.ndarray] = []

    def keep(cohort: LinearCohort) -> None:
        parts = torch.diagonal(cohort.products(), dim1=2, dim2=3)[..., :modes]
        kept.append(parts.mT.unflatten(0, (len(names), n)).numpy())

    cohort.rear(course, keep, [int(step) for step in at])
    return np.stack(kept, axis=2)


def exact_contributions(
    depth: int,
    strengths: np.ndarray,
    starts: np.ndarray,
    windows: Mapping[str, Window],
    time: np.ndarray,
    *,
    conserved: float = 0.0,
    silenced: Sequence[str] = (),
) -> np.ndarray:
    """Return by the differential equation what `gated_contributions` finds, without lesions: of the same shape.

    Parameters
    ----------
    depth, starts, windows, conserved, silenced
        As for `gated_contributions`; windows in time of gradient flow.
    strengths
        Singular values, ``[mode]``.
    time
        Times of gradient flow at which the contributions are wanted.
    """
    n, modes, _ = starts.shape
    flat = starts.reshape(-1, 2)
    found = []
    for name, window in windows.items():
        closed = [window] if window[1] > window[0] else []
        found.append(
            race(depth, np.tile(strengths, n), flat, time, closed, conserved=conserved, silenced=name in silenced)
        )
    return np.stack(found).reshape(len(found), len(time), n, modes, 2).transpose(0, 2, 1, 3, 4)


def stepped_contributions(
    depth: int,
    strengths: np.ndarray,
    starts: np.ndarray,
    windows: Mapping[str, Window],
    learning_rate: float,
    at: Sequence[int],
) -> np.ndarray:
    """Return what `exact_contributions` does from the balanced start by steps of gradient descent, as the paper draws.

    Parameters
    ----------
    depth
        Layers of a pathway.
    strengths
        Of the modes in the data, ``[mode]``.
    starts
        Strengths p at the beginning, ``[seed, mode, pathway]``.
    windows
        When a pathway is gated, by condition.
    learning_rate
        Length of a step.
    at
        Steps at which the contributions are wanted.
    """
    names = list(windows)
    p = np.broadcast_to(starts, (len(names), *starts.shape)).copy()
    wanted, found = set(at), []
    for step in range(max(at) + 1):
        k = p**depth
        if step in wanted:
            found.append(k)
        missing = strengths[:, None] - k.sum(-1, keepdims=True)
        change = learning_rate * p ** (depth - 1) * missing
        for index, (begin, end) in enumerate(windows.values()):
            if round(begin / learning_rate) <= step < round(end / learning_rate):
                change[index, ..., 1] = 0
        p += change
    return np.stack(found, axis=2)
