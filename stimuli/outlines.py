"""The figures of the stereo scenes, as masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

__all__ = ["OUTLINES", "Outline", "figure_mask"]

Outline = Literal["square", "ring", "cross", "diamond"]
OUTLINES: tuple[Outline, ...] = ("square", "ring", "cross", "diamond")


def figure_mask(outline: Outline, x: torch.Tensor, y: torch.Tensor, radius: float) -> torch.Tensor:
    """Say which points lie inside a figure.

    Parameters
    ----------
    outline
        The figure's shape.
    x, y
        Distance from the figure's centre in pixels, any shapes that broadcast.
    radius
        Half the side of the square that encloses ring, cross and diamond. The square has 3/4 of it, so that all four
        cover about the same area (2 to 2.3 ``radius`` squared) and brightness alone does not tell them apart.

    Returns
    -------
    torch.Tensor
        Booleans.
    """
    across, down = x.abs(), y.abs()
    if outline == "square":
        return (across <= 0.75 * radius) & (down <= 0.75 * radius)
    if outline == "ring":
        distance = across.square() + down.square()
        return (distance <= radius**2) & (distance >= (radius / 2) ** 2)
    if outline == "cross":
        arm = 0.3 * radius
        return ((across <= arm) & (down <= radius)) | ((down <= arm) & (across <= radius))
    return across + down <= radius
