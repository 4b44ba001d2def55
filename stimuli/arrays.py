"""Pictures of one's own as NumPy arrays: checked, divided between training and test, and brought to one size."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.images import ImageData, Request, first_in_turn, scaled
from binocular.stimuli.pictures import path_text
from binocular.stimuli.streams import stream

__all__ = [
    "ARRAYS",
    "array_files",
    "as_pictures",
    "bytes_of_arrays",
    "image_data",
    "length_of_arrays",
    "load_arrays",
    "squared",
]

ARRAYS = ("images", "left", "right", "labels", "part", "class_names")
"""Arrays that are read: pictures for both eyes, or for each eye; labels; and, if there, part and names of classes."""

_FEWEST_PIXELS = 8
_LUMINANCE = np.array([0.299, 0.587, 0.114])  # Rec. 601, as for pictures in files
_EXPECTED = "images, or left and right, and labels (and part, class_names)"


def array_files(path: Path) -> dict[str, Path]:
    """Return the files of arrays at a path, by a name that does not depend on what the path is called.

    Parameters
    ----------
    path
        An ``.npz`` file, or a folder of ``.npy`` files named as in `ARRAYS`.

    Returns
    -------
    dict
        Nothing where neither lies there.
    """
    if path.suffix.lower() == ".npz" and path.is_file():
        return {"arrays.npz": path}
    found = {name: path / f"{name}.npy" for name in ARRAYS} if path.is_dir() else {}
    found = {f"{name}.npy": file for name, file in found.items() if file.is_file()}
    return found if "images.npy" in found or "left.npy" in found or "labels.npy" in found else {}


def bytes_of_arrays(path: Path) -> int:
    """Return how many bytes the arrays at a path take in memory, without reading them."""
    files = array_files(path)
    try:
        if "arrays.npz" not in files:
            return sum(file.stat().st_size for file in files.values())
        with zipfile.ZipFile(path) as archive:
            known = {f"{name}.npy" for name in ARRAYS}
            return sum(member.file_size for member in archive.infolist() if member.filename in known)
    except (OSError, zipfile.BadZipFile):
        return 0  # said when it is read


def length_of_arrays(path: Path) -> int:
    """Return how many labels lie at a path, by the header of their array alone."""
    files = array_files(path)
    try:
        if "arrays.npz" not in files:
            return len(np.load(files["labels.npy"], mmap_mode="r", allow_pickle=False)) if "labels.npy" in files else 0
        with zipfile.ZipFile(path) as archive, archive.open("labels.npy") as member:
            first = np.lib.format.read_magic(member) == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            return read(member)[0][0]
    except Exception:  # whatever a damaged file makes numpy meet; said when it is read
        return 0


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read arrays at a path (see `array_files`), as data only.

    Raises
    ------
    BadInput
        If a file is damaged, or holds Python objects.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, file in array_files(path).items():
        try:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.lib.npyio.NpzFile):
                with loaded:
                    arrays |= {key: loaded[key] for key in ARRAYS if key in loaded.files}
                    known = set(ARRAYS) & set(loaded.files)
                    if not known:
                        raise BadInput(f"{path_text(file)} holds {_listed(loaded.files)}; expected are {_EXPECTED}")
            else:
                arrays[Path(name).stem] = loaded
        except BadInput:
            raise
        except Exception as error:  # numpy's readers raise whatever a damaged file makes them meet
            unread = "it is no such file, or holds Python objects, which are not read"
            reason = unread if "allow_pickle" in str(error) else error
            raise BadInput(
                f"{path_text(file)} cannot be read as arrays of numbers ({reason}); accepted is what numpy.savez or "
                "numpy.save writes of uint8, floats, whole numbers and text"
            ) from None
    return arrays


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "no array"


def image_data(arrays: Mapping[str, Any], source: str, request: Request) -> ImageData:
    """Return pictures and labels from arrays.

    Parameters
    ----------
    arrays
        ``images`` ``[n, height, width]`` or with channels (1 or 3) first or last, for both eyes; or ``left`` and
        ``right`` of that kind. ``labels`` ``[n]``, whole numbers or text. Where there, ``part`` ``[n]``, ``"train"`` or
        ``"test"``, and ``class_names``, by label.
    source
        Where they come from, for messages.
    request
        How many, in which size, and which share is for tests where ``part`` is not there.

    Returns
    -------
    ImageData
        Images ``[n, eye, channels, height, width]``, uint8 or float32; one eye where both see the same.

    Raises
    ------
    BadInput
        With the name of the array and what would be accepted.
    """
    names = [name for name in ("images", "left", "right") if name in arrays]
    if names not in (["images"], ["left", "right"]):
        raise BadInput(f"{source} holds {_listed(sorted(arrays))}; expected are {_EXPECTED}")
    eyes = [as_pictures(arrays[name], f"{source}: {name}") for name in names]
    if len(eyes) == 2:
        _check_alike(eyes[0], eyes[1], source)
    n = len(eyes[0])
    labels, class_names = _classes(arrays, n, source)
    parts = _parts(arrays.get("part"), labels, class_names, request.test_share, source)
    pictures = [squared(eye, request.size, f"{source}: {name}") for eye, name in zip(eyes, names, strict=True)]
    if request.grey:
        pictures = [_in_grey(eye) for eye in pictures]
    images, chosen = {}, {}
    for part in ("train", "test"):
        members = np.flatnonzero(parts == part)
        for label, name in enumerate(class_names):
            if label not in labels[members]:
                raise BadInput(f"{source}: class '{name}' has no picture in the {part} part; accepted is one or more")
        members = members[first_in_turn(labels[members], request.number(part), part, source)]
        images[part] = np.stack([eye[members] for eye in pictures], 1)
        chosen[part] = labels[members]
    return ImageData(images, chosen, class_names)


def as_pictures(values: Any, name: str) -> np.ndarray:
    """Return an array of pictures as ``[n, channels, height, width]``, uint8 or float32.

    Parameters
    ----------
    values
        ``[n, height, width]``, or with 1 or 3 channels first or last.
    name
        For messages.

    Raises
    ------
    BadInput
        If it holds anything but uint8 and finite floats, or is of another shape.
    """
    pictures = np.asarray(values)
    if pictures.dtype != np.uint8 and pictures.dtype.kind != "f":
        raise BadInput(f"{name} holds {pictures.dtype}; accepted are uint8 (0 to 255) and floats")
    if pictures.ndim == 3:
        pictures = pictures[:, None]
    elif pictures.ndim == 4 and pictures.shape[1] not in (1, 3):
        pictures = np.moveaxis(pictures, -1, 1)
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or min(pictures.shape[2:]) < _FEWEST_PIXELS:
        raise BadInput(
            f"{name} has the shape {np.shape(values)}; accepted is [n, height, width] or one with 1 or 3 channels "
            f"first or last, of at least {_FEWEST_PIXELS} x {_FEWEST_PIXELS} pixels"
        )
    if pictures.dtype == np.uint8:
        return pictures
    finite = np.isfinite(pictures).all((1, 2, 3))
    if not finite.all():
        raise BadInput(f"{name}[{int(np.argmin(finite))}] holds NaN or infinity; accepted are finite brightnesses")
    return pictures.astype(np.float32)


def _check_alike(left: np.ndarray, right: np.ndarray, source: str) -> None:
    for what, one, other in (
        ("shape", left.shape, right.shape),
        ("type", str(left.dtype), str(right.dtype)),
    ):
        if one != other:
            raise BadInput(
                f"{source}: left has the {what} {one} (as [n, channels, height, width]) and right {other}; the "
                "pictures of the two eyes should be alike in both"
            )
    if left.dtype == np.uint8 or not len(left):
        return
    ranges = {name: (float(eye.min()), float(eye.max())) for name, eye in (("left", left), ("right", right))}
    within = {name: low >= 0 and high <= 1 for name, (low, high) in ranges.items()}
    largest = max(high for _, high in ranges.values())
    if within["left"] != within["right"] and largest > 2:
        told = " and ".join(f"{name} from {low:g} to {high:g}" for name, (low, high) in ranges.items())
        raise BadInput(f"{source}: {told}; the pictures of the two eyes should be on one scale")


def _classes(arrays: Mapping[str, Any], n: int, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels from 0 up, ``[n]`` int64, and the names of the classes."""
    if "labels" not in arrays:
        raise BadInput(f"{source}: labels is missing; accepted is one whole number or text for each picture")
    labels = np.asarray(arrays["labels"])
    if labels.shape != (n,) or labels.dtype.kind not in "iuUS":
        raise BadInput(
            f"{source}: labels holds {labels.dtype} of shape {labels.shape}; accepted are {n} whole numbers or texts, "
            "one for each picture"
        )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    known, numbers = np.unique(labels, return_inverse=True)
    names = tuple(str(name) for name in known) if labels.dtype.kind == "U" else tuple(f"class {i}" for i in known)
    if len(known) < 2:
        raise BadInput(f"{source}: labels holds {len(known)} class; accepted are two or more")
    if "class_names" in arrays:
        given = np.asarray(arrays["class_names"])
        if given.ndim != 1 or given.dtype.kind != "U" or labels.dtype.kind == "U":
            raise BadInput(f"{source}: class_names should be texts, one for each whole number that labels may hold")
        if known.tolist() != list(range(len(given))):
            raise BadInput(
                f"{source}: labels holds {_listed([str(i) for i in known.tolist()])}, but class_names has {len(given)} "
                f"names; accepted are the labels 0 to {len(given) - 1}, each at least once"
            )
        names = tuple(str(name) for name in given)
    return numbers.reshape(-1).astype(np.int64), names


