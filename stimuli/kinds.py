"""Kinds that a protocol can name: what ships, what installed packages add, and a user's own as ``module:Class``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import Refused, allow, find_class, is_shipped, look_in, looked_in, reference_of
from binocular.stimuli.wording import nearest

__all__ = ["Kinds", "OfKind"]


class Kinds(dict[str, Any]):
    """The kinds of one thing by name: a class, or where it is defined, as ``module:Class``.

    A package that is installed adds its own by entry points of the group ``binocular.<plural>``; none of it is imported
    until its name is asked for.

    Parameters
    ----------
    plural
        What there are kinds of.
    shipped
        Those of this project.
    base
        What each is a subclass of; None for functions.
    makers
        Whether a person may name something else that makes an object of that kind.
    """

    def __init__(self, plural: str, shipped: Mapping[str, Any], base: type | None, makers: bool = False) -> None:
        super().__init__(shipped)
        self.plural, self.base, self.makers = plural, base, makers

    @cached_property
    def of_packages(self) -> dict[str, str]:
        """Where the kinds of installed packages are defined, by name; a name that is taken here stays what it is."""
        points = entry_points(group=f"binocular.{self.plural}")
        return {point.name: f"{point.module}:{point.attr}" for point in points if point.name not in self}

    def names(self) -> list[str]:
        """Return the names of all kinds, those of installed packages last."""
        return [*self, *self.of_packages]

    def find(self, name: str) -> Any:
        """Return the class, or the function, of a name.

        Parameters
        ----------
        name
            Of a kind, or ``module:Class`` for one that is a user's own.

        Raises
        ------
        Refused
            If there is none, nobody has allowed its code to be run, or it is of another kind.
        """
        if ":" in name:
            return find_class(name, self.base, self.makers)
        entry = self[name] if name in self else self.of_packages.get(name)
        if entry is None:
            one_of = "one of: " if self.names() else ""
            raise Refused(f"is '{name}', but must be {one_of}{self.accepted()}{nearest(name, self.names())}")
        if not isinstance(entry, str):
            return entry
        if entry.startswith("binocular."):
            module, _, attribute = entry.partition(":")
            return getattr(import_module(module), attribute)
        allow([entry])  # whoever installed its package, or entered it in Python, has named it
        try:
            return find_class(entry, self.base, self.makers)
        except Refused as error:
            raise Refused(f"is '{name}', which {error}") from error.__cause__

    def named(self, name: str, where: str) -> Any:
        """Return what `find` does, or raise `BadInput` that begins with the field ``where``, which names it."""
        try:
            return self.find(name)
        except Refused as error:
            raise BadInput(f"{where} {error}") from error.__cause__

    def accepted(self) -> str:
        """Return what is accepted as a name, for messages."""
        own = f"module:{'function' if self.base is None else 'Class'}"
        return ", ".join([*self.names(), f"or {own}"]) if self.names() else own


class OfKind:
    """A checked model whose ``kind`` names its class in a protocol.

    A class of a user's own need not say what its kind is: it takes whatever name a protocol finds it by, and is called
    ``module:Class`` where it is made in Python. It crosses to other processes by that name.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Let a class of a user's own take any name."""
        super().__init_subclass__(**options)
        if is_shipped(cls):
            return
        own = vars(cls).get("kind")
        own = own.default if isinstance(own, FieldInfo) else own
        cls.__annotations__ = {**vars(cls).get("__annotations__", {}), "kind": str}
        named = own if isinstance(own, str) and own else reference_of(cls)
        cls.kind = Field(default=named, description="its name")  # type: ignore[attr-defined]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Let a process that has not imported a user's module find it as this one did."""
        cls = type(self)
        if is_shipped(cls) or cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
            return super().__reduce_ex__(protocol)
        return _again, (reference_of(cls), self.__getstate__(), looked_in())  # type: ignore[attr-defined]


def _again(reference: str, state: Any, folders: Sequence[str]) -> Any:
    """Make an object of a user's class from its state, in a process that this project started."""
    look_in(*folders)
    allow([reference])
    cls = find_class(reference, OfKind)
    found = cls.__new__(cls)
    found.__setstate__(state)
    return found
