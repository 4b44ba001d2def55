"""Matrix completion by deep linear networks after a first task.

A network of one pathway whose product is to equal a matrix of low rank sees some entries only. It learns a first task
for a while and then the second one; how well does it complete the second matrix in the end (Kleinman et al. 2024)?
Networks that switch at different times share the computation up to there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from binocular.linear.cohort import Conditions, LinearCohort, Stretch
from binocular.linear.starts import gaussian_start
from binocular.linear.tasks import low_rank_matrix, observed_entries

__all__ = ["Completed", "Completion", "complete"]


@dataclass(frozen=True)
class Completion:
    """A series of networks that switch from a first to a second task at several steps.

    Attributes
    ----------
    depth
        Matrices of the network.
    size
        Rows and columns of every matrix.
    first_rank, second_rank
        Ranks of the matrices of the two tasks.
    observed_first, observed_second
        Entries that are seen in each task; the smaller number is a subset of the larger.
    same_matrix
        Whether both tasks have the same matrix, so that only the number of entries differs.
    scale
        The product of the initial matrices has the Frobenius norm ``scale * sqrt(size)``.
    learning_rate
        Step on half the mean squared error over the observed entries.
    switches
        Steps after which the second task begins, rising; 0 for networks without a first task.
    afterwards
        Steps of the second task.
    before
        Steps of the second task that come before the first one: 0 for an early deficit, many for a late one.
    """

    depth: int
    size: int = 100
    first_rank: int = 10
    second_rank: int = 5
    observed_first: int = 2000
    observed_second: int = 2000
    same_matrix: bool = False
    scale: float = 0.001
    learning_rate: float = 0.2
    switches: tuple[int, ...] = (0, 1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000)
    afterwards: int = 30000
    before: int = 0


@dataclass(frozen=True)
class Completed:
    """What came out.

    Attributes
    ----------
    error
        Mean squared error over all entries of the second matrix (of mean square 1) in the end, ``[switch, seed]``.
    seen_error
        The same over the observed entries only.
    strengths
        The largest singular values in the end, ``[switch, seed, value]``.
    """

    error: np.ndarray
    seen_error: np.ndarray
    strengths: np.ndarray


def _tasks(plan: Completion, seeds: Sequence[int]) -> list[tuple[Tensor, Tensor, int]]:
    """Return matrix, mask and number of observations of both tasks, ``[seed, size, size]``."""
    found = []
    for task, rank, count in (
        ("second" if plan.same_matrix else "first", plan.first_rank, plan.observed_first),
        ("second", plan.second_rank, plan.observed_second),
    ):
        matrices = [low_rank_matrix(plan.size, rank, seed, f"{task} task") for seed in seeds]
        masks = [observed_entries(plan.size, count, seed) for seed in seeds]
        found.append((torch.from_numpy(np.stack(matrices)), torch.from_numpy(np.stack(masks)), count))
    return found


def _conditions(task: tuple[Tensor, Tensor, int], copies: int = 1) -> Conditions:
    matrix, mask, count = task
    networks = copies * len(matrix)
    return Conditions(
        matrix.repeat(copies, 1, 1),
        passes=mask.repeat(copies, 1, 1).unsqueeze(1),
        weight=torch.full((networks,), 1 / count, dtype=torch.float64),
    )


def complete(plan: Completion, seeds: Sequence[int], kept: int = 20) -> Completed:
    """Train the networks of a plan, one per switch and seed.

    Parameters
    ----------
    plan
        The tasks and the course of training.
    seeds
        Each with matrices, observed entries and initial weights of its own; the same for all plans of equal size.
    kept
        Number of singular values to return.
    """
    if plan.same_matrix and plan.first_rank != plan.second_rank:
        raise ValueError(f"the same matrix cannot have the ranks {plan.first_rank} and {plan.second_rank}")
    first, second = _tasks(plan, seeds)
    spread = plan.scale ** (1 / plan.depth) * plan.size**-0.5
    layers = gaussian_start([plan.size] * (plan.depth + 1), 1, spread, seeds)
    trunk = LinearCohort(layers, plan.learning_rate)
    trunk.rear([Stretch(plan.before, _conditions(second))])
    branches: list[list[Tensor]] = []
    course = [Stretch(plan.before + plan.switches[-1], _conditions(first))]
    trunk.rear(course, lambda cohort: branches.append(cohort.layers), [plan.before + at for at in plan.switches])
    joined = [torch.cat(parts) for parts in zip(*branches, strict=True)]
    cohort = LinearCohort(joined, plan.learning_rate)
    cohort.rear([Stretch(plan.afterwards, _conditions(second, len(branches)))])
    ends = cohort.products()[:, 0].view(len(branches), len(seeds), plan.size, plan.size)
    wrong = (ends - second[0]) ** 2
    return Completed(
        error=wrong.mean((-1, -2)).numpy(),
        seen_error=((wrong * second[1]).sum((-1, -2)) / second[2]).numpy(),
        strengths=torch.linalg.svdvals(ends)[..., :kept].numpy(),
    )
