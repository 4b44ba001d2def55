"""The all-convolutional network whose pathways can be made deeper (Kleinman et al. 2023, experiment on depth)."""

from __future__ import annotations

from torch import Tensor, nn

from binocular.networks.base import TwoEyedNetwork, second_pathway

__all__ = ["AllConvolutional"]


class AllConvolutional(TwoEyedNetwork):
    """All-convolutional network with a chosen number of blocks in each pathway.

    Per eye a 3 x 3 convolution to ``w`` channels and ``blocks`` blocks, each a 3 x 3 convolution and one of stride 2
    that doubles the channels; after the sum a 3 x 3 and a 1 x 1 convolution, a 1 x 1 convolution to the classes and
    an average over the map. Normalisation and rectification follow every convolution but the last.

    In this family depth is not changed alone: a further block also halves the map at which the eyes meet and doubles
    its channels, so that the trunk becomes four times as large.

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`; 3 x 32 x 32 as published.
    blocks
        Blocks of each pathway, at least 1; 1, 2 and 3 as published.
    width
        Channels w of the first convolution, 96 as published; the representation has ``w * 2 ** blocks`` channels.
    eyes
        2, or 1 for a subject that has the left pathway only.
    """

    first_binocular = "trunk.0"
    seconds_per_presentation = 1.2e-2  # on an AMD EPYC with AVX-512, 26 November 2026, at width 8

    def __init__(
        self, shape: tuple[int, int, int], n_classes: int, blocks: int = 2, width: int = 96, eyes: int = 2
    ) -> None:
        super().__init__()
        if blocks < 1 or width < 1:
            raise ValueError(f"blocks and width must be at least 1, not {blocks} and {width}")
        least = 2**blocks
        if min(shape[1:]) < least:
            raise ValueError(
                f"{blocks} blocks need stimuli of at least {least} x {least} pixels, not {shape[1]} x {shape[2]}"
            )
        self.left = self._pathway(shape[0], blocks, width)
        self.right = second_pathway(eyes, self.left, shape, lambda: self._pathway(shape[0], blocks, width))
        channels = width * 2**blocks
        self.trunk = nn.Sequential(_Convolution(channels, channels, 3), _Convolution(channels, channels, 1))
        # The classes are averaged over the map after the last convolution, which is linear: the order does not matter.
        self.head = nn.Sequential(nn.Conv2d(channels, n_classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    @staticmethod
    def _pathway(channels: int, blocks: int, width: int) -> nn.Sequential:
        layers: list[nn.Module] = [_Convolution(channels, width, 3)]
        for block in range(blocks):
            here = width * 2**block
            layers += [_Convolution(here, here, 3), _Convolution(here, 2 * here, 3, stride=2)]
        return nn.Sequential(*layers)


class _Convolution(nn.Module):
    """A convolution without offset, normalisation and rectification; padded so that stride 1 keeps the size."""

    def __init__(self, channels_in: int, channels: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, channels_in, h, w]`` to ``[batch, channels, h / stride, w / stride]``."""
        return self.norm(self.conv(x)).relu()
