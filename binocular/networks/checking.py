"""Checking whether a network can be reared here: its form, and whether the same seed gives the same again."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from binocular.networks.base import looked_at
from binocular.networks.declared import declares_pathways
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.streams import draws_globally, global_stream, stream
from binocular.stimuli.surroundings import own_settings

__all__ = ["SMALL_PICTURE", "check_network", "check_reproducible", "draws"]

SMALL_PICTURE = 64 * 64
"""Pixels up to which many presentations at a time take little memory and time in any network."""

_LEARNED = {torch.float32, torch.float64}


@own_settings()
def check_network(network: nn.Module, shape: tuple[int, int, int], n_classes: int) -> list[str]:
    """Say what keeps a module from being reared here.

    Parameters
    ----------
    network
        Any module; it is called with ``views`` of both eyes.
    shape, n_classes
        What one eye sees, and the number of classes.

    Returns
    -------
    list of str
        One sentence per complaint; empty where the network fits.
    """
    if any(is_lazy(part) for part in (*network.parameters(), *network.buffers())):
        return ["some of its lazy layers stay without a shape: views for both eyes do not reach them"]
    if complaints := list(_unfit_numbers(network)):
        return complaints
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not trainable:
        complaints.append("it has no weights that can change")
    if any(value.is_floating_point() and value.isnan().any() for value in (*network.parameters(), *network.buffers())):
        complaints.append("it begins with weights or buffers that are not numbers (NaN)")
    views = torch.linspace(-1, 1, 2 * 2 * shape[0] * shape[1] * shape[2]).reshape(2, 2, *shape)
    untouched = views.clone()
    try:
        with looked_at(network), global_stream(0, "check"):
            scores = network(views)
            if not isinstance(scores, Tensor):
                complaints.append(f"it gives a {type(scores).__name__}, not a tensor of scores [batch, class]")
            elif tuple(scores.shape) != (2, n_classes):
                complaints.append(f"it gives {tuple(scores.shape)} for a batch of 2, not (2, {n_classes})")
            elif not scores.is_floating_point():
                complaints.append(f"it gives scores of {scores.dtype}, which are not real floating-point numbers")
            elif scores.isnan().any():
                complaints.append("it gives scores that are not numbers (NaN) before it has learned anything")
            elif trainable and not _depends(network, views):
                complaints.append("its scores tell nothing of its weights to learn by, as behind detach() or no_grad()")
            if not views.equal(untouched):
                complaints.append("it writes into its views, which are still to be seen again; it must make others")
    except (Exception, SystemExit) as error:  # whatever a user's module raises is a finding, not a crash
        hint = _unequal(network, views) or "; forward takes views[batch, eye, channel, height, width], or left, right"
        complaints.append(f"views of shape {tuple(views.shape)} fail: {type(error).__name__}: {error}{hint}")
    return complaints


def _unfit_numbers(network: nn.Module) -> Iterator[str]:
    """Name the types of numbers that cannot be learned in, and those that a file of a state cannot hold.

    Steps in half precision lose what is smaller than their rounding, and torch's fused ones differ from the arithmetic
    that they stand for (torch 2.13, CPU).
    """
    parts = [*network.parameters(), *network.buffers()]
    if learned := {part.dtype for part in network.parameters() if part.requires_grad} - _LEARNED:
        yield (
            f"its weights are {_listed(learned)}; accepted are {_listed(_LEARNED)}, which forward may turn into halves "
            "by torch.autocast"
        )
    if unkept := {part.dtype for part in parts if not _can_be_kept(part.dtype)} - learned:
        yield f"it has fixed weights or buffers of {_listed(unkept)}, which no file can hold; accepted: torch.float32"


def _listed(types: Iterable[torch.dtype]) -> str:
    return " and ".join(sorted(map(str, types)))


def _can_be_kept(dtype: torch.dtype) -> bool:
    """Whether numpy, by way of which states reach their files, has this type."""
    try:
        torch.empty(0, dtype=dtype).numpy()
    except TypeError:
        return False
    return True


def _depends(network: nn.Module, views: Tensor) -> bool:
    """Whether scores can be followed back to weights; a network may do without while it is only looked at."""
    with torch.enable_grad():
        return network(views).requires_grad or copy.deepcopy(network).train()(views).requires_grad


def _unequal(network: nn.Module, views: Tensor) -> str:
    """Say that the features of the two pathways differ in shape, where they do and the network does not fuse them."""
    if not declares_pathways(network) or hasattr(network, "fuse"):
        return ""
    try:
        with looked_at(network), global_stream(0, "check"):
            left, right = network.left(views[:, LEFT]), network.right(views[:, RIGHT])  # type: ignore[operator]
    except Exception:  # said already
        return ""
    if left.shape == right.shape:
        return ""
    return f"; left gives {tuple(left.shape)} and right {tuple(right.shape)}, which must be equal to be added"


def draws(network: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Say whether a network on the CPU draws random numbers while it learns or is looked at, as dropout does.

    Parameters
    ----------
    network
        On the CPU; it stays as it is.
    shape
        Of what an eye sees: (channels, height, width).
    """
    views = torch.randn(4, 2, *shape, generator=stream(0, "check"))
    with torch.no_grad():
        ways = (copy.deepcopy(network).train(), copy.deepcopy(network).eval())
        return any(draws_globally(lambda way=way: way(views)) for way in ways)


