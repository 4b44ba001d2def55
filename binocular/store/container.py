"""HDF5 as a container: what a file may hold before anything in it is trusted or given memory.

An HDF5 file can lead out of itself (links, external storage, virtual data sets), declare more than it stores, hold
itself, and bring down the code that reads it. `problem_of` walks through a whole file and decodes all of it once, a
piece at a time. As a script, in a process of its own that may die of what it reads, it does so for each path on its
input (see `binocular.store.vetting`); therefore it imports nothing of the project.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z  # type: ignore[attr-defined]

__all__ = ["PLAIN", "READING_ERRORS", "failure_of", "one_line", "problem_of"]

READING_ERRORS = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)
"""What h5py raises at contents that are not as they should be."""

_ERRNO = re.compile(r"\berrno = (\d+)")  # in messages of HDF5
# What asking for a place that no file has gives, and what a path is that leads to none.
_OF_THE_FILE = {errno.EINVAL, errno.EOVERFLOW, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR}
_DEEPEST = 12
_WIDEST = 10_000  # members of a group
_MOST_OBJECTS = 500_000
_MOST_ATTRIBUTES = 200
_LARGEST_ATTRIBUTE = 16 << 20
_LARGEST_CHUNK = 64 << 20
_FREE_BYTES, _EXPANSION = 64 << 20, 64  # what all data sets may take: this much, and this often the file
_DEFLATE_AT_MOST = 1032  # what one byte of a deflate stream can give
_TEXTS_AT_ONCE = 256
_MEMORY = 1 << 30
_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
PLAIN = {h5t.INTEGER, h5t.FLOAT, h5t.STRING, h5t.ENUM}
"""Classes of types that are numbers or text; HDF5 stores truth values as an enumeration."""


class _Refused(Exception):
    """A sentence without the name of the file."""


def one_line(error: BaseException) -> str:
    """Return the message of an exception on one line of moderate length."""
    said = getattr(error, "strerror", None) or (error.args[0] if error.args else error)
    text = " ".join(str(said).split())
    return (text[:300] if text.isprintable() else repr(text)[:300]) or type(error).__name__


def failure_of(error: BaseException) -> int:
    """Return the error number of the system where reading failed whatever the file holds; 0 where its contents did it.

    Too many open files, a disk that answers with an error or a right that is lacking say nothing of what is in a file.
    """
    code, found = getattr(error, "errno", None), _ERRNO.search(str(error))
    if not isinstance(code, int):  # a message, where somebody made an error of two texts
        code = int(found[1]) if found else 0
    return 0 if code in _OF_THE_FILE else code


def problem_of(path: Path | str) -> str | None:
    """Say what is wrong with a regular file as a container; None if it may be read.

    All texts and all compressed data are decoded once, a piece at a time: whatever they do, they do here. What is
    returned is the end of a sentence that begins with the file's name.

    Raises
    ------
    OSError
        If it cannot be read whatever it holds, see `failure_of`.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            _Walk(Path(path).stat().st_size).group(file.id, "", 0)
    except _Refused as refused:
        return str(refused)
    except READING_ERRORS as error:
        if code := failure_of(error):
            raise OSError(code, os.strerror(code)) from error
        return f"cannot be read: {one_line(error)}"
    return None


