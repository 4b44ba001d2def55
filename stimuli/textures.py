"""Textures that fill figures and backgrounds: cut from photographs, white noise, or noise with a 1/f spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from binocular.stimuli.photographs import cut_textures

if TYPE_CHECKING:
    import torch

__all__ = ["Texture", "draw_textures", "power_law_noise"]

Texture = Literal["photographs", "random", "1/f"]


def power_law_noise(n: int, height: int, width: int, exponent: float, generator: torch.Generator) -> torch.Tensor:
    """Return Gaussian noise whose amplitude falls as 1 / frequency ** exponent, of unit variance.

    Parameters
    ----------
    n, height, width
        How many patches, and their size in pixels.
    exponent
        0 is white noise, 1 the average of natural images (Field 1987, J. Opt. Soc. Am. A 4, 2379).
    generator
        Source of the noise; the noise is on its device.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32.

    Notes
    -----
    Frequencies below one cycle per patch height are left out: they would make whole patches bright or dark. Each patch
    is cut from noise of twice its size, for the Fourier transform joins opposite borders, and a network could use that
    a patch continues on its other side.
    """
    import torch

    tall, wide, device = 2 * height, 2 * width, generator.device

    def amplitude(across: torch.Tensor) -> torch.Tensor:
        frequency = torch.hypot(torch.fft.fftfreq(tall, device=device)[:, None], across[None, :])
        fall = frequency.clamp_min(1e-9) ** -exponent
        return torch.where(frequency >= 1 / height, fall, torch.zeros_like(fall))

    power = amplitude(torch.fft.fftfreq(wide, device=device)).square().mean()
    spectrum = torch.fft.rfft2(torch.randn(n, tall, wide, generator=generator, device=device))
    noise = torch.fft.irfft2(spectrum * amplitude(torch.fft.rfftfreq(wide, device=device)), s=(tall, wide))
    return noise[:, :height, :width] / power.sqrt()


def draw_textures(
    texture: Texture, n: int, height: int, width: int, generator: torch.Generator, exponent: float = 1.0
) -> torch.Tensor:
    """Draw textures whose pixels have mean 0 and variance 1 over all patches.

    Parameters
    ----------
    texture
        ``"photographs"`` cuts natural images, ``"random"`` is white Gaussian noise, ``"1/f"`` is noise with the
        spectrum of ``power_law_noise``.
    n, height, width
        How many, and their size in pixels.
    generator
        Source of the choices; the textures are on its device.
    exponent
        Fall of the amplitude with frequency, for ``"1/f"`` only.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32.

    Raises
    ------
    BadInput
        If photographs are asked for and cannot be read.

    Notes
    -----
    No patch is normalised by its own mean and contrast. The two eyes see windows of one patch, shifted against each
    other; if the mean of the whole were known, a window would give away on which side it lies, hence depth in one eye.
    All three kinds are stationary instead: every window of a patch has the same distribution.
    """
    import torch

    if texture == "photographs":
        return cut_textures(n, height, width, height / 4, generator)
    if texture == "random":
        return torch.randn(n, height, width, generator=generator, device=generator.device)
    return power_law_noise(n, height, width, exponent, generator)
