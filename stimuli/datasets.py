"""Image sets to learn from: CIFAR-10, Fashion-MNIST, a folder of class folders, patches of photographs.

All loaders give the same thing, ``ImageData``: 8-bit images and labels of a training and a test part, both in an order
in which every beginning holds the classes in equal shares. The images of a set do not depend on a seed: subjects of
different seeds live in the same world and differ in their initial weights and in the order of what they see.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import folder_files, load_folder
from binocular.stimuli.formats import CIFAR10_TEST, CIFAR10_TRAIN, read_cifar10, read_idx
from binocular.stimuli.images import ImageData, Request, first_in_turn
from binocular.stimuli.photographs import PHOTOGRAPHS, photograph, photograph_files
from binocular.stimuli.places import CIFAR10, FASHION_MNIST, find, find_file
from binocular.stimuli.streams import stream

if TYPE_CHECKING:
    import torch

__all__ = ["DATASETS", "IMAGES_OF", "Dataset", "files_of", "load_images"]

Dataset = Literal["photographs", "fashion-mnist", "cifar-10", "folder"]

IMAGES_OF: dict[Dataset, tuple[int, int]] = {
    "photographs": (5000, 1000), "fashion-mnist": (60_000, 10_000), "cifar-10": (50_000, 10_000),
}  # fmt: skip
"""Images to learn from and to test with where nothing else is asked for; a folder has what it has."""

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

LEAST_CONTRAST = 8 / 255
"""Patches of photographs whose s.d. is below this (white = 1) show sky or wall, which could be of any photograph."""


def load_images(dataset: Dataset, request: Request) -> ImageData:
    """Load an image set.

    Parameters
    ----------
    dataset
        Name of the set, one of ``DATASETS``.
    request
        Which part of it, and where from.

    Returns
    -------
    ImageData
        The first ``n_train`` and ``n_test`` images in the balanced order.

    Raises
    ------
    BadInput
        If the set cannot be found or read, or has fewer images than are asked for.
    """
    return DATASETS[dataset](request)


def files_of(dataset: Dataset, request: Request) -> dict[str, Path]:
    """Return the files that decide what `load_images` gives, by a name that does not depend on where the set lies.

    Parameters
    ----------
    dataset
        Name of the set.
    request
        Which part of it, and where from.

    Raises
    ------
    BadInput
        If the set cannot be found.
    """
    if dataset == "photographs":
        return photograph_files()
    if dataset == "folder":
        return folder_files(request)
    place = _cifar10_place(request) if dataset == "cifar-10" else _fashion_mnist_place(request)
    if place.is_file():
        return {place.name: place}
    if dataset == "cifar-10":
        return {name: place / name for name in (*CIFAR10_TRAIN, *CIFAR10_TEST) if (place / name).is_file()}
    found = {(p, what): _idx_file(place, p, what) for p in ("train", "test") for what in ("images", "labels")}
    return {f"{part} {what}": path for (part, what), path in found.items() if path is not None}


def _from_files(
    read: Callable[[str], tuple[np.ndarray, np.ndarray]], request: Request, class_names: tuple[str, ...], source: str
) -> ImageData:
    """Read both parts of a set with a reader that takes the name of the part."""
    images, labels = {}, {}
    for part in ("train", "test"):
        all_images, all_labels = read(part)
        chosen = first_in_turn(all_labels, request.number(part), part, source)
        images[part], labels[part] = all_images[chosen], all_labels[chosen]
    return ImageData(images, labels, class_names)


def _cifar10_place(request: Request) -> Path:
    """Return the folder of batches, or the archive, of CIFAR-10."""
    archives = [*CIFAR10.files]

    def holds(place: Path) -> bool:
        return place.is_file() or find_file(place, [CIFAR10_TRAIN[0], *archives]) is not None

    place = find(CIFAR10, request.path, request.download, holds)
    if place.is_dir() and not (place / CIFAR10_TRAIN[0]).is_file():
        place = place / archives[0]
    return place


def _cifar10(request: Request) -> ImageData:
    """Load CIFAR-10 from its binary version: a folder of batches or the archive."""
    place = _cifar10_place(request)
    parts = {"train": CIFAR10_TRAIN, "test": CIFAR10_TEST}
    return _from_files(lambda part: read_cifar10(place, parts[part]), request, CIFAR10_CLASSES, str(place))


def _idx_file(folder: Path, part: str, what: str) -> Path | None:
    """Return an IDX file under one of the names it goes by."""
    stem = {"train": "train", "test": "t10k"}[part]
    dimensions = {"images": 3, "labels": 1}[what]
    plain = [f"{stem}-{what}{mark}idx{dimensions}-ubyte" for mark in "-."]
    return find_file(folder, [*plain, *(f"{name}.gz" for name in plain)])


def _fashion_mnist_place(request: Request) -> Path:
    """Return the folder of Fashion-MNIST."""

    def holds(place: Path) -> bool:
        return _idx_file(place, "train", "images") is not None

    return find(FASHION_MNIST, request.path, request.download, holds)


def _fashion_mnist(request: Request) -> ImageData:
    """Load Fashion-MNIST, or a set in the same format, from its four IDX files."""
    place = _fashion_mnist_place(request)

    def read(part: str) -> tuple[np.ndarray, np.ndarray]:
        paths = {what: _idx_file(place, part, what) for what in ("images", "labels")}
        for what, path in paths.items():
            if path is None:
                raise BadInput(f"{place} holds no {what} of the {part} part; Fashion-MNIST has four IDX files")
        images, labels = read_idx(paths["images"], 3), read_idx(paths["labels"], 1)  # type: ignore[arg-type]
        if len(images) != len(labels):
            raise BadInput(f"{paths['labels']} holds {len(labels)} labels for {len(images)} images")
        if len(labels) and labels.max() >= len(FASHION_CLASSES):
            raise BadInput(f"{paths['labels']} holds the label {labels.max()}; Fashion-MNIST has the labels 0 to 9")
        return images[:, None], labels.astype(np.int64)

    return _from_files(read, request, FASHION_CLASSES, str(place))


def _photographs(request: Request) -> ImageData:
    """Cut patches from scikit-image's photographs; the class is the photograph.

    Training patches come from the left 70 % of each photograph and test patches from the rest, so that no pixel is in
    both. By default 5,000 and 1,000 patches of 32 x 32.
    """
    if request.path is not None:
        raise BadInput('stimulus.path has no use for dataset "photographs", which come with scikit-image; leave it out')
    size = request.size or 32
    images, labels = {}, {}
    n_train, n_test = IMAGES_OF["photographs"]
    numbers = {"train": request.n_train or n_train, "test": request.n_test or n_test}
    for name in PHOTOGRAPHS:
        for part in numbers:
            _region(name, part, size)  # before any work, whether all have room
    for part, n in numbers.items():
        generator = stream(0, f"dataset/photographs/{part}")
        label = np.arange(n) % len(PHOTOGRAPHS)
        patches = np.empty((n, 1, size, size), np.uint8)
        for number, name in enumerate(PHOTOGRAPHS):
            patches[label == number, 0] = _patches(name, part, int((label == number).sum()), size, generator)
        images[part], labels[part] = patches, label
    return ImageData(images, labels, tuple(PHOTOGRAPHS))


def _region(name: str, part: str, size: int) -> np.ndarray:
    """Return the part of a photograph from which training or test patches come."""
    image = photograph(name)
    border = round(0.7 * image.shape[1])
    region = image[:, :border] if part == "train" else image[:, border:]
    if min(region.shape) < size:
        raise BadInput(
            f"stimulus.size: patches of {size} pixels do not fit into the {part} part of photograph {name!r}, "
            f"{region.shape[0]} x {region.shape[1]} pixels"
        )
    return region


def _patches(name: str, part: str, n: int, size: int, generator: torch.Generator) -> np.ndarray:
    """Return patches with some contrast from one part of a photograph, ``[n, size, size]`` uint8."""
    import torch

    region = _region(name, part, size)
    windows = np.lib.stride_tricks.sliding_window_view(region, (size, size))
    kept: list[np.ndarray] = []
    for _ in range(1000):
        draws = (max(32, 2 * (n - len(kept))),)
        row, column = (torch.randint(side, draws, generator=generator).numpy() for side in windows.shape[:2])
        drawn = windows[row, column]
        kept += list(drawn[drawn.std((1, 2)) >= LEAST_CONTRAST])
        if len(kept) >= n:
            return np.round(np.stack(kept[:n]) * 255).astype(np.uint8) if n else np.empty((0, size, size), np.uint8)
    raise BadInput(f"stimulus.size: the photograph {name!r} has hardly a patch of {size} pixels with some contrast")


DATASETS: dict[Dataset, Callable[[Request], ImageData]] = {
    "photographs": _photographs,
    "fashion-mnist": _fashion_mnist,
    "cifar-10": _cifar10,
    "folder": load_folder,
}
"""Name of an image set -> its loader."""
