"""Drawing weights towards an earlier state: that state, what each weight was worth to it, and the gradient.

The penalty is strength/2 times the sum of F (w - w*)^2, so its gradient is strength F (w - w*). The state w* and, for
elastic weight consolidation, F lie in a subject's own state as ``anchor/NAME`` and ``importance/NAME``, so that a phase
resumes wherever it was stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from binocular.probes.weights import label_gradients
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["ANCHOR", "IMPORTANCE", "anchored", "fisher_information", "pulled"]

ANCHOR, IMPORTANCE = "anchor/", "importance/"
PRESENTATIONS = 256
_AT_ONCE = 32


def anchored(state: Mapping[str, Tensor], at: nn.Module, importance: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a subject's state with the state that its weights are drawn towards in it.

    Parameters
    ----------
    state
        As it is.
    at
        The network that holds w*, in place of an earlier one.
    importance
        F of each weight; empty where all count alike.
    """
    plain = {name: value for name, value in state.items() if not name.startswith((ANCHOR, IMPORTANCE))}
    plain |= {f"{ANCHOR}{name}": value.detach().cpu().clone() for name, value in at.named_parameters()}
    return plain | {f"{IMPORTANCE}{name}": value for name, value in importance.items()}


def pulled(
    gradients: Sequence[Tensor], names: Sequence[str], weights: Sequence[Tensor], anchors: Mapping[str, Tensor],
    strength: float,
) -> list[Tensor]:  # fmt: skip
    """Return gradients with that of the penalty added; weights without an anchor (a decoder's) keep theirs.

    Parameters
    ----------
    gradients, names, weights
        Of what a step moves, in the same order.
    anchors
        The part of a subject's state that holds w* and F, see `anchored`.
    strength
        Weight of the penalty.
    """
    found = []
    for name, gradient, weight in zip(names, gradients, weights, strict=True):
        anchor = anchors.get(f"{ANCHOR}{name}")
        if anchor is not None:
            away = weight.detach() - anchor
            worth = anchors.get(f"{IMPORTANCE}{name}")
            gradient = gradient + strength * (away if worth is None else worth * away)
        found.append(gradient)
    return found


def fisher_information(network: nn.Module, stimulus: StimulusSet, seed: int, epoch: int) -> dict[str, Tensor]:
    """Return the diagonal of the Fisher information of each weight at a network's present state.

    Parameters
    ----------
    network
        In evaluation mode, on the CPU.
    stimulus
        Of which `PRESENTATIONS` of the training split are shown, to open eyes.
    seed, epoch
        Subject and epoch, which name the streams of what is drawn.

    Returns
    -------
    dict of Tensor
        By name of the weight: mean over presentations of the squared gradient of the log-likelihood of a class that is
        drawn from the network's own answer (Kirkpatrick et al. 2017, eq. 3).
    """
    gradients = label_gradients(network)
    labels = stimulus.labels["train"]
    shown = torch.randperm(len(labels), generator=stream(seed, "importance", epoch))[:PRESENTATIONS].to(labels.device)
    noise = stream(seed, "importance/noise", epoch, str(labels.device))
    draw = stream(seed, "importance/labels", epoch)
    total = {name: torch.zeros_like(value) for name, value in network.named_parameters()}
    for index in shown.split(_AT_ONCE):
        views = stimulus.views("train", index, noise).cpu()
        with torch.no_grad():
            chance = network(views).float().softmax(1)
        label = torch.multinomial(chance, 1, generator=draw)[:, 0]
        for name, value in gradients(views, label).items():
            total[name] += value.square().sum(0)
    return {name: value / len(shown) for name, value in total.items()}
