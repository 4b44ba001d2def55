"""Networks whose units are known, for the oracles of the probes. Everything is on images of 8 x 8 pixels."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from binocular.protocols.deficits import deficit_from
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.gratings import Gratings
from binocular.stimuli.streams import stream

SHAPE = (1, 8, 8)


class Still(StimulusSet):
    """Noise images in four classes; the left eye's brightness tells one bit of the class, the right eye's the other."""

    kind, shape = "still", SHAPE
    class_names = ("a near", "a far", "b near", "b far")

    def __init__(self, n: int = 80, noise: float = 0.1) -> None:
        labels = torch.arange(n) % 4
        self.labels = {"train": labels, "test": labels}
        self.tasks = {}
        bits = torch.stack([labels // 2 * 2 - 1, labels % 2 * 2 - 1], 1).float()
        self._views = bits[:, :, None, None, None] + noise * torch.randn(n, 2, *SHAPE, generator=stream(0, "still"))

    def views(self, split, index, generator):
        return self._views[index]


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square()


class HandMade(nn.Module):
    """Unit k answers activation(left filter k . left eye + right filter k . right eye + offset k)."""

    def __init__(self, left: Tensor, right: Tensor, activation: nn.Module | None = None, n_classes: int = 4) -> None:
        super().__init__()
        self.left, self.right = (
            nn.Sequential(nn.Flatten(), nn.Linear(64, len(left), bias=False)),
            nn.Sequential(nn.Flatten(), nn.Linear(64, len(left), bias=False)),
        )
        self.trunk = nn.Sequential(activation or nn.Identity())
        self.head = nn.Linear(len(left), n_classes)
        with torch.no_grad():
            self.left[1].weight.copy_(left.flatten(1))
            self.right[1].weight.copy_(right.flatten(1))
            self.head.weight.copy_(torch.randn(self.head.weight.shape, generator=stream(0, "head")) / 4)
            self.head.bias.zero_()
        self.eval()

    def forward(self, views: Tensor) -> Tensor:
        return self.head(self.trunk(self.left(views[:, 0]) + self.right(views[:, 1])))


def swapped(network: HandMade) -> HandMade:
    """Return the network with its pathways exchanged."""
    other = copy.deepcopy(network)
    other.left, other.right = other.right, other.left
    return other


def grating(orientation: float, frequency: float, phase: float) -> Tensor:
    """Return one grating of unit norm, ``[8, 8]``."""
    shown = Gratings(orientations=(orientation,), frequencies=(frequency,), phases=(phase,), eyes=("both",))
    picture = shown.present(SHAPE).views[0, 0, 0]
    return picture / picture.norm()


def random_filters(units: int, seed: int = 0) -> Tensor:
    """Return filters ``[unit, 8, 8]``."""
    return torch.randn(units, 8, 8, generator=stream(seed, "filters"))


def apply(table: dict, views: Tensor, labels: Tensor, seed: int = 0, batch: int = 0) -> tuple[Tensor, Tensor]:
    """Return views and labels of one batch after a deficit."""
    return deficit_from(table)(views, labels, stream(seed, "test/deficit"), batch)
