"""Receptive fields quickly: what a unit in the middle of the first binocular stage would like to see more of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from binocular.stimuli.base import LEFT, RIGHT

__all__ = ["receptive_fields", "strongest_units"]

STAGE = 0
"""The stage of the trunk whose units are looked at: the first one that hears both eyes."""


def receptive_fields(network: nn.Module, views: Tensor, units: Sequence[int], stage: int = STAGE) -> np.ndarray:
    """Return the mean gradient of units' responses with respect to what both eyes see.

    For Gaussian stimuli it equals what reverse correlation converges to (Stein's lemma), and takes a small part of the
    time of 10,000 presentations of noise; `binocular.probes` has the reverse correlation.

    Parameters
    ----------
    network
        A two-eyed network in evaluation mode; it is not changed.
    views
        Presentations, ``[n, eye, channel, height, width]``.
    units
        Channels of the stage; each unit is the one in the middle of its map.
    stage
        Number of a stage of the trunk, from 0.

    Returns
    -------
    numpy.ndarray
        ``[unit, eye, height, width]`` float32, channels of the picture added up.
    """
    views = views.detach().clone().requires_grad_(True)
    total = _response(network, views, stage).sum(0)
    fields = []
    for place, unit in enumerate(units):
        (gradient,) = torch.autograd.grad(total[unit], views, retain_graph=place + 1 < len(units))
        fields.append(gradient.mean(0).sum(1))
    return torch.stack(fields).numpy()


def strongest_units(network: nn.Module, views: Tensor, count: int, stage: int = STAGE) -> list[int]:
    """Return the channels with the largest receptive fields in an untrained network, in order of their numbers.

    Parameters
    ----------
    network
        The network.
    views
        What its receptive fields are found with, ``[presentation, eye, channel, height, width]``.
    count
        How many channels at most.
    stage
        Of the trunk.

    Returns
    -------
    list of int
        Empty where the trunk is not a sequence of stages.
    """
    if not isinstance(network.trunk, nn.Sequential):
        return []
    with torch.no_grad():
        channels = _response(network, views[:1], stage).shape[1]
    energy = np.square(receptive_fields(network, views, range(channels), stage)).sum((1, 2, 3))
    return sorted(np.argsort(-energy, kind="stable")[:count].tolist())


def _response(network: nn.Module, views: Tensor, stage: int) -> Tensor:
    """Return what the units in the middle of a stage's map answer, ``[n, channel]``."""
    response = network.left(views[:, LEFT]) + network.right(views[:, RIGHT])  # type: ignore[operator]
    for module in list(network.trunk.children())[: stage + 1]:  # type: ignore[union-attr]
        response = module(response)
    while response.dim() > 2:
        response = response[..., response.shape[-1] // 2]
    return response
