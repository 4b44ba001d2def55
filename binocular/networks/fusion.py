"""Where the eyes meet: a sum of the two pathways, or whatever a network does instead."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["all_pairs", "fuse", "fuse_all_pairs"]


def fuse(network: nn.Module, left: Tensor, right: Tensor) -> Tensor:
    """Return what the trunk of a network is given: ``network.fuse(left, right)`` where it declares it, else the sum.

    Parameters
    ----------
    network
        A two-eyed network.
    left, right
        Features of the two pathways, ``[batch, ...]``.
    """
    own = getattr(network, "fuse", None)
    return left + right if own is None else own(left, right)


def fuse_all_pairs(network: nn.Module, left: Tensor, right: Tensor) -> Tensor:
    """Fuse the features of every left view with those of every right view.

    Parameters
    ----------
    network
        A two-eyed network.
    left, right
        ``[n_left, ...]`` and ``[n_right, ...]``.

    Returns
    -------
    Tensor
        ``[n_left * n_right, ...]``, the right view running faster.
    """
    if getattr(network, "fuse", None) is None:
        return (left[:, None] + right[None]).flatten(0, 1)
    return fuse(network, *all_pairs(left, right))


def all_pairs(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat ``[n_left, ...]`` and ``[n_right, ...]`` to all pairs ``[n_left * n_right, ...]``.

    Parameters
    ----------
    left, right
        What is paired; the right one runs faster.
    """
    return left.repeat_interleave(len(right), dim=0), right.repeat(len(left), *[1] * (right.dim() - 1))
