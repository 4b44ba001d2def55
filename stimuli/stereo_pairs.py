"""Rectified stereo pairs with their disparity maps: the one that ships in scikit-image's wheel, and a user's own.

A pair is rectified when a point at column x of the left picture lies in the same row of the right one, at column
``x - d``; d is its disparity in pixels, larger for nearer points.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.photographs import packaged_file
from binocular.stimuli.pictures import MOST_PIXELS, opened_picture
from binocular.stimuli.places import from_home

__all__ = ["PAIR_NAMES", "StereoPair", "files_of_pairs", "load_pairs", "pair_files", "read_disparity", "reduced"]

PAIR_NAMES = (("left", "right", "disparity"), ("im0", "im1", "disp0"))
"""Names of the left picture, the right one and the disparity map in a folder: plain, or as Middlebury 2014 has them."""

_PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".ppm", ".pgm", ".bmp")
_MAPS = (".npz", ".npy", ".pfm", ".png")
_SHIPPED = ("motorcycle_left.png", "motorcycle_right.png", "motorcycle_disp.npz")
_MOST_BYTES = 8 * MOST_PIXELS  # of a map, in double precision


@dataclass(frozen=True)
class StereoPair:
    """A rectified pair.

    Attributes
    ----------
    name
        Where it comes from.
    left, right
        Luminance from 0 to 1, ``[height, width]`` float32.
    disparity
        Of each pixel of the left picture, in pixels, ``[height, width]`` float32; NaN where it is not known.
    """

    name: str
    left: np.ndarray
    right: np.ndarray
    disparity: np.ndarray


def pair_files(folder: Path) -> list[tuple[Path, Path, Path]]:
    """Return the files of the pairs of a folder: its own, or one pair in each of its folders.

    Parameters
    ----------
    folder
        Holds ``left``, ``right`` and ``disparity`` (or ``im0``, ``im1`` and ``disp0``) with any accepted ending.

    Returns
    -------
    list of tuple
        Left picture, right picture and disparity map of each pair, by name of its folder.

    Raises
    ------
    BadInput
        If there is no folder or no whole pair.
    """
    if not folder.is_dir():
        raise BadInput(
            f"stimulus.path: {folder} is not a folder; it should hold left, right and disparity, or folders of them"
        )
    found = [_pair_in(place) for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir()))]
    pairs = [pair for pair in found if pair is not None]
    if not pairs:
        names = " or ".join(", ".join(names) for names in PAIR_NAMES)
        raise BadInput(
            f"{folder} holds no stereo pair; accepted are files named {names} (pictures as {', '.join(_PICTURES)}, "
            f"disparity as {', '.join(_MAPS)}), in it or in its folders"
        )
    return pairs


def _pair_in(folder: Path) -> tuple[Path, Path, Path] | None:
    for left, right, disparity in PAIR_NAMES:
        files = [_first(folder, left, _PICTURES), _first(folder, right, _PICTURES), _first(folder, disparity, _MAPS)]
        if all(files):
            return files[0], files[1], files[2]  # type: ignore[return-value]
    return None


def _first(folder: Path, stem: str, endings: tuple[str, ...]) -> Path | None:
    return next((path for ending in endings if (path := folder / (stem + ending)).is_file()), None)


def load_pairs(path: str | None, scale: float) -> list[StereoPair]:
    """Load the pairs of a folder, or where None is given the motorcycle of Middlebury 2014 from scikit-image's wheel.

    Parameters
    ----------
    path
        Folder of a user's pairs, see `pair_files`.
    scale
        Value of one pixel of disparity in a map stored as PNG.

    Raises
    ------
    BadInput
        If a file cannot be read, or the three of a pair differ in size.

    Notes
    -----
    Scharstein, D. et al. (2014). High-resolution stereo datasets with subpixel-accurate ground truth. GCPR 2014.
    """
    return [
        _load(*files, scale, tuple((about.st_mtime_ns, about.st_size) for about in map(Path.stat, files)))
        for files in _triples(path)
    ]


def files_of_pairs(path: str | None) -> dict[str, Path]:
    """Return the files that `load_pairs` reads, by their path inside the folder."""
    if path is None:
        return {file.name: file for files in _triples(path) for file in files}
    root = from_home(path)
    return {file.relative_to(root).as_posix(): file for files in _triples(path) for file in files}


def _triples(path: str | None) -> list[tuple[Path, Path, Path]]:
    if path is not None:
        return list(pair_files(from_home(path)))
    left, right, disparity = (packaged_file(name) for name in _SHIPPED)
    return [(left, right, disparity)]


@lru_cache(maxsize=8)
def _load(left: Path, right: Path, disparity: Path, scale: float, stamps: tuple[tuple[int, int], ...]) -> StereoPair:
    pictures = [_luminance(file) for file in (left, right)]
    depth = read_disparity(disparity, scale)
    for file, pixels in ((right, pictures[1]), (disparity, depth)):
        if pixels.shape != pictures[0].shape:
            raise BadInput(
                f"{file} has {pixels.shape[1]} x {pixels.shape[0]} pixels and {left} {pictures[0].shape[1]} x "
                f"{pictures[0].shape[0]}; the pictures of a pair and its disparity map should be of one size"
            )
    return StereoPair(left.parent.name, pictures[0], pictures[1], depth)


def _luminance(path: Path) -> np.ndarray:
    """Return a picture as luminance from 0 to 1, float32, weighted as in Rec. 709 on the stored values."""
    with opened_picture(path) as image:
        pixels = np.asarray(image if image.mode.startswith("I") else image.convert("RGB"), np.float64)
    grey = pixels if pixels.ndim == 2 else pixels @ np.array([0.2126, 0.7152, 0.0722])
    return (grey / (65535 if pixels.ndim == 2 else 255)).astype(np.float32)


def read_disparity(path: Path, scale: float = 256.0) -> np.ndarray:
    """Read a disparity map.

    Parameters
    ----------
    path
        ``.npz`` (its only array), ``.npy``, ``.pfm`` (Middlebury; infinity where unknown) or a 16-bit ``.png`` (KITTI;
        0 where unknown).
    scale
        Value of one pixel of disparity in a PNG.

    Returns
    -------
    numpy.ndarray
        Pixels of disparity, ``[height, width]`` float32; NaN where not known.

    Raises
    ------
    BadInput
        If the file is none of these, damaged or huge.
    """
    try:
        _check_bytes(path.stat().st_size)
        if path.suffix in (".npz", ".npy"):
            values = _numpy_map(path)
        elif path.suffix == ".pfm":
            values = _pfm(path.read_bytes())
        else:
            with opened_picture(path) as image:
                mode, values = image.mode, np.asarray(image, np.float64)
            if not mode.startswith("I"):
                raise ValueError(f"it has mode {mode}; a map needs 16 bits of grey")
            values = np.where(values > 0, values / scale, np.nan)
    except BadInput:
        raise
    except (MemoryError, OSError, ValueError, SyntaxError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} cannot be read as a disparity map ({error})") from None
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)


def _check_bytes(size: int) -> None:
    if size > _MOST_BYTES:
        raise ValueError(f"it holds {size:,} bytes; at most {_MOST_BYTES:,} are accepted")


def _numpy_map(path: Path) -> np.ndarray:
    if path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            _check_bytes(sum(member.file_size for member in archive.infolist()))
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.lib.npyio.NpzFile):
        with loaded:
            if len(loaded.files) != 1:
                raise ValueError(f"it holds {len(loaded.files)} arrays instead of one")
            loaded = loaded[loaded.files[0]]
    if loaded.ndim != 2 or loaded.dtype.kind not in "fiu":
        raise ValueError(f"it holds {loaded.dtype} of shape {loaded.shape} instead of numbers [height, width]")
    return loaded


def _pfm(content: bytes) -> np.ndarray:
    """Decode a portable float map: rows from the bottom up, byte order by the sign of the scale in its header."""
    header = re.match(rb"Pf\s+(\d{1,6})\s+(\d{1,6})\s+(-?\d+(?:\.\d+)?)\s", content)
    if header is None:
        raise ValueError("it does not begin as a portable float map of one channel")
    width, height = int(header[1]), int(header[2])
    body = content[header.end() :]
    if len(body) != 4 * width * height:
        raise ValueError(f"its header states {width} x {height} pixels and it holds {len(body)} bytes of them")
    return np.frombuffer(body, "<f4" if header[3].startswith(b"-") else ">f4").reshape(height, width)[::-1]


def reduced(pair: StereoPair, factor: int) -> StereoPair:
    """Return a pair at a lower resolution: means over squares of ``factor`` pixels, disparity in the new pixels.

    A pixel whose square has one of unknown disparity is unknown.

    Parameters
    ----------
    pair
        A pair.
    factor
        Pixels of a square along one side; what is left over at the ends is cut off.
    """

    def mean(values: np.ndarray) -> np.ndarray:
        height, width = (side // factor for side in values.shape)
        return values[: height * factor, : width * factor].reshape(height, factor, width, factor).mean((1, 3))

    return StereoPair(pair.name, mean(pair.left), mean(pair.right), mean(pair.disparity) / factor)
