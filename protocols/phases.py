"""A stretch of rearing with fixed rules, and what those rules mean for each of its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from binocular.stimuli.user_code import code_of, is_shipped, reference_of

from .checked import METRIC_PATTERN, Checked, Fraction, Number, Whole
from .deficits import Deficit, deficit_from
from .objectives import CLASSIFICATION, Objective, objective_from
from .plasticity import Pull, ResetSilent, ShrinkPerturb
from .training import Clock, Training

__all__ = ["EpochConditions", "Phase", "Until", "unroll"]

AnyDeficit = Annotated[SerializeAsAny[Deficit], BeforeValidator(deficit_from)]
AnyObjective = Annotated[SerializeAsAny[Objective], BeforeValidator(objective_from)]
Part = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=500)]
MOST_EPOCHS = 100_000


class Until(Checked):
    """End a phase early, once a score is reached."""

    metric: Annotated[str, Field(pattern=METRIC_PATTERN)] = Field(
        description="a score of the history, such as test_accuracy, accuracy_treated_only or a task like stereopsis"
    )
    at_least: Fraction = Field(description="the score that ends the phase, from 0 to 1")

    def resolved(self, treated_eye: Literal["left", "right"]) -> Until:
        """Return the criterion with 'treated' and 'fellow' in the metric's name replaced by 'left' and 'right'."""
        fellow_eye = "left" if treated_eye == "right" else "right"
        metric = self.metric.replace("treated", treated_eye).replace("fellow", fellow_eye)
        return self.model_copy(update={"metric": metric})


