"""Pictures from a `torch.utils.data.Dataset`: each item is read once and becomes part of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from binocular.stimuli.arrays import as_pictures, squared
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream

__all__ = ["arrays_of_dataset", "bytes_of_dataset", "length_of_dataset"]

_ITEMS = "(picture, label), (left, right, label) or ((left, right), label)"
_LOOKED_AT = 8
"""Items that are read twice, to see whether they are the same each time."""


def arrays_of_dataset(dataset: Any, source: str, size: int | None = None, test: Any = None) -> dict[str, np.ndarray]:
    """Return the pictures and labels of a Dataset as arrays; see `binocular.stimuli.arrays.image_data`.

    Parameters
    ----------
    dataset
        Has a length and gives ``(picture, label)``, ``(left, right, label)`` or ``((left, right), label)`` by number.
        A picture is a tensor or an array ``[height, width]``, with 1 or 3 channels first or last, of uint8 or floats,
        or a picture of Pillow. Its ``classes``, where it has them, are the names of the classes.
    source
        What it is called in messages.
    size
        Height and width to which the middle of each picture is scaled; None where all have one size.
    test
        A Dataset of the test part; None where ``dataset`` holds both.

    Raises
    ------
    BadInput
        If it has no length, gives something else, or gives another picture each time.
    """
    parts = [_read(dataset, source, size)]
    if test is not None:
        parts.append(_read(test, f"{source} (test)", size))
    arrays: dict[str, np.ndarray] = {}
    for name in parts[0]:
        if any(part.keys() != parts[0].keys() or part[name].shape[1:] != parts[0][name].shape[1:] for part in parts):
            raise BadInput(f"{source}: its training and test part give pictures of other shapes or for other eyes")
        arrays[name] = np.concatenate([part[name] for part in parts])
    if test is not None:
        arrays["part"] = np.repeat(["train", "test"], [len(part["labels"]) for part in parts])
    classes = getattr(dataset, "classes", None)
    if (
        isinstance(classes, Sequence)
        and arrays["labels"].dtype.kind != "U"
        and all(isinstance(c, str) for c in classes)
    ):
        arrays["class_names"] = np.array(classes, dtype=np.str_)
    return arrays


def bytes_of_dataset(dataset: Any, source: str) -> int:
    """Return about how many bytes the pictures of a Dataset take, from its length and its first item.

    Parameters
    ----------
    dataset, source
        As for `arrays_of_dataset`.
    """
    eyes, _ = _item(dataset, 0, source)
    return length_of_dataset(dataset, source) * sum(eye.nbytes for eye in eyes)


def length_of_dataset(dataset: Any, source: str) -> int:
    """Return how many items a Dataset has.

    Parameters
    ----------
    dataset, source
        As for `arrays_of_dataset`.

    Raises
    ------
    BadInput
        If it has no length, no items by number, or none at all.
    """
    try:
        n = len(dataset)
        _ = dataset.__getitem__
    except (TypeError, AttributeError, NotImplementedError):
        raise BadInput(
            f"{source} is a {type(dataset).__name__} without a length, or without items by number; accepted is a "
            "torch.utils.data.Dataset with __len__ and __getitem__"
        ) from None
    if n < 1:
        raise BadInput(f"{source} is empty; accepted is a Dataset with pictures of two classes or more")
    return n


def _read(dataset: Any, source: str, size: int | None) -> dict[str, np.ndarray]:
    n = length_of_dataset(dataset, source)
    pictures: list[np.ndarray] = []
    labels: list[Any] = []
    for number in range(n):
        eyes, label = _item(dataset, number, source)
        where = f"{source}[{number}]"
        eyes = [squared(eye[None], size, where)[0] for eye in eyes]
        if not pictures:
            pictures = [np.empty((n, *eye.shape), eye.dtype) for eye in eyes]
        told, expected = ([(str(eye.dtype), eye.shape[-3:]) for eye in found] for found in (eyes, pictures))
        if told != expected:
            what = " and ".join(f"{kind} {shape}" for kind, shape in told)
            first = " and ".join(f"{kind} {shape}" for kind, shape in expected)
            raise BadInput(
                f"{where} is {what} where {source}[0] is {first} (channels, height, width); accepted are pictures that "
                "are alike in both" + ("" if size else ", or stimulus.size for those of several sizes")
            )
        if number < _LOOKED_AT:
            again, label_again = _item(dataset, number, source, reading=1)
            again = [squared(eye[None], size, where)[0] for eye in again]
            same = len(again) == len(eyes) and all(map(np.array_equal, eyes, again))
            if not same or label_again != label:
                raise BadInput(
                    f"{where} is another picture each time it is read; accepted is a Dataset without random transforms"
                )
        for array, eye in zip(pictures, eyes, strict=True):
            array[number] = eye
        labels.append(label)
    if len({type(label) for label in labels}) > 1:
        raise BadInput(f"{source} has labels that are whole numbers and labels that are texts; accepted is one kind")
    names = ("images",) if len(pictures) == 1 else ("left", "right")
    return {**dict(zip(names, pictures, strict=True)), "labels": np.array(labels)}


def _item(dataset: Any, number: int, source: str, reading: int = 0) -> tuple[list[np.ndarray], int | str]:
    """Return the pictures of an item, one or two ``[channels, height, width]``, and its label."""
    where = f"{source}[{number}]"
    try:
        with global_stream(reading, "dataset/item", number):  # what a Dataset draws differs between readings
            item = dataset[number]
    except BadInput:
        raise
    except Exception as error:  # whatever a user's Dataset raises
        raise BadInput(f"{where} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        told = f"{len(item)} things" if isinstance(item, (tuple, list)) else type(item).__name__
        raise BadInput(f"{where} is {told}; accepted are {_ITEMS}")
    *shown, label = item
    if len(shown) == 1 and isinstance(shown[0], (tuple, list)):
        shown = list(shown[0])
    if len(shown) not in (1, 2):
        raise BadInput(f"{where} holds {len(shown)} pictures; accepted are {_ITEMS}")
    return [as_pictures(_array(one)[None], where)[0] for one in shown], _label(label, where)


def _array(picture: Any) -> np.ndarray:
    import torch

    return np.asarray(picture.detach().cpu() if isinstance(picture, torch.Tensor) else picture)


def _label(label: Any, where: str) -> int | str:
    if isinstance(label, str):
        return str(label)
    try:
        value = _array(label)
        if value.ndim == 0 and value.dtype.kind in "iu":
            return int(value)
    except (TypeError, ValueError):
        pass
    raise BadInput(f"{where} has the label {label!r}; accepted is a whole number or a text")
