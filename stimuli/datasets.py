"""Image sets to learn from: CIFAR-10, Fashion-MNIST, a folder of class folders, patches of photographs.

All loaders give the same thing, ``ImageData``: 8-bit images and labels of a training and a test part, both in an order
in which every beginning holds the classes in equal shares. The images of a set do not depend on a seed: subjects of
different seeds live in the same world and differ in their initial weights and in the order of what they see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from stimuli.errors import BadInput
from stimuli.formats import (
    CIFAR10_TEST,
    CIFAR10_TRAIN,
    PICTURE_ENDINGS,
    read_cifar10,
    read_class_names,
    read_idx,
    read_picture,
)
from stimuli.photographs import PHOTOGRAPHS, photograph
from stimuli.places import CIFAR10, FASHION_MNIST, find, find_file
from stimuli.streams import stream

if TYPE_CHECKING:
    import torch

__all__ = ["DATASETS", "Dataset", "ImageData", "Request", "load_images", "take_turns"]

Dataset = Literal["photographs", "fashion-mnist", "cifar-10", "folder"]

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

TEST_SHARE = 0.2
"""Share of the files of a class folder that go to the test part, where the folder does not say."""

LEAST_CONTRAST = 8 / 255
"""Patches of photographs whose s.d. is below this (white = 1) show sky or wall, which could be of any photograph."""


@dataclass(frozen=True)
class ImageData:
    """Images and labels.

    Attributes
    ----------
    images
        Images of each part, ``[n, channels, height, width]`` uint8, parts ``"train"`` and ``"test"``.
    labels
        Their classes, ``[n]`` int64.
    class_names
        One name per class.
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What a loader is asked for.

    Attributes
    ----------
    size
        Height and width in pixels, for the sets whose images have none of their own; None for the default.
    n_train, n_test
        How many images; None for all there are.
    path
        Where the set lies.
    download
        Whether it may be fetched.
    """

    size: int | None = None
    n_train: int | None = None
    n_test: int | None = None
    path: str | None = None
    download: bool = False

    def number(self, part: str) -> int | None:
        """Return how many images of a part are wanted."""
        return self.n_train if part == "train" else self.n_test


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


def take_turns(labels: np.ndarray) -> np.ndarray:
    """Return an order ``[n]`` in which the classes take turns, each class in an order of its own that looks random.

    The order is the same always and everywhere. Classes with fewer members drop out towards the end.
    """
    import torch

    shuffled = torch.randperm(len(labels), generator=stream(0, "dataset/order")).numpy()
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    ordered = labels[by_class]
    turn = np.arange(len(labels)) - np.searchsorted(ordered, ordered)
    return by_class[np.lexsort((ordered, turn))]


def _first(labels: np.ndarray, wanted: int | None, part: str, source: str) -> np.ndarray:
    """Return which images to take: the first ones of the balanced order."""
    if wanted is not None and wanted > len(labels):
        raise BadInput(f"stimulus.n_{part}: {source} has {len(labels)} images in its {part} part, fewer than {wanted}")
    return take_turns(labels)[:wanted]


def _from_files(
    read: Callable[[str], tuple[np.ndarray, np.ndarray]], request: Request, class_names: tuple[str, ...], source: str
) -> ImageData:
    """Read both parts of a set with a reader that takes the name of the part."""
    images, labels = {}, {}
    for part in ("train", "test"):
        all_images, all_labels = read(part)
        chosen = _first(all_labels, request.number(part), part, source)
        images[part], labels[part] = all_images[chosen], all_labels[chosen]
    return ImageData(images, labels, class_names)


def _cifar10(request: Request) -> ImageData:
    """Load CIFAR-10 from its binary version: a folder of batches or the archive."""
    archives = [file.name for file in CIFAR10.files]

    def holds(place: Path) -> bool:
        return place.is_file() or find_file(place, [CIFAR10_TRAIN[0], *archives]) is not None

    place = find(CIFAR10, request.path, request.download, holds)
    if place.is_dir() and not (place / CIFAR10_TRAIN[0]).is_file():
        place = place / archives[0]
    parts = {"train": CIFAR10_TRAIN, "test": CIFAR10_TEST}
    return _from_files(lambda part: read_cifar10(place, parts[part]), request, CIFAR10_CLASSES, str(place))


def _idx_file(folder: Path, part: str, what: str) -> Path | None:
    """Return an IDX file under one of the names it goes by."""
    stem = {"train": "train", "test": "t10k"}[part]
    dimensions = {"images": 3, "labels": 1}[what]
    plain = [f"{stem}-{what}{mark}idx{dimensions}-ubyte" for mark in "-."]
    return find_file(folder, [*plain, *(f"{name}.gz" for name in plain)])


def _fashion_mnist(request: Request) -> ImageData:
    """Load Fashion-MNIST, or a set in the same format, from its four IDX files."""

    def holds(place: Path) -> bool:
        return _idx_file(place, "train", "images") is not None

    place = find(FASHION_MNIST, request.path, request.download, holds)

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


def _folder(request: Request) -> ImageData:
    """Load a folder of class folders, or one with such folders named train and test.

    Without train and test every class gives a fifth of its files to the test part, chosen by a hash of the file's name:
    the same files on every machine, and still the same ones when files are added.
    """
    if request.path is None:
        raise BadInput(
            'stimulus.path is missing; dataset "folder" needs a folder with one folder of pictures per class'
        )
    root = Path(request.path).expanduser()
    if not root.is_dir():
        raise BadInput(f"stimulus.path: {root} is not a folder; it should hold one folder of pictures per class")
    has_parts = (root / "train").is_dir() and (root / "test").is_dir()
    class_names = read_class_names(root / "train" if has_parts else root)
    files: dict[str, list[tuple[Path, int]]] = {"train": [], "test": []}
    for label, name in enumerate(class_names):
        if has_parts:
            found = {part: _pictures(root / part / name) for part in files}
        else:
            found = _divide(_pictures(root / name), root / name)
        for part, paths in found.items():
            files[part] += [(path, label) for path in paths]
    chosen: dict[str, list[tuple[Path, int]]] = {}
    for part, pairs in files.items():
        order = _first(np.array([label for _, label in pairs]), request.number(part), part, str(root))
        chosen[part] = [pairs[place] for place in order]
    grey = all(_is_grey(path) for pairs in chosen.values() for path, _ in pairs)
    size = request.size or 32
    return ImageData(
        {part: np.stack([read_picture(path, size, grey) for path, _ in pairs]) for part, pairs in chosen.items()},
        {part: np.array([label for _, label in pairs], np.int64) for part, pairs in chosen.items()},
        class_names,
    )


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a class, sorted by name."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is missing; the folders train and test should hold the same classes")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_ENDINGS and path.is_file())
    if not found:
        raise BadInput(f"{folder} holds no picture; accepted are files that end with {', '.join(PICTURE_ENDINGS)}")
    return found


def _divide(pictures: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Divide the pictures of a class between training and test."""
    if len(pictures) < 2:
        raise BadInput(f"{folder} holds one picture; a class needs at least one to learn from and one to test with")

    def lot(path: Path) -> bytes:
        return blake2b(f"{path.parent.name}/{path.name}".encode(), digest_size=8).digest()

    drawn = sorted(pictures, key=lot)
    n_test = min(max(1, round(TEST_SHARE * len(drawn))), len(drawn) - 1)
    return {"train": drawn[n_test:], "test": drawn[:n_test]}


