"""A cohort: subjects of equal shape reared in lockstep, each with its own data, order, deficits and learning rate.

Two packings compute the same thing. ``loop`` gives each subject its own module; on a CPU one thread per subject
is the fastest way to rear convolutional networks. ``stacked`` keeps all weights in stacked tensors and runs one
vectorised computation, which wins for fully connected networks and wherever launching work costs more than doing it.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from binocular.networks.declared import found_of
from binocular.networks.kernels import descend
from binocular.rearing.batches import Batch
from binocular.rearing.objectives import Classification, Learner, Objective
from binocular.rearing.objectives.base import full, inner_name, outer_name
from binocular.rearing.objectives.decoder import is_decoder
from binocular.rearing.pulling import ANCHOR, IMPORTANCE, pulled

__all__ = ["CLASSIFICATION", "Cohort", "LoopCohort", "StackedCohort", "State", "restored"]

CLASSIFICATION = Classification()

_Gradient = Callable[[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]], Any]

State = dict[str, Tensor]
"""Everything that decides how a subject goes on: ``weights/...``, ``buffers/...`` and ``momentum/...``.

Where it is drawn towards an earlier state, ``anchor/...`` and ``importance/...`` too (`binocular.rearing.pulling`).
"""


class Cohort(ABC):
    """Subjects reared in lockstep by stochastic gradient descent with momentum and weight decay.

    Parameters
    ----------
    networks
        One module per subject, of equal shape, on the device.
    momentum, weight_decay
        As in ``torch.optim.SGD`` without dampening.
    precision
        ``"float32"`` or ``"bfloat16"`` (weights stay float32, the forward pass runs under autocast).
    decoders
        One per subject where some phase reconstructs; else none.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        momentum: float,
        weight_decay: float,
        precision: str = "float32",
        decoders: Sequence[nn.Module] = (),
    ) -> None:
        learners = [Learner(*parts) for parts in zip(networks, decoders or [None] * len(networks), strict=True)]
        self.size = len(networks)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.precision = precision
        self.device = next(networks[0].parameters()).device
        self._frozen: list[tuple[str, ...]] = [()] * self.size
        self._fixed = tuple(name for name, weight in learners[0].weights().items() if not weight.requires_grad)
        self._anchors: list[State] = [{}] * self.size
        self._pulls: list[float] = [0.0] * self.size
        self._set_up(learners)

    @abstractmethod
    def _set_up(self, learners: list[Learner]) -> None:
        """Lay out the subjects' weights and momenta."""

    @abstractmethod
    def step(
        self, batches: Sequence[Batch], learning_rates: Sequence[float], objective: Objective = CLASSIFICATION
    ) -> Tensor:
        """Take one step for every subject; return ``[subject, 2]``: loss, and share correct before it (NaN: no class).

        Parameters
        ----------
        batches
            One per subject, all of equal length and with the same parts.
        learning_rates
            One per subject.
        objective
            What all of them learn in this step.
        """

    @abstractmethod
    def network(self, subject: int) -> nn.Module:
        """Return a subject's network in evaluation mode, for probes; its weights are the subject's present ones."""

    @abstractmethod
    def _parts(self, subject: int) -> dict[str, dict[str, Tensor]]:
        """Return a subject's tensors as they are kept, by the parts of a `State` and by name."""

    def state(self, subject: int) -> State:
        """Return a copy of a subject's state on the CPU."""
        parts = ((part, values.items()) for part, values in self._parts(subject).items())
        kept = {f"{part}/{name}": value for part, values in parts for name, value in values} | self._anchors[subject]
        return {name: value.detach().cpu().contiguous().clone() for name, value in kept.items()}

    @torch.no_grad()
    def load(self, subject: int, state: State) -> None:
        """Put a subject into a state; a decoder that the state knows nothing of stays as it is."""
        anchors = {name: value for name, value in state.items() if name.startswith((ANCHOR, IMPORTANCE))}
        self._anchors[subject] = {name: value.to(self.device) for name, value in anchors.items()}
        for part, values in self._parts(subject).items():
            for name, value in values.items():
                # A subject that has never reconstructed may come from a study in which nobody does.
                if not is_decoder(name) or f"{part}/{name}" in state:
                    value.copy_(state[f"{part}/{name}"])

    def freeze(self, subject: int, frozen: Sequence[str]) -> None:
        """Keep the weights of the named modules as they are from now on; others that were frozen go on changing."""
        self._frozen[subject] = tuple(frozen)

    def pull(self, subject: int, strength: float) -> None:
        """Draw a subject's weights towards the state that it holds on to (`binocular.rearing.pulling`) from now on."""
        self._pulls[subject] = strength

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def _is_frozen(name: str, frozen: Sequence[str]) -> bool:
    """Whether a weight lies in a frozen module, by its dotted name."""
    return any(name == part or name.startswith(f"{part}.") for part in frozen)


