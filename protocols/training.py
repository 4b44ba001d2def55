"""How a subject learns, what it is made of, and when it is measured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .checked import Checked, Number, Whole

__all__ = ["AgeScale", "Clock", "NetworkSpec", "ProbePlan", "Training"]

Clock = Literal["absolute", "phase", "constant", "cyclic", "warm-restarts"]
Plain = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str
Option = Plain | list[Plain] | dict[str, Plain | list[Plain]]


class NetworkSpec(Checked):
    """Which network is reared, and its options."""

    newer: ClassVar = ("weights", "weights_into", "weights_partly")
    kind: str = Field(
        default="split-cnn",
        min_length=1,
        description="name of a network, or 'module:Class' of your own in Python's path",
    )
    options: dict[str, Option] = Field(
        default_factory=dict, description="options of the network, for example width = 12"
    )
    weights: str | None = Field(
        default=None,
        min_length=1,
        description="file of weights to begin with: a state dict of torch, or .safetensors; read as data only",
    )
    weights_into: tuple[str, ...] = Field(
        default=(), description="modules that get the weights, such as ['left', 'right']; the network where left out"
    )
    weights_partly: bool = Field(
        default=False, strict=True, description="take what fits where weights are missing or left over"
    )

    @classmethod
    def _hint(cls, key: str) -> str:
        return f"; did you mean 'options.{key}'?" if key not in ("knd", "type", "name") else "; did you mean 'kind'?"


class Training(Checked):
    """How weights change: the optimiser, its rate and its clock."""

    optimiser: Literal["sgd"] = Field(default="sgd", description="stochastic gradient descent with momentum")
    learning_rate: Annotated[Number, Field(gt=0)] = Field(
        default=0.05, description="learning rate at the zero of the clock"
    )
    learning_rate_decay: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=0.98, description="factor of the learning rate from one epoch to the next"
    )
    learning_rate_hold: Annotated[Whole, Field(ge=0)] = Field(
        default=0, description="epochs at the full learning rate before it begins to fall"
    )
    momentum: Annotated[Number, Field(ge=0, lt=1)] = Field(default=0.9, description="momentum of the optimiser")
    weight_decay: Annotated[Number, Field(ge=0)] = Field(default=5e-4, description="L2 decay of all weights")
    batch_size: Annotated[Whole, Field(ge=1)] = Field(default=100, description="presentations per step")
    clock: Clock = Field(
        default="absolute",
        description="what drives the rate: epochs of all rearing, of the phase, nothing (constant), cycles, or falls "
        "along a cosine that start anew (warm-restarts)",
    )
    cycle: Annotated[Whole, Field(ge=2)] = Field(
        default=10, description="epochs of a cycle of the clocks 'cyclic' and 'warm-restarts'"
    )
    cycle_floor: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=0.1, description="lowest rate of 'cyclic' and 'warm-restarts', as a share of the highest"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="arithmetic of the forward pass"
    )
    packing: Literal["auto", "loop", "stacked"] = Field(
        default="auto", description="subjects one by one ('loop') or as one vectorised computation ('stacked')"
    )
    evaluate_every: Annotated[Whole, Field(ge=1)] = Field(default=1, description="epochs between tests of accuracy")

    def rate(self, epoch: int, phase_start: int = 0, clock: Clock | None = None, initial: float | None = None) -> float:
        """Return the learning rate throughout one epoch.

        By the clock: ``"absolute"``: ``initial * decay ** epoch`` with epochs counted from the beginning of rearing, as
        in Kleinman, Achille & Soatto 2023; ``"phase"``: counted from the beginning of the phase; ``"constant"``:
        ``initial``; ``"cyclic"``: up from ``cycle_floor * initial`` to ``initial`` and down again along straight lines,
        over and over, in epochs of all rearing (the triangular policy of Smith 2017), so that the rate knows no age;
        ``"warm-restarts"``: down from ``initial`` to ``cycle_floor * initial`` along half a cosine and then anew from
        the top, over and over, counted from the beginning of the phase (Loshchilov & Hutter 2017).

        Parameters
        ----------
        epoch, phase_start
            Epoch of rearing, from 0, and that in which the phase began.
        clock, initial
            Of a phase that has its own.

        Examples
        --------
        The rate falls to one half per epoch; the phase began two epochs ago, at epoch 10.

        >>> halving = Training(learning_rate=0.8, learning_rate_decay=0.5)
        >>> [halving.rate(12, 10, clock) for clock in ("absolute", "phase", "constant")]
        [0.0001953125, 0.2, 0.8]
        >>> [halving.model_copy(update={"learning_rate_hold": 3}).rate(epoch) for epoch in range(5)]
        [0.8, 0.8, 0.8, 0.4, 0.2]
        """
        clock = self.clock if clock is None else clock
        initial = self.learning_rate if initial is None else initial
        cycle, floor, hold = self.cycle, self.cycle_floor, self.learning_rate_hold
        if clock == "constant":
            return initial
        if clock == "cyclic":
            height = 1 - abs(2 * (epoch % cycle) / cycle - 1)
            return initial * (floor + (1 - floor) * height)
        if clock == "warm-restarts":
            down = (epoch - phase_start) % cycle / cycle
            return initial * (floor + (1 - floor) * (1 + math.cos(math.pi * down)) / 2)
        age = epoch if clock == "absolute" else epoch - phase_start
        return initial * self.learning_rate_decay ** max(0, age - hold + (hold > 0))


class ProbePlan(Checked):
    """When and how the representation is probed; probes change nothing in the subject."""

    every: Annotated[Whole, Field(ge=1)] = Field(default=10, description="epochs between checkpoints")
    epochs: tuple[Annotated[Whole, Field(ge=0)], ...] = Field(
        default=(), description="further checkpoints, in epochs completed"
    )
    n_stimuli: Annotated[Whole, Field(ge=2)] = Field(
        default=48, description="stimuli per eye: the grid has n x n pairs"
    )
    bootstrap: Annotated[Whole, Field(ge=0)] = Field(
        default=100, description="resamplings for the standard error of RSV"
    )
    units: Literal["pooled", "map", "both", "cell"] = Field(
        default="pooled",
        description="what counts as a unit of the representation: a channel averaged over its map, a channel at each "
        "place, both of these, or a channel at a place near the centre of gaze",
    )
    sites: tuple[str, ...] = Field(
        default=(),
        description="where units are recorded: 'first_binocular', later areas by name, 'representation' (the last one "
        "before the classifier), or any module; a name may end in .cell, .pooled or .map. By default all areas that "
        "the network declares",
    )
    also: tuple[str, ...] = Field(
        default=(), description="further probes to take at every checkpoint and site, by name, such as 'odi'"
    )
    test_size: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None, description="test stimuli used for accuracy; all of them where it is left out"
    )
    normalisation: Literal["adapted", "as-reared"] = Field(
        default="adapted",
        description="running averages of batch normalisation while measuring: taken afresh from undisturbed stimuli, "
        "in a copy ('adapted'), or those left behind by rearing ('as-reared')",
    )

    def checkpoints(self, epochs: int, phase_ends: Iterable[int] = ()) -> tuple[int, ...]:
        """Return the checkpoints of a history, in epochs completed.

        Parameters
        ----------
        epochs
            Length of the history.
        phase_ends
            Epochs at which its phases end.

        Returns
        -------
        tuple of int
            Sorted, within 0 and ``epochs``: the untrained network (0), every ``every`` epochs, ``self.epochs``,
            the end of each phase and the end.
        """
        wanted = {0, epochs, *range(0, epochs + 1, self.every), *self.epochs, *phase_ends}
        return tuple(sorted(epoch for epoch in wanted if 0 <= epoch <= epochs))


class AgeScale(Checked):
    """A declared scale from age to epochs, so that phases can be written in weeks."""

    unit: Literal["day", "week", "month", "year"] = Field(default="week", description="unit of age")
    epochs_per_unit: Annotated[Number, Field(gt=0, le=1e6)] = Field(description="epochs of rearing per unit of age")
    start_age: Annotated[Number, Field(ge=0, le=1e6)] = Field(default=0.0, description="age at which rearing begins")
    reason: str = Field(default="", description="why this scale: what it is matched to")

    def age(self, epoch: float) -> float:
        """Return the age, in units of the scale, at which an epoch begins."""
        return self.start_age + epoch / self.epochs_per_unit

    def epoch(self, age: float) -> int:
        """Return the epoch that begins nearest to an age; a half is rounded up."""
        return int((age - self.start_age) * self.epochs_per_unit + 0.5)
