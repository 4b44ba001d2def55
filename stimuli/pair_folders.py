"""Pairs of pictures in two folders, left and right, that hold the same class folders and file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import class_folders, key_of, pictures_below, without_colour
from binocular.stimuli.images import ImageData, Request, first_in_turn
from binocular.stimuli.pictures import Whites, path_text, read_picture, size_of_picture
from binocular.stimuli.places import from_home

__all__ = ["has_pairs", "load_pair_folders"]


def has_pairs(root: Path) -> bool:
    """Say whether a folder holds folders left and right with folders in them, and not two classes of these names."""
    return all((root / eye).is_dir() and any(p.is_dir() for p in (root / eye).iterdir()) for eye in ("left", "right"))


def load_pair_folders(request: Request) -> ImageData:
    """Load pairs of pictures.

    Parameters
    ----------
    request
        Its ``path`` holds ``left`` and ``right``, each a folder of class folders (or with such folders named train and
        test). The picture of the right eye has the name of that of the left one; its ending may differ.

    Returns
    -------
    ImageData
        Images ``[n, eye, channels, size, size]`` uint8, eye 0 = left.

    Raises
    ------
    BadInput
        If a picture has no partner or another size than it, or a folder, class or picture cannot be used.
    """
    root = from_home(request.path or "")
    found = class_folders(root / "left", request.test_share)
    partners = _partners(root)
    chosen: dict[str, list[tuple[tuple[Path, Path], int]]] = {}
    for part, files in found.files.items():
        order = first_in_turn(np.array([label for _, label in files]), request.number(part), part, path_text(root))
        chosen[part] = [((path, partners[path]), label) for path, label in (files[place] for place in order)]
    for pairs in chosen.values():
        for (left, right), _ in pairs:
            sizes = [size_of_picture(path) for path in (left, right)]
            if sizes[0] != sizes[1]:
                told = [f"{width} x {height}" for width, height in sizes]
                raise BadInput(
                    f"{path_text(right)} has {told[1]} pixels and {path_text(left)} {told[0]}; the pictures of a pair "
                    "should be of one size"
                )
    every = [path for pairs in chosen.values() for both, _ in pairs for path in both]
    grey, mixed = without_colour(every, request.grey)
    whites = Whites(request.bit_depth)

    def read(path: Path) -> np.ndarray:
        return read_picture(path, request.size or 32, grey, whites=whites)

    images = {
        part: np.stack([np.stack([read(p) for p in both]) for both, _ in pairs]) for part, pairs in chosen.items()
    }
    whites.check(root)
    labels = {part: np.array([label for _, label in pairs], np.int64) for part, pairs in chosen.items()}
    return ImageData(images, labels, found.names, (*found.notes, *mixed))


def _partners(root: Path) -> dict[Path, Path]:
    """Return for each picture below left the one of the same name below right."""
    sides: list[dict[str, Path]] = []
    for eye in ("left", "right"):
        side: dict[str, Path] = {}
        for path in pictures_below(root / eye):
            name = key_of(path.relative_to(root / eye).with_suffix("").as_posix())
            if name in side:
                raise BadInput(
                    f"{path_text(path)} and {path_text(side[name])} differ in their endings only, so that it is not "
                    "known which of them belongs to a pair; remove one"
                )
            side[name] = path
        sides.append(side)
    left, right = sides
    for name in sorted(left.keys() ^ right.keys()):
        there, lacking = ("left", "right") if name in left else ("right", "left")
        path = left.get(name) or right[name]
        raise BadInput(
            f"{path_text(path)} has no partner {path_text(root / lacking / name)}; each picture in {there} should have "
            f"one of the same name in {lacking}"
        )
    return {path: right[name] for name, path in left.items()}
