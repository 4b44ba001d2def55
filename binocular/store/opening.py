"""The one way into an HDF5 file: what it is, who else has it open, its seal, its container, and only then its contents.

Files are read as data only: nothing in them is executed or unpickled, and nothing outside them is followed. Whatever is
wrong with one is `BadInput`, a sentence with its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import h5py

from binocular.stimuli.errors import BadInput, CannotRead
from binocular.store.container import READING_ERRORS, failure_of, one_line
from binocular.store.places import KINDS
from binocular.store.schema import SCHEMA, SUBJECT_SCHEMA, VERSION
from binocular.store.sealing import SIGNATURE, SealState, seal_state
from binocular.store.vetting import container_problem

if TYPE_CHECKING:
    import xarray

__all__ = ["check_schema", "open_study", "opened", "refusal", "study_file"]

Seal = Literal["whole", "length", "required", "ignored"]
STUDY = "a study.h5 written by binocular"


def open_study(path: Path | str, check: bool = True, group: str = "/") -> xarray.DataTree:
    """Open a study.

    Parameters
    ----------
    path
        A ``study.h5``, or the folder that holds one.
    check
        Read the whole file first and compare it with its seal. Without it, a damaged file may still be opened, as
        far as HDF5 can.
    group
        Open only what lies below this group, such as ``"/summary"``: much quicker in a large study.

    Returns
    -------
    xarray.DataTree
        The groups of `binocular.store.schema`, read from disk as they are used. Close it, or use it as a context
        manager.

    Raises
    ------
    BadInput
        If the file is missing, is no study, was cut off or damaged, is open in another program, holds links out of
        itself, or was written by a newer version.

    Examples
    --------
    >>> import binocular
    >>> binocular.open_study("results/nothing-here/study.h5")
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: results/nothing-here/study.h5 does not exist...
    """
    import xarray

    path = study_file(path)
    with opened(path, seal="whole" if check else "length") as file:
        check_schema(path, file)
    try:
        return xarray.open_datatree(path, engine="h5netcdf", group=group, driver_kwds={"locking": False})
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise refusal(path, error) from error


def study_file(path: Path | str) -> Path:
    """Return the path of a study, given its file or the folder that holds one, or raise `BadInput` if there is none."""
    path = Path(path)
    with contextlib.suppress(OSError):  # said where it is read
        path = path / "study.h5" if path.is_dir() else path
    return _regular_file(path)


def _regular_file(path: Path, expected: str = STUDY) -> Path:
    """Return a path if an ordinary file lies there that can be read now; raise `BadInput` if not.

    A pipe or a device is not opened: reading it might never end.
    """
    try:
        mode = path.stat().st_mode
        kind = next((name for is_kind, name in KINDS.items() if is_kind(mode)), "a file")
        if kind != "a file":
            raise BadInput(f"{path} is {kind}, not a file; expected {expected}")
        with path.open("rb") as file:
            _not_being_written(path, file.fileno())
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} does not exist; expected {expected}") from error
    except OSError as error:
        raise refusal(path, error, expected) from error
    return path


def refusal(path: Path, error: BaseException, expected: str = STUDY) -> BadInput:
    """Return what is said where reading failed: of what is in a file, or `CannotRead` if that says nothing of it.

    Parameters
    ----------
    path, error, expected
        As for `opened`, and what was raised.
    """
    cause = "there is not enough memory" if isinstance(error, MemoryError) else ""
    if code := failure_of(error):
        cause = os.strerror(code)
    if cause:
        return CannotRead(f"{path} cannot be read: {cause}; the file itself may be sound")
    return BadInput(f"{path} cannot be read: {one_line(error)}; expected {expected}")


def _not_being_written(path: Path, handle: int) -> None:
    """Raise `BadInput` where somebody writes to a file: HDF5 holds a lock on it meanwhile, where there are locks."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except ImportError:
        return
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise CannotRead(f"{path} is open in another program, which may write to it; close it there") from error


def _container(path: Path, expected: str, seal: Seal) -> Path:
    """Return the path of a file that HDF5 may read; see `opened`."""
    path = _regular_file(path, expected)
    try:
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
        if start != SIGNATURE:
            raise BadInput(f"{path} is not an HDF5 file; expected {expected}")
        state = seal_state(path, whole=seal != "length") if seal != "ignored" else SealState.WHOLE
        if state is SealState.BROKEN or (seal == "required" and state is SealState.ABSENT):
            more = "; `binocular verify` says more" if expected == STUDY else f"; expected {expected}"
            raise BadInput(f"{path} is damaged: its bytes are not those that were written{more}")
        problem = container_problem(path)
    except OSError as error:
        raise refusal(path, error, expected) from error
    if problem is not None:
        cause = problem if "truncated" not in problem else "cannot be read: it was cut off"
        raise BadInput(f"{path} {cause}; expected {expected}")
    return path


@contextlib.contextmanager
def opened(path: Path | str, expected: str = STUDY, seal: Seal = "whole") -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Parameters
    ----------
    path
        The file.
    expected
        What should lie there, and how to get it, for messages.
    seal
        What is asked of the seal: ``"whole"``, all bytes are compared with it if there is one; ``"length"``, only the
        length is, which is quick; ``"required"``, as whole, and a file without one is refused, because other programs
        have no business with it; ``"ignored"``, nothing.

    Yields
    ------
    h5py.File
        Links and storage outside the file, sizes that it does not hold, and bytes that bring HDF5 down were ruled out.

    Raises
    ------
    BadInput
        If it is no file, is being written, is damaged, or is not fit to be read; also for what HDF5 cannot read, or
        is not there, or is of another type, inside the block. `CannotRead` if that says nothing of what it holds.
    """
    path = _container(Path(path), expected, seal)
    try:
        # HDF5 would ask for a lock and fail where there are none; `_not_being_written` has looked.
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except READING_ERRORS as error:
        # What has a file name of its own is about another file, which the block writes.
        if isinstance(error, BadInput) or getattr(error, "filename", None) is not None:
            raise
        raise refusal(path, error, expected) from error


def check_schema(path: Path, file: h5py.File) -> None:
    """Raise `BadInput` unless an open file says that it is a study, of a version that is read here.

    Parameters
    ----------
    path, file
        For messages, and open.
    """
    schema = file.attrs.get("schema")
    schema = schema.decode("utf-8", "replace") if isinstance(schema, bytes) else schema
    if isinstance(schema, str) and schema == SUBJECT_SCHEMA:
        raise BadInput(f"{path} holds a single subject; expected {STUDY}")
    match = re.fullmatch(r"binocular/(\d{1,6})", schema) if isinstance(schema, str) else None
    if match is None:
        raise BadInput(f"{path} is an HDF5 file but not a study: its attribute 'schema' should be {SCHEMA}")
    if int(match[1]) > VERSION:
        raise BadInput(f"{path} has the schema {schema} and this version reads up to {SCHEMA}: update binocular")
    if int(match[1]) < 1:
        raise BadInput(f"{path} has the unknown schema {schema}; expected {SCHEMA}")
