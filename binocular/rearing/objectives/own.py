"""Learning by an objective of a user's own, and trying it on a few presentations before anything is reared by it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from binocular.networks.base import HEADS
from binocular.protocols import Objective as ObjectiveSpec
from binocular.rearing.batches import Batch
from binocular.rearing.objectives.base import Learner, Objective, full
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput, finding
from binocular.stimuli.streams import global_stream, stream

__all__ = ["Own", "try_objective"]


class Own(Objective):
    """An objective whose description in the protocol says itself what is learned."""

    def __init__(self, spec: ObjectiveSpec) -> None:
        self.spec = spec
        self.idle = tuple(spec.idle)

    def prepare(self, batch: Batch, generator: torch.Generator, pictures: tuple[Tensor, int] | None = None) -> Batch:
        """Return the batch as the description changes it."""
        return self.spec.prepare(batch, generator)

    def answer(self, learner: Learner, batch: Batch) -> object:
        """Return what the description makes of a batch."""
        return self.spec.answer(learner, batch)

    def judge(self, answer: object, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return loss and share of correct classes by the description."""
        return self.spec.judge(answer, batch)


def try_objective(objective: ObjectiveSpec, network: nn.Module, stimulus: StimulusSet, where: str) -> None:
    """Let a network answer to a few presentations, and judge the answer.

    Parameters
    ----------
    objective, where
        Of a protocol, and how a message calls its field.
    network, stimulus
        On the CPU, not changed, and what it is reared with, or some of it.

    Raises
    ------
    BadInput
        If the objective fails, does not return two scalars, or its loss does not depend on the weights.
    """
    index = torch.arange(min(4, len(stimulus.labels["train"])))
    views, labels = stimulus.views("train", index, stream(0, "check")), stimulus.labels["train"][index]
    head = torch.full_like(labels, HEADS.index("both")) if hasattr(network, "heads") else None
    learner = Learner(copy.deepcopy(network).train())
    words = f"{where}: '{objective.kind}' fails on views of shape {tuple(views.shape)}"
    with finding(words), global_stream(0, "check"):
        batch = objective.prepare(Batch(views, labels, head), stream(0, "check"))
        loss, right = objective.judge(full(objective.answer(learner, batch)), batch)
    if not all(isinstance(part, Tensor) and part.shape == () for part in (loss, right)):
        raise BadInput(
            f"{where}: judge of '{objective.kind}' must return two tensors without dimensions, the loss and the share "
            "of correct answers"
        )
    if not loss.requires_grad:
        raise BadInput(f"{where}: the loss of '{objective.kind}' does not depend on the weights")
