"""The published network: a ResNet-18 whose first half is doubled, one for each eye (Kleinman et al. 2023)."""

from __future__ import annotations

from torch import Tensor, nn

from binocular.networks.base import TwoEyedNetwork, second_pathway
from binocular.networks.blocks import PreActivationBlock
from binocular.networks.seen_columns import run_pathway

__all__ = ["SplitResNet18"]


class SplitResNet18(TwoEyedNetwork):
    """Split-ResNet-18 of Kleinman, Achille & Soatto 2023.

    Per eye a 3 x 3 convolution, normalisation, rectification and the stages of ``w`` and ``2 w`` channels (up to and
    including conv3_x); after the sum the stages of ``4 w`` and ``8 w``, average pooling and a linear classifier. Blocks
    are pre-activated, two per stage, and there is no rectification after the last one, as in the released code.

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`; 3 x 32 x 32 as published.
    width
        Channels w of the first stage, 64 as published.
    eyes
        2, or 1 for a subject that has the left pathway only.
    heads
        ``"one"``, or ``"per-eye"`` for a classifier for each eye and one for both, as published for dissociated views.
    columns
        ``"all"`` computes the pathways for the whole canvas, ``"seen"`` only for the columns that differ between the
        presentations of a batch (see `binocular.networks.seen_columns`): the same in exact arithmetic, in less time for
        split views.

    Attributes
    ----------
    one_by_one
        Whether subjects cannot be stacked into one computation.
    fills_a_device
        One subject keeps a GPU busy, so that stacking subjects gains nothing.
    """

    first_binocular = "trunk.0.0.rectify1"
    sites = ("trunk.0.1.rectify1", "trunk.1.0.rectify1", "trunk.1.1.rectify1")
    fills_a_device = True

    seconds_per_presentation = 1.3e-2  # on an AMD EPYC with AVX-512, 26 November 2026, at width 8

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_classes: int,
        width: int = 64,
        eyes: int = 2,
        heads: str = "one",
        columns: str = "all",
    ) -> None:
        super().__init__()
        if min(shape[1:]) < 8:
            raise ValueError(f"split-resnet-18 needs stimuli of at least 8 x 8 pixels, not {shape[1]} x {shape[2]}")
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        if columns not in ("all", "seen"):
            raise ValueError(f'columns must be "all" or "seen", not {columns!r}')
        self.one_by_one = columns == "seen"
        kind = _SeenColumns if self.one_by_one else nn.Sequential
        self.left = self._pathway(shape[0], width, kind)
        self.right = second_pathway(eyes, self.left, shape, lambda: self._pathway(shape[0], width, kind))
        self.trunk = nn.Sequential(_stage(2 * width, 4 * width, 2), _stage(4 * width, 8 * width, 2))
        self.give_heads(
            heads, lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, n_classes))
        )

    @staticmethod
    def _pathway(channels: int, width: int, kind: type[nn.Sequential]) -> nn.Sequential:
        return kind(
            nn.Conv2d(channels, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            _stage(width, width, 1),
            _stage(width, 2 * width, 2),
        )


class _SeenColumns(nn.Sequential):
    """A pathway that is computed where its eye sees something; its weights have the names of a plain one."""

    def forward(self, input: Tensor) -> Tensor:  # the base class calls it so
        """Map ``[batch, channel, height, width]`` as the layers in sequence would."""
        return super().forward(input) if len(input) == 1 else run_pathway(self, input)


def _stage(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(PreActivationBlock(channels_in, channels, stride), PreActivationBlock(channels, channels))