@torch.no_grad()
def restored(network: nn.Module, state: State) -> nn.Module:
    """Put the weights and running averages of a state into a network, and return it.

    Parameters
    ----------
    network
        It keeps what the state does not hold.
    state
        Of a subject; what is not the network's, as a decoder and momenta, is passed over.
    """
    named = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    for name, value in state.items():
        part, _, rest = name.partition("/")
        if part in ("weights", "buffers") and not is_decoder(rest):
            named[rest].copy_(value)
    return network


class LoopCohort(Cohort):
    """Each subject has its own module; the subjects take their steps one after the other."""

    def _set_up(self, learners: list[Learner]) -> None:
        # Channels-last is what the CPU's convolutions want: 0.85 of the time in float32, 0.6 in bfloat16.
        # A network whose forward asks for the order of the dimensions keeps it.
        self._learners = [
            learner if found_of(learner.network).contiguous else learner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for learner in learners
        ]
        self._weights = [learner.weights() for learner in self._learners]
        self._momenta = [{name: torch.zeros_like(w) for name, w in weights.items()} for weights in self._weights]
        self._moved: dict[tuple[int, tuple[str, ...]], tuple[list[str], list[Tensor], list[Tensor]]] = {}

    def step(
        self, batches: Sequence[Batch], learning_rates: Sequence[float], objective: Objective = CLASSIFICATION
    ) -> Tensor:
        """Take one step for every subject; see :meth:`Cohort.step`."""
        return torch.stack([self._step(i, batches[i], learning_rates[i], objective) for i in range(self.size)])

    def _step(self, subject: int, batch: Batch, learning_rate: float, objective: Objective) -> Tensor:
        learner = self._learners[subject]
        if not learner.network.training:  # a probe has looked at it
            learner.train()
        names, weights, momenta = self._moving(subject, (*self._fixed, *self._frozen[subject], *objective.idle))
        if gradients_of := self._written_out(learner, objective, batch):
            loss, right, every = gradients_of(batch.views, batch.labels)
            gradients = [every[name] for name in names]
        else:
            with self._autocast():
                answer = full(learner(objective, batch))
            loss, right = objective.judge(answer, batch)
            gradients = list(torch.autograd.grad(loss, weights, allow_unused=True))
        if any(gradient is None for gradient in gradients):  # of weights that this answer does not depend on
            reached = [place for place, gradient in enumerate(gradients) if gradient is not None]
            weights, gradients, momenta = ([part[place] for place in reached] for part in (weights, gradients, momenta))
            names = [names[place] for place in reached]
        if self._pulls[subject]:
            gradients = pulled(gradients, names, weights, self._anchors[subject], self._pulls[subject])
        descend(weights, gradients, momenta, learning_rate, self.momentum, self.weight_decay)
        return torch.stack([loss.detach(), right.detach()])

    def _moving(self, subject: int, still: tuple[str, ...]) -> tuple[list[str], list[Tensor], list[Tensor]]:
        """Return names, weights and momenta of what a step moves; looked up once."""
        if (subject, still) not in self._moved:
            weights, momenta = self._weights[subject], self._momenta[subject]
            names = [name for name in weights if not _is_frozen(name, still)]
            self._moved[subject, still] = (names, [weights[n] for n in names], [momenta[n] for n in names])
        return self._moved[subject, still]

    def _written_out(self, learner: Learner, objective: Objective, batch: Batch) -> Callable[..., Any] | None:
        """Return the gradients that the network brings itself for this step, if any; a subclass inherits none."""
        if objective.written_out in vars(type(learner.network)) and batch.head is None and self.precision == "float32":
            return getattr(learner.network, objective.written_out)
        return None

    def network(self, subject: int) -> nn.Module:
        """Return a subject's network; see :meth:`Cohort.network`."""
        return self._learners[subject].network.eval()

    def _parts(self, subject: int) -> dict[str, dict[str, Tensor]]:
        statistics = self._learners[subject].statistics()
        return {"weights": self._weights[subject], "buffers": statistics, "momentum": self._momenta[subject]}


