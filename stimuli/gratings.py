"""Grating probes: sine gratings at several phases, shown to one eye while the other sees grey, as in physiology."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from binocular.stimuli.base import seen_columns
from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    import torch

__all__ = ["GratingPresentation", "Gratings"]

Eye = Literal["left", "right", "both"]
Angle = Annotated[float, Field(allow_inf_nan=False)]
Frequency = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class GratingPresentation:
    """Gratings and what each of them is.

    Attributes
    ----------
    views
        ``[n, eye, channel, height, width]`` float32, 0 = grey.
    parameters
        One value per grating, ``[n]``: ``eye`` ("left", "right", "both"), ``orientation`` and ``phase`` in degrees,
        ``cycles_per_image``, ``cycles_per_degree``, ``contrast``.
    grid
        Number of (eyes, spatial frequencies, orientations, phases); ``n`` is their product, and responses ``[n]``
        take this shape by ``reshape``.
    """

    views: torch.Tensor
    parameters: dict[str, np.ndarray]
    grid: tuple[int, int, int, int]


class Gratings(BaseModel):
    """Sine gratings on the whole grid of eyes, spatial frequencies, orientations and phases.

    The stimulus of Hubel and Wiesel's question, which eye drives a cell: each eye is shown gratings of all kinds while
    the other sees grey, and the best response counts. A grating is

    ``contrast * amplitude * cos(2 pi f u + phase)``

    where ``u`` is the distance from the centre across the bars. Orientation is that of the bars, counter-clockwise as
    seen by the subject: 0 degrees horizontal, 90 degrees vertical.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    orientations: tuple[Angle, ...] = Field(
        tuple(15.0 * step for step in range(12)), min_length=1, description="of the bars in degrees, 0 = horizontal"
    )
    phases: tuple[Angle, ...] = Field((0.0, 90.0, 180.0, 270.0), min_length=1, description="in degrees")
    frequencies: tuple[Frequency, ...] = Field((1.0, 2.0, 4.0), min_length=1, description="spatial frequencies")
    unit: Literal["cycles/image", "cycles/degree"] = Field(
        "cycles/image", description="unit of the frequencies; an image is its shorter side"
    )
    degrees_per_pixel: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="visual angle of one pixel, in degrees"
    )
    eyes: tuple[Eye, ...] = Field(
        ("left", "right"), min_length=1, description="who is shown the gratings; others see grey"
    )
    contrast: float = Field(1.0, ge=0, le=1, description="share of the amplitude")
    amplitude: float = Field(
        2.0,
        gt=0,
        allow_inf_nan=False,
        description="peak at full contrast, in pixel values (s.d. of natural stimuli = 1)",
    )
    aperture: float | None = Field(
        None, gt=0, le=1, description="diameter of a round window as a share of the image; by default the whole image"
    )
    edge: float = Field(0.25, ge=0, le=1, description="share of the window's radius over which it fades")
    visible: int | None = Field(
        None, ge=1, description="columns that each eye sees, from its outer side, for subjects of split images"
    )

    def present(self, shape: tuple[int, int, int], device: torch.device | str = "cpu") -> GratingPresentation:
        """Draw all gratings.

        Parameters
        ----------
        shape
            (channels, height, width) of what one eye sees; all channels show the same.
        device
            Where the views live.

        Returns
        -------
        GratingPresentation
            In the order eye, frequency, orientation, phase; the phase changes fastest.

        Raises
        ------
        BadInput
            If a frequency is above half a cycle per pixel, where bars turn into others, or more columns are visible
            than there are.
        """
        import torch

        channels, height, width = shape
        per_pixel = self._cycles_per_pixel(min(height, width))
        if self.visible is not None and self.visible > width:
            raise BadInput(f"gratings.visible: {self.visible} is more than the {width} columns of the image")

        grid = (len(self.eyes), len(self.frequencies), len(self.orientations), len(self.phases))
        eye, frequency, orientation, phase = (axis.ravel() for axis in np.indices(grid))
        cycles = torch.tensor(per_pixel, dtype=torch.float64)[torch.from_numpy(frequency)].view(-1, 1, 1)
        angle = torch.tensor(self.orientations, dtype=torch.float64).deg2rad()
        angle = angle[torch.from_numpy(orientation)].view(-1, 1, 1)
        start = torch.tensor(self.phases, dtype=torch.float64).deg2rad()[torch.from_numpy(phase)].view(-1, 1, 1)

        right = (torch.arange(width, dtype=torch.float64) - (width - 1) / 2).view(1, 1, -1)
        up = ((height - 1) / 2 - torch.arange(height, dtype=torch.float64)).view(1, -1, 1)
        across = up * torch.cos(angle) - right * torch.sin(angle)
        bars = self.contrast * self.amplitude * torch.cos(2 * math.pi * cycles * across + start)
        bars = (bars * self._window(right, up, min(height, width) / 2)).float()

        shown = torch.tensor([[name in ("left", "both"), name in ("right", "both")] for name in self.eyes])
        seen = shown[torch.from_numpy(eye)].view(-1, 2, 1, 1, 1) & seen_columns(
            width, width if self.visible is None else self.visible
        )
        views = torch.where(seen, bars.view(-1, 1, 1, height, width), torch.zeros(()))
        views = views.expand(-1, -1, channels, -1, -1).contiguous().to(device)
        per_image = np.array(per_pixel) * min(height, width)
        return GratingPresentation(
            views,
            {
                "eye": np.array(self.eyes)[eye],
                "orientation": np.array(self.orientations)[orientation],
                "phase": np.array(self.phases)[phase],
                "cycles_per_image": per_image[frequency],
                "cycles_per_degree": (np.array(per_pixel) / self.degrees_per_pixel)[frequency],
                "contrast": np.full(len(eye), self.contrast),
            },
            grid,
        )

    def _cycles_per_pixel(self, side: int) -> list[float]:
        """Return the frequencies in cycles per pixel."""
        scale = 1 / side if self.unit == "cycles/image" else self.degrees_per_pixel
        per_pixel = [frequency * scale for frequency in self.frequencies]
        for frequency, value in zip(self.frequencies, per_pixel, strict=True):
            if value > 0.5 + 1e-9:
                raise BadInput(
                    f"gratings.frequencies: {frequency:g} {self.unit} is {value:.3g} cycles per pixel on an image of "
                    f"{side} pixels; at most 0.5, that is {0.5 / scale:g} {self.unit}, can be shown"
                )
        return per_pixel

    def _window(self, right: torch.Tensor, up: torch.Tensor, radius: float) -> torch.Tensor:
        """Return the round window with its soft edge (half a cosine), 1 inside and 0 outside."""
        import torch

        if self.aperture is None:
            return torch.ones((), dtype=torch.float64)
        limit = self.aperture * radius
        distance = torch.hypot(right, up)
        fade = self.edge * limit
        if fade == 0:
            return (distance <= limit).double()
        return 0.5 + 0.5 * torch.cos(math.pi * ((distance - limit + fade) / fade).clamp(0, 1))
