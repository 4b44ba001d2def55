"""The convolutional network of the laboratory scale."""

from __future__ import annotations

from torch import nn

from binocular.networks.base import TwoEyedNetwork, second_pathway
from binocular.networks.blocks import PreActivationBlock

__all__ = ["SplitCNN"]


class SplitCNN(TwoEyedNetwork):
    """Small split convolutional network for the laboratory scale.

    Per eye a 5 x 5 convolution, normalisation, rectification and one block of stride 2; after the sum three blocks of
    ``2 w, 2 w (stride 2), 4 w (stride 2)`` channels and a rectification; average pooling and a linear classifier.

    Parameters
    ----------
    shape
        (channels, height, width) of what one eye sees; height and width at least 8 pixels.
    n_classes
        Number of classes.
    width
        Channels w of each pathway; the final representation has 4 w channels.
    eyes
        2, or 1 for a subject that has the left pathway only.
    heads
        ``"one"``, or ``"per-eye"`` for a classifier for each eye and one for both, see
        `binocular.networks.base.HeadPerEye`.
    """

    first_binocular = "trunk.0.rectify1"
    sites = ("trunk.1.rectify1", "trunk.2.rectify1")
    seconds_per_presentation = 4.0e-4  # on an AMD EPYC with AVX-512, 23 November 2026

    def __init__(
        self, shape: tuple[int, int, int], n_classes: int, width: int = 12, eyes: int = 2, heads: str = "one"
    ) -> None:
        super().__init__()
        if min(shape[1:]) < 8:
            raise ValueError(f"split-cnn needs stimuli of at least 8 x 8 pixels, not {shape[1]} x {shape[2]}")
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        self.left = self._pathway(shape[0], width)
        self.right = second_pathway(eyes, self.left, shape, lambda: self._pathway(shape[0], width))
        self.trunk = nn.Sequential(
            PreActivationBlock(width, 2 * width),
            PreActivationBlock(2 * width, 2 * width, stride=2),
            PreActivationBlock(2 * width, 4 * width, stride=2),
            nn.ReLU(),
        )
        self.give_heads(
            heads, lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, n_classes))
        )

    @staticmethod
    def _pathway(channels: int, width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, width, 5, 1, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            PreActivationBlock(width, width, stride=2),
        )
