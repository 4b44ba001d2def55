"""The residual block that several networks are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PreActivationBlock", "pointwise"]


class PreActivationBlock(nn.Module):
    """Residual block with normalisation and rectification before each convolution (He et al. 2016, Fig. 4e).

    The rectifications are modules, so that the cells behind them can be recorded from.
    """

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.rectify1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.rectify2 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        reshapes = channels_in != channels or stride != 1
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False) if reshapes else None

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, channels_in, h, w]`` to ``[batch, channels, h/stride, w/stride]``."""
        activated = self.rectify1(self.norm1(x))
        # As in the published network the shortcut of a reshaping block starts after the first rectification.
        carried = x if self.shortcut is None else pointwise(self.shortcut, activated)
        return carried + self.conv2(self.rectify2(self.norm2(self.conv1(activated))))


def pointwise(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a 1 x 1 convolution with the stride taken before, which computes the same.

    It is faster, and with a stride and fewer than 16 channels the gradient by the weights would write beyond its
    workspace (oneDNN issue 6035), which ends the process from 48 x 48 pixels on.

    Parameters
    ----------
    conv
        The convolution, without padding.
    x
        ``[batch, channel, height, width]``.
    """
    down, right = conv.stride
    return functional.conv2d(x[..., ::down, ::right], conv.weight, conv.bias)
