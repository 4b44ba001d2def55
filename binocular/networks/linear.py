"""A deep linear network for the ordinary engine: reared, probed and stored like any other subject."""

from __future__ import annotations

import itertools

from torch import nn

from binocular.networks.base import TwoEyedNetwork

__all__ = ["SplitLinear"]


class SplitLinear(TwoEyedNetwork):
    """Two deep linear pathways, their sum, and a linear trunk and head: nothing is rectified, normalised or offset.

    What it computes is linear in the stimulus, so that anything it shows of a critical period comes from the course of
    learning alone (Kleinman, Achille & Soatto 2024).

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`.
    width
        Units of each hidden layer.
    depth
        Matrices of each pathway, at least 1.
    trunk_depth
        Matrices between the sum and the representation; 0 for none, so that the head reads the sum itself.
    gain
        Scale of the initial matrices, which are random orthonormal ones times this.

    Attributes
    ----------
    first_binocular
        The first matrix behind the sum. It rectifies nothing; recording does, see `binocular.networks.sites`.
    """

    first_binocular = "trunk.0"

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_classes: int,
        width: int = 64,
        depth: int = 2,
        trunk_depth: int = 1,
        gain: float = 0.5,
    ) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            raise ValueError(f"width and depth must be at least 1, not {width} and {depth}")
        if trunk_depth < 0:
            raise ValueError(f"trunk_depth must be at least 0, not {trunk_depth}")
        if not gain > 0:
            raise ValueError(f"gain must be above 0, not {gain}")
        pixels = shape[0] * shape[1] * shape[2]
        sizes = [pixels] + [width] * depth
        self.left = nn.Sequential(nn.Flatten(), *_layers(sizes))
        self.right = nn.Sequential(nn.Flatten(), *_layers(sizes))
        self.trunk = nn.Sequential(*(_layers([width] * (trunk_depth + 1)) if trunk_depth else [nn.Identity()]))
        self.sites = tuple(f"trunk.{layer}" for layer in range(1, trunk_depth - 1))
        self.head = nn.Linear(width, n_classes, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.orthogonal_(module.weight, gain)


def _layers(sizes: list[int]) -> list[nn.Module]:
    return [nn.Linear(columns, rows, bias=False) for columns, rows in itertools.pairwise(sizes)]
