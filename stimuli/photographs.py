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

from stimuli.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

__all__ = ["PHOTOGRAPHS", "TEXTURED", "cut_patches", "locally_normalised", "photograph", "photograph_file"]

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

TEXTURED: tuple[str, ...] = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel")
"""Photographs with structure nearly everywhere, without lossy compression: the source of scene textures."""

LEAST_CONTRAST = 8 / 255
"""Patches whose s.d. is below this (white = 1) are sky or wall: amplified, they would show the camera's noise."""


def photograph_file(name: str) -> Path:
    """Return where a photograph lies in the installed scikit-image.

    Raises
    ------
    BadInput
        For a name that is not in ``PHOTOGRAPHS``, and where scikit-image or the file is missing.
    """
    if name not in PHOTOGRAPHS:
        raise BadInput(f"there is no photograph {name!r}; accepted are {', '.join(PHOTOGRAPHS)}")
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise BadInput("scikit-image is not installed, and the photographs come from it; pip install scikit-image")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / PHOTOGRAPHS[name]
    if not path.is_file():
        raise BadInput(f"{path} is missing; install scikit-image from its wheel, which holds this photograph")
    return path


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


def _usable_corners(image: np.ndarray, name: str, height: int, width: int) -> np.ndarray:
    """Return the top-left corners (row, column) of all patches with enough contrast, ``[n, 2]`` int64."""
    if image.shape[0] < height or image.shape[1] < width:
        raise BadInput(
            f"patches of {height} x {width} pixels do not fit into the photograph {name!r} of "
            f"{image.shape[0]} x {image.shape[1]}; use smaller stimuli"
        )
    n = height * width
    luminance = image.astype(np.float64)
    variance = _window_sum(luminance**2, height, width) / n - (_window_sum(luminance, height, width) / n) ** 2
    corners = np.argwhere(variance >= LEAST_CONTRAST**2)
    if not len(corners):
        raise BadInput(f"the photograph {name!r} has no patch of {height} x {width} pixels with enough contrast")
    return corners


def _window_sum(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the sum over every window of height x width, at its top-left corner."""
    total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]


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
    (Mante et al. 2005, Nature Neuroscience 8, 1690); c is ``LEAST_CONTRAST``.
    """
    image = photograph(name).astype(np.float64)
    down, across = _neighbourhood(image.shape[0], spread), _neighbourhood(image.shape[1], spread).T
    mean = down @ image @ across
    variance = np.maximum(down @ image**2 @ across - mean**2, 0)
    return ((image - mean) / np.sqrt(variance + LEAST_CONTRAST**2)).astype(np.float32)


@lru_cache(maxsize=64)
def _prepared(name: str, height: int, width: int, spread: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the image from which patches are cut, and the corners at which they may be."""
    corners = _usable_corners(photograph(name), name, height, width)
    if spread is None:
        return photograph(name), corners
    image = locally_normalised(name, spread)
    power = _window_sum(image.astype(np.float64) ** 2, height, width)[tuple(corners.T)].mean() / (height * width)
    return image / np.float32(np.sqrt(power)), corners


def cut_patches(
    n: int,
    height: int,
    width: int,
    generator: torch.Generator,
    names: Sequence[str] = TEXTURED,
    spread: float | None = None,
) -> torch.Tensor:
    """Cut patches at random places, mirrored at random, from photographs with equal shares.

    Parameters
    ----------
    n
        How many patches.
    height, width
        Size of a patch in pixels.
    generator
        Source of the choices, on the CPU.
    names
        Photographs to cut from.
    spread
        Cut from the photographs after ``locally_normalised`` with this spread, scaled to unit mean square over all
        patches of a photograph; by default cut from their luminance.

    Returns
    -------
    torch.Tensor
        ``[n, height, width]`` float32 on the CPU. Half of the patches are mirrored left to right; none is turned upside
        down or on its side, as gravity and horizon are part of natural images.

    Raises
    ------
    BadInput
        If a photograph cannot be read or is smaller than a patch.
    """
    import torch

    source = torch.randint(len(names), (n,), generator=generator).numpy()
    place = torch.rand(n, generator=generator, dtype=torch.float64).numpy()
    mirrored = torch.rand(n, generator=generator) < 0.5
    patches = np.empty((n, height, width), dtype=np.float32)
    for number, name in enumerate(names):
        chosen = np.flatnonzero(source == number)
        image, corners = _prepared(name, height, width, spread)
        row, column = corners[(place[chosen] * len(corners)).astype(np.int64)].T
        patches[chosen] = np.lib.stride_tricks.sliding_window_view(image, (height, width))[row, column]
    cut = torch.from_numpy(patches)
    return torch.where(mirrored[:, None, None], cut.flip(-1), cut)
