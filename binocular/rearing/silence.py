"""Drawing silent units afresh: which units they are, found by following the tensors from module to module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["HiddenLayer", "hidden_layers", "reset_silent"]

PRESENTATIONS = 256
_WEIGHTED = (nn.Conv2d, nn.Linear)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_RECTIFICATIONS = (nn.ReLU, nn.GELU)


@dataclass(frozen=True)
class HiddenLayer:
    """Units that only layers of weights read.

    Attributes
    ----------
    source, norm
        Names of the layer and of the normalisation behind it (or nothing).
    readers
        Names of the layers that read the units.
    activity
        Mean absolute answer of each unit, ``[unit]``.
    """

    source: str
    norm: str
    readers: tuple[str, ...]
    activity: Tensor

    def silent(self, threshold: float) -> Tensor:
        """Return which units' activity, relative to the mean of the layer, is at most the threshold, ``[unit]``."""
        return self.activity <= threshold * self.activity.mean()


@torch.no_grad()
def hidden_layers(network: nn.Module, views: Tensor) -> list[HiddenLayer]:
    """Return the hidden layers of a network whose units are a layer's channels, read by layers of weights alone.

    Parameters
    ----------
    network, views
        In evaluation mode, and what is shown, ``[batch, eye, channel, height, width]``.
    """
    calls: list[tuple[str, nn.Module, Tensor, Tensor]] = []
    leaves = [(name, module) for name, module in network.named_modules() if not list(module.children())]

    def note(name: str):
        # The tensors are held, so that none of them takes the place of another in memory.
        return lambda module, given, out: calls.append((name, module, given[0], out))

    hooks = [module.register_forward_hook(note(name)) for name, module in leaves]
    try:
        network(views)
    finally:
        for hook in hooks:
            hook.remove()
    made = {id(out): (name, module, given) for name, module, given, out in calls}
    found = []
    for _, module, given, out in calls:
        if not isinstance(module, _RECTIFICATIONS):
            continue
        name, before, earlier = made.get(id(given), ("", None, given))
        norm = name if isinstance(before, _NORMS) else ""
        if norm:
            name, before, _ = made.get(id(earlier), ("", None, earlier))
        readers = [(who, reader) for who, reader, read, _ in calls if read is out]
        alone = readers and all(isinstance(reader, _WEIGHTED) for _, reader in readers)
        if isinstance(before, _WEIGHTED) and alone:
            activity = out.abs().flatten(2).mean(2).mean(0) if out.dim() > 2 else out.abs().mean(0)
            found.append(HiddenLayer(name, norm, tuple(who for who, _ in readers), activity))
    return found


def reset_silent(
    state: Mapping[str, Tensor], network: nn.Module, fresh: nn.Module, stimulus: StimulusSet, seed: int, epoch: int,
    threshold: float,
) -> dict[str, Tensor]:  # fmt: skip
    """Return a state in which silent units have fresh incoming weights, none that go out, and no momentum.

    Parameters
    ----------
    state
        Weights, buffers and momentum; it is not changed.
    network, fresh
        One with these weights, in evaluation mode, on the CPU, and one drawn afresh.
    stimulus, seed, epoch
        Of which `PRESENTATIONS` of the training split are shown, drawn from a stream of the subject and epoch.
    threshold
        See `binocular.protocols.plasticity.ResetSilent`.
    """
    labels = stimulus.labels["train"]
    shown = torch.randperm(len(labels), generator=stream(seed, "silent", epoch))[:PRESENTATIONS].to(labels.device)
    views = stimulus.views("train", shown, stream(seed, "silent/noise", epoch, str(labels.device))).cpu()
    found = dict(state)
    drawn = {f"weights/{name}": value.detach() for name, value in fresh.named_parameters()}
    drawn |= {f"buffers/{name}": value for name, value in fresh.named_buffers()}
    for layer in hidden_layers(network, views):
        units = layer.silent(threshold)
        for owner in filter(None, (layer.source, layer.norm)):
            for part in ("weight", "bias", "running_mean", "running_var"):
                for kind in ("weights", "buffers"):
                    _put(found, f"{kind}/{owner}.{part}", units, drawn)
                _put(found, f"momentum/{owner}.{part}", units)
        for reader in layer.readers:
            for kind in ("weights", "momentum"):
                name = f"{kind}/{reader}.weight"
                found[name] = found[name].clone()
                found[name][:, units] = 0
    return found


def _put(state: dict[str, Tensor], name: str, units: Tensor, drawn: Mapping[str, Tensor] | None = None) -> None:
    """Set the rows of units to those that were drawn, or to 0, where the state has such a tensor."""
    if name in state:
        state[name] = state[name].clone()
        state[name][units] = 0 if drawn is None else drawn[name][units]
