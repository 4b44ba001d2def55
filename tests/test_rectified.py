"""Normalisation with rectification of maps of few channels: the same as torch's, whatever the shape."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from binocular import normalisation
from binocular.normalisation import rectified
from stimuli.streams import stream


def _setup(channels, size, batch=6, dtype=torch.float64):
    norm = nn.BatchNorm2d(channels).to(dtype)
    generator = stream(0, "test")
    with torch.no_grad():
        norm.weight.copy_(torch.randn(channels, generator=generator))
        norm.bias.copy_(torch.randn(channels, generator=generator))
    x = 3 + 2 * torch.randn(batch, channels, size, size, dtype=dtype, generator=generator)
    return norm, x.contiguous(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(("channels", "size", "batch"), [(12, 8, 6), (2, 4, 3), (15, 5, 7), (3, 1, 2)])
def test_equals_torch_in_outputs_gradients_and_averages(channels, size, batch, momentum, monkeypatch):
    norm, x = _setup(channels, size, batch)
    norm.momentum = momentum
    plain = copy.deepcopy(norm)
    ways = []
    remember = normalisation.remember
    monkeypatch.setattr(normalisation, "remember", lambda *given: (ways.append("narrow"), remember(*given)))
    for step in range(3):
        shown = (x + step).detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        found, expected = rectified(norm, shown), torch.relu(plain(shown))
        direction = torch.randn(found.shape, dtype=found.dtype, generator=stream(step, "direction"))
        torch.testing.assert_close(found, expected)
        assert found.is_contiguous(memory_format=torch.channels_last)
        for one, other in zip(
            torch.autograd.grad(found, [shown, norm.weight, norm.bias], direction),
            torch.autograd.grad(expected, [shown, plain.weight, plain.bias], direction),
            strict=True,
        ):
            torch.testing.assert_close(one, other)
    for name, value in plain.named_buffers():
        torch.testing.assert_close(dict(norm.named_buffers())[name], value)
    assert ways == ["narrow"] * 3


@pytest.mark.parametrize("case", ["evaluation", "many channels", "channels first"])
def test_leaves_everything_else_to_torch(case, monkeypatch):
    monkeypatch.setattr(normalisation, "_NormaliseRectify", None)
    norm, x = _setup(16 if case == "many channels" else 12, 8)
    if case == "evaluation":
        norm.eval()
    if case == "channels first":
        x = x.detach().contiguous()
    assert torch.equal(rectified(norm, x), torch.relu(copy.deepcopy(norm)(x)))


def test_a_map_far_from_zero_keeps_its_variance():
    """Mean of squares minus square of the mean would leave nothing of it in single precision."""
    norm, x = _setup(12, 8, dtype=torch.float32)
    far = (x + 10_000).detach().contiguous(memory_format=torch.channels_last)
    exact = torch.relu(copy.deepcopy(norm).double()(far.double()))
    assert (rectified(norm, far).double() - exact).abs().max() < 1e-3
