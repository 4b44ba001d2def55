"""Textures that fill figures and backgrounds: cut from photographs, white noise, or noise with a 1/f spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stimuli.photographs import cut_patches

if TYPE_CHECKING:
    import torch

__all__ = ["Texture", "draw_textures", "normalise", "power_law_noise"]

Texture = Literal["photographs", "random", "1/f"]


def normalise(patches: torch.Tensor) -> torch.Tensor:
    """Give every patch ``[n, height, width]`` zero mean and unit standard deviation (population form)."""
    centred = patches - patches.mean((-2, -1), keepdim=True)
    return centred / centred.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(1e-6)


def power_law_noise(n: int, height: int, width: int, exponent: float, generator: torch.Generator) -> torch.Tensor:
    """Return Gaussian noise whose amplitude falls as 1 / frequency ** exponent, ``[n, height, width]`` float32.

    Parameters
    ----------
    n, height, width
        How many patches, and their size in pixels.
    exponent
        0 is white noise, 1 the average of natural images (Field 1987, J. Opt. Soc. Am. A 4, 2379).
    generator
        Source of the noise, on the CPU.

    Notes
    -----
    Each patch is cut from noise of twice its size: the Fourier transform joins opposite borders, and a network could
    use that a patch continues on its other side. The mean of the patch is not removed here.
    """
    import torch

    tall, wide = 2 * height, 2 * width
    frequency = torch.hypot(torch.fft.fftfreq(tall)[:, None], torch.fft.rfftfreq(wide)[None, :])
    # The mean has no finite amplitude under a power law; it is zero, as the textures are zero-centred.
    amplitude = torch.where(frequency > 0, frequency.clamp_min(1e-9) ** -exponent, torch.zeros(()))
    spectrum = torch.fft.rfft2(torch.randn(n, tall, wide, generator=generator))
    return torch.fft.irfft2(spectrum * amplitude, s=(tall, wide))[:, :height, :width].contiguous()


def draw_textures(
    texture: Texture, n: int, height: int, width: int, generator: torch.Generator, exponent: float = 1.0
) -> torch.Tensor:
    """Draw textures of zero mean and unit standard deviation each.

    Parameters
    ----------
    texture
        ``"photographs"`` cuts natural images, ``"random"`` is white Gaussian noise, ``"1/f"`` is noise with the
        spectrum of ``power_law_noise``.
    n, height, width
        How many, and their size in pixels.
    generator
        Source of the choices, on the CPU.
    exponent
        Fall of the amplitude with frequency, for ``"1/f"`` only.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32 on the CPU.

    Raises
    ------
    BadInput
        If photographs are asked for and cannot be read.
    """
    import torch

    if texture == "photographs":
        patches = cut_patches(n, height, width, generator)
    elif texture == "random":
        patches = torch.randn(n, height, width, generator=generator)
    else:
        patches = power_law_noise(n, height, width, exponent, generator)
    return normalise(patches)
