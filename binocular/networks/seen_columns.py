"""Computing a pathway only where its eye sees something that differs from one presentation to the next.

Of a split image an eye sees some columns, and the rest of its canvas is blank. Behind the first convolution the blank
part is no constant: its columns differ near the borders of the canvas, and batch normalisation counts them. But it is
*the same in every presentation of a batch*, and so is every later map except for the columns that the seen part has
reached, one more on each side with every 3 x 3 convolution. A pathway can therefore be computed for all presentations
in those columns, and for a single one elsewhere, which stands for all of them wherever they are counted. In exact
arithmetic outputs, gradients and statistics are those of the whole canvas; in float64 they agree to rounding, which
the tests check. An eye that sees nothing costs one presentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from binocular.networks.blocks import PreActivationBlock, pointwise
from binocular.networks.kernels import channel_moments, normalise_backward, rectify_backward, scale_channels

__all__ = ["Columns", "columns_of", "run_pathway"]


@dataclass(frozen=True)
class Columns:
    """A map that is alike in all presentations but for some columns.

    Attributes
    ----------
    varying
        The columns that differ, ``[batch, channel, height, stop - start]``.
    common
        The whole map of one presentation, ``[1, channel, height, width]``; within ``start`` to ``stop`` it has no
        meaning, elsewhere it is that of every presentation.
    start, stop
        Which columns differ, half open.
    """

    varying: Tensor
    common: Tensor
    start: int
    stop: int

    def cut(self, start: int, stop: int) -> Tensor:
        """Return columns of all presentations, ``start`` to ``stop``; beyond the canvas is zero."""
        return _Cut.apply(self.varying, self.common, self.start, self.stop, start, stop)  # type: ignore[return-value]

    def whole(self) -> Tensor:
        """Return the map of all presentations, ``[batch, channel, height, width]``."""
        return self.cut(0, self.common.shape[3])


def columns_of(view: Tensor) -> Columns:
    """Find the columns of one eye's views ``[batch, channel, height, width]`` in which presentations differ."""
    differ = (view != view[:1]).flatten(0, 2).any(dim=0).nonzero()
    # An eye that sees the same in all presentations has one column to carry, which costs nothing worth saving.
    start, stop = (int(differ[0]), int(differ[-1]) + 1) if len(differ) else (0, 1)
    return Columns(view[..., start:stop], view[:1], start, stop)


def run_pathway(pathway: nn.Sequential, view: Tensor) -> Tensor:
    """Compute a pathway as ``pathway(view)`` does, at the cost of the columns that differ between presentations.

    Parameters
    ----------
    pathway
        Convolutions with odd kernels padded to keep the size, batch normalisation followed by rectification, and
        pre-activation blocks of these.
    view
        ``[batch, channel, height, width]``.

    Returns
    -------
    Tensor
        ``[batch, channel, height, width]`` of the pathway's output.

    Raises
    ------
    TypeError
        If the pathway holds another kind of layer.

    Notes
    -----
    Which columns differ is looked up in the views, so that this cannot be traced or vectorised over subjects.
    """
    layers: list[nn.Module] = [layer for part in pathway for layer in _flat(part)]
    columns = columns_of(view)
    for number, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            columns = _convolved(layer, columns)
        elif isinstance(layer, nn.BatchNorm2d) and isinstance(_next(layers, number), nn.ReLU):
            columns = _activated(layer, columns)
        elif isinstance(layer, PreActivationBlock):
            columns = _block(layer, columns)
        elif not isinstance(layer, nn.ReLU):
            raise TypeError(f"a pathway with {type(layer).__name__} cannot be computed in columns")
    return columns.whole()


def _flat(part: nn.Module) -> Sequence[nn.Module]:
    return [layer for inner in part for layer in _flat(inner)] if isinstance(part, nn.Sequential) else [part]


def _next(layers: Sequence[nn.Module], number: int) -> nn.Module | None:
    return layers[number + 1] if number + 1 < len(layers) else None


