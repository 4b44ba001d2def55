"""Places to write to: what stands in the way of a file or a folder, said before the work that it is for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from binocular.stimuli.errors import BadInput

__all__ = ["KINDS", "check_output", "elsewhere", "obstacle"]

KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISREG: "a file",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}
"""What can lie at a path, in words."""
_LONGEST_NAME = 255  # bytes, where a file system does not say


def check_output(path: Path, option: str, folder: bool) -> Path:
    """Return a path at which a file or a folder can be written, as far as can be known without writing.

    Parameters
    ----------
    path, option
        The place, and how messages call what named it: an option, or an argument such as ``STUDY`` that it lies beside.
    folder
        Whether a folder is to be there, or a file.

    Raises
    ------
    BadInput
        With one sentence about what stands in the way.
    """
    if complaint := obstacle(path, folder):
        raise BadInput(f"{option}: {complaint}; {elsewhere(option, 'folder' if folder else 'place')}")
    return path


def elsewhere(option: str, what: str = "folder") -> str:
    """Return the advice to write somewhere else, by means that the command has.

    Parameters
    ----------
    option, what
        As for `check_output`, and what can be named with an option.
    """
    return "copy the folder of the study elsewhere" if option.isupper() else f"name another {what}"


def obstacle(path: Path, folder: bool = False) -> str:
    """Say what stands in the way of a file or a folder at a path; nothing where nothing is known to.

    Parameters
    ----------
    path
        The place; it and folders above it need not exist.
    folder
        Whether a folder is to be there, or a file.
    """
    try:
        return next(_obstacles(path, folder), "")
    except (OSError, ValueError) as error:
        return f"{path} cannot be written: {getattr(error, 'strerror', None) or error}"


def _obstacles(path: Path, folder: bool) -> Iterator[str]:
    there = next((place for place in (path, *path.parents) if os.path.lexists(place)), Path())
    if there.is_symlink() and not there.exists() and (folder or there != path):
        yield f"{there} is a symbolic link to {there.readlink()}, which is not there"
    if there.exists():
        mode = there.stat().st_mode
        kind = next((words for is_kind, words in KINDS.items() if is_kind(mode)), "no file")
        if (folder or there != path) and kind != "a folder":
            yield f"{there} is {kind}, and a folder is needed there"
        if not folder and there == path and kind != "a file":
            yield f"{there} is {kind}, and a file is to be written there"
        above = there if kind == "a folder" else there.parent
        if not os.access(above, os.W_OK | os.X_OK):
            yield f"nothing can be written in {above}"
    longest = _longest_name(there if there.is_dir() else there.parent)
    for name in path.parts:
        if len(os.fsencode(name)) > longest:
            yield f"the name {name} is too long; names here may have up to {longest} bytes"


def _longest_name(folder: Path) -> int:
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return _LONGEST_NAME
