"""The speed of linear cohorts against one network at a time, for ``binocular bench`` and from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from binocular.linear.cohort import Conditions, LinearCohort, Stretch
from binocular.linear.plain import rear_alone
from binocular.linear.starts import aligned_start
from binocular.linear.tasks import HIERARCHY, modes_of

__all__ = ["LinearCase", "benchmark_cases"]


@dataclass(frozen=True)
class LinearCase:
    """The same networks, reared one after the other and as a cohort.

    Attributes
    ----------
    name
        For example ``"linear, depth 3, width 16, 64 networks"``.
    size
        Networks in the cohort.
    alone
        Rears some of the networks, one after the other, by automatic differentiation and ``torch.optim.SGD``.
    together
        Rears all of them as a `binocular.linear.LinearCohort`.
    alone_amount, together_amount
        Network-steps of a call of each. The loop's time grows in proportion to the networks, so that it is timed
        on a few of them.
    """

    name: str
    size: int
    alone: Callable[[], object]
    together: Callable[[], object]
    alone_amount: int
    together_amount: int


def benchmark_cases(
    sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
    depth: int = 3,
    width: int = 16,
    steps: int = 200,
    alone_at_most: int = 4,
) -> list[LinearCase]:
    """Return cases of rising cohort size: two pathways on the task of Kleinman et al. 2024, with an early gate.

    Parameters
    ----------
    sizes
        Networks in each cohort.
    depth, width
        Matrices per pathway and units of the hidden layers (the paper has 100; 16 hold its eight modes as well).
    steps
        Steps of gradient descent in each call; the gate is closed for the first half.
    alone_at_most
        Networks on which the loop is timed.
    """
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

        cases.append(
            LinearCase(
                f"linear, depth {depth}, width {width}, {size} networks",
                size,
                alone,
                together,
                steps * min(size, alone_at_most),
                steps * size,
            )
        )
    return cases