def check_reproducible(
    build: Callable[[], nn.Module], shape: tuple[int, int, int], must_learn: bool = True
) -> list[str]:
    """Say what keeps a network from giving the same again, by building it twice and letting it learn twice.

    Parameters
    ----------
    build
        Builds the network of one seed.
    shape
        What one eye sees.
    must_learn
        Whether a step that fails is a complaint; what fails on these views may work on others.

    Returns
    -------
    list of str
        One sentence per complaint; empty where everything random comes from torch's global generators, which rearing
        replaces by streams of its own.
    """
    elsewhere = _states_elsewhere()
    first, second = build(), build()
    if not _same(first.state_dict(), second.state_dict()):
        return [
            "built twice for one seed it begins with different weights; draw them from torch's global generator, which "
            "is seeded while the network is built, and not from numpy or random"
        ]
    state = copy.deepcopy(first.state_dict())
    try:
        answers = [_learned(first, shape), _learned(second, shape)]
        first.load_state_dict(state)
        answers.append(_learned(first, shape))
    except (Exception, SystemExit) as error:  # whatever a user's module raises is a finding, not a crash
        return [f"a step of learning fails: {type(error).__name__}: {error}"] if must_learn else []
    if elsewhere != _states_elsewhere():
        return [
            "it draws from the global generators of numpy or random, which nothing seeds here; draw from torch's, as "
            "torch.rand does"
        ]
    if not _same(answers[0], answers[1]):
        return [
            "the same step taken twice gives different results, so that no subject could be reared again; draw random "
            "numbers from torch's global generator, and not from numpy, random, the clock or a generator of your own"
        ]
    if not _same(answers[0], answers[2]):
        return [
            "a step taken again from the same state gives another result, so that no subject could be resumed; keep "
            "whatever changes while it learns in parameters or registered buffers"
        ]
    return []


def _states_elsewhere() -> tuple[object, ...]:
    return random.getstate(), repr(np.random.get_state(legacy=False)["state"])  # noqa: NPY002 - what is watched


def _learned(network: nn.Module, shape: tuple[int, int, int]) -> dict[str, Tensor]:
    """Return scores, gradients and buffers of two steps without a change of the weights, and scores in evaluation."""
    few = 2 if shape[1] * shape[2] > SMALL_PICTURE else 8  # a step of a deep network on large pictures takes seconds
    views = torch.randn(few, 2, *shape, generator=stream(0, "check"))
    found: dict[str, Tensor] = {}
    weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    network.train()
    for step in range(2):
        with global_stream(0, "check/network", step):
            scores = network(views)
            slopes = torch.autograd.grad(scores.square().mean(), list(weights.values()), allow_unused=True)
        found[f"scores {step}"] = scores.detach()
        found |= {f"{n} {step}": s for n, s in zip(weights, slopes, strict=True) if s is not None}
    network.eval()
    with torch.no_grad(), global_stream(0, "check/network", 2):
        found["scores"] = network(views)
    return found | {name: buffer.clone() for name, buffer in network.named_buffers()}


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether tensors agree but for what the order of a sum may do."""
    return one.keys() == other.keys() and all(
        torch.allclose(value.double(), other[name].double(), rtol=1e-4, atol=1e-6, equal_nan=True)
        for name, value in one.items()
    )
