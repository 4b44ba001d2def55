"""Making subjects: building a network from its description and checking a user's own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from binocular.networks.fusion import fuse
from binocular.networks.options import check_options, make_network
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream

__all__ = ["NETWORKS", "build_network", "check_network", "network_class"]

NETWORKS: dict[str, str] = {
    "linear": "binocular.networks.linear:SplitLinear",
    "split-cnn": "binocular.networks.cnn:SplitCNN",
    "split-mlp": "binocular.networks.mlp:SplitMLP",
    "all-convolutional": "binocular.networks.all_convolutional:AllConvolutional",
    "split-resnet-18": "binocular.networks.resnet:SplitResNet18",
    "split-transformer": "binocular.networks.transformer:SplitTransformer",
}
"""Networks by kind; a new one is one class and one line here."""


_SUM = "left(views[:, 0]) + right(views[:, 1])"


def build_network(
    kind: str, options: Mapping[str, Any], shape: tuple[int, int, int], n_classes: int, seed: int
) -> nn.Module:
    """Build the network of one seed with its initial weights, on the processor.

    Parameters
    ----------
    kind
        A name in :data:`NETWORKS`, or ``"module:Class"`` for a user's own class.
    options
        Further arguments of the class, for example ``width``.
    shape, n_classes
        What one eye sees, and the number of classes; passed to the class first.
    seed
        Seed of the subject; the weights are the stream ``"weights"``.

    Raises
    ------
    BadInput
        If the kind is unknown, an option is not one of the class, or the network does not have the two-eyed shape.
    """
    cls = network_class(kind)
    check_options(kind, cls, options)
    with global_stream(seed, "weights"):
        network = make_network(kind, cls, shape, n_classes, options)
    complaints = check_network(network, shape, n_classes)
    if complaints:
        raise BadInput(f"network.kind: {kind} is not a two-eyed network: {'; '.join(complaints)}")
    return network


def network_class(kind: str) -> Any:
    """Return the class behind a kind of network, or raise `BadInput` if there is none."""
    if ":" not in kind:
        if kind not in NETWORKS:
            raise BadInput(
                f"network.kind: there is no network '{kind}'; accepted: {', '.join(NETWORKS)}, or module:Class"
            )
        kind = NETWORKS[kind]
    module_name, _, class_name = kind.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), class_name)):
        stem = Path(module_name.replace("\\", "/")).name.removesuffix(".py")
        raise BadInput(
            f"network.kind: {kind!r} is not of the form module:Class; accepted is a module's name without folder and "
            f"ending, such as {stem if stem.isidentifier() else 'my_networks'}:{class_name or 'Net'}, run in its folder"
        )
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise BadInput(f"network.kind: the module of {kind} cannot be imported: {error}") from error
    except AttributeError:
        raise BadInput(f"network.kind: the module {module_name} has no class '{class_name}'") from None


def check_network(network: nn.Module, shape: tuple[int, int, int], n_classes: int) -> list[str]:
    """Say what keeps a module from being reared here.

    Parameters
    ----------
    network
        Any module.
    shape, n_classes
        What one eye sees, and the number of classes.

    Returns
    -------
    list of str
        One sentence per complaint; empty where the network fits.
    """
    missing = [
        part for part in ("left", "right", "trunk", "head") if not isinstance(getattr(network, part, None), nn.Module)
    ]
    if missing:
        return [f"it has no module '{part}'" for part in missing]
    complaints = []
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not trainable:
        complaints.append("it has no weights that can change")
    if any(parameter.is_complex() or not parameter.is_floating_point() for parameter in trainable):
        complaints.append("its weights are not real floating-point numbers")
    was_training = network.training
    network.eval()
    views = torch.linspace(-1, 1, 2 * 2 * shape[0] * shape[1] * shape[2]).reshape(2, 2, *shape)
    try:
        with torch.no_grad():
            left, right = network.left(views[:, LEFT]), network.right(views[:, RIGHT])  # type: ignore[operator]
            if not hasattr(network, "fuse") and left.shape != right.shape:
                complaints.append(f"left gives {tuple(left.shape)} and right {tuple(right.shape)}; they must be equal")
            else:
                scores = network.head(network.trunk(fuse(network, left, right)))  # type: ignore[operator]
                if tuple(scores.shape) != (2, n_classes):
                    complaints.append(f"head gives {tuple(scores.shape)} for a batch of 2, not (2, {n_classes})")
                elif not torch.allclose(network(views), scores, atol=1e-5):
                    what = "fuse(left(views[:, 0]), right(views[:, 1]))" if hasattr(network, "fuse") else _SUM
                    complaints.append(f"its forward is not head(trunk({what}))")
    except Exception as error:  # whatever a user's module raises is a finding, not a crash
        complaints.append(f"views of shape {tuple(views.shape)} fail: {type(error).__name__}: {error}")
    network.train(was_training)
    return complaints
