"""The published experiment as one would write it down, to measure against: nothing here is used for rearing.

Samples are made one by one from images of 8 bits, as the released code of Kleinman, Achille & Soatto (2023) makes them:
the left view is moved and mirrored and the right view is not, both are scaled and blanked beyond their columns. The
network is in the default layout and in float32, all columns of the canvas are computed, and the optimiser is torch's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import MethodType

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from binocular.networks.blocks import PreActivationBlock

__all__ = ["PlainSamples", "as_usual", "plain_loader", "plain_step"]

_MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
_DEVIATION = torch.tensor([0.2023, 0.1994, 0.2010]).view(3, 1, 1)
_GREY = (125, 123, 113)


class PlainSamples(Dataset[tuple[Tensor, Tensor, int]]):
    """Two views and a class per sample, made when asked for from images ``[n, height, width, 3]`` uint8."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, visible: int) -> None:
        self._images, self._labels, self._visible = images, labels, visible

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        image = Image.fromarray(self._images[index])
        left, right = _scaled(_moved(image)), _scaled(image)
        left[:, :, self._visible :] = 0.0
        right[:, :, : -self._visible] = 0.0
        return left, right, int(self._labels[index])


def _moved(image: Image.Image, padding: int = 4) -> Image.Image:
    width, height = image.size
    framed = ImageOps.expand(image, padding, fill=_GREY)
    x, y = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
    cut = framed.crop((x, y, x + width, y + height))
    return ImageOps.mirror(cut) if random.random() < 0.5 else cut


def _scaled(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    return (pixels - _MEAN) / _DEVIATION


def plain_loader(
    images: np.ndarray, labels: np.ndarray, visible: int, batch_size: int, workers: int = 0
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield batches of left views, right views and labels without end.

    Parameters
    ----------
    images
        ``[image, height, width, channel]`` uint8.
    labels
        ``[image]``.
    visible
        Columns that each eye sees.
    batch_size
        Presentations of a batch.
    workers
        Processes that load.
    """
    loader = DataLoader(PlainSamples(images, labels, visible), batch_size, shuffle=True, num_workers=workers)
    while True:
        yield from loader


def as_usual(network: nn.Module) -> nn.Module:
    """Let the residual blocks of a network compute as one would write them; the weights stay as they are.

    The stride of a shortcut is left to its convolution.
    """
    for block in network.modules():
        if isinstance(block, PreActivationBlock):
            block.forward = MethodType(_forward, block)  # type: ignore[method-assign]
    return network


def _forward(block: PreActivationBlock, x: Tensor) -> Tensor:
    activated = torch.relu(block.norm1(x))
    carried = x if block.shortcut is None else block.shortcut(activated)
    return carried + block.conv2(torch.relu(block.norm2(block.conv1(activated))))


def plain_step(network: nn.Module) -> Callable[[Tensor, Tensor, Tensor], float]:
    """Return a function that takes one step of a network with torch's own optimiser and returns the loss."""
    optimiser = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    device = next(network.parameters()).device

    def step(left: Tensor, right: Tensor, labels: Tensor) -> float:
        views = torch.stack([left.to(device), right.to(device)], dim=1)
        loss = functional.cross_entropy(network(views), labels.to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step
