"""Batch normalisation and rectification in one go, fast on a processor for maps of few channels."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["rectified", "remember"]

_FEW = 16  # channels; a vector register of AVX-512 holds 16 numbers in single precision


def rectified(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Return ``relu(norm(x))``, in training and in evaluation.

    With channels last and fewer channels than a vector register holds, torch goes through a map channel by channel.
    There, neighbouring pixels are put side by side, so that a row is long enough; the mean and the (two-pass) variance
    are the same up to rounding.

    Parameters
    ----------
    norm
        The normalisation; in training its running averages take the batch in.
    x
        ``[batch, channel, height, width]``.

    Returns
    -------
    Tensor
        Shaped and laid out like ``x``.
    """
    if not (norm.training and norm.affine and _is_narrow(x)):
        return torch.relu(norm(x))
    out, mean, variance = _NormaliseRectify.apply(x, norm.weight, norm.bias, norm.eps)  # type: ignore[misc]
    remember(norm, mean, variance, x.numel() // x.shape[1])
    return out


def _is_narrow(x: Tensor) -> bool:
    few = 1 < x.shape[1] < _FEW and x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64)
    # The stride of channels that come last; subjects stacked under vmap have them first.
    return few and x.stride(1) == 1 and x.permute(0, 2, 3, 1).is_contiguous()


@torch.no_grad()
def remember(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int) -> None:
    """Take a batch into the running averages, as batch normalisation does in training.

    Parameters
    ----------
    norm
        The normalisation.
    mean, variance
        Of each channel, ``[channel]``; the variance divided by ``count``.
    count
        Values per channel in the batch.
    """
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    share = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype) * (count / (count - 1)), share)


class _NormaliseRectify(torch.autograd.Function):
    """``relu((x - mean) / deviation * weight + bias)`` over rows of several pixels."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        channels, pixels = x.shape[1], x.numel() // x.shape[1]
        side_by_side = math.gcd(pixels, _FEW)
        rows = x.permute(0, 2, 3, 1).reshape(-1, side_by_side * channels)
        mean = _over_rows(rows, channels) / pixels
        centred = rows - _along(mean, side_by_side)
        variance = _over_rows(centred * centred, channels) / pixels
        scale = (variance + eps).rsqrt()
        out = torch.addcmul(_along(bias, side_by_side), centred, _along(scale * weight, side_by_side)).clamp_min_(0)
        ctx.save_for_backward(centred, scale, weight, out)
        ctx.mark_non_differentiable(mean, variance)
        return _as_map(out, x.shape), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        centred, scale, weight, out = ctx.saved_tensors
        channels, pixels = gradient.shape[1], gradient.numel() // gradient.shape[1]
        side_by_side = centred.shape[1] // channels
        rows = gradient.permute(0, 2, 3, 1).reshape(centred.shape)
        rows = torch.ops.aten.threshold_backward(rows, out, 0)
        by_bias = _over_rows(rows, channels)
        by_weight = _over_rows(rows * centred, channels) * scale
        factor = scale * weight
        # Ioffe & Szegedy 2015, section 3: the mean and the variance depend on every value.
        constant, slope = -factor * by_bias / pixels, -factor * scale * by_weight / pixels
        by_x = torch.addcmul(_along(constant, side_by_side), rows, _along(factor, side_by_side))
        by_x.addcmul_(centred, _along(slope, side_by_side))
        return _as_map(by_x, gradient.shape), by_weight, by_bias, None


def _over_rows(rows: Tensor, channels: int) -> Tensor:
    """Sum over pixels, ``[rows, pixel and channel]`` to ``[channel]``."""
    return rows.sum(0).view(-1, channels).sum(0)


def _along(values: Tensor, side_by_side: int) -> Tensor:
    """Repeat ``[channel]`` for every pixel of a row; `torch.Tensor.repeat` takes seven times as long."""
    return values.expand(side_by_side, -1).reshape(-1)


def _as_map(rows: Tensor, shape: torch.Size) -> Tensor:
    batch, channels, height, width = shape
    return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)
