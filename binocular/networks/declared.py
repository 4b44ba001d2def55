"""What a network declares about itself, and what is found out about one that declares nothing.

Any module from views to scores can be reared. What it declares makes more possible (see `binocular.networks.base`);
what it leaves out is found by showing it a few random views:

- whether its pathways, its fusion and its trunk do what its ``forward`` does, so that each pathway need run only once
  for each view of a grid;
- the first cells that hear both eyes: the first rectification with units that depend on either eye, or the first such
  module of any kind where no rectification is a module;
- the representation: what the last module with weights, the classifier, is given;
- which modules answer with their channels last, as the layers of a transformer do.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from binocular.networks.base import looked_at
from binocular.networks.fusion import fuse
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.streams import global_stream, stream

__all__ = [
    "PARTS",
    "Found",
    "answer_of",
    "declares_pathways",
    "found_of",
    "has_pathways",
    "map_of_tokens",
    "recordable_modules",
    "settle",
    "show_views",
]

PARTS = ("left", "right", "trunk", "head")
"""Parts of a network that declares its pathways."""
_FOUND = "_found_by_binocular"
_ACTIVATIONS = tuple(
    kind
    for kind in vars(nn.modules.activation).values()
    if isinstance(kind, type)
    and issubclass(kind, nn.Module)
    and not issubclass(kind, nn.MultiheadAttention | nn.Softmax | nn.Softmax2d | nn.LogSoftmax | nn.Softmin)
    and kind is not nn.Module
)
_CHANNELS_LAST = (nn.Linear, nn.LayerNorm, nn.Embedding)


@dataclass(frozen=True)
class Found:
    """What was found out about a network.

    Attributes
    ----------
    by_pathways
        Whether ``head(trunk(fuse(left, right)))`` is what it computes.
    first_binocular, representation
        Dotted names of modules; empty where there is none.
    channels_last
        Modules that answer with ``[presentation, ..., channel]``.
    contiguous
        Whether it wants weights and views in the order of their dimensions, as a ``view`` in its ``forward`` does.
    """

    by_pathways: bool
    first_binocular: str = ""
    representation: str = ""
    channels_last: frozenset[str] = field(default_factory=frozenset)
    contiguous: bool = False


def declares_pathways(network: nn.Module) -> bool:
    """Say whether a network has modules called as the parts of a two-eyed network."""
    return all(isinstance(getattr(network, part, None), nn.Module) for part in PARTS)


def found_of(network: nn.Module) -> Found:
    """Return what `settle` found out about a network; for one that it has not seen, what its parts say."""
    return getattr(network, _FOUND, None) or Found(declares_pathways(network))


def has_pathways(network: nn.Module) -> bool:
    """Say whether each pathway of a network can be run by itself, and what lies behind them too."""
    return found_of(network).by_pathways


def show_views(network: nn.Module) -> None:
    """Let a network be called with ``views`` whatever its ``forward`` takes: them, or what each eye sees.

    Parameters
    ----------
    network
        A module whose ``forward`` takes ``views[batch, eye, channel, height, width]``, or ``left`` and ``right``.
        Its modules and weights keep their names.
    """
    if _takes_two(network):
        network.register_forward_pre_hook(_separate)


def _takes_two(network: nn.Module) -> bool:
    try:
        parameters = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) == 2


def _separate(_network: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(given) != 1:
        return given
    return given[0][:, LEFT].contiguous(), given[0][:, RIGHT].contiguous()


def _in_order(_network: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(part.contiguous() if isinstance(part, Tensor) else part for part in given)


def settle(network: nn.Module, shape: tuple[int, int, int]) -> None:
    """Find out what a network does not declare, and keep it with the network.

    Parameters
    ----------
    network
        A network on the CPU that answers to views; it is not changed otherwise.
    shape
        (channels, height, width) of what one eye sees.
    """
    views = _views(shape)
    with looked_at(network), global_stream(0, "check"):
        by_pathways = declares_pathways(network) and _same_by_pathways(network, views)
        answers = _watch(network, views)
        first = _first_binocular(network, answers, views)
        ordered = _wants_order(network, views)
        found = Found(by_pathways, first, _representation(network, answers), _last(answers), ordered)
    setattr(network, _FOUND, found)
    if found.contiguous:
        network.register_forward_pre_hook(_in_order)


def recordable_modules(network: nn.Module, shape: tuple[int, int, int]) -> list[str]:
    """Return all modules that can be recorded from, by dotted name, in the order in which they answer to views.

    Parameters
    ----------
    network
        On the CPU.
    shape
        (channels, height, width) of what one eye sees.
    """
    with looked_at(network):
        answers = _watch(network, _views(shape))
    return [name for name, answer in answers.items() if _can_be_recorded(answer.output)]


def _views(shape: tuple[int, int, int]) -> Tensor:
    return torch.randn(2, 2, *shape, generator=stream(0, "check"))


def _same_by_pathways(network: nn.Module, views: Tensor) -> bool:
    """Whether a network does what its parts do one after the other, with the same random numbers if it draws any."""
    try:
        with global_stream(0, "check"):
            left, right = network.left(views[:, LEFT]), network.right(views[:, RIGHT])  # type: ignore[operator]
            if not hasattr(network, "fuse") and left.shape != right.shape:
                return False
            scores = network.head(network.trunk(fuse(network, left, right)))  # type: ignore[operator]
        with global_stream(0, "check"):
            return torch.allclose(network(views), scores, atol=1e-5)
    except Exception:  # whatever a user's module raises; its own forward may do it otherwise
        return False


@dataclass
class _Answer:
    """What a module answers at its first use, and how many channels the last layer before that gave."""

    module: nn.Module
    output: Tensor
    channels: int
    last: bool


def _watch(network: nn.Module, views: Tensor) -> dict[str, _Answer]:
    """Return what all modules answer, in the order in which they do."""
    answers: dict[str, _Answer] = {}
    layer = [0, False]

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _inputs: object, output: object) -> None:
            output = answer_of(output)
            if output is None or output.dim() < 2:
                return
            if channels := _channels_of(module):
                layer[:] = channels, isinstance(module, _CHANNELS_LAST)
            if name not in answers:  # copied, for a layer behind it may write in place
                answers[name] = _Answer(module, output.clone(), int(layer[0]), bool(layer[1]))

        return hook

    with _hooks(network, keep), global_stream(0, "check"):  # the same numbers each time, so that only views differ
        network(views)
    return answers


def answer_of(output: object) -> Tensor | None:
    """Return what a module answers, the first of several tensors; None where it gives no tensor."""
    first = output[0] if isinstance(output, tuple | list) and output else output
    return first if isinstance(first, Tensor) else None


def _channels_of(module: nn.Module) -> int:
    for name in ("out_features", "out_channels", "num_features", "num_channels", "embedding_dim"):
        if isinstance(size := getattr(module, name, None), int):
            return size
    normalised = getattr(module, "normalized_shape", ())
    return int(normalised[0]) if len(normalised) == 1 else 0


@contextmanager
def _hooks(network: nn.Module, keep: Callable[[str], Any]) -> Iterator[None]:
    hooks = [module.register_forward_hook(keep(name)) for name, module in network.named_modules() if name]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _leaves(answers: dict[str, _Answer]) -> dict[str, _Answer]:
    return {name: answer for name, answer in answers.items() if not any(answer.module.children())}


def _first_binocular(network: nn.Module, answers: dict[str, _Answer], views: Tensor) -> str:
    declared = getattr(network, "first_binocular", None)
    if isinstance(declared, str):
        return declared
    leaves = _leaves(answers)
    depend = {name: torch.ones_like(answer.output, dtype=torch.bool) for name, answer in leaves.items()}
    for eye in (LEFT, RIGHT):
        other = views.clone()
        other[:, eye] = -views[:, eye].flip(0)
        changed = _watch(network, other)
        for name in depend:
            depend[name] &= name in changed and leaves[name].output != changed[name].output
    both = [name for name, units in depend.items() if units.any()]
    named = [name for name in both if _can_be_recorded(answers[name].output)]
    rectified = [name for name in named if isinstance(answers[name].module, _ACTIVATIONS)]
    return (rectified or named or [""])[0]


def _representation(network: nn.Module, answers: dict[str, _Answer]) -> str:
    declared = getattr(network, "representation", None)
    if isinstance(declared, str):
        return declared
    if "trunk" in answers:
        return "trunk"
    leaves = _leaves(answers)
    names = list(leaves)
    weighing = [place for place, answer in enumerate(leaves.values()) if any(True for _ in answer.module.parameters())]
    before = names[: weighing[-1]] if weighing else []
    named = [name for name in before or names if _can_be_recorded(leaves[name].output)]
    return named[-1] if named else ""


def _can_be_recorded(output: Tensor) -> bool:
    return output.dim() in (2, 3, 4) and output.is_floating_point()


def _last(answers: dict[str, _Answer]) -> frozenset[str]:
    """Return the modules whose channels come last: the axis with as many entries as the last layer has channels."""
    found = set()
    for name, answer in answers.items():
        shape = answer.output.shape
        if len(shape) > 2 and shape[-1] == answer.channels and (answer.last or shape[1] != answer.channels):
            found.add(name)
    return frozenset(found)


def _wants_order(network: nn.Module, views: Tensor) -> bool:
    """Whether a network fails with weights and views in the order that suits convolutions on a CPU."""
    other = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    try:
        other(views.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3))
    except RuntimeError:
        return True
    return False


def map_of_tokens(count: int, maps: int = 1) -> tuple[int, int, int]:
    """Return how tokens lie: those before the map, and its rows and columns.

    Parameters
    ----------
    count
        Number of tokens.
    maps
        Maps that lie one after another.

    Returns
    -------
    tuple of int
        A square map for each, behind one token that stands for the whole where the number says so; else one row.

    Examples
    --------
    >>> map_of_tokens(196), map_of_tokens(197), map_of_tokens(32, maps=2), map_of_tokens(6)
    ((0, 14, 14), (1, 14, 14), (0, 8, 4), (0, 1, 6))
    """
    for first in (0, 1):
        each, rest = divmod(count - first, maps)
        side = math.isqrt(max(each, 0))
        if not rest and side > 1 and side**2 == each:
            return first, maps * side, side
    return 0, 1, count
