"""The speed of linear cohorts against one network at a time, for ``binocular bench`` and from Python."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from binocular.bench.base import Work
from binocular.linear.cohort import Conditions, LinearCohort, Stretch
from binocular.linear.plain import rear_alone
from binocular.linear.starts import aligned_start
from binocular.linear.tasks import HIERARCHY, modes_of

__all__ = ["benchmark_cases"]


def benchmark_cases(sizes: Sequence[int], steps: int = 200, alone_at_most: int = 4) -> list[tuple[int, Work, Work]]:
    """Return cases of rising cohort size: two pathways on the task of Kleinman et al. 2024, with an early gate.

    Parameters
    ----------
    sizes
        Networks in each cohort, each of three matrices per pathway.
    steps
        Steps of gradient descent in each call; the gate is closed for the first half.
    alone_at_most
        Networks on which the loop is timed, whose time grows in proportion to them.

    Returns
    -------
    list of tuple
        Size; the networks one after the other, by automatic differentiation and ``torch.optim.SGD``; and all of them as
        a `binocular.linear.LinearCohort`. Amounts are steps of a network.
    """
    depth, width = 3, 16  # the paper has 100 hidden units; 16 hold its eight modes as well
    outputs, strengths, inputs = (torch.from_numpy(part) for part in modes_of(HIERARCHY))
    target = torch.from_numpy(HIERARCHY)
    rate = 0.01
    cases = []
    for size in sizes:
        start = torch.full((size, 2, depth, len(strengths)), 0.01 ** (1 / depth), dtype=torch.float64)
        layers = aligned_start(start, outputs, inputs, width, range(size))

        def course(networks: int) -> list[Stretch]:
            gate = torch.tensor([[True, False]]).expand(networks, 2)
            all_targets = target.expand(networks, *target.shape)
            return [Stretch(steps // 2, Conditions(all_targets, gate)), Stretch(steps, Conditions(all_targets))]

        def alone(layers: list[torch.Tensor] = layers, size: int = size) -> None:
            for network in range(min(size, alone_at_most)):
                rear_alone([layer[network] for layer in layers], rate, course(1))

        def together(layers: list[torch.Tensor] = layers, size: int = size) -> None:
            LinearCohort(layers, rate).rear(course(size))

        cases.append((size, Work(alone, steps * min(size, alone_at_most)), Work(together, steps * size)))
    return cases
