"""Grey photographs that ship inside scikit-image, and patches cut from them.

The files are read from the installed package itself: ``skimage.data.camera()`` and its siblings may download through
pooch where a file is missing, and a stimulus must not depend on a network.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = [
    "PHOTOGRAPHS",
    "TEXTURED",
    "cut_textures",
    "locally_normalised",
    "packaged_file",
    "photograph",
    "photograph_file",
    "photograph_files",
]

PHOTOGRAPHS: dict[str, str] = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "moon": "moon.png",
    "rocket": "rocket.jpg",
}
"""Photograph -> file inside scikit-image's ``data`` folder."""

TEXTURED: tuple[str, ...] = ("brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel")
"""Photographs with structure nearly everywhere, without lossy compression: the source of scene textures."""

CONTRAST_FLOOR = 2 / 255
"""Local contrast (s.d., white = 1) below which gain control no longer amplifies: the grain of an 8-bit photograph."""


def photograph_file(name: str) -> Path:
    """Return where a photograph lies in the installed scikit-image.

    Raises
    ------
    BadInput
        For a name that is not in ``PHOTOGRAPHS``, and where scikit-image or the file is missing.
    """
    if name not in PHOTOGRAPHS:
        raise BadInput(f"there is no photograph {name!r}; accepted are {', '.join(PHOTOGRAPHS)}")
    return packaged_file(PHOTOGRAPHS[name])


def packaged_file(name: str) -> Path:
    """Return where a file of scikit-image's ``data`` folder lies in the installed package.

    Raises
    ------
    BadInput
        Where scikit-image or the file is missing.
    """
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("scikit-image is not installed, and the photographs come from it; pip install scikit-image")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / name
    if not path.is_file():
        raise BadInput(f"{path} is missing; install scikit-image from its wheel, which holds this photograph")
    return path


def photograph_files(names: Sequence[str] = tuple(PHOTOGRAPHS)) -> dict[str, Path]:
    """Return the files of photographs by name."""
    return {name: photograph_file(name) for name in names}


@lru_cache(maxsize=len(PHOTOGRAPHS))
def photograph(name: str) -> np.ndarray:
    """Return one photograph as luminance, ``[height, width]`` float32 from 0 (black) to 1 (white), read-only.

    Colour is weighted as in Rec. 709, on the stored (gamma-compressed) values.

    Raises
    ------
    BadInput
        If the photograph is unknown, missing or damaged.
    """
    from PIL import Image, UnidentifiedImageError

    path = photograph_file(name)
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image, dtype=np.float32) / 255
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise BadInput(f"{path} cannot be read as an image ({error}); reinstall scikit-image") from None
    if pixels.ndim == 3:
        pixels = pixels[..., :3] @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    pixels = np.ascontiguousarray(pixels, dtype=np.float32)
    pixels.flags.writeable = False
    return pixels


def _neighbourhood(length: int, spread: float) -> np.ndarray:
    """Return Gaussian weights of all places for each place along one side, ``[length, length]``, rows sum to 1."""
    place = np.arange(length)
    weight = np.exp(-0.5 * ((place[:, None] - place) / spread) ** 2)
    return weight / weight.sum(1, keepdims=True)


def locally_normalised(name: str, spread: float) -> np.ndarray:
    """Return a photograph with local mean 0 and local contrast near 1, as adaptation in the retina leaves it.

    Parameters
    ----------
    name
        The photograph.
    spread
        S.d. in pixels of the Gaussian neighbourhood over which mean and contrast are taken.

    Returns
    -------
    numpy.ndarray
        ``[height, width]`` float32.

    Notes
    -----
    ``(I - m) / sqrt(v + c^2)`` with local mean m and local variance v, as luminance and contrast gain control do
    (Mante et al. 2005, Nature Neuroscience 8, 1690); c is ``CONTRAST_FLOOR``.
    """
    image = photograph(name).astype(np.float64)
    down, across = _neighbourhood(image.shape[0], spread), _neighbourhood(image.shape[1], spread).T
    mean = down @ image @ across
    variance = np.maximum(down @ image**2 @ across - mean**2, 0)
    return ((image - mean) / np.sqrt(variance + CONTRAST_FLOOR**2)).astype(np.float32)


@lru_cache(maxsize=64)
def _texture(name: str, spread: float) -> np.ndarray:
    """Return a photograph after gain control, scaled to mean 0 and variance 1."""
    image = locally_normalised(name, spread)
    texture = (image - image.mean()) / image.std()
    texture.flags.writeable = False
    return texture


@lru_cache(maxsize=16)
def _all_textures(spread: float, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the pixels of all photographs after gain control in one row, where each begins, and their shapes."""
    import torch

    images = [_texture(name, spread) for name in TEXTURED]
    pixels = torch.from_numpy(np.concatenate([image.ravel() for image in images]))
    first = torch.tensor([0, *np.cumsum([image.size for image in images[:-1]])])
    shapes = torch.tensor([image.shape for image in images])
    return pixels.to(device), first.to(device), shapes.to(device)


def cut_textures(n: int, height: int, width: int, spread: float, generator: torch.Generator) -> torch.Tensor:
    """Cut textures at random places, mirrored at random, from the `TEXTURED` photographs with equal shares.

    Every place of a photograph is equally likely. A rule that left out dull patches would look at the whole patch, and
    what it accepts would then tell from which side of the patch a window comes.

    Parameters
    ----------
    n
        How many patches.
    height, width
        Size of a patch in pixels.
    spread
        Neighbourhood of the gain control, see ``locally_normalised``.
    generator
        Source of the choices; the textures are on its device.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32; the pixels of each photograph have mean 0 and variance 1. Half of the
        patches are mirrored left to right; none is turned upside down or on its side, as gravity and horizon are part
        of natural images.

    Raises
    ------
    BadInput
        If a photograph cannot be read or is smaller than a patch.
    """
    import torch

    device = generator.device
    pixels, first, shapes = _all_textures(spread, device)
    for name, (tall, wide) in zip(TEXTURED, shapes.tolist(), strict=True):
        if tall < height or wide < width:
            raise BadInput(
                f"textures of {height} x {width} pixels do not fit into the photograph {name!r} of {tall} x {wide}; "
                "use a smaller size"
            )
    source = torch.randint(len(TEXTURED), (n,), generator=generator, device=device)
    place = torch.rand(n, generator=generator, dtype=torch.float64, device=device)
    mirrored = torch.rand(n, generator=generator, device=device) < 0.5
    wide = shapes[source, 1]
    rows, columns = shapes[source, 0] - height + 1, wide - width + 1
    chosen = (place * rows * columns).long()
    corner = first[source] + chosen // columns * wide + chosen % columns
    across = torch.arange(width, device=device)
    across = torch.where(mirrored[:, None], across.flip(0), across)
    down = torch.arange(height, device=device)[:, None] * wide[:, None, None]
    return pixels[corner[:, None, None] + down + across[:, None, :]]
