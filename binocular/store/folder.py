"""A folder to write results to: held by one run at a time, and tried before hours of work rely on it.

File systems differ in what they can do. Some have no locks (Lustre without ``flock``, NFS without its lock service),
some refuse ``chmod`` and ``fsync`` (CIFS, those in user space), some cannot rename over a file. What is optional is
done without where it is refused; what is needed is tried before the work and not found missing after it.
"""

from __future__ import annotations

import contextlib
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from binocular.stimuli.errors import BadInput
from binocular.store.places import elsewhere, obstacle
from binocular.store.sealing import SealState, atomic_write, seal, seal_state

__all__ = ["folder_lock", "try_folder"]


@contextlib.contextmanager
def folder_lock(folder: Path, option: str = "--out") -> Iterator[None]:
    """Hold a folder, made if missing, for the block.

    The lock is the operating system's, which lets go of it even after a kill. Where the file system has none, a file
    stands for it: a run on the same machine recognises one that was left by a kill, other machines name it.

    Parameters
    ----------
    folder, option
        The output folder of a run, and how messages call the option that named it.

    Raises
    ------
    BadInput
        If the folder cannot be written or another run holds it; ``option`` is named as the cause.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _acquired(folder, option)
    except OSError as error:
        complaint = obstacle(folder, folder=True) or f"{folder} cannot be written: {error.strerror}"
        raise BadInput(f"{option}: {complaint}; {elsewhere(option)}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def _acquired(folder: Path, option: str) -> BaseFileLock:
    path = folder / ".lock"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it takes a file where there is no flock
            lock = FileLock(path)
            lock.acquire(blocking=False)
        if not isinstance(lock, SoftFileLock):
            with contextlib.suppress(OSError):  # whose it is, for those who wait
                path.write_text(_myself())
        return lock
    except Timeout:
        owner = _owner(path) or "another process"
        raise BadInput(f"{option}: {folder} is in use by {owner}; wait for it to end, or {elsewhere(option)}") from None
    except (OSError, NotImplementedError):
        marker = folder / ".lock-file"
    lock = SoftFileLock(marker)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        owner = _owner(marker) or "another run"
        raise BadInput(
            f"{option}: {folder} is in use by {owner}; wait for it to end, or {elsewhere(option)}. This file system "
            f"has no locks: if that run was killed, delete {marker}"
        ) from None
    return lock


def _myself() -> str:
    return f"process {os.getpid()} on {platform.node()}"


def _owner(path: Path) -> str:
    """Read who holds a lock: what `_myself` gave, or a soft lock's process and machine in two lines."""
    try:
        lines = path.read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return f"process {lines[0]} on {lines[1]}" if lines[0].isdigit() and len(lines) > 1 else lines[0].strip()


def try_folder(folder: Path, option: str = "--out") -> None:
    """Do in an output folder on a small scale what a run will do there at its end; ``nodes`` is made in it.

    Parameters
    ----------
    folder, option
        As for `folder_lock`.

    Raises
    ------
    BadInput
        If a file cannot be written, replaced and read there, or if something stands in the way.
    """
    for name in ("study.h5", "report.html"):
        if (folder / name).is_dir():
            raise BadInput(f"{option}: {folder / name} is a folder; a file is to be written there, so move it away")
    subfolders = ("nodes", *(name for name in ("figures", "measures") if (folder / name).exists()))
    for place in (folder, *(folder / name for name in subfolders)):
        if place.exists() and not place.is_dir():
            raise BadInput(f"{option}: {place} is a file; a folder is needed there, so move it away")
        if complaint := _complaint_of_writing(place / f".binocular-trial-{os.getpid()}"):
            raise BadInput(
                f"{option}: files cannot be written and replaced in {place} ({complaint}); {elsewhere(option)}"
            )


def _complaint_of_writing(path: Path) -> str:
    try:
        for content in (b"tried", b"replaced"):
            with atomic_write(path) as temporary:
                temporary.write_bytes(content)
                seal(temporary)
        whole = seal_state(path) is SealState.WHOLE and path.read_bytes().startswith(content)
    except OSError as error:
        return str(error.strerror or error)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return "" if whole else "a file is not read back as it was written"