def _parts(given: Any, labels: np.ndarray, class_names: tuple[str, ...], test_share: float, source: str) -> np.ndarray:
    """Return for each picture ``"train"`` or ``"test"``, as given or drawn from a stream of its own, class by class."""
    import torch

    if given is not None:
        parts = np.asarray(given)
        if parts.shape != labels.shape or not np.isin(parts, ["train", "test"]).all():
            raise BadInput(f'{source}: part should hold "train" or "test" for each of the {len(labels)} pictures')
        return parts
    parts = np.full(len(labels), "train", dtype="<U5")
    for label, name in enumerate(class_names):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise BadInput(
                f"{source}: class '{name}' has one picture; a class needs at least one to learn from and one to test "
                "with"
            )
        drawn = torch.randperm(len(members), generator=stream(label, "dataset/split")).numpy()
        n_test = min(max(1, round(test_share * len(members))), len(members) - 1)
        parts[members[drawn[:n_test]]] = "test"
    return parts


def squared(pictures: np.ndarray, size: int | None, name: str) -> np.ndarray:
    """Bring pictures to a square: the middle of them, as large as fits, scaled.

    Parameters
    ----------
    pictures
        ``[n, channels, height, width]``, uint8 or float32.
    size
        Height and width; None for those that they have.
    name
        For messages.

    Returns
    -------
    numpy.ndarray
        ``[n, channels, size, size]`` of the same type.
    """
    height, width = pictures.shape[2:]
    if size is None and height != width:
        raise BadInput(f"{name} has pictures of {height} x {width} pixels; set stimulus.size for a square of them")
    if size is None or height == width == size:
        return pictures
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return scaled(pictures[:, :, top : top + side, left : left + side], size)


def _in_grey(pictures: np.ndarray) -> np.ndarray:
    """Return pictures ``[n, channels, height, width]`` as luminance, one channel."""
    if pictures.shape[1] == 1:
        return pictures
    grey = np.empty((len(pictures), 1, *pictures.shape[2:]), pictures.dtype)
    for place, picture in enumerate(pictures):
        luminance = np.tensordot(_LUMINANCE, picture, 1)
        grey[place, 0] = np.round(luminance) if pictures.dtype == np.uint8 else luminance
    return grey
