"""The decoder of reconstruction: from the final representation's map back to what the eyes see."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from binocular.networks.base import looked_at
from binocular.networks.declared import has_pathways
from binocular.networks.fusion import fuse
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream

__all__ = ["DECODER", "Decoder", "build_decoder", "is_decoder"]

DECODER = "reconstruction"
"""First word of the names of the decoder's weights in a subject's state."""


class Decoder(nn.Module):
    """Deconvolutions that double the map until it covers what the eyes see, with half the channels each time.

    It is given the map alone: whatever it rebuilds has come through the trunk.

    Parameters
    ----------
    channels, height, width
        The map.
    shape
        (channels, height, width) of what one eye sees.
    """

    def __init__(self, channels: int, height: int, width: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self._shape = shape
        doublings = max(0, math.ceil(math.log2(max(shape[1] / height, shape[2] / width))))
        layers: list[nn.Module] = []
        for _ in range(doublings):
            fewer = max(channels // 2, 8)
            # Without normalisation the decoder learns so slowly that the trunk hardly hears from it; this kind has no
            # running averages.
            layers += [nn.ConvTranspose2d(channels, fewer, 4, 2, 1, bias=False), nn.GroupNorm(1, fewer), nn.ReLU()]
            channels = fewer
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 2 * shape[0], 3, 1, 1))

    def forward(self, representation: Tensor) -> Tensor:
        """Return both eyes' views ``[batch, eye, channel, height, width]`` from ``[batch, channel, height, width]``."""
        rebuilt = self.layers(representation)
        channels, height, width = self._shape
        # The doubled map covers the views; what it has beyond them is cut off evenly.
        top, left = (rebuilt.shape[-2] - height) // 2, (rebuilt.shape[-1] - width) // 2
        rebuilt = rebuilt[..., top : top + height, left : left + width]
        return rebuilt.unflatten(1, (2, channels))


def _representation_shape(network: nn.Module, shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the shape of a network's final representation for one presentation, on the CPU."""
    blank = torch.zeros(2, 2, *shape)
    with looked_at(network):
        left, right = network.left(blank[:, LEFT]), network.right(blank[:, RIGHT])  # type: ignore[operator]
        return tuple(network.trunk(fuse(network, left, right)).shape[1:])  # type: ignore[operator]


def build_decoder(network: nn.Module, shape: tuple[int, int, int], seed: int, kind: str = "the network") -> Decoder:
    """Build the decoder of one seed with its initial weights, on the CPU.

    Parameters
    ----------
    network, kind
        The two-eyed network, on the CPU, and how to call it in messages.
    shape
        (channels, height, width) of what one eye sees.
    seed
        Seed of the subject; the weights are the stream ``"decoder"``.

    Raises
    ------
    BadInput
        If the trunk's output is not a map, or a part of the network is called like the decoder.
    """
    if DECODER in dict(network.named_children()):
        raise BadInput(f"network.kind: {kind} has a part '{DECODER}', a name that rearing needs for the decoder")
    if not has_pathways(network):
        raise BadInput(
            f"network.kind: {kind} cannot reconstruct, because its forward is not head(trunk(fuse(left, right))); "
            "accepted is a network that declares left, right, trunk, head and, unless it is a sum, fuse"
        )
    represented = _representation_shape(network, shape)
    if len(represented) != 3:
        given = ", ".join(["batch", *(str(size) for size in represented)])
        raise BadInput(
            f"network.kind: {kind} cannot reconstruct, because its trunk gives ({given}); accepted is a network whose "
            "trunk gives a map [batch, channel, height, width]"
        )
    with global_stream(seed, "decoder"):
        return Decoder(*represented, shape)


def is_decoder(name: str) -> bool:
    """Whether a weight is the decoder's, by its name."""
    return name.split(".", 1)[0] == DECODER
