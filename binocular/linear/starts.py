"""Initial weights of deep linear networks, from named streams of random numbers, one per seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from binocular.stimuli.streams import stream

__all__ = ["aligned_start", "gaussian_start", "orthonormal"]

_STREAM = "linear weights"


def orthonormal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Return a random matrix ``[rows, columns]`` with orthonormal columns, in float64.

    Parameters
    ----------
    rows, columns
        No more columns than rows.
    generator
        From which it is drawn.
    """
    if columns > rows:
        raise ValueError(f"{rows} rows cannot hold {columns} orthonormal columns")
    q, r = torch.linalg.qr(torch.randn(rows, columns, dtype=torch.float64, generator=generator))
    # The signs of the diagonal of r make the distribution uniform and the result unique.
    return q * torch.sign(torch.diagonal(r))


def aligned_start(strengths: Tensor, outputs: Tensor, inputs: Tensor, width: int, seeds: Sequence[int]) -> list[Tensor]:
    """Return matrices whose products have given modes: nothing of one mode leaks into another, ever.

    Layer l is ``R[l] diag(strengths[l]) R[l-1]^T`` with random orthonormal R between the layers, so that gradient
    descent on a target with these modes moves the strengths alone (Saxe, McClelland & Ganguli 2014). Equal strengths in
    all layers are the balanced start.

    Parameters
    ----------
    strengths
        Of each mode in each layer, ``[network, pathway, layer, mode]``.
    outputs, inputs
        The modes at both ends, orthonormal columns ``[out, mode]`` and ``[in, mode]``.
    width
        Units of every hidden layer, at least as many as there are modes.
    seeds
        One per network; the pathways of a network get bases of their own.

    Returns
    -------
    list of Tensor
        Matrices from the input to the output, each ``[network, pathway, rows, columns]``, float64.
    """
    networks, pathways, depth, modes = strengths.shape
    if len(seeds) != networks:
        raise ValueError(f"{len(seeds)} seeds for {networks} networks")
    layers: list[list[Tensor]] = [[] for _ in range(depth)]
    for network, seed in enumerate(seeds):
        generator = stream(seed, _STREAM)
        for pathway in range(pathways):
            below = inputs.double()
            for layer in range(depth):
                above = outputs.double() if layer == depth - 1 else orthonormal(width, modes, generator)
                layers[layer].append((above * strengths[network, pathway, layer].double()) @ below.mT)
                below = above
    return [torch.stack(matrices).unflatten(0, (networks, pathways)) for matrices in layers]


def gaussian_start(sizes: Sequence[int], pathways: int, spread: float, seeds: Sequence[int]) -> list[Tensor]:
    """Return matrices of independent normal entries.

    Parameters
    ----------
    sizes
        Units from the input over the hidden layers to the output.
    pathways
        Number of pathways, all of the same sizes.
    spread
        Standard deviation of the entries of every matrix.
    seeds
        One per network.

    Returns
    -------
    list of Tensor
        As from `aligned_start`.
    """
    layers: list[list[Tensor]] = [[] for _ in sizes[1:]]
    for seed in seeds:
        generator = stream(seed, _STREAM)
        for matrices, columns, rows in zip(layers, sizes, sizes[1:], strict=False):
            drawn = torch.randn(pathways, rows, columns, dtype=torch.float64, generator=generator)
            matrices.append(spread * drawn)
    return [torch.stack(matrices) for matrices in layers]
