"""The strided shortcut of a block: the stride is taken before the convolution."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from binocular.networks.blocks import PreActivationBlock
from binocular.stimuli.streams import stream


def _gradients(size: int, dtype: torch.dtype, plain: bool) -> list[torch.Tensor]:
    """Return what a block's shortcut gives alone, and its gradients by weight and input."""
    block = PreActivationBlock(12, 12, 2).to(dtype)
    assert block.shortcut is not None
    for weight in block.parameters():
        torch.nn.init.zeros_(weight)
    torch.nn.init.ones_(block.norm1.weight)
    block.shortcut.weight.data = torch.randn(12, 12, 1, 1, generator=stream(0, "test")).to(dtype)
    x = (
        torch.randn(100, 12, size, size, generator=stream(1, "test"))
        .to(dtype)
        .contiguous(memory_format=torch.channels_last)
    )
    x.requires_grad_()
    block.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    out = F.conv2d(torch.relu(block.norm1(x)), block.shortcut.weight, None, 2) if plain else block(x)
    direction = torch.randn(out.shape, generator=stream(2, "test")).to(dtype)
    return [out.detach(), *torch.autograd.grad(out, [block.shortcut.weight, x], direction)]


@pytest.mark.parametrize("size", [8, 16, 64])
def test_the_gradients_are_those_of_the_strided_convolution(size):
    """With the stride in the convolution 64 pixels ended the process on CPUs with AVX-512 (oneDNN issue 6035)."""
    for found, exact in zip(_gradients(size, torch.float32, False), _gradients(size, torch.float64, True), strict=True):
        assert (found.double() - exact).abs().max() < 1e-4 * exact.abs().max()
