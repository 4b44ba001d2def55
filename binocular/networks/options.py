"""Options of a network: whether the class takes them, what it can cost, and what is said where it cannot be made."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import nn

from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream

__all__ = ["check_options", "make_network", "weights_of"]

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
        Its class, called as ``cls(shape, n_classes, **options)``.
    options
        What a protocol gives.

    Raises
    ------
    BadInput
        If an option is not one of the class, is of another type, or far too large.
    """
    parameters = inspect.signature(cls).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    positional = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters.values())
    if len(positional) < 2 and not variadic:
        raise BadInput(f"network.kind: {kind} takes ({', '.join(parameters)}); {_HOW_CALLED}")
    accepted = [p.name for p in parameters.values() if p.name not in positional[:2] and p.kind is not p.VAR_KEYWORD]
    hints = _hints(cls)
    for name, value in options.items():
        if name in _GIVEN or name in positional[:2]:
            raise BadInput(f"network.options.{name} follows from the stimulus; accepted: {_listed(accepted)}")
        if name not in accepted and not takes_any:
            raise BadInput(f"network.options.{name}: {kind} has no such option; accepted: {_listed(accepted)}")
        _check_type(name, value, hints.get(name))
        if isinstance(value, int) and not isinstance(value, bool):
            most = _DEEPEST if any(word in name for word in _OF_LAYERS) else _MOST
            if abs(value) > most:
                raise BadInput(f"network.options.{name} is {value}, but must be {most} or less")


_HOW_CALLED = (
    "a network is made as Class(shape, n_classes, **options), shape being (channels, height, width) of one eye"
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
    """Return ``cls(shape, n_classes, **options)``, with one sentence for whatever it raises.

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
        return cls(shape, n_classes, **options)
    except BadInput:
        raise
    except Exception as error:  # a constructor may raise anything, AssertionError of torch's own layers among it
        names = list(inspect.signature(cls).parameters)[:2]
        reason = str(error) or type(error).__name__
        how = "" if tuple(names) == _GIVEN else f" (it takes {', '.join(names)}; {_HOW_CALLED})"
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
            network = cls(shape, n_classes, **options)
    except Exception:  # what is wrong with it is said when it is made in earnest
        return 0
    if not isinstance(network, nn.Module):
        return 0
    parts = [*network.parameters(), *network.buffers()]
    return sum(part.numel() for part in parts if not torch.nn.parameter.is_lazy(part))
