"""How many subjects go through one computation, and how they are packed into it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from binocular.networks.build import network_class, network_of
from binocular.networks.checking import draws
from binocular.protocols import Protocol
from binocular.rearing.plan import Plan, stimulus_of
from binocular.runs.sizes import free_memory
from binocular.stimuli.streams import global_stream

__all__ = ["bytes_of_step", "can_be_stacked", "packing_for", "subjects_at_once"]

_SHARE = 0.7
"""Share of the free memory of a device that a cohort may take; the rest is for stimuli, workspaces and fragments."""
_ON_PROCESSOR = 1_000_000_000  # bytes; a study stays below 2 GB with everything else that it holds


def packing_for(protocol: Protocol, device: str) -> str:
    """Return ``"loop"`` or ``"stacked"`` for a protocol.

    On two cores of an AMD EPYC one subject per core is as fast as stacking or faster, at every cohort size, for the
    convolutional and for the fully connected network (measured, see docs/speed.md). A GPU is bound by launching the
    work of small networks, which stacking does once for all; a network that keeps it busy alone declares
    ``fills_a_device``.

    Parameters
    ----------
    protocol, device
        What is asked for, and ``cpu`` or ``cuda``.
    """
    wanted = protocol.training.packing
    if wanted != "auto":
        return wanted
    phases = [phase for condition in protocol.conditions for phase in condition.phases]
    if any(phase.until is not None or phase.pull is not None for phase in phases):
        return "loop"  # a phase that ends by criterion ends at a different epoch for each subject
    if device == "cpu" or getattr(network_class(protocol.network.kind), "fills_a_device", False):
        return "loop"
    stimulus = stimulus_of(protocol.stimulus, 0, "cpu")
    network = network_of(protocol.network, stimulus.shape, stimulus.n_classes, 0)
    return "stacked" if can_be_stacked(network, stimulus.shape) else "loop"


def can_be_stacked(network: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether subjects can go through one vectorised computation.

    They cannot where the network says so (an attribute ``one_by_one``), or where it draws random numbers: what one
    subject draws would depend on who is computed beside it.

    Parameters
    ----------
    network, shape
        One of the subjects, and what an eye sees: (channels, height, width).
    """
    return not getattr(network, "one_by_one", False) and not draws(network, shape)


def subjects_at_once(plan: Plan) -> int:
    """Return how many subjects of a stacked cohort fit into the memory that is free; at least one."""
    stimulus = plan.stimuli(0)
    network = network_of(plan.network, stimulus.shape, stimulus.n_classes, 0)
    batch = min(plan.training.batch_size, len(stimulus.labels["train"]))
    return max(1, int(_room(plan.device) / bytes_of_step(network, stimulus.shape, batch, stacked=True)))


def _room(device: str) -> float:
    free = _SHARE * free_memory(device)
    return free if device == "cuda" else min(free, _ON_PROCESSOR)


def bytes_of_step(network: nn.Module, shape: tuple[int, int, int], batch: int, stacked: bool = False) -> int:
    """Count what a step of one subject takes: weights, momentum, gradients and all that the backward pass needs.

    Parameters
    ----------
    network, shape, batch
        On the CPU, not changed; (channels, height, width) of what one eye sees; presentations in a step.
    stacked
        Whether it is one of a stacked cohort, which holds the gradients of all maps beside the maps.
    """
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        memory = value.untyped_storage()  # what several tensors look at counts once
        if memory.data_ptr() not in weights:
            kept[memory.data_ptr()] = memory.nbytes()
        return value

    few = 2  # what is kept grows in proportion to the batch
    trained = copy.deepcopy(network).train()
    weights = {weight.untyped_storage().data_ptr() for weight in trained.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value), global_stream(0, "check"):
        scores = trained(torch.rand(few, 2, *shape))  # held, so that no address is used twice
    del scores
    of_weights = 3 * sum(4 * weight.numel() for weight in network.parameters())
    return (1 + stacked) * (sum(kept.values()) * batch // few) + of_weights
