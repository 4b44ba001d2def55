"""Options of a network: how its class is called, whether it takes them, and what is said where it cannot be made.

A class is called as ``Class(shape, n_classes, **options)``. One that was written elsewhere is called by the names of
its arguments instead: usual names of what follows from the stimulus, such as ``in_channels`` and ``num_classes``, are
filled in, and any other argument takes it from an option whose value is one of `GIVEN`, as in
``planes = "$channels"``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import nn

from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream

__all__ = ["GIVEN", "check_options", "make_network", "weights_of"]

Shape = tuple[int, int, int]

GIVEN: dict[str, Callable[[Shape, int], Any]] = {
    "$shape": lambda shape, n_classes: shape,
    "$channels": lambda shape, n_classes: shape[0],
    "$height": lambda shape, n_classes: shape[1],
    "$width": lambda shape, n_classes: shape[2],
    "$size": lambda shape, n_classes: shape[1] if shape[1] == shape[2] else shape[1:],
    "$pixels": lambda shape, n_classes: shape[0] * shape[1] * shape[2],
    "$n_classes": lambda shape, n_classes: n_classes,
}
"""Values of options that follow from the stimulus; shape is (channels, height, width) of what one eye sees."""

_USUAL = {
    **dict.fromkeys(("in_channels", "in_chans", "input_channels", "num_channels", "n_channels"), "$channels"),
    **dict.fromkeys(("num_classes", "n_classes", "nb_classes", "num_labels", "n_labels"), "$n_classes"),
    **dict.fromkeys(("image_size", "img_size"), "$size"),
}
"""Usual names of arguments, and what they are given."""

_GIVEN = ("shape", "n_classes")
_MOST = 1_000_000
"""Largest whole number that an option may be: widths, depths and patches beyond it are slips of the finger."""
_DEEPEST = 1_000
"""Largest number of layers or blocks."""
_OF_LAYERS = ("depth", "blocks", "layers")


def check_options(kind: str, cls: Any, options: Mapping[str, Any]) -> None:
    """Check options against the arguments of a network's class, by name and, where it declares one, by type.

    Parameters
    ----------
    kind
        Name of the network, for messages.
    cls
        Its class, or a function that makes a network.
    options
        What a protocol gives.

    Raises
    ------
    BadInput
        If an option is not one of the class, is of another type, or far too large.
    """
    parameters = _parameters(cls)
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    by_name = _called_by_name(parameters, options)
    first = [] if by_name else [parameter.name for parameter in _positional(parameters)[:2]]
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL, p.POSITIONAL_ONLY)]
    accepted = [parameter.name for parameter in named if parameter.name not in first]
    if by_name:
        lacking = [p.name for p in named if p.default is p.empty and p.name not in options and p.name not in _USUAL]
        if lacking:
            raise BadInput(
                f"network.options.{lacking[0]} is missing: {kind} takes ({', '.join(p.name for p in parameters)}); "
                f"accepted: a value, or what follows from the stimulus, one of {', '.join(GIVEN)}"
            )
    hints = _hints(cls)
    for name, value in options.items():
        if name in first or (not by_name and name in _GIVEN):
            raise BadInput(f"network.options.{name} follows from the stimulus; accepted: {_listed(accepted)}")
        if name not in accepted and not takes_any:
            raise BadInput(f"network.options.{name}: {kind} has no such option; accepted: {_listed(accepted)}")
        if isinstance(value, str) and value in GIVEN:
            continue
        _check_type(name, value, hints.get(name))
        if isinstance(value, int) and not isinstance(value, bool):
            most = _DEEPEST if any(word in name for word in _OF_LAYERS) else _MOST
            if abs(value) > most:
                raise BadInput(f"network.options.{name} is {value}, but must be {most} or less")


def _parameters(cls: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(cls).parameters.values())


def _positional(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _called_by_name(parameters: list[inspect.Parameter], options: Mapping[str, Any]) -> bool:
    """Whether a class is called by the names of its arguments, and not as ``Class(shape, n_classes, **options)``."""
    if any(isinstance(value, str) and value in GIVEN for value in options.values()):
        return True
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return False
    names = [parameter.name for parameter in _positional(parameters)]
    elsewhere = any(_USUAL.get(name) == "$n_classes" for name in names[2:])
    return len(names) < 2 or names[0] in _USUAL or elsewhere


def _call(cls: Any, shape: Shape, n_classes: int, options: Mapping[str, Any]) -> Any:
    parameters = _parameters(cls)
    values = {
        name: GIVEN[value](shape, n_classes) if isinstance(value, str) and value in GIVEN else value
        for name, value in options.items()
    }
    if not _called_by_name(parameters, options):
        return cls(shape, n_classes, **values)
    usual = {p.name: GIVEN[_USUAL[p.name]](shape, n_classes) for p in parameters if p.name in _USUAL}
    return cls(**{**usual, **values})


_HOW_CALLED = (
    "a network is made as Class(shape, n_classes, **options), shape being (channels, height, width) of one eye, or by "
    f"the names of its arguments where an option is one of {', '.join(GIVEN)}"
)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls.__init__ if inspect.isclass(cls) else cls)
    except Exception:  # annotations of a user's class may name what is not there
        return {}


_PLAIN = {int: "a whole number", float: "a number", str: "text in quotation marks", bool: "true or false"}


def _check_type(name: str, value: Any, hint: Any) -> None:
    members = typing.get_args(hint) or (hint,)
    if not all(member in (*_PLAIN, type(None)) for member in members):
        return  # what is not plain is up to the class
    try:
        TypeAdapter(hint, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError:
        wanted = " or ".join(_PLAIN[member] for member in members if member in _PLAIN)
        raise BadInput(f"network.options.{name} is {value!r}, but must be {wanted}") from None


def make_network(kind: str, cls: Any, shape: tuple[int, int, int], n_classes: int, options: Mapping[str, Any]) -> Any:
    """Return the network that a class makes, with one sentence for whatever it raises.

    Parameters
    ----------
    kind
        Its name, for messages.
    cls
        The class.
    shape
        Of what an eye sees: (channels, height, width).
    n_classes
        Number of classes.
    options
        Further arguments by name.

    Raises
    ------
    BadInput
        If the class cannot be made with these options.
    """
    try:
        return _call(cls, shape, n_classes, options)
    except BadInput:
        raise
    except Exception as error:  # a constructor may raise anything, AssertionError of torch's own layers among it
        names = list(inspect.signature(cls).parameters)
        reason = str(error) or type(error).__name__
        how = "" if tuple(names[:2]) == _GIVEN else f" (it takes {', '.join(names)}; {_HOW_CALLED})"
        raise BadInput(f"network.options: {kind} cannot be built: {reason}{how}") from error


def weights_of(cls: Any, shape: tuple[int, int, int], n_classes: int, options: Mapping[str, Any]) -> int:
    """Count the weights and running averages of a network without any memory for them.

    Parameters
    ----------
    cls, shape, n_classes, options
        As for `make_network`.

    Returns
    -------
    int
        How many numbers the network holds; 0 where its class cannot be made without memory, or not at all.
    """
    try:
        with torch.device("meta"), global_stream(0, "weights"):
            network = _call(cls, shape, n_classes, options)
    except Exception:  # what is wrong with it is said when it is made in earnest
        return 0
    if not isinstance(network, nn.Module):
        return 0
    parts = [*network.parameters(), *network.buffers()]
    return sum(part.numel() for part in parts if not torch.nn.parameter.is_lazy(part))
