"""Two streams made of a network of one eye, such as the backbones of torchvision or timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from binocular.networks.base import looked_at
from binocular.networks.cutting import before, behind, follow
from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import load_class

__all__ = ["FUSIONS", "Fusion", "TwoStream"]

FUSIONS = ("sum", "maximum", "concatenation", "gate")


class TwoStream(nn.Module):
    """A backbone of one eye for each of two, cut where they are to meet.

    With ``cut`` each eye has the backbone up to that module, and what comes behind it, the classifier included, is the
    trunk and the head of both. Without it each eye has the whole backbone but its classifier, and the eyes meet in two
    rectified layers of their own.

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`. A backbone for pictures in colour sees grey ones in all its channels.
    backbone
        Class, or function that makes one, as ``module:Class``, such as ``torchvision.models:resnet18``. It is run, so
        that a person has to name it.
    cut
        Dotted name of the module behind which the eyes meet, such as ``layer2``; empty for the end.
    fusion
        ``sum``, ``maximum``, ``concatenation`` (and a linear layer back to as many channels) or ``gate`` (a share of
        each eye for each channel and place, learned).
    shared
        Whether both eyes have the same weights.
    backbone_options
        Arguments of the backbone.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_classes: int,
        backbone: str,
        cut: str = "",
        fusion: str = "sum",
        shared: bool = False,
        backbone_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}, not {fusion!r}")
        make = load_class(backbone, "network.options.backbone", nn.Module)
        one = _made(make, n_classes, backbone_options or {})
        other = one if shared else _made(make, n_classes, backbone_options or {})
        classifier = _take_classifier(one)
        _take_classifier(other)
        self.left, self.right = (_pathway(network, cut, shape) for network in (one, other))
        if shared:
            self.right = self.left
        features = _answer(self.left, torch.zeros(2, *shape))
        channels = features.shape[1] if features.dim() in (2, 4) else features.shape[-1]
        self.fuse = Fusion(channels, fusion)
        if cut:
            self.trunk: nn.Module = behind(one, cut)
            self.head = classifier
        else:
            self.trunk = nn.Sequential(nn.ReLU(), nn.Linear(channels, channels), nn.ReLU())
            self.head = nn.Linear(channels, n_classes)

    def forward(self, views: Tensor) -> Tensor:
        """Return scores ``[batch, class]`` for views ``[batch, eye, channel, height, width]``."""
        return self.head(self.trunk(self.fuse(self.left(views[:, 0]), self.right(views[:, 1]))))


class Fusion(nn.Module):
    """How the features of two eyes become those of both, of the same shape.

    Parameters
    ----------
    channels
        Of the features, which are ``[batch, channel]``, ``[batch, channel, row, column]`` or
        ``[batch, token, channel]``.
    kind
        One of `FUSIONS`.
    """

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        if kind in ("concatenation", "gate"):
            self.mix = nn.Linear(2 * channels, channels)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Fuse features of equal shape."""
        if self.kind == "sum":
            return left + right
        if self.kind == "maximum":
            return torch.maximum(left, right)
        axis = 1 if left.dim() == 4 else -1
        mixed = self.mix(torch.cat([left, right], axis).movedim(axis, -1)).movedim(-1, axis)
        if self.kind == "concatenation":
            return mixed
        share = mixed.sigmoid()
        return share * left + (1 - share) * right


class _InColour(nn.Module):
    """Shows a grey view in as many channels as a backbone takes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, view: Tensor) -> Tensor:
        return view.expand(-1, self.channels, -1, -1)


def _made(make: Any, n_classes: int, options: Mapping[str, Any]) -> nn.Module:
    """Make a backbone whose classifier tells so many classes apart."""
    network = make(**options)
    if not isinstance(network, nn.Module):
        raise BadInput(f"network.options.backbone makes a {type(network).__name__}; accepted is a torch.nn.Module")
    _, name = follow(network)
    for inner, layer in reversed(list(network.get_submodule(name).named_modules())):
        if isinstance(layer, nn.Linear):
            if layer.out_features != n_classes:
                fresh = nn.Linear(layer.in_features, n_classes, layer.bias is not None)
                _put(network, f"{name}.{inner}" if inner else name, fresh)
            return network
    raise BadInput(f"network.options.backbone: its last module '{name}' has no linear layer that tells classes apart")


def _take_classifier(network: nn.Module) -> nn.Module:
    """Return the module that a network calls last, and leave one that gives on what it is given in its place."""
    _, name = follow(network)
    classifier = network.get_submodule(name)
    if not isinstance(classifier, nn.Identity):
        _put(network, name, nn.Identity())
    return classifier


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


def _pathway(network: nn.Module, cut: str, shape: tuple[int, int, int]) -> nn.Module:
    pathway = before(network, cut) if cut else network
    taken = next((module.in_channels for module in pathway.modules() if isinstance(module, nn.Conv2d)), shape[0])
    if taken == shape[0] or shape[0] != 1:
        return pathway if cut else nn.Sequential(pathway, nn.Flatten())
    return nn.Sequential(_InColour(taken), pathway) if cut else nn.Sequential(_InColour(taken), pathway, nn.Flatten())


def _answer(module: nn.Module, view: Tensor) -> Tensor:
    try:
        with looked_at(module):
            return module(view)
    except Exception as error:  # whatever a backbone raises
        raise BadInput(f"network.options.backbone fails on views of {tuple(view.shape)}: {error}") from error
