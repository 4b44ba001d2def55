"""Old import names that stay valid: ``stimuli`` and ``protocols`` were packages of their own before 0.2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["keep_old_name"]


def keep_old_name(old: str, new: str) -> None:
    """Let ``old`` and everything below it stand for the very modules of the package ``new``.

    Parameters
    ----------
    old, new
        Names of packages; ``old`` is being imported.
    """
    sys.meta_path.insert(0, _Aliases(old, new))
    sys.modules[old] = import_module(new)


class _Aliases(MetaPathFinder, Loader):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new
        self.specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(f"{self.old}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self.new + spec.name.removeprefix(self.old))
        self.specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias into the module, which must keep its own specification.
        assert module.__spec__ is not None
        module.__spec__ = self.specs.pop(module.__spec__.name)