class Phase(Checked):
    """A stretch of epochs in which the eyes' conditions and the rules of learning stay the same."""

    newer: ClassVar = ("objective", "head", "pull", "reset_silent")

    name: str = Field(default="", description="name of the phase; left out, it follows from the deficits")
    epochs: Annotated[Whole, Field(ge=0, le=MOST_EPOCHS)] = Field(
        description="epochs the phase lasts (the most it may last where 'until' is given)"
    )
    deficits: tuple[AnyDeficit, ...] = Field(
        default=(), description="what is done to the eyes, in order; none is normal vision"
    )
    clock: Clock | None = Field(
        default=None, description="clock of the learning rate; that of the training where left out"
    )
    learning_rate: Annotated[Number, Field(gt=0)] | None = Field(
        default=None,
        description="learning rate at the zero of the clock in this phase; that of the training where left out",
    )
    optimiser_state: Literal["carry", "reset"] = Field(
        default="carry", description="what happens to momentum at the start"
    )
    batch_norm: Literal["carry", "reset"] = Field(
        default="carry", description="what happens to running averages at the start"
    )
    until: Until | None = Field(
        default=None, description="end the phase before its last epoch, once a score is reached"
    )
    freeze: Part | tuple[Part, ...] | None = Field(
        default=None,
        description="part of the network, or several, whose weights do not change in this phase: 'treated', 'fellow', "
        "'left', 'right', 'trunk' or any of its modules by its dotted name",
    )
    shrink_perturb: ShrinkPerturb | None = Field(
        default=None, description="shrink and perturb all weights at the start"
    )
    pull: Pull | None = Field(default=None, description="draw the weights towards an earlier state")
    reset_silent: ResetSilent | None = Field(default=None, description="draw silent units afresh at the start")
    objective: AnyObjective = Field(
        default=CLASSIFICATION, description="what is learned; the class of each presentation where left out"
    )
    head: Literal["carry", "reset"] = Field(
        default="carry", description="what happens to the classifier at the start: kept, or drawn afresh"
    )

    @model_validator(mode="before")
    @classmethod
    def _name_by_deficits(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("name", "") != "":
            return data
        deficits = data.get("deficits") or ()
        kinds = [_kind(deficit) for deficit in deficits] if isinstance(deficits, list | tuple) else []
        return {**data, "name": " + ".join(dict.fromkeys(kinds)) or "normal"}

    def resolved(self, treated_eye: Literal["left", "right"]) -> Phase:
        """Return the phase with 'treated' and 'fellow' replaced by 'left' and 'right'."""
        other = "left" if treated_eye == "right" else "right"
        eyes = {"treated": treated_eye, "fellow": other}
        freeze = self.freeze
        if freeze is not None:
            freeze = eyes.get(freeze, freeze) if isinstance(freeze, str) else tuple(eyes.get(n, n) for n in freeze)
        deficits = tuple(deficit.resolved(treated_eye) for deficit in self.deficits)
        until = self.until.resolved(treated_eye) if self.until else None
        return self.model_copy(update={"freeze": freeze, "deficits": deficits, "until": until})

    def sentence(self) -> str:
        """Return what happens in the phase, as a sentence for people."""
        parts = [deficit.sentence() for deficit in self.deficits] or ["normal vision"]
        if self.objective.sentence():
            parts.append(self.objective.sentence())
        if self.head == "reset":
            parts.append("a fresh head at the start")
        for frozen in (self.freeze,) if isinstance(self.freeze, str) else self.freeze or ():
            pathway = frozen in ("treated", "fellow", "left", "right")
            parts.append(f"weights of the {frozen} {'pathway' if pathway else 'part'} frozen")
        if self.shrink_perturb:
            given = self.shrink_perturb
            parts.append(f"weights shrunk to {given.shrink:g} and perturbed by {given.perturb:g} at the start")
        if self.pull:
            parts.append(self.pull.sentence())
        if self.reset_silent:
            parts.append(f"units below {self.reset_silent.threshold:g} of the mean activity drawn afresh")
        if self.until:
            parts.append(f"until {self.until.metric} reaches {self.until.at_least:g}")
        return "; ".join(parts)

    def deficits_at(self, step: int) -> tuple[Deficit, ...]:
        """Return the deficits of one epoch of the phase, ramps replaced by that epoch's strength."""
        progress = step / (self.epochs - 1) if self.epochs > 1 else 0.0
        return tuple(deficit.at(progress) for deficit in self.deficits)


def _kind(deficit: Any) -> str:
    found = deficit.get("kind") if isinstance(deficit, dict) else getattr(deficit, "kind", "")
    return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class EpochConditions:
    """Everything that is decided about one epoch of one condition.

    Attributes
    ----------
    epoch
        Epoch of rearing, counted from 0. Where a phase ends early by ``until``, the epochs it did not use are skipped:
        the next phase keeps the number, the learning rate and the random streams it would have had.
    phase_index, phase_name
        The phase this epoch belongs to.
    phase_start
        True in the first epoch of a phase.
    phase_stop
        Epoch in which the next phase begins.
    deficits
        What is done to the eyes, with eyes and strengths settled.
    learning_rate
        Learning rate throughout the epoch, by clock and decay.
    optimiser_reset, batch_norm_reset
        Forget momentum, or the running averages of batch normalisation, before the epoch.
    freeze
        Module of the network, or several, whose weights stay, by dotted name, or None.
    shrink_perturb
        Applied to the weights before the epoch, or None.
    until
        The phase ends after the first epoch whose score reaches this, or None.
    objective
        What is learned.
    head_reset
        Draw the classifier afresh before the epoch.
    pull
        Towards which state the weights are drawn, or None; in the first epoch of a phase that state is settled.
    reset_silent
        Done before the epoch, or None.
    """

    epoch: int
    phase_index: int
    phase_name: str
    phase_start: bool
    phase_stop: int
    deficits: tuple[Deficit, ...]
    learning_rate: float
    optimiser_reset: bool = False
    batch_norm_reset: bool = False
    freeze: str | tuple[str, ...] | None = None
    shrink_perturb: ShrinkPerturb | None = None
    until: Until | None = None
    objective: Objective = CLASSIFICATION
    head_reset: bool = False
    pull: Pull | None = None
    reset_silent: ResetSilent | None = None

    def identity(self) -> dict[str, Any]:
        """Return what this epoch does to the weights, and nothing else.

        Returns
        -------
        dict
            Plain data for JSON. Names and numbers of phases are left out, so that histories written differently are
            reared once as long as they are the same. A phase that may end early keeps its last epoch in its identity,
            because that is where it leads to. The code of a user's deficit or objective is part of it.
        """
        identity: dict[str, Any] = {
            "deficits": [deficit.model_dump(mode="json", exclude_none=True) for deficit in self.deficits],
            "learning_rate": self.learning_rate,
        }
        for key in ("optimiser_reset", "batch_norm_reset", "freeze", "head_reset"):
            if getattr(self, key):
                identity[key] = getattr(self, key)
        if self.shrink_perturb is not None:
            identity["shrink_perturb"] = self.shrink_perturb.model_dump()
        if self.pull is not None:
            identity["pull"] = {**self.pull.model_dump(), "to": self.pull.to if self.phase_start else "kept"}
        if self.reset_silent is not None:
            identity["reset_silent"] = self.reset_silent.model_dump()
        if self.until is not None:
            identity["until"] = {**self.until.model_dump(), "stop": self.phase_stop}
        if self.objective != CLASSIFICATION:
            identity["objective"] = self.objective.model_dump(mode="json")
        if own := self.own_code():
            identity["code"] = {reference_of(cls): code_of(cls) for cls in own}
        return identity

    def own_code(self) -> set[type]:
        """Return the classes of a user's own that take part in this epoch."""
        return {cls for part in (*self.deficits, self.objective) if not is_shipped(cls := type(part))}


def unroll(phases: tuple[Phase, ...], training: Training) -> list[EpochConditions]:
    """Return the conditions of every epoch of a history.

    Parameters
    ----------
    phases
        The history, with eyes resolved to left and right.
    training
        Learning rate, decay and clock where a phase does not give its own.

    Returns
    -------
    list of EpochConditions
        One per epoch. A phase of 0 epochs leaves no trace, whatever it says.
    """
    history: list[EpochConditions] = []
    for index, phase in enumerate(phases):
        start = len(history)
        clock, initial = phase.clock or training.clock, phase.learning_rate or training.learning_rate
        for step in range(phase.epochs):
            first = step == 0
            # An untrained network has no momentum, running averages or classifier to forget.
            begins = first and start > 0
            history.append(
                EpochConditions(
                    epoch=start + step,
                    phase_index=index,
                    phase_name=phase.name,
                    phase_start=first,
                    phase_stop=start + phase.epochs,
                    deficits=phase.deficits_at(step),
                    learning_rate=training.rate(start + step, start, clock, initial),
                    optimiser_reset=begins and phase.optimiser_state == "reset",
                    batch_norm_reset=begins and phase.batch_norm == "reset",
                    freeze=phase.freeze,
                    shrink_perturb=phase.shrink_perturb if first else None,
                    until=phase.until,
                    objective=phase.objective,
                    head_reset=begins and phase.head == "reset",
                    pull=phase.pull,
                    reset_silent=phase.reset_silent if begins else None,
                )
            )
    return history