def _is_grey(path: Path) -> bool:
    """Say whether a picture is stored without colour."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.mode in {"1", "L", "LA"} or image.mode.startswith("I")
    except (OSError, SyntaxError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a picture ({error})") from None


def _photographs(request: Request) -> ImageData:
    """Cut patches from scikit-image's photographs; the class is the photograph.

    Training patches come from the left 70 % of each photograph and test patches from the rest, so that no pixel is in
    both. By default 5,000 and 1,000 patches of 32 x 32.
    """
    if request.path is not None:
        raise BadInput('stimulus.path has no use for dataset "photographs", which come with scikit-image; leave it out')
    size = request.size or 32
    images, labels = {}, {}
    numbers = {"train": request.n_train or 5000, "test": request.n_test or 1000}
    for part, n in numbers.items():
        generator = stream(0, f"dataset/photographs/{part}")
        label = np.arange(n) % len(PHOTOGRAPHS)
        patches = np.empty((n, 1, size, size), np.uint8)
        for number, name in enumerate(PHOTOGRAPHS):
            patches[label == number, 0] = _patches(name, part, int((label == number).sum()), size, generator)
        images[part], labels[part] = patches, label
    return ImageData(images, labels, tuple(PHOTOGRAPHS))


def _patches(name: str, part: str, n: int, size: int, generator: torch.Generator) -> np.ndarray:
    """Return patches with some contrast from one part of a photograph, ``[n, size, size]`` uint8."""
    image = photograph(name)
    border = round(0.7 * image.shape[1])
    region = image[:, :border] if part == "train" else image[:, border:]
    if min(region.shape) < size:
        raise BadInput(
            f"stimulus.size: patches of {size} pixels do not fit into the {part} part of photograph {name!r}, "
            f"{region.shape[0]} x {region.shape[1]} pixels"
        )
    import torch

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
    "folder": _folder,
}
"""Name of an image set -> its loader."""
