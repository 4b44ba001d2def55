"""Whole files or none: safe replacement, and a seal that tells whether a file is still as it was written.

The seal is one line of fixed length behind the end of the HDF5 data: the length of the data and their SHA-256. HDF5
readers ignore what lies behind their data, so a sealed file is an ordinary HDF5 file; a program that rewrites the
file drops the seal with the old end. It is read before any HDF5 code sees the file, because that code may crash on
damaged bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from binocular.stimuli.errors import CannotWrite
from binocular.store.places import obstacle

__all__ = ["SEAL_BYTES", "SIGNATURE", "SealState", "atomic_write", "remove_leftover", "seal", "seal_state"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SEAL = "\nbinocular seal: {size:020d} bytes, sha256 {digest}\n"
SEAL_BYTES = len(_SEAL.format(size=0, digest="0" * 64))
_BLOCK = 1 << 20
_TEMPORARY = re.compile(r"\.binocular-[0-9a-f]{16}\.partial")

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is too large",
}
_LOST = {*_FULL, errno.EIO}  # what a flush says of bytes that are lost; else it says that it cannot flush
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class SealState(Enum):
    """What the seal says: whole, bytes differ from what was written, or no seal there."""

    WHOLE = "whole"
    BROKEN = "broken"
    ABSENT = "absent"


@contextlib.contextmanager
def atomic_write(path: Path | str, tidy: bool = True) -> Iterator[Path]:
    """Write a file whole or not at all.

    Yields a temporary path in the same folder, to be written and closed inside the block. On leaving it the file and
    its folder are flushed to the disk and the file takes its final name in one step; a reader sees the old file or
    the new one. After an exception, the old file stands and the temporary one is gone; after a kill, whoever writes
    into the folder next removes it.

    Parameters
    ----------
    path
        Final name of the file; its folder is made if missing.
    tidy
        Whether to remove what a kill has left in the folder. Not where workers on several machines write, whose locks
        are not seen everywhere: there a run does it before they begin (`binocular.store.ownership.remove_leftovers`).

    Raises
    ------
    CannotWrite
        If the folder cannot be written or the disk is full. Other exceptions of the block pass unchanged.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists() and not final.is_file():  # a device would be replaced, too, by who may
            raise CannotWrite(f"cannot write {final}: {obstacle(final)}")
        if tidy:
            _tidy(final.parent)
        with _temporary(final.parent) as temporary:
            yield temporary
            _flush(temporary)
            temporary.replace(final)
        _flush_folder(final.parent)
    except OSError as error:
        if error.errno in _FULL:
            raise CannotWrite(f"cannot write {final}: {_FULL[error.errno]}; free some space and start again") from error
        complaint = obstacle(final)
        if complaint or error.errno in _CLOSED:
            raise CannotWrite(f"cannot write {final}: {complaint or error.strerror or error}") from error
        raise


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Give a new empty file with a lock on it, where there are locks, which a kill lets go of; it goes with the block.

    Made with the ordinary permissions, so that no chmod is needed, which not every file system has; and of a short
    name, so that any name which can be the final one will do.
    """
    there = False
    while not there:
        path = folder / f".binocular-{secrets.token_hex(8)}.partial"
        try:
            with _made(path) as mine:
                there = mine and path.exists()  # else somebody took it for a leftover before it was locked
                if there:
                    yield path
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _made(path: Path) -> Iterator[bool]:
    """Make an empty file and keep a lock on it for the block, where there are locks; False where somebody else has it.

    On Windows, where a file that is open cannot take another name, it is closed and nobody looks for leftovers.
    """
    try:
        import fcntl
    except ImportError:
        path.touch(exist_ok=False)
        yield True
        return
    mine = True
    with path.open("x+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            mine = error.errno != errno.EWOULDBLOCK
        try:
            yield mine
        finally:
            with contextlib.suppress(OSError):  # of processes, too, that were forked meanwhile
                fcntl.flock(file, fcntl.LOCK_UN)


def _tidy(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if _TEMPORARY.fullmatch(entry.name):
                remove_leftover(Path(entry))


def remove_leftover(path: Path, alone: bool = False) -> None:
    """Remove a temporary file of `atomic_write` that a kill has left; one that is being written has a lock and stays.

    Parameters
    ----------
    path, alone
        The file, and whether nobody else can be writing it: then it goes where there are no locks, too.
    """
    try:
        import fcntl

        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except (ImportError, OSError) as error:
        if alone and getattr(error, "errno", None) != errno.EWOULDBLOCK:
            with contextlib.suppress(OSError):
                path.unlink()


def _flush(path: Path) -> None:
    """Ask for a file's bytes to reach the disk; a file system that has no such call is believed without."""
    with path.open("rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in _LOST:
                raise


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power loss; where folders cannot be opened (Windows) there is nothing to do."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _digest(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    left = size
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def seal(path: Path) -> None:
    """Append the seal to a finished file."""
    size = path.stat().st_size
    line = _SEAL.format(size=size, digest=_digest(path, size)).encode()
    with path.open("ab") as file:
        file.write(line)


def seal_state(path: Path, whole: bool = True) -> SealState:
    """Compare a file with its seal.

    Parameters
    ----------
    path
        The file.
    whole
        Read all bytes and compare their digest; else only the length, which is quick for large files.

    Returns
    -------
    SealState
        ``ABSENT`` also for a file that was cut off, because the seal is its last line.
    """
    size = path.stat().st_size - SEAL_BYTES
    if size < 0:
        return SealState.ABSENT
    with path.open("rb") as file:
        file.seek(size)
        line = file.read(SEAL_BYTES)
    # A damaged seal is still recognised by its beginning or its length field; it must not read as 'never sealed'.
    expected_size = f"{size:020d}".encode()
    if expected_size not in line and not line.startswith(b"\nbinocular seal: "):
        return SealState.ABSENT
    if not line.startswith(_SEAL.format(size=size, digest="").encode()[:-1]):
        return SealState.BROKEN
    if not whole:
        return SealState.WHOLE
    return SealState.WHOLE if line == _SEAL.format(size=size, digest=_digest(path, size)).encode() else SealState.BROKEN
