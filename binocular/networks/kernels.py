"""Operations that torch has but does not promise, all in one place, each with the plain arithmetic that it stands for.

They are what torch's own layers and optimisers call, in one pass through memory where the public functions need
several. A torch that has no operation of a name gets the plain arithmetic. Tried on torch 2.13; the tests compare each
with its plain counterpart on the torch that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["FUSED", "channel_moments", "descend", "normalise_backward", "rectify_backward", "scale_channels"]

_NAMES = ("threshold_backward", "batch_norm_update_stats", "native_batch_norm", "native_batch_norm_backward")

FUSED: dict[str, Callable[..., Any] | None] = {
    **{name: getattr(torch.ops.aten, name, None) for name in _NAMES},
    "_fused_sgd_": getattr(torch, "_fused_sgd_", None),
}
"""The operations by name; None stands for one that this torch does not have."""


def rectify_backward(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient before a rectification.

    Parameters
    ----------
    gradient
        Behind it.
    rectified
        What it gave, of the same shape, at least 0.
    """
    if operation := FUSED["threshold_backward"]:
        return operation(gradient, rectified, 0)
    return torch.where(rectified > 0, gradient, 0)


def channel_moments(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return variance (of the population) and mean of each channel.

    Parameters
    ----------
    x
        ``[batch, channel, height, width]``.
    dtype
        Precision of what is returned, at least that of ``x``.
    """
    operation = FUSED["batch_norm_update_stats"]
    if operation and x.device.type == "cpu":
        mean, variance = operation(x, None, None, 0.0)
        return variance.to(dtype), mean.to(dtype)
    return torch.var_mean(x.to(dtype), dim=(0, 2, 3), unbiased=False)


def scale_channels(x: Tensor, slope: Tensor, shift: Tensor) -> Tensor:
    """Return ``slope * x + shift`` per channel, in the precision of ``x``, computed in that of the slope.

    Parameters
    ----------
    x
        ``[batch, channel, height, width]``.
    slope, shift
        ``[channel]``.
    """
    if operation := FUSED["native_batch_norm"]:
        zero, one = torch.zeros_like(slope), torch.ones_like(slope)
        return operation(x, slope, shift, zero, one, False, 0.0, 0.0)[0]
    return (x.to(slope.dtype) * slope.view(-1, 1, 1) + shift.view(-1, 1, 1)).to(x.dtype)


def normalise_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by input, weight and bias of batch normalisation, the moments being those of the batch.

    Parameters
    ----------
    gradient
        By the output, ``[batch, channel, height, width]``.
    x
        The input, of the same shape.
    weight
        ``[channel]``.
    mean, scale
        Mean and one over the standard deviation with which the input was normalised, ``[channel]``.
    """
    if operation := FUSED["native_batch_norm_backward"]:
        return operation(gradient, x, weight, None, None, mean, scale, True, 0.0, [True, True, True])
    normal = (x.to(weight.dtype) - mean.view(-1, 1, 1)) * scale.view(-1, 1, 1)
    given = gradient.to(weight.dtype)
    by_bias, by_weight = given.sum((0, 2, 3)), (given * normal).sum((0, 2, 3))
    even = (by_bias.view(-1, 1, 1) + normal * by_weight.view(-1, 1, 1)) / x[:, 0].numel()
    return ((weight * scale).view(-1, 1, 1) * (given - even)).to(x.dtype), by_weight, by_bias


@torch.no_grad()
def descend(
    weights: list[Tensor],
    gradients: Sequence[Tensor],
    momenta: list[Tensor],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Move weights down their gradients, as ``torch.optim.SGD`` without dampening; weights and momenta are changed.

    Parameters
    ----------
    weights, gradients, momenta
        In the same order; momenta are 0 before the first step.
    learning_rate, momentum, weight_decay
        As in ``torch.optim.SGD``.
    """
    operation = FUSED["_fused_sgd_"]
    if operation is None:
        for weight, gradient, moving in zip(weights, gradients, momenta, strict=True):
            slope = gradient.add(weight, alpha=weight_decay)
            weight.sub_(moving.mul_(momentum).add_(slope) if momentum else slope, alpha=learning_rate)
        return
    # The pass goes through memory in order, so that a gradient must lie there as its weight does.
    alike = [
        gradient if gradient.stride() == weight.stride() else torch.empty_like(weight).copy_(gradient)
        for weight, gradient in zip(weights, gradients, strict=True)
    ]
    operation(
        weights,
        alike,
        momenta if momentum else [],
        weight_decay=weight_decay,
        momentum=momentum,
        lr=learning_rate,
        dampening=0.0,
        nesterov=False,
        maximize=False,
        is_first_step=False,
    )
