"""Whose a file is: files of this project say so inside, and no others are ever moved or removed.

HDF5 files and the index of nodes carry the name of their format; figures carry, as metadata, the protocol they are of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from binocular.store.sealing import remove_leftover

__all__ = [
    "about_figure",
    "is_of_study",
    "own_files",
    "remove_figures",
    "remove_leftovers",
    "set_aside",
    "strangers",
]

_NODE = re.compile(r"(?P<identity>[0-9a-f]{24})(\.rearing)?\.h5|index\.json")
_MEASURE = re.compile(r"[0-9a-f]{24}\.[a-z0-9-]+\.h5")
_SUBJECT = re.compile(r".+\.\d+\.h5")
_DEBRIS = re.compile(r"\.binocular-([0-9a-f]{16}\.partial|trial-\d+)|\.[0-9a-f]{24}(\.rearing)?\.h5\..+\.partial")
_RESULTS = re.compile(r"(figures|comparison|export)(-[0-9a-f]{16})?")
_FIGURE = re.compile(rb"binocular-lab, protocol ([0-9a-f]{16})")
_OF = re.compile(rb'"protocol_hash": "([0-9a-f]{16})"')
_BLOCK = 1 << 20
_CLOSED = (FileNotFoundError, NotADirectoryError, PermissionError)
"""What is not there, or not to be read, is not ours; any other error says nothing of whose a file is."""
# Files that systems put into every folder.
_COMPANIONS = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|@eaDir|\.nfs.*|\.lock.*|lost\+found", re.IGNORECASE)

_PLACES: Mapping[str, tuple[re.Pattern[str], bytes]] = {
    "nodes": (_NODE, b"binocular-node"),
    "measures": (_MEASURE, b"binocular-measure/"),
    "subjects": (_SUBJECT, b"binocular-subject/"),
}
"""Folder of an output folder -> how our files there are called, and what they say inside."""


def about_figure(ending: str, protocol_hash: object) -> dict[str, Any]:
    """Return the metadata of a figure for matplotlib: what wrote it, and the protocol whose study it is of.

    Parameters
    ----------
    ending, protocol_hash
        ``png``, ``svg`` or ``pdf``, and the protocol whose study it is of.
    """
    said = f"binocular-lab, protocol {protocol_hash}"
    return {{"svg": "Creator", "pdf": "Creator"}.get(ending, "Software"): said}


def _says(path: Path, word: bytes) -> bool:
    """Whether a word stands among the bytes of a file; read as bytes, because a damaged file may be anything."""
    if path.is_symlink() or not path.is_file():
        return False
    with suppress(*_CLOSED), path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK):
            if word in before + block:
                return True
            before = block[-len(word) :]
    return False


def own_files(folder: Path) -> list[Path]:
    """Return the nodes, measures and subjects' files below an output folder that this project wrote."""
    found = []
    for place, (pattern, word) in _PLACES.items():
        for path in _entries(folder / place):
            if _DEBRIS.fullmatch(path.name) or (pattern.fullmatch(path.name) and _says(path, word)):
                found.append(path)
    return found


def remove_leftovers(folder: Path) -> None:
    """Remove what kills in the middle of a write left in an output folder, which is held, and in its folders."""
    for path in _leftovers(folder):
        remove_leftover(path, alone=True)


def _leftovers(folder: Path) -> list[Path]:
    places = [folder, *(path for path in _entries(folder) if path.name in _PLACES or _RESULTS.fullmatch(path.name))]
    return [path for place in places for path in _entries(place) if _DEBRIS.fullmatch(path.name) and path.is_file()]


def strangers(folder: Path) -> list[Path]:
    """Return what in an output folder stands where this project writes, or beside it, and is not of this project."""
    ours = {*own_files(folder), *_leftovers(folder)}
    found = []
    for path in _entries(folder):
        if path.name in _PLACES and path.is_dir():
            found += [inner for inner in _entries(path) if inner not in ours]
        elif path not in ours and not _is_result(path):
            found.append(path)
    return found


def _is_result(path: Path) -> bool:
    """Whether something in an output folder is what a run, or a command on its study, puts there."""
    if path.suffix == ".h5":
        return _says(path, b"binocular/")
    if path.is_dir():
        return _RESULTS.fullmatch(path.name) is not None
    return path.name == "report.html" or re.fullmatch(r"report-[0-9a-f]{16}\.html", path.name) is not None


def _entries(folder: Path) -> list[Path]:
    with suppress(*_CLOSED):
        found = (path for path in folder.iterdir() if not _COMPANIONS.fullmatch(path.name))
        return sorted(path for path in found if path.suffix != ".toml")  # a protocol may lie beside its results
    return []


def is_of_study(path: Path) -> str:
    """Return the hash of the protocol that a figure or a comparison says it is of; nothing where it says none."""
    if path.suffix not in (".png", ".svg", ".json") or path.is_symlink() or not path.is_file():
        return ""
    with suppress(*_CLOSED), path.open("rb") as file:
        match = (_OF if path.suffix == ".json" else _FIGURE).search(file.read(1 << 14))
        return match[1].decode() if match else ""
    return ""


def remove_figures(folder: Path, written: Iterable[Path], protocol_hash: object = "") -> None:
    """Remove figures of this project from a folder, but for those just written.

    Parameters
    ----------
    folder, written, protocol_hash
        Of figures; those just written and those of this protocol (nothing for none) stay.
    """
    stays = set(written)
    for path in _entries(folder):
        of = is_of_study(path)
        if of and path not in stays and of != str(protocol_hash):
            path.unlink(missing_ok=True)


def set_aside(folder: Path, protocol_hash: str) -> list[Path]:
    """Give the study of an output folder, its figures and its report names of their own; return the new names.

    Parameters
    ----------
    folder, protocol_hash
        The output folder, and the protocol of its study, which becomes a part of the new names.
    """
    moved = []
    for name in ("figures", "comparison"):
        for path in _entries(folder / name):
            if path.suffix in (".gif", ".mp4") or is_of_study(path):
                target = folder / f"{name}-{protocol_hash}" / path.name
                target.parent.mkdir(exist_ok=True)
                moved.append(path.replace(target))
    for name in ("report.html", "study.h5"):  # the study last: after a kill it still says whose the rest is
        path = folder / name
        if path.is_file():
            moved.append(path.replace(path.with_name(f"{path.stem}-{protocol_hash}{path.suffix}")))
    return moved
