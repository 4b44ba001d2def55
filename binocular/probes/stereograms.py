"""Random-dot stereograms and gratings with a disparity, for units and readouts that need both eyes at once.

A positive disparity is crossed, as of something near: the left eye sees the pattern further to the right. All pixels
of an eye share one shift, and patterns are stationary, so what one eye sees has the same distribution whatever the
disparity: a monocular unit cannot know it.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from binocular.stimuli.textures import power_law_noise

__all__ = ["Pattern", "phase_stereograms", "stereograms"]

Pattern = Literal["dots", "gaussian", "1/f"]


def stereograms(
    shape: tuple[int, int, int], disparity: Tensor, pattern: Pattern, generator: torch.Generator, contrast: float = 1.0
) -> Tensor:
    """Draw stereograms ``[n, eye, channel, height, width]`` float32, one for each disparity from a pattern of its own.

    Parameters
    ----------
    shape
        (channels, height, width) of what one eye sees; all channels show the same.
    disparity
        ``[n]`` in pixels, also fractions. Each eye's image is moved by half of it, exactly for frequencies below half a
        cycle per pixel; whole pixels of even disparity move dots as they are.
    pattern
        ``"dots"``: each pixel 1 or -1; ``"gaussian"``: white noise; ``"1/f"``: noise with the spectrum of textures.
    generator
        Source of the patterns, on the CPU.
    contrast
        Their s.d.
    """
    channels, height, width = shape
    n, wide = len(disparity), 2 * width
    if pattern == "1/f":
        flat = power_law_noise(n, height, wide, 1.0, generator)
    else:
        flat = torch.randn(n, height, wide, generator=generator)
        flat = torch.where(flat > 0, 1.0, -1.0) if pattern == "dots" else flat
    # A shift to the right by d is a turn of every frequency by -2 pi f d; the margins keep the wrapped ends out.
    spectrum = torch.fft.rfft(flat.double())
    turn = -2j * math.pi * torch.fft.rfftfreq(wide, dtype=torch.float64) / 2
    seen = [
        torch.fft.irfft(spectrum * torch.exp(sign * turn * disparity.double().view(-1, 1, 1)), n=wide)
        for sign in (1, -1)
    ]
    start = (wide - width) // 2
    views = torch.stack(seen, 1)[..., start : start + width].float()
    return (contrast * views)[:, :, None].expand(-1, -1, channels, -1, -1)


def phase_stereograms(basis: Tensor, phases: int) -> tuple[Tensor, Tensor]:
    """Return phases in degrees, and gratings ``[kind, phase, channel, height, width]``, from their two waves.

    Parameters
    ----------
    basis
        ``[kind, quadrature = 2, channel, height, width]`` at phases 0 and 90 degrees.
    phases
        Steps around the circle.
    """
    angle = 2 * math.pi * torch.arange(phases, dtype=torch.float64) / phases
    quadrature = torch.stack([torch.cos(angle), torch.sin(angle)], 1).float()
    return torch.rad2deg(angle), torch.einsum("pq,kqchw->kpchw", quadrature, basis)
