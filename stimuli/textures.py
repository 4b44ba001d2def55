"""Textures that fill figures and backgrounds: cut from photographs, white noise, or noise with a 1/f spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from binocular.stimuli.photographs import cut_textures

if TYPE_CHECKING:
    import torch

__all__ = ["Texture", "draw_textures", "moved_noise", "power_law_noise"]

Texture = Literal["photographs", "random", "1/f"]


def power_law_noise(
    n: int,
    height: int,
    width: int,
    exponent: float,
    generator: torch.Generator,
    shift: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return Gaussian noise whose amplitude falls as 1 / frequency ** exponent, of unit variance.

    Parameters
    ----------
    n, height, width
        How many patches, and their size in pixels.
    exponent
        0 is white noise, 1 the average of natural images (Field 1987, J. Opt. Soc. Am. A 4, 2379).
    generator
        Source of the noise; the noise is on its device.
    shift
        ``[n, view]``: how far each view of a patch is moved to the right, in pixels and fractions of them, by less than
        half the width.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32; with ``shift`` ``[n, view, height, width]``.

    Notes
    -----
    Frequencies below one cycle per patch height are left out: they would make whole patches bright or dark. Each patch
    is cut from noise of twice its size, for the Fourier transform joins opposite borders, and a network could use that
    a patch continues on its other side. A view is moved before it is cut, by a turn of each frequency in proportion to
    it, so that a fraction of a pixel is as exact as a whole one and every view has the distribution of the patch.
    """
    import torch

    tall, wide, device = 2 * height, 2 * width, generator.device

    def amplitude(across: torch.Tensor) -> torch.Tensor:
        frequency = torch.hypot(torch.fft.fftfreq(tall, device=device)[:, None], across[None, :])
        fall = frequency.clamp_min(1e-9) ** -exponent
        return torch.where(frequency >= 1 / height, fall, torch.zeros_like(fall))

    across = torch.fft.rfftfreq(wide, device=device)
    power = amplitude(torch.fft.fftfreq(wide, device=device)).square().mean()
    spectrum = torch.fft.rfft2(torch.randn(n, tall, wide, generator=generator, device=device)) * amplitude(across)
    if shift is not None:
        spectrum = spectrum[:, None] * _turned(across, shift)
    noise = torch.fft.irfft2(spectrum, s=(tall, wide))
    return noise[..., :height, :width] / power.sqrt()


def _turned(across: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """Return by how much each frequency turns where a view is moved, ``[n, view, 1, frequency]``."""
    import torch

    return torch.exp(-2j * torch.pi * across * shift[:, :, None, None])


def moved_noise(
    texture: Texture, height: int, width: int, generator: torch.Generator, shift: torch.Tensor, exponent: float = 1.0
) -> torch.Tensor:
    """Draw textures as `draw_textures` does, and move each to the right, also by fractions of a pixel.

    Parameters
    ----------
    texture
        ``"random"`` or ``"1/f"``. Noise is known between its pixels, up to half a cycle per pixel; photographs are not.
    height, width
        Size in pixels.
    generator
        Source of the textures, on whose device they are.
    shift
        ``[n, view]`` in pixels: by how much each view of a texture is moved, by less than half the width.
    exponent
        Fall of the amplitude with frequency, for ``"1/f"`` only.

    Returns
    -------
    torch.Tensor
        ``[n, view, height, width]`` float32.

    Raises
    ------
    ValueError
        For photographs.
    """
    import torch

    if texture == "1/f":
        return power_law_noise(len(shift), height, width, exponent, generator, shift)
    if texture != "random":
        raise ValueError(f"{texture} cannot be moved by fractions of a pixel")
    wide, device = 2 * width, generator.device
    spectrum = torch.fft.rfft(torch.randn(len(shift), height, wide, generator=generator, device=device))
    across = torch.fft.rfftfreq(wide, device=device)
    return torch.fft.irfft(spectrum[:, None] * _turned(across, shift), n=wide)[..., :width]


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