def _block(block: nn.Module, columns: Columns) -> Columns:
    """Compute a `binocular.networks.blocks.PreActivationBlock`."""
    norm1, norm2, conv1, conv2, shortcut = (
        getattr(block, name) for name in ("norm1", "norm2", "conv1", "conv2", "shortcut")
    )
    activated = _activated(norm1, columns)
    carried = columns if shortcut is None else _convolved(shortcut, activated)
    changed = _convolved(conv2, _activated(norm2, _convolved(conv1, activated)))
    both = _Sum.apply(changed.varying, carried.varying, carried.common, carried.start, changed.start)
    return Columns(both, changed.common + carried.common, changed.start, changed.stop)  # type: ignore[arg-type]


def _convolved(layer: nn.Conv2d, columns: Columns) -> Columns:
    """Convolve; the columns that differ grow by half a kernel on each side."""
    width, stride = layer.kernel_size[1], layer.stride[0]
    common = _apply(layer, columns.common, int(layer.padding[1]))
    reach = width // 2
    # Output column j looks at the input from j * stride - reach to j * stride + reach.
    start = max(0, -((reach - columns.start) // stride))
    stop = min(common.shape[3], (columns.stop - 1 + reach) // stride + 1)
    seen = columns.cut(start * stride - reach, (stop - 1) * stride + reach + 1)
    return Columns(_apply(layer, seen, 0), common, start, stop)


def _apply(layer: nn.Conv2d, x: Tensor, beside: int) -> Tensor:
    """Convolve with so many blank columns beside the map."""
    if layer.kernel_size == (1, 1):
        return pointwise(layer, x)
    return functional.conv2d(x, layer.weight, layer.bias, layer.stride, (int(layer.padding[0]), beside))


def _activated(norm: nn.BatchNorm2d, columns: Columns) -> Columns:
    """Normalise over all presentations and rectify."""
    varying, common = columns.varying, columns.common
    if not norm.training:
        return Columns(torch.relu(norm(varying)), torch.relu(norm(common)), columns.start, columns.stop)
    varying, common, mean, variance = _NormaliseRectify.apply(
        varying, common, norm.weight, norm.bias, columns.start, columns.stop, norm.eps
    )
    _remember(norm, mean, variance, len(varying) * common.shape[2] * common.shape[3])
    return Columns(varying, common, columns.start, columns.stop)


@torch.no_grad()
def _remember(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: int) -> None:
    """Take a batch into the running averages, as batch normalisation does in training."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    share = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype) * (count / (count - 1)), share)


class _Cut(torch.autograd.Function):
    """Columns of all presentations from those that vary and those that are alike; see `Columns.cut`."""

    @staticmethod
    def forward(ctx: Any, varying: Tensor, common: Tensor, at: int, until: int, start: int, stop: int) -> Tensor:
        batch, channels, height, _ = varying.shape
        layout = torch.channels_last if _is_channels_last(varying) else torch.contiguous_format
        out = torch.empty(
            (batch, channels, height, stop - start), dtype=varying.dtype, device=varying.device, memory_format=layout
        )
        width = common.shape[3]
        # A stride can leave out the outermost of the columns that differ.
        inner = (max(start, at), min(stop, until))
        out[..., inner[0] - start : inner[1] - start] = varying[..., inner[0] - at : inner[1] - at]
        for first, last in ((max(start, 0), min(at, stop)), (max(until, start), min(stop, width))):
            if first < last:
                out[..., first - start : last - start] = common[..., first:last]
        if start < 0:
            out[..., :-start] = 0
        if stop > width:
            out[..., width - stop :] = 0
        ctx.place = (at, until, start, stop, inner)
        ctx.like = (varying.shape[3], common.shape, common.dtype)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = gradients
        at, until, start, stop, inner = ctx.place
        columns, common_shape, dtype = ctx.like
        by_varying = gradient[..., inner[0] - start : inner[1] - start]
        if by_varying.shape[3] < columns:
            by_varying = functional.pad(by_varying, (inner[0] - at, until - inner[1]))
        by_common = gradient.new_zeros(common_shape, dtype=dtype)
        for first, last in ((max(start, 0), min(at, stop)), (max(until, start), min(stop, common_shape[3]))):
            if first < last:
                by_common[..., first:last] = _over_batch(gradient[..., first - start : last - start])
        return by_varying, by_common, None, None, None, None


class _Sum(torch.autograd.Function):
    """What a block changed plus what it carried, of which fewer columns differ."""

    @staticmethod
    def forward(ctx: Any, changed: Tensor, carried: Tensor, common: Tensor, at: int, start: int) -> Tensor:
        first, last, stop = at - start, at - start + carried.shape[3], start + changed.shape[3]
        changed[..., first:last] += carried
        changed[..., :first] += common[..., start:at]
        changed[..., last:] += common[..., start + last : stop]
        ctx.mark_dirty(changed)
        ctx.place = (first, last, start, stop, common.shape)
        return changed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = gradients
        first, last, start, stop, common_shape = ctx.place
        by_common = gradient.new_zeros(common_shape)
        by_common[..., start : start + first] = _over_batch(gradient[..., :first])
        by_common[..., start + last : stop] = _over_batch(gradient[..., last:])
        return gradient, gradient[..., first:last], by_common, None, None


def _over_batch(part: Tensor) -> Tensor:
    """Sum over presentations, ``[1, channel, height, width]``: a product, which keeps full precision on the way."""
    batch, channels, height, width = part.shape
    rows = part.permute(0, 2, 3, 1).reshape(batch, -1)
    return (rows.new_ones(1, batch) @ rows).view(1, height, width, channels).permute(0, 3, 1, 2)


def _is_channels_last(x: Tensor) -> bool:
    return x.shape[1] > 1 and x.stride(1) == 1


class _NormaliseRectify(torch.autograd.Function):
    """Batch normalisation, weighted by how many presentations a column stands for, and rectification."""

    @staticmethod
    def forward(
        ctx: Any, varying: Tensor, common: Tensor, weight: Tensor, bias: Tensor, start: int, stop: int, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        batch = len(varying)
        alike = torch.cat([common[..., :start], common[..., stop:]], dim=3).to(weight.dtype)
        total = batch * common[:, 0].numel()
        share = varying[:, 0].numel() / total
        var_varying, mean_varying = channel_moments(varying, weight.dtype)
        mean, variance = mean_varying, var_varying
        if alike.numel():
            var_alike, mean_alike = torch.var_mean(alike, dim=(0, 2, 3), unbiased=False)
            mean = share * mean_varying + (1 - share) * mean_alike
            variance = share * (var_varying + (mean_varying - mean).square()) + (1 - share) * (
                var_alike + (mean_alike - mean).square()
            )
        scale = torch.rsqrt(variance + eps)
        slope, shift = weight * scale, bias - weight * scale * mean
        activated = [scale_channels(part, slope, shift).relu_() for part in (varying, common)]
        ctx.save_for_backward(varying, common, *activated, weight, mean, scale)
        ctx.columns, ctx.share, ctx.total = (start, stop), share, total
        ctx.mark_non_differentiable(mean, variance)
        return activated[0], activated[1], mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        varying, common, seen, seen_common, weight, mean, scale = ctx.saved_tensors
        start, stop = ctx.columns
        by_varying = rectify_backward(gradients[0], seen)
        by_common = torch.where(seen_common > 0, gradients[1].to(weight.dtype), 0)
        centred = common.to(weight.dtype) - mean.view(-1, 1, 1)
        # By the varying columns as if they were all there is ...
        by_input, by_scale, by_shift = normalise_backward(by_varying, varying, weight, mean, scale)
        # ... and what the others change: they share the sums, and each stands for the whole batch.
        weighted = by_common * centred * scale.view(-1, 1, 1)
        sum_shift = by_shift + by_common.sum(dim=(0, 2, 3))
        sum_scale = by_scale + weighted.sum(dim=(0, 2, 3))
        total, local = ctx.total, ctx.share * ctx.total
        shift = weight * scale * (by_shift / local - sum_shift / total)
        slope = weight * scale.square() * (by_scale / local - sum_scale / total)
        if ctx.share < 1:
            by_input += scale_channels(varying, slope, shift - slope * mean)
        factor = (weight * scale).view(-1, 1, 1)
        even = sum_shift.view(-1, 1, 1) + centred * (scale * sum_scale).view(-1, 1, 1)
        by_alike = factor * (by_common - even * (len(varying) / total))
        by_alike[..., start:stop] = 0
        return by_input, by_alike.to(common.dtype), sum_scale, sum_shift, None, None, None
