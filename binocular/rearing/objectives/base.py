"""What every objective offers, and what it is given: a subject's network with whatever else learns beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

import torch
from torch import Tensor, nn

from binocular.rearing.batches import Batch
from binocular.rearing.objectives.decoder import DECODER, is_decoder

__all__ = ["Learner", "Objective", "full", "inner_name", "outer_name"]

T = TypeVar("T")


class Learner(nn.Module):
    """A subject while it learns: its network, and the decoder where some phase of its protocol reconstructs.

    The network's weights and buffers are called as in the network itself, those of the decoder begin with `DECODER`.
    """

    def __init__(self, network: nn.Module, decoder: nn.Module | None = None) -> None:
        super().__init__()
        self.network = network
        if decoder is not None:
            self.add_module(DECODER, decoder)

    def forward(self, objective: Objective, batch: Batch) -> object:
        """Return the answer to a batch under an objective."""
        return objective.answer(self, batch)

    def weights(self) -> dict[str, Tensor]:
        """Return everything that learns, by name."""
        return {outer_name(name): value for name, value in self.named_parameters()}

    def statistics(self) -> dict[str, Tensor]:
        """Return the buffers (running averages), by name."""
        return {outer_name(name): value for name, value in self.named_buffers()}


def outer_name(name: str) -> str:
    """Return how a weight of a `Learner` is called in a state."""
    return name.removeprefix("network.")


def inner_name(name: str) -> str:
    """Return how a weight of a state is called in a `Learner`."""
    return name if is_decoder(name) else f"network.{name}"


class Objective(ABC):
    """What is learned in a step. Objects are stateless and may be shared by all subjects."""

    idle: tuple[str, ...] = ()
    """Parts (first words of the weights' names) that this objective does not touch: no gradient, no decay."""

    written_out: str = ""
    """Method of a network that returns loss, share correct and gradients of this objective from views and labels."""

    repeats: bool = False
    """Whether it does the same to a picture at each presentation: ``prepare`` is told then which pictures these are."""

    def prepare(self, batch: Batch, generator: torch.Generator, pictures: tuple[Tensor, int] | None = None) -> Batch:
        """Return the batch as the subject gets it.

        Parameters
        ----------
        batch
            What the eyes see after all deficits.
        generator
            Of every random choice, on its device.
        pictures
            Where it `repeats`, which pictures of the training split these are, ``[batch]`` int64, and how many there
            are in all; the generator then begins the same at every call.
        """
        return batch

    @abstractmethod
    def answer(self, learner: Learner, batch: Batch) -> object:
        """Return what the subject makes of a batch: a tensor, or a dict of tensors.

        Called under autocast where rearing is in bfloat16, and under ``torch.func.vmap`` where subjects are stacked, so
        that nothing here may depend on the values of tensors.
        """

    @abstractmethod
    def judge(self, answer: object, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of an answer, and the share of correct classes (NaN where no class is named), as scalars.

        Called with answers in at least single precision, outside autocast.
        """


def full(answer: T) -> T:
    """Return an answer in at least single precision; a loss is never computed in halves."""
    if isinstance(answer, dict):
        return {name: full(value) for name, value in answer.items()}  # type: ignore[return-value]
    if isinstance(answer, Tensor) and answer.dtype in (torch.bfloat16, torch.float16):
        return answer.float()  # type: ignore[return-value]
    return answer