class StackedCohort(Cohort):
    """All weights in stacked tensors, all subjects in one vectorised computation."""

    def _set_up(self, learners: list[Learner]) -> None:
        weights, buffers = stack_module_state(list(learners))  # type: ignore[arg-type]
        self._weights = {outer_name(name): value for name, value in weights.items()}
        self._buffers = {outer_name(name): value for name, value in buffers.items()}
        self._momenta = {name: torch.zeros_like(value) for name, value in self._weights.items()}
        self._template = copy.deepcopy(learners[0])
        self._shape = copy.deepcopy(self._template).to("meta").train()
        self._gradients: dict[Objective, _Gradient] = {}

    def _gradient(self, objective: Objective) -> _Gradient:
        """Return the vectorised gradient of an objective, made when it is first needed."""
        if objective not in self._gradients:

            def loss(weights: State, buffers: State, parts: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
                batch = Batch(**parts)
                values = {inner_name(name): value for name, value in (weights | buffers).items()}
                return objective.judge(full(functional_call(self._shape, values, (objective, batch))), batch)

            self._gradients[objective] = vmap(grad_and_value(loss, has_aux=True))
        return self._gradients[objective]

    def step(
        self, batches: Sequence[Batch], learning_rates: Sequence[float], objective: Objective = CLASSIFICATION
    ) -> Tensor:
        """Take one step for every subject; see :meth:`Cohort.step`."""
        with self._autocast():
            gradients, (loss, right) = self._gradient(objective)(self._weights, self._buffers, Batch.stacked(batches))
        for (rate, frozen), subjects in self._moving_alike(learning_rates).items():
            names = [name for name in self._weights if not _is_frozen(name, (*self._fixed, *frozen, *objective.idle))]
            weights, slopes, momenta = (
                self._of(subjects, [values[name] for name in names])
                for values in (self._weights, gradients, self._momenta)
            )
            descend(weights, slopes, momenta, rate, self.momentum, self.weight_decay)
        return torch.stack([loss.detach(), right], dim=1)

    def _of(self, subjects: Sequence[int], values: list[Tensor]) -> list[Tensor]:
        """Return the parts of stacked tensors that belong to some subjects, or the tensors where all are meant."""
        return values if len(subjects) == self.size else [value[subject] for subject in subjects for value in values]

    def _moving_alike(self, learning_rates: Sequence[float]) -> dict[tuple[float, tuple[str, ...]], list[int]]:
        """Group subjects by learning rate and frozen parts; nearly always there is one group."""
        groups: dict[tuple[float, tuple[str, ...]], list[int]] = {}
        for subject, kind in enumerate(zip(learning_rates, self._frozen, strict=True)):
            groups.setdefault(kind, []).append(subject)
        return groups

    @torch.no_grad()
    def network(self, subject: int) -> nn.Module:
        """Return a subject's network; see :meth:`Cohort.network`."""
        for name, value in self._template.weights().items():
            value.copy_(self._weights[name][subject])
        for name, value in self._template.statistics().items():
            value.copy_(self._buffers[name][subject])
        return self._template.network.eval()

    def _parts(self, subject: int) -> dict[str, dict[str, Tensor]]:
        parts = {"weights": self._weights, "buffers": self._buffers, "momentum": self._momenta}
        return {part: {name: value[subject] for name, value in values.items()} for part, values in parts.items()}
