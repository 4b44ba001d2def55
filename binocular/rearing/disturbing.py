"""What happens to a state at the beginning of a phase: forgotten, drawn afresh, shrunk and perturbed, held on to."""

from __future__ import annotations

import torch
from torch import nn

from binocular.networks.build import network_of
from binocular.protocols import EpochConditions, NetworkSpec
from binocular.rearing.cohort import State, restored
from binocular.rearing.pulling import anchored, fisher_information
from binocular.rearing.silence import reset_silent
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["disturbed", "is_disturbed"]


def is_disturbed(conditions: EpochConditions) -> bool:
    """Whether anything is done to the state before an epoch."""
    resets = (conditions.optimiser_reset, conditions.batch_norm_reset, conditions.head_reset)
    changes = (conditions.shrink_perturb, conditions.reset_silent, conditions.pull if conditions.phase_start else None)
    return any(resets) or any(change is not None for change in changes)


def disturbed(
    state: State, conditions: EpochConditions, spec: NetworkSpec, stimulus: StimulusSet, seed: int, epoch: int
) -> State:
    """Return a subject's state as the conditions of an epoch change it beforehand.

    Parameters
    ----------
    state
        Weights, buffers and momentum; it is not changed.
    conditions
        What the epoch does.
    spec, stimulus
        What to build fresh networks from.
    seed, epoch
        Subject and epoch, which name the streams of what is drawn.
    """

    def fresh(seed: int) -> nn.Module:
        return network_of(spec, stimulus.shape, stimulus.n_classes, seed, weights=False)

    def drawn(purpose: str) -> nn.Module:
        return fresh(int(torch.randint(2**31, (), generator=stream(seed, purpose, epoch))))

    state = dict(state)
    if conditions.optimiser_reset:
        state |= {name: torch.zeros_like(v) for name, v in state.items() if name.startswith("momentum/")}
    if conditions.batch_norm_reset:
        state |= {f"buffers/{name}": value for name, value in fresh(seed).named_buffers()}
    change = conditions.shrink_perturb
    if change is not None:
        # Ash & Adams 2020: shrink the weights and add a little of a freshly drawn network.
        for name, value in drawn("perturb").named_parameters():
            old = state[f"weights/{name}"]
            state[f"weights/{name}"] = change.shrink * old + change.perturb * value.detach()
    if conditions.reset_silent is not None:
        looked_at = restored(fresh(seed), state).eval()
        threshold = conditions.reset_silent.threshold
        state = reset_silent(state, looked_at, drawn("silent"), stimulus, seed, epoch, threshold)
    if conditions.head_reset:
        head = drawn("head").get_submodule("head")
        state |= {f"weights/head.{name}": value.detach() for name, value in head.named_parameters()}
        state |= {f"buffers/head.{name}": value for name, value in head.named_buffers()}
        state |= {n: torch.zeros_like(v) for n, v in state.items() if n.startswith("momentum/head.")}
    pull = conditions.pull
    if pull is not None and conditions.phase_start and pull.to != "kept":
        at = fresh(seed) if pull.to == "initial" else restored(fresh(seed), state)
        worth = fisher_information(at.eval(), stimulus, seed, epoch) if pull.importance == "fisher" else {}
        state = anchored(state, at, worth)
    return state
