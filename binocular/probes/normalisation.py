"""Measuring weights, not the running averages that a deficit left behind.

While an eye sees nothing, batch normalisation in its pathway records a variance near zero. Show that eye anything
afterwards and the stored averages magnify the response some hundredfold, so that a network just deprived looks as if it
listened to the deprived eye only. That is bookkeeping, gone after a few batches of normal vision; the probes therefore
look, by default, at a copy whose averages were taken afresh from undisturbed stimuli.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["adapted"]

_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@torch.no_grad()
def adapted(network: nn.Module, stimulus: StimulusSet, seed: int, batches: int = 4, batch: int = 125) -> nn.Module:
    """Return a copy of a network whose normalisation statistics come from undisturbed stimuli.

    Parameters
    ----------
    network
        A two-eyed network; it is not changed.
    stimulus
        Its training split is shown to both eyes without deficit.
    seed
        Seed of the subject; the presentations are the stream ``"normalisation"``.
    batches, batch
        How many presentations the averages are taken over.

    Returns
    -------
    nn.Module
        The copy in evaluation mode, or the network itself where it has no batch normalisation.
    """
    if not any(isinstance(module, _NORMALISATIONS) for module in network.modules()):
        return network.eval()
    fresh = copy.deepcopy(network)
    for module in fresh.modules():
        if isinstance(module, _NORMALISATIONS):
            module.reset_running_stats()
            module.momentum = None  # a plain average over the batches
    fresh.train()
    labels = stimulus.labels["train"]
    chosen = torch.randperm(len(labels), generator=stream(seed, "normalisation"))[: batches * batch].to(labels.device)
    generator = stream(seed, "normalisation/stimulus", 0, labels.device)
    for index in chosen.chunk(max(1, min(batches, len(chosen) // 2))):
        fresh(stimulus.views("train", index, generator))
    return fresh.eval()
