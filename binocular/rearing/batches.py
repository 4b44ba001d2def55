"""What a subject is shown in one step, and one epoch of it: its order, its noise, its deficits, what is blanked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from binocular.networks.base import HEADS
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

if TYPE_CHECKING:
    from binocular.protocols import EpochConditions
    from binocular.rearing.objectives import Objective

__all__ = ["Batch", "Presenter"]

_BOTH = HEADS.index("both")


@dataclass(frozen=True)
class Batch:
    """The presentations of one step of one subject.

    Attributes
    ----------
    views
        What the eyes see, ``[batch, eye, channel, height, width]``, eye 0 = left.
    labels
        Class of each presentation, ``[batch]`` int64.
    head
        Which head is taught, ``[batch]`` int64, by position in `HEADS`; None where the network has one head.
    target
        What is to be rebuilt, shaped like ``views``; None where nothing is.
    blanked
        1 where a pixel is blanked in ``views`` and to be rebuilt, else 0, ``[batch, eye, 1, height, width]``; or None.
    """

    views: Tensor
    labels: Tensor
    head: Tensor | None = None
    target: Tensor | None = None
    blanked: Tensor | None = None

    def tensors(self) -> dict[str, Tensor]:
        """Return the parts that are there, by name; ``Batch(**tensors)`` is the batch again."""
        return {part.name: value for part in fields(self) if (value := getattr(self, part.name)) is not None}

    @staticmethod
    def stacked(batches: Sequence[Batch]) -> dict[str, Tensor]:
        """Return the parts of one batch per subject, stacked along a new first axis.

        Raises
        ------
        ValueError
            If some batches have a part that others lack: such subjects cannot take a step together.
        """
        parts = [batch.tensors() for batch in batches]
        if len({tuple(part) for part in parts}) > 1:
            raise ValueError("batches with different parts cannot be stacked")
        return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}


class Presenter:
    """One epoch of one subject, batch by batch.

    Parameters
    ----------
    stimulus, batch_size
        Its training split is presented, so much of it in a step.
    conditions
        What is done to the eyes in this epoch.
    objective
        What is learned; it may change the batch last, for example blank a part of it.
    seed, epoch
        Subject and epoch of rearing: with a purpose they name the streams of random numbers.
    device
        Where the stimuli live.
    several_heads
        Whether the network has a head per eye, so that each presentation needs to say which one it teaches.
    """

    def __init__(
        self,
        stimulus: StimulusSet,
        batch_size: int,
        conditions: EpochConditions,
        objective: Objective,
        seed: int,
        epoch: int,
        device: str,
        several_heads: bool = False,
    ) -> None:
        self._stimulus, self._conditions, self._objective = stimulus, conditions, objective
        self._several_heads = several_heads
        self._labels = stimulus.labels["train"]
        count = len(self._labels)
        self._size = min(batch_size, count)
        self.n_batches = count // self._size  # the odd rest of an epoch waits for another order
        self._order = torch.randperm(count, generator=stream(seed, "order", epoch)).to(device)
        self._noise = stream(seed, "stimulus", epoch, device)
        self._deficit = stream(seed, "deficit", epoch, device)
        self._seed, self._blanking = seed, stream(seed, "objective", epoch, device)
        self._before = epoch * self.n_batches

    def batch(self, number: int) -> Batch:
        """Return a batch as the subject gets it."""
        index = self._order[number * self._size : (number + 1) * self._size]
        views, labels = self._stimulus.views("train", index, self._noise), self._labels[index]
        head = torch.full_like(labels, _BOTH) if self._several_heads else None
        for deficit in self._conditions.deficits:
            if head is not None:  # a copy of the generator draws what the deficit is about to draw
                head = deficit.heads(head, self._deficit.clone_state())
            views, labels = deficit(views, labels, self._deficit, self._before + number)
        batch = Batch(views, labels, head)
        if self._objective.repeats:
            always = stream(self._seed, "objective/pictures", device=views.device)
            return self._objective.prepare(batch, always, (index, len(self._labels)))
        return self._objective.prepare(batch, self._blanking)
