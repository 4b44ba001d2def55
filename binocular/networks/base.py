"""What the networks shipped here have in common: two pathways, a fusion by addition, a trunk and a head.

A network is a plain module with ``left``, ``right``, ``trunk`` and ``head``; what it computes is
``head(trunk(left(views[:, 0]) + right(views[:, 1])))``. The trunk's output is the final representation. A network may
declare where it can be recorded from, see `binocular.networks.sites`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["HEADS", "HeadPerEye", "TwoEyedNetwork", "Unseeing", "looked_at", "second_pathway"]

HEADS = ("left", "right", "both")
"""Names of the heads of a network that has one per eye and one for both, in order."""


@contextmanager
def looked_at(network: nn.Module) -> Iterator[None]:
    """Let a network answer within without gradients and in evaluation mode, so that no running average moves."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


class TwoEyedNetwork(nn.Module):
    """Base of the networks shipped here; a user's own module needs the same four parts but not this base.

    Attributes
    ----------
    left, right
        Pathways: what one eye sees, ``[batch, channel, height, width]``, to features of equal shape.
    trunk
        Sequence of stages from the summed features to the final representation.
    head
        Classifier on the final representation, to ``[batch, class]``.
    heads
        Only where there is a head per eye (`give_heads`): the names of the heads that ``head`` chooses from.
    first_binocular
        Dotted name of the module whose output is the first cell that hears both eyes: the first rectification behind
        the sum of the pathways, where the network has one.
    sites
        Dotted names of the later areas, in order, without the representation, which is the trunk's output.
    seconds_per_presentation
        For an estimate before rearing, where it was measured: seconds of one core per presentation in float32, tests
        and probes included, with the default options at 16 x 16 pixels.
    """

    left: nn.Module
    right: nn.Module
    trunk: nn.Sequential
    head: nn.Module
    first_binocular: str
    sites: Sequence[str] = ()
    seconds_per_presentation: float | None = None

    def give_heads(self, heads: str, make: Callable[[], nn.Module]) -> None:
        """Set the head.

        Parameters
        ----------
        heads
            ``"one"`` for one classifier, ``"per-eye"`` for one for each eye and one for both (see `HeadPerEye`).
        make
            Makes a classifier.

        Raises
        ------
        ValueError
            For anything else.
        """
        if heads not in ("one", "per-eye"):
            raise ValueError(f"heads must be 'one' or 'per-eye', not {heads!r}")
        if heads == "per-eye":
            self.heads = HEADS
            self.head = HeadPerEye(make)
        else:
            self.head = make()

    def forward(self, views: Tensor, head: Tensor | None = None) -> Tensor:
        """Classify views ``[batch, eye, channel, height, width]`` into ``[batch, class]`` scores.

        Parameters
        ----------
        views
            What the eyes see.
        head
            With a head per eye, which one answers each presentation, ``[batch]`` int64 by position in ``heads``; None
            for the head of both eyes.
        """
        representation = self.trunk(self.left(views[:, 0]) + self.right(views[:, 1]))
        return self.head(representation) if head is None else self.head(representation, head)


class HeadPerEye(nn.Module):
    """A classifier for what each eye sees and one for both, on the same final representation.

    During a dissociation each presentation teaches the head of one eye; the head of both eyes is taught at all other
    times and answers in every test (Kleinman et al. 2023, section 4). The released code draws one head for a batch;
    which presentation teaches which head is decided by the deficit, see `binocular.protocols.deficits.Dissociation`.

    Parameters
    ----------
    make
        Makes a classifier from the final representation to ``[batch, class]``.
    """

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        # The head of both eyes first: its initial weights are then those of a network with one head.
        self.both = make()
        self.left = make()
        self.right = make()

    def forward(self, representation: Tensor, head: Tensor | None = None) -> Tensor:
        """Return scores ``[batch, class]`` of the heads chosen, ``[batch]`` int64; None chooses that of both eyes."""
        if head is None:
            return self.both(representation)
        scores = torch.stack([getattr(self, name)(representation) for name in HEADS], dim=1)
        return scores.gather(1, head[:, None, None].expand(-1, 1, scores.shape[2]))[:, 0]


class Unseeing(nn.Module):
    """Pathway of an eye that is not there: its features are zero, whatever the view.

    Parameters
    ----------
    features
        Shape of what the other pathway gives for one view, ``(channel, height, width)``.
    """

    def __init__(self, features: tuple[int, ...]) -> None:
        super().__init__()
        self.features = features

    def forward(self, view: Tensor) -> Tensor:
        """Map ``[batch, ...]`` to zeros ``[batch, channel, height, width]``."""
        return view.new_zeros((len(view), *self.features))


def second_pathway(eyes: int, left: nn.Module, shape: tuple[int, int, int], make: Callable[[], nn.Module]) -> nn.Module:
    """Return the right pathway of a network with one or two eyes.

    Parameters
    ----------
    eyes
        2 for a pathway like the left one, 1 for none: the subject then sees with the left eye only, as the networks
        that Kleinman et al. started from (Achille, Rovere & Soatto 2019), and still fits wherever two eyes do.
    left
        The left pathway.
    shape
        (channels, height, width) of what one eye sees.
    make
        Makes a pathway.

    Raises
    ------
    ValueError
        If ``eyes`` is neither 1 nor 2.
    """
    if eyes == 2:
        return make()
    if eyes != 1:
        raise ValueError(f"eyes must be 1 or 2, not {eyes}")
    with looked_at(left):
        return Unseeing(tuple(left(torch.zeros(1, *shape)).shape[1:]))
