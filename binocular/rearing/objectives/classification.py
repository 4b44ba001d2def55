"""Naming the class: supervised learning with the cross-entropy of the labels."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from binocular.rearing.batches import Batch
from binocular.rearing.objectives.base import Learner, Objective
from binocular.rearing.objectives.decoder import DECODER

__all__ = ["Classification"]


class Classification(Objective):
    """Mean cross-entropy of the class scores in nats.

    A network with several heads takes the head that is taught as ``network(views, head=batch.head)``; without that
    argument it answers with the head for both eyes. It says so by an attribute ``heads``.
    """

    idle = (DECODER,)
    written_out = "classification_gradients"

    def answer(self, learner: Learner, batch: Batch) -> Tensor:
        """Return class scores ``[batch, class]``."""
        if batch.head is None:
            return learner.network(batch.views)
        return learner.network(batch.views, head=batch.head)

    def judge(self, answer: object, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the mean cross-entropy in nats and the share of correct answers."""
        assert isinstance(answer, Tensor)
        loss = F.cross_entropy(answer, batch.labels)
        return loss, (answer.argmax(dim=1) == batch.labels).float().mean()
