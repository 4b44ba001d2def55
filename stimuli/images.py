"""What every image set gives: 8-bit images and labels of two parts, in an order in which the classes take turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream

__all__ = ["TEST_SHARE", "ImageData", "Request", "first_in_turn", "scaled", "take_turns"]

TEST_SHARE = 0.2
"""Share of a user's pictures that goes to the test part, where nothing says which."""


@dataclass(frozen=True)
class ImageData:
    """Images and labels.

    Attributes
    ----------
    images
        Images of each part, ``[n, channels, height, width]`` uint8, parts ``"train"`` and ``"test"``. Pictures of a
        user's own can also be pairs, ``[n, eye, channels, height, width]``, and float32.
    labels
        Their classes, ``[n]`` int64.
    class_names
        One name per class.
    notes
        What a person should know of how the set was read, one sentence each.
    """

    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


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
    bit_depth
        Bits in use in pictures of a folder that have more than 8; None for what their files say.
    grey
        Whether a user's pictures are wanted without colour; None for as they are.
    test_share
        Share of a user's pictures that is for tests, where nothing says which.
    """

    size: int | None = None
    n_train: int | None = None
    n_test: int | None = None
    path: str | None = None
    download: bool = False
    bit_depth: int | None = None
    grey: bool | None = None
    test_share: float = TEST_SHARE

    def number(self, part: str) -> int | None:
        """Return how many images of a part are wanted."""
        return self.n_train if part == "train" else self.n_test


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


def first_in_turn(labels: np.ndarray, wanted: int | None, part: str, source: str) -> np.ndarray:
    """Return which images to take: the first ones of the order in which classes take turns.

    Parameters
    ----------
    labels
        Class of each image there is, ``[n]`` int64.
    wanted
        How many to take; None for all.
    part, source
        Part and place of the set, for the message.

    Returns
    -------
    numpy.ndarray
        Positions of the images, ``[wanted]``.

    Raises
    ------
    BadInput
        If there are fewer than wanted, or none at all.
    """
    if not len(labels):
        raise BadInput(f"{source} has no images in its {part} part; fetch the set again, or name another")
    if wanted is not None and wanted > len(labels):
        raise BadInput(f"stimulus.n_{part}: {source} has {len(labels)} images in its {part} part, fewer than {wanted}")
    return take_turns(labels)[:wanted]


def scaled(images: np.ndarray, size: int) -> np.ndarray:
    """Scale images to a square, bilinear with antialiasing, some at a time.

    Parameters
    ----------
    images
        ``[n, channels, height, width]``, uint8 or float32.
    size
        Height and width of what is returned, ``[n, channels, size, size]`` of the same type.
    """
    import torch
    from torch.nn.functional import interpolate

    found = np.empty((*images.shape[:2], size, size), images.dtype)
    for start in range(0, len(images), 256):
        part = torch.from_numpy(np.ascontiguousarray(images[start : start + 256])).float()
        part = interpolate(part, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
        found[start : start + 256] = (part.round().clamp(0, 255) if images.dtype == np.uint8 else part).numpy()
    return found
