"""Opening a study: named dimensions in an `xarray.DataTree`, and one clear sentence where it is not one.

Files are read as data only: nothing in them is executed or unpickled.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.stimuli.errors import BadInput
from binocular.store.schema import SCHEMA, SUBJECT_SCHEMA, VERSION
from binocular.store.sealing import SIGNATURE, SealState, seal_state

if TYPE_CHECKING:
    import xarray

__all__ = ["check_schema", "check_study", "open_study", "study_file"]


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
        If the file is missing, is no study, was cut off or damaged, or was written by a newer version.

    Examples
    --------
    >>> import binocular
    >>> binocular.open_study("results/nothing-here/study.h5")
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: results/nothing-here/study.h5 does not exist...
    """
    import xarray

    path = check_study(path, check)
    try:
        return xarray.open_datatree(path, engine="h5netcdf", group=group)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise BadInput(f"{path} cannot be opened: {error}; a study.h5 written by binocular was expected") from error


def study_file(path: Path | str) -> Path:
    """Return the path of a study, given its file or the folder that holds one, or raise `BadInput` if there is none."""
    path = Path(path)
    if path.is_dir():
        path = path / "study.h5"
    if not path.is_file():
        raise BadInput(f"{path} does not exist; expected a study.h5 written by binocular")
    return path


def check_study(path: Path | str, check: bool = True) -> Path:
    """Return the path of a file that can be opened as a study, or raise `BadInput`; see `open_study`."""
    import h5py

    path = study_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
        if start != SIGNATURE:
            raise BadInput(f"{path} is not an HDF5 file; expected a study.h5 written by binocular")
        if seal_state(path, whole=check) is SealState.BROKEN:
            raise BadInput(
                f"{path} is damaged: its bytes are not those that were written; `binocular verify` says more"
            )
        with h5py.File(path, "r") as study:
            schema = study.attrs.get("schema")
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        cause = "it was cut off" if "truncated" in str(error) else str(error)
        raise BadInput(f"{path} cannot be read: {cause}; expected a whole study.h5 written by binocular") from error
    check_schema(path, schema.decode("utf-8", "replace") if isinstance(schema, bytes) else schema)
    return path


def check_schema(path: Path, schema: object) -> None:
    """Raise `BadInput` unless this is the name and version of a study that this version reads."""
    if schema == SUBJECT_SCHEMA:
        raise BadInput(f"{path} holds a single subject; expected a study.h5 written by binocular")
    match = re.fullmatch(r"binocular/(\d{1,6})", schema) if isinstance(schema, str) else None
    if match is None:
        raise BadInput(f"{path} is an HDF5 file but not a study: its attribute 'schema' should be {SCHEMA}")
    if int(match[1]) > VERSION:
        raise BadInput(f"{path} has the schema {schema} and this version reads up to {SCHEMA}: update binocular")
    if int(match[1]) < 1:
        raise BadInput(f"{path} has the unknown schema {schema}; expected {SCHEMA}")
