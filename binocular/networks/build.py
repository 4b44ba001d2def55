"""Making subjects: building a network from its description, with its initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from binocular.networks.base import looked_at
from binocular.networks.checking import check_network
from binocular.networks.declared import settle, show_views
from binocular.networks.options import check_options, make_network
from binocular.networks.sites import FIRST_BINOCULAR
from binocular.networks.weights import load_weights
from binocular.stimuli.errors import BadInput
from binocular.stimuli.kinds import Kinds
from binocular.stimuli.streams import global_stream
from binocular.stimuli.surroundings import own_settings
from binocular.stimuli.user_code import is_shipped

if TYPE_CHECKING:
    from binocular.protocols import NetworkSpec

__all__ = ["NETWORKS", "build_network", "check_network", "network_class", "network_of"]

_SHIPPED = {
    "linear": "binocular.networks.linear:SplitLinear",
    "split-cnn": "binocular.networks.cnn:SplitCNN",
    "split-mlp": "binocular.networks.mlp:SplitMLP",
    "all-convolutional": "binocular.networks.all_convolutional:AllConvolutional",
    "split-resnet-18": "binocular.networks.resnet:SplitResNet18",
    "split-transformer": "binocular.networks.transformer:SplitTransformer",
    "two-stream": "binocular.networks.two_stream:TwoStream",
}
NETWORKS = Kinds("networks", _SHIPPED, nn.Module, makers=True)
"""Networks by kind; a new one is one class and one line here."""


@own_settings()
def build_network(
    kind: str, options: Mapping[str, Any], shape: tuple[int, int, int], n_classes: int, seed: int
) -> nn.Module:
    """Build the network of one seed with its initial weights, on the CPU.

    Parameters
    ----------
    kind
        A name in :data:`NETWORKS`, or ``"module:Class"`` for a user's own class.
    options
        Further arguments of the class, for example ``width``.
    shape, n_classes
        What one eye sees, and the number of classes; passed to the class first.
    seed
        Seed of the subject; the weights are the stream ``"weights"``, those of lazy layers too.

    Raises
    ------
    BadInput
        If the kind is unknown or not allowed (see `binocular.stimuli.user_code`), an option is not one of the class, or
        the network does not have the two-eyed shape.
    """
    cls = network_class(kind)
    check_options(kind, cls, options)
    with global_stream(seed, "weights"):
        network = make_network(kind, cls, shape, n_classes, options)
        if not isinstance(network, nn.Module):
            raise BadInput(f"network.kind: {kind} makes a {type(network).__name__}; accepted is a torch.nn.Module")
        show_views(network)
        _make_concrete(network, shape)
    complaints = check_network(network, shape, n_classes)
    if complaints:
        raise BadInput(f"network.kind: {kind} is not a two-eyed network: {'; '.join(complaints)}")
    if not (is_shipped(type(network)) and isinstance(getattr(network, FIRST_BINOCULAR, None), str)):
        settle(network, shape)
    return network


def network_of(
    spec: NetworkSpec, shape: tuple[int, int, int], n_classes: int, seed: int, weights: bool = True
) -> nn.Module:
    """Build the network that a protocol asks for.

    Parameters
    ----------
    spec
        Its kind, options, and the weights that it brings.
    shape, n_classes, seed
        As for `build_network`.
    weights
        False for initial weights drawn from the seed alone.

    Raises
    ------
    BadInput
        As `build_network`, or if the weights do not fit.
    """
    network = build_network(spec.kind, spec.options, shape, n_classes, seed)
    if weights and spec.weights is not None:
        load_weights(network, spec.weights, spec.weights_into, spec.weights_partly)
    return network


def _make_concrete(network: nn.Module, shape: tuple[int, int, int]) -> None:
    """Let lazy layers take their shapes and draw their weights, by one look that moves no running average."""
    parts = [*network.parameters(), *network.buffers()]
    if not any(is_lazy(part) for part in parts):
        return
    with suppress(Exception), looked_at(network):  # what does not fit is said by check_network
        network(torch.zeros(2, 2, *shape))


def network_class(kind: str) -> Any:
    """Return the class behind a kind of network.

    Raises
    ------
    BadInput
        If the kind is unknown, or names a user's class that nobody has allowed.
    """
    return NETWORKS.named(kind, "network.kind")
