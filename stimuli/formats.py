"""Readers of image sets as they are published: IDX files and CIFAR-10's binary version.

Every reader checks what it reads against what the format promises, unpacks nothing to disk and unpickles nothing. What
is damaged, cut short or something else raises ``BadInput`` with the name of the file.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.pictures import PICTURE_ENDINGS, is_grey, read_picture

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CIFAR10_TEST",
    "CIFAR10_TRAIN",
    "PICTURE_ENDINGS",
    "is_grey",
    "read_cifar10",
    "read_idx",
    "read_picture",
]

_IDX_TYPE = 0x08  # unsigned bytes, the only type that images and labels use
_IDX_MOST = 2**31  # bytes: far above any set here, far below what a damaged header can ask for

CIFAR10_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
CIFAR10_TEST = ("test_batch.bin",)
CIFAR10_RECORDS = 10_000
_CIFAR10_RECORD = 1 + 3 * 32 * 32


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not, as used by MNIST and Fashion-MNIST.

    Parameters
    ----------
    path
        The file; one whose first bytes are those of gzip is unpacked, whatever its name.
    dimensions
        How many dimensions it must have: 3 for images, 1 for labels.

    Returns
    -------
    numpy.ndarray
        uint8 of the shape that the header states.

    Raises
    ------
    BadInput
        If the file cannot be read, is no such IDX file, or holds fewer or more bytes than its header states.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if zipped else raw
            header = file.read(4 + 4 * dimensions)
            expected = bytes((0, 0, _IDX_TYPE, dimensions))
            if header[:4] != expected:
                raise BadInput(
                    f"{path} is not an IDX file of {dimensions} dimension{'s' * (dimensions > 1)}: it begins with "
                    f"{header[:4].hex() or 'nothing'}, not with {expected.hex()}"
                )
            if len(header) < 4 + 4 * dimensions:
                raise BadInput(f"{path} is cut short within its header; fetch it again")
            shape = tuple(int(side) for side in np.frombuffer(header, ">u4", dimensions, 4))
            size = int(np.prod(shape, dtype=object))
            if size > _IDX_MOST:
                raise BadInput(f"{path} is damaged: its header states {' x '.join(map(str, shape))} bytes")
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read ({error}); fetch it again") from None
    if len(content) != size:
        held = "more" if len(content) > size else str(len(content))
        raise BadInput(f"{path} is damaged: its header states {size} bytes and it holds {held}; fetch it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def read_cifar10(place: Path, names: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read batches of CIFAR-10's binary version.

    Parameters
    ----------
    place
        The folder ``cifar-10-batches-bin``, or the archive ``cifar-10-binary.tar.gz``.
    names
        Batches to read, ``CIFAR10_TRAIN`` or ``CIFAR10_TEST``.

    Returns
    -------
    images : numpy.ndarray
        ``[n, 3, 32, 32]`` uint8.
    labels : numpy.ndarray
        ``[n]`` int64, 0 to 9.

    Raises
    ------
    BadInput
        If a batch is missing or has not 10,000 records of one label and 3,072 pixels.
    """
    names = tuple(names)
    contents = _batches_in_folder(place, names) if place.is_dir() else _batches_in_archive(place, names)
    images, labels = [], []
    for name in names:
        content = contents[name]
        expected = CIFAR10_RECORDS * _CIFAR10_RECORD
        if len(content) != expected:
            raise BadInput(f"{place / name} holds {len(content)} bytes instead of {expected}; fetch it again")
        records = np.frombuffer(content, np.uint8).reshape(-1, _CIFAR10_RECORD)
        if records[:, 0].max() > 9:
            raise BadInput(f"{place / name} holds the label {records[:, 0].max()}; CIFAR-10 has the labels 0 to 9")
        labels.append(records[:, 0].astype(np.int64))
        images.append(records[:, 1:].reshape(-1, 3, 32, 32))
    return np.concatenate(images), np.concatenate(labels)


def _batches_in_folder(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each batch in a folder."""
    contents = {}
    for name in names:
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            raise BadInput(f"{folder / name} cannot be read ({error.strerror})") from None
    return contents


def _batches_in_archive(archive: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each batch in an archive, whose other members are passed over."""
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r|*") as members:
            for member in members:
                name = member.name.rpartition("/")[2]
                if name in names and member.isfile() and member.size <= CIFAR10_RECORDS * _CIFAR10_RECORD:
                    file = members.extractfile(member)
                    contents[name] = file.read() if file else b""
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise BadInput(f"{archive} cannot be read as an archive ({error}); fetch it again") from None
    absent = [name for name in names if name not in contents]
    if absent:
        raise BadInput(f"{archive} does not hold {', '.join(absent)}; it should be CIFAR-10's binary version")
    return contents
