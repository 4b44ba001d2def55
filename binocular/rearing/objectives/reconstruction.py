"""Rebuilding what is hidden from the eyes, from what the trunk makes of the rest."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor

from binocular.networks.fusion import fuse
from binocular.protocols.objectives import Reconstruction as ReconstructionSpec
from binocular.rearing.batches import Batch
from binocular.rearing.objectives.base import Learner, Objective
from binocular.rearing.objectives.decoder import DECODER
from binocular.stimuli.base import LEFT, RIGHT

__all__ = ["Reconstruction", "blank_patches"]


def blank_patches(
    size: tuple[int, int, int, int],
    patch: int,
    share: float,
    generator: torch.Generator,
    pictures: tuple[Tensor, int] | None = None,
) -> Tensor:
    """Draw which pixels are blanked.

    Parameters
    ----------
    size
        (batch, eyes, height, width).
    patch
        Side of a patch in pixels; patches begin in the upper left corner, and those at the other end may be cut off.
    share
        Share of each eye's patches, rounded to whole patches, at least one.
    generator
        Source of the choice, on the device of the stimuli.
    pictures
        Draw for each picture and not for each presentation: which ones these are, ``[batch]`` int64, and of how many.

    Returns
    -------
    Tensor
        ``[batch, eye, 1, height, width]`` float32: 1 where blanked, else 0. Eyes and presentations independently.
    """
    batch, eyes, height, width = size
    rows, columns = -(-height // patch), -(-width // patch)
    index, of = (slice(None), batch) if pictures is None else pictures
    lot = torch.rand(of, eyes, rows * columns, generator=generator, device=generator.device)[index]
    count = max(1, round(share * rows * columns))
    chosen = (lot.argsort(dim=2).argsort(dim=2) < count).float().view(batch, eyes, 1, rows, columns)
    pixels = chosen.repeat_interleave(patch, dim=3).repeat_interleave(patch, dim=4)
    return pixels[..., :height, :width]


class Reconstruction(Objective):
    """Mean squared error of the blanked pixels of both eyes, as the decoder rebuilds them from the representation.

    The error is in squared units of the stimuli, whose textures have unit variance: 1 is what a constant grey scores on
    a texture without noise. With ``labels`` above 0 the cross-entropy of the labels, given the blanked views, is added
    with that weight. With ``rebuild`` 0 it stands alone, and the decoder is left as it is.
    """

    def __init__(self, spec: ReconstructionSpec) -> None:
        self._patch, self._share, self._labels, self._rebuild = spec.patch, spec.share, spec.labels, spec.rebuild
        self.repeats = not spec.fresh
        self.idle = (() if spec.labels else ("head",)) + (() if spec.rebuild else (DECODER,))

    def prepare(self, batch: Batch, generator: torch.Generator, pictures: tuple[Tensor, int] | None = None) -> Batch:
        """Blank patches, and keep what was there as the target."""
        views = batch.views
        shape = (views.shape[0], views.shape[1], views.shape[3], views.shape[4])
        blanked = blank_patches(shape, self._patch, self._share, generator, pictures)
        return dataclasses.replace(batch, views=views * (1 - blanked), target=views, blanked=blanked)

    def answer(self, learner: Learner, batch: Batch) -> dict[str, Tensor]:
        """Return the rebuilt views ``[batch, eye, channel, height, width]``, and class scores if labels are taught."""
        network = learner.network
        left, right = network.left(batch.views[:, LEFT]), network.right(batch.views[:, RIGHT])  # type: ignore[operator]
        representation = network.trunk(fuse(network, left, right))  # type: ignore[operator]
        answer = {}
        if self._rebuild:
            answer["rebuilt"] = learner.get_submodule(DECODER)(representation)
        if self._labels:
            answer["scores"] = network.head(representation)  # type: ignore[operator]
        return answer

    def judge(self, answer: object, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss, and the share of correct classes or NaN where labels are not taught."""
        assert isinstance(answer, dict) and batch.target is not None and batch.blanked is not None
        losses = []
        if self._rebuild:
            error = ((answer["rebuilt"] - batch.target).square() * batch.blanked).sum()
            losses.append(error / (batch.blanked.sum() * batch.target.shape[2]))
            if self._rebuild != 1:
                losses[0] = self._rebuild * losses[0]
        if not self._labels:
            return losses[0], torch.full_like(losses[0].detach(), torch.nan)
        scores = answer["scores"]
        losses.append(self._labels * F.cross_entropy(scores, batch.labels))
        return sum(losses[1:], losses[0]), (scores.argmax(dim=1) == batch.labels).float().mean()
