"""Image operations on a batch of one eye's views, ``[batch, channel, height, width]``, on any device."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch.nn import functional

__all__ = ["blur_along", "disc_blur", "gaussian_blur", "magnify_rotate", "resize_blur", "shift", "shift_each"]


def gaussian_blur(view: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur by a Gaussian.

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    sigma
        Standard deviation in pixels; 0 changes nothing.

    Returns
    -------
    torch.Tensor
        Same shape. The kernel reaches 4 sigma, and beyond the border the border's own pixels go on, so that a view of
        one grey stays that grey.
    """
    return blur_along(blur_along(view, sigma, "vertical"), sigma, "horizontal")


def blur_along(view: torch.Tensor, sigma: float, axis: str) -> torch.Tensor:
    """Blur by a Gaussian in one direction alone, with the kernel and the border of `gaussian_blur`.

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    sigma
        Standard deviation in pixels; 0 changes nothing.
    axis
        ``"vertical"`` mixes rows, so that contours that run up and down stay sharp; ``"horizontal"`` mixes columns.

    Returns
    -------
    torch.Tensor
        Same shape.
    """
    if sigma <= 0:
        return view.clone()
    if axis == "vertical":
        return _gaussian_matrix(view.shape[-2], sigma).to(view) @ view
    return view @ _gaussian_matrix(view.shape[-1], sigma).to(view).T


@lru_cache(maxsize=64)
def _gaussian_matrix(size: int, sigma: float) -> torch.Tensor:
    """Return ``[size, size]``: each output pixel as a weighted mean of input pixels."""
    reach = max(1, math.ceil(4 * sigma))
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    weights /= weights.sum()
    matrix = torch.zeros(size, size, dtype=torch.float64)
    places = torch.arange(size)
    for offset, weight in zip(offsets.tolist(), weights, strict=True):
        matrix[places, (places + offset).clamp(0, size - 1)] += weight
    return matrix


def resize_blur(view: torch.Tensor, factor: float) -> torch.Tensor:
    """Shrink by a factor and enlarge again, the blur of Kleinman, Achille & Soatto 2023 and Achille et al. 2019.

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    factor
        4 takes 32 pixels to 8 and back to 32; 1 changes nothing.

    Returns
    -------
    torch.Tensor
        Same shape. Both steps are bilinear with antialiasing (a triangle filter as wide as the factor on the way down)
        and pixel centres at half integers, as in the image library behind the published code. The small size is
        rounded, and at least one pixel.
    """
    if factor == 1:
        return view.clone()
    size = list(view.shape[-2:])
    small = [max(1, math.floor(length / factor + 0.5)) for length in size]
    reduced = functional.interpolate(view, size=small, mode="bilinear", align_corners=False, antialias=True)
    return functional.interpolate(reduced, size=size, mode="bilinear", align_corners=False, antialias=True)


def disc_blur(view: torch.Tensor, radius: float) -> torch.Tensor:
    """Blur by an evenly filled disc, the image of a point in an eye out of focus.

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    radius
        Radius of the disc in pixels; its edge is smoothed over one pixel. 0 changes nothing.

    Returns
    -------
    torch.Tensor
        Same shape; beyond the border the border's own pixels go on.
    """
    if radius <= 0:
        return view.clone()
    reach = math.ceil(radius)
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    distance = torch.hypot(offsets[:, None], offsets[None, :])
    kernel = (radius + 0.5 - distance).clamp(0, 1)
    kernel = (kernel / kernel.sum()).to(view)
    channels = view.shape[1]
    padded = functional.pad(view, (reach, reach, reach, reach), mode="replicate")
    return functional.conv2d(padded, kernel.expand(channels, 1, *kernel.shape), groups=channels)


def shift(view: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Move the whole view by whole pixels; what comes in at the border is grey (0).

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    down, right
        Pixels; negative moves up or left.

    Returns
    -------
    torch.Tensor
        Same shape, with a blank border of ``|down|`` rows and ``|right|`` columns.
    """
    height, width = view.shape[-2:]
    result = torch.zeros_like(view)
    if abs(down) >= height or abs(right) >= width:
        return result
    to_rows, from_rows = _overlap(down, height)
    to_columns, from_columns = _overlap(right, width)
    result[..., to_rows, to_columns] = view[..., from_rows, from_columns]
    return result


def _overlap(offset: int, size: int) -> tuple[slice, slice]:
    return slice(max(offset, 0), size + min(offset, 0)), slice(max(-offset, 0), size + min(-offset, 0))


def shift_each(view: torch.Tensor, down: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Move each view of a batch by its own whole number of pixels; see `shift`.

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    down, right
        ``[batch]`` int64.

    Returns
    -------
    torch.Tensor
        Same shape.
    """
    height, width = view.shape[-2:]
    rows = torch.arange(height, device=view.device) - down[:, None]
    columns = torch.arange(width, device=view.device) - right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    batch = torch.arange(len(view), device=view.device)[:, None, None]
    moved = view.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return torch.where(inside[:, None], moved, torch.zeros_like(moved))


def magnify_rotate(view: torch.Tensor, size: float = 1.0, degrees: float = 0.0) -> torch.Tensor:
    """Magnify and turn about the centre, bilinear; what comes in at the border is grey (0).

    Parameters
    ----------
    view
        ``[batch, channel, height, width]``.
    size
        Above 1 the image appears larger.
    degrees
        Positive turns the image counterclockwise.

    Returns
    -------
    torch.Tensor
        Same shape.
    """
    if size == 1 and degrees == 0:
        return view.clone()
    height, width = view.shape[-2:]
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle) / size, math.sin(angle) / size
    # For each output pixel the grid says where it looks in the input; rows run downwards, hence the sign of the sine.
    matrix = torch.tensor([[cosine, -sine * height / width, 0], [sine * width / height, cosine, 0]])
    grid = functional.affine_grid(matrix.expand(len(view), 2, 3), list(view.shape), align_corners=False)
    return functional.grid_sample(view, grid.to(view), mode="bilinear", padding_mode="zeros", align_corners=False)
