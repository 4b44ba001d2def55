"""What torch has but does not promise gives what the plain arithmetic gives that stands in where it is missing."""

from __future__ import annotations

import pytest
import torch

from binocular.networks import kernels
from binocular.networks.mlp import SplitMLP
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort
from binocular.stimuli.streams import stream


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=stream(sum(shape), "kernels"))


def descended(momentum: float) -> list[torch.Tensor]:
    weights, momenta = [numbers(4, 3), numbers(5)], [torch.zeros(4, 3).double(), torch.zeros(5).double()]
    for step in range(3):
        gradients = [numbers(3, 4 + step)[:, :4].t(), numbers(5 + step)[:5]]
        kernels.descend(weights, gradients, momenta, 0.1, momentum, 0.01)
    return weights + momenta


IMAGE, MEAN, SCALE = (6, 4, 3, 5), numbers(4), numbers(4).abs() + 0.5
CALLS = {
    "rectify": lambda: [kernels.rectify_backward(numbers(7, 5), numbers(5, 7).t().relu())],
    "moments": lambda: kernels.channel_moments(numbers(*IMAGE), torch.float64),
    "scale": lambda: [kernels.scale_channels(numbers(*IMAGE), SCALE, MEAN)],
    "normalise": lambda: kernels.normalise_backward(numbers(*IMAGE), numbers(*IMAGE) ** 2, numbers(4), MEAN, SCALE),
    "descend": lambda: descended(0.9),
    "descend without momentum": lambda: descended(0.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_both_ways_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch):
    fused = CALLS[name]()
    for operation in kernels.FUSED:
        monkeypatch.setitem(kernels.FUSED, operation, None)
    for one, other in zip(fused, CALLS[name](), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_plain_descent_is_that_of_torch(momentum: float, monkeypatch: pytest.MonkeyPatch):
    for operation in kernels.FUSED:
        monkeypatch.setitem(kernels.FUSED, operation, None)
    network, other = SplitMLP((1, 4, 4), 3, 6), SplitMLP((1, 4, 4), 3, 6)
    other.load_state_dict(network.state_dict())
    cohort, optimiser = (
        LoopCohort([network], momentum, 0.01),
        torch.optim.SGD(other.parameters(), 0.1, momentum, weight_decay=0.01),
    )
    for step in range(3):
        views, labels = numbers(5 + step, 2, 1, 4, 4)[:5].float(), torch.tensor([0, 1, 2, 0, 1])
        cohort.step([Batch(views, labels)], [0.1])
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(other(views), labels).backward()
        optimiser.step()
    state = cohort.state(0)
    for name, weight in other.named_parameters():
        torch.testing.assert_close(state[f"weights/{name}"], weight.detach(), rtol=1e-5, atol=1e-6)
