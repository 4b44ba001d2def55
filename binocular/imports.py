"""What is installed imports what is installed, whatever files lie where the user works.

Python looks for modules in the folder of the script, or in the working folder, before anything else. A ``random.py``
or ``queue.py`` there would be taken for the standard library's by torch, a ``rich.py`` for the package. Such files keep
their names for the user's own scripts, while installed modules find each other.
"""

# ruff: noqa: PTH109, PTH120 - pathlib would look for modules of its own, and this must be the first to be imported
from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from os import getcwd, path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType

__all__ = ["prefer_installed"]


def prefer_installed() -> None:
    """Let installed modules that import a module find an installed one first; what users import is left as it is."""
    if not any(isinstance(finder, _InstalledFirst) for finder in sys.meta_path):
        sys.meta_path.insert(0, _InstalledFirst())


class _InstalledFirst:
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname in sys.builtin_module_names:
            return None
        own = _own_folders()
        if not own or _imported_from(own):
            return None
        return PathFinder.find_spec(fullname, [entry for entry in sys.path if _whole(entry) not in own], target)


def _own_folders() -> set[str]:
    """Return the folders of the user that Python has put among those of the installed modules."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    return {folder for folder in (_whole(""), _whole(path.dirname(script)) if script else None) if folder}


def _whole(folder: str) -> str | None:
    try:
        return path.realpath(folder or getcwd())
    except (OSError, ValueError):  # the working folder was deleted
        return None


def _imported_from(own: set[str]) -> bool:
    """Whether the module that is importing lies in one of these folders, or in none, like a notebook's cell."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _top(frame) in ("importlib", "_frozen_importlib"):
        frame = frame.f_back
    if frame is None:
        return False
    top = sys.modules.get(_top(frame))
    file = getattr(top, "__file__", None)
    if top is None or top.__name__ == "__main__" or file is None:
        return True
    folder = path.dirname(file)
    return _whole(path.dirname(folder) if hasattr(top, "__path__") else folder) in own


def _top(frame: FrameType) -> str:
    """Return the first part of the name of the module whose code runs in a frame."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