class _Walk:
    """Visits every object once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = _FREE_BYTES + _EXPANSION * size
        self._objects = 0

    def group(self, group: h5g.GroupID, name: str, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Refused(f"holds groups within groups deeper than {_DEEPEST}, at {name}")
        self._attributes(group, name or "/")
        for key, kind in _links(group, name):
            where = f"{name}/{_text(key, name)}"
            self._objects += 1
            if kind != h5l.TYPE_HARD:
                raise _Refused(f"holds a link at {where}; links to other places and other files are not followed")
            if self._objects > _MOST_OBJECTS:
                raise _Refused(f"holds more than {_MOST_OBJECTS} objects")
            item = h5o.open(group, key)
            if h5o.get_info(item).rc != 1:
                raise _Refused(f"holds one object under several names, at {where}")
            if isinstance(item, h5g.GroupID):
                self.group(item, where, depth + 1)
            elif isinstance(item, h5d.DatasetID):
                self._dataset(item, where)
            else:
                raise _Refused(f"holds something that is neither a group nor a data set, at {where}")

    def _dataset(self, dataset: h5d.DatasetID, name: str) -> None:
        self._attributes(dataset, name)
        if dataset.get_space().get_simple_extent_type() == h5s.NULL:
            raise _Refused(f"holds a data set without values, at {name}")
        kind = dataset.get_type()
        if kind.get_class() not in PLAIN:
            raise _Refused(f"holds data that are neither numbers nor text, at {name}")
        made = dataset.get_create_plist()
        layout = made.get_layout()
        if layout == h5d.VIRTUAL or made.get_external_count():
            raise _Refused(f"holds a data set whose values lie in other files, at {name}; they are not followed")
        filters = {made.get_filter(i)[0] for i in range(made.get_nfilters())}
        if not filters <= _FILTERS:
            raise _Refused(f"holds a data set that is packed in an unknown way, at {name}; accepted: gzip")
        declared = math.prod(dataset.shape) * kind.get_size()
        stored = min(dataset.get_storage_size(), self._size)
        if declared > stored * (_DEFLATE_AT_MOST if h5z.FILTER_DEFLATE in filters else 1):
            raise _Refused(f"declares {declared} bytes at {name} and stores {stored}")
        self._left -= declared
        if self._left < 0:
            raise _Refused(f"declares far more data than a file of {self._size} bytes should hold, at {name}")
        if layout == h5d.CHUNKED and math.prod(made.get_chunk()) * kind.get_size() > _LARGEST_CHUNK:
            raise _Refused(f"holds data in chunks larger than {_LARGEST_CHUNK >> 20} MB, at {name}")
        if isinstance(kind, h5t.TypeStringID):
            self._texts(h5py.Dataset(dataset), name)
        elif filters:
            whole = h5py.Dataset(dataset)
            for piece in whole.iter_chunks():
                whole[piece]

    def _texts(self, dataset: h5py.Dataset, name: str) -> None:
        pieces = range(0, dataset.shape[0], _TEXTS_AT_ONCE) if dataset.ndim else ()
        for values in (dataset[start : start + _TEXTS_AT_ONCE] for start in pieces):
            for value in np.ravel(values):
                self._spend(len(value), name)
                try:
                    bytes(value).decode()
                except UnicodeDecodeError:
                    raise _Refused(f"holds text that is not UTF-8, at {name}") from None

    def _attributes(self, owner: h5g.GroupID | h5d.DatasetID, name: str) -> None:
        if h5a.get_num_attrs(owner) > _MOST_ATTRIBUTES:
            raise _Refused(f"holds more than {_MOST_ATTRIBUTES} attributes at {name}")
        for index in range(h5a.get_num_attrs(owner)):
            attribute = h5a.open(owner, index=index)
            key = _text(attribute.name, name)
            if attribute.get_storage_size() > _LARGEST_ATTRIBUTE:
                raise _Refused(f"holds an attribute of {attribute.get_storage_size()} bytes, {key} at {name}")
            null = attribute.get_space().get_simple_extent_type() == h5s.NULL
            if not null and attribute.get_type().get_class() == h5t.STRING:
                values: Any = np.empty(attribute.shape, attribute.dtype)
                attribute.read(values)
                self._spend(sum(map(len, values.ravel().tolist())), name)

    def _spend(self, length: int, name: str) -> None:
        self._left -= length
        if self._left < 0:
            raise _Refused(f"holds far more text than a file of {self._size} bytes should, at {name}")


def _links(group: h5g.GroupID, name: str) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []

    def collect(key: bytes, info: h5l.LinkInfo) -> bool | None:
        found.append((key, info.type))
        return True if len(found) > _WIDEST else None  # stops there

    group.links.iterate(collect, info=True)
    if len(found) > _WIDEST:
        raise _Refused(f"holds more than {_WIDEST} objects in one group, {name or '/'}")
    return found


def _text(name: bytes, where: str) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        if (text := name.decode()).isprintable():
            return text
    raise _Refused(f"holds a name that is not printable text, {name[:80]!r} in {where or '/'}")


def _bounded() -> None:
    """Take no more memory than a walk needs: what is damaged can ask for any."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _serve() -> None:
    """Answer each line of JSON, a path and a limit in seconds of CPU time, with what is wrong with the file.

    An error number of the system stands for a file that cannot be read whatever it holds.
    """
    _bounded()
    for line in sys.stdin:
        path, seconds = json.loads(line)
        if hasattr(signal, "setitimer"):  # ends this process even inside HDF5, by CPU time and not by the clock
            signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            problem: str | int | None = problem_of(path)
        except OSError as error:
            problem = error.errno
        except Exception as error:  # whatever damaged bytes make of h5py and numpy
            problem = f"cannot be read: {one_line(error)}"
        sys.stdout.write(json.dumps(problem) + "\n")
        sys.stdout.flush()
        if problem is not None:
            break
    # Without cleaning up: HDF5 may crash once more while it closes damaged objects.
    os._exit(0)


if __name__ == "__main__":
    _serve()
