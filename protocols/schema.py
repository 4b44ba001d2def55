"""A protocol: a list of histories, what is reared through them, and how it is measured."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from binocular.stimuli.base import StimulusConfig

from .checked import NAME_PATTERN, Checked, complain, model_of_kind, unknown_key
from .phases import EpochConditions, Phase, unroll
from .plasticity import Pull
from .training import AgeScale, NetworkSpec, ProbePlan, Training

__all__ = ["Condition", "Protocol", "ResolvedCondition", "Stretch", "texts_in"]

LARGEST_SEED = 2**63 - 1  # what a file can hold
Value = bool | int | Annotated[float, Field(allow_inf_nan=False)] | str

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What a file of results cannot hold, or a terminal would obey."""


def texts_in(data: Any, where: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every text of nested tables and lists, names of keys too, with its path.

    Parameters
    ----------
    data, where
        Tables, lists and values; the path that leads to them.
    """
    if isinstance(data, str):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*where, key), str(key)
            yield from texts_in(value, (*where, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from texts_in(value, (*where, index))


def _stimulus(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    from binocular.stimuli.registry import STIMULI, stimulus_config

    model = model_of_kind(STIMULI, value, '{ kind = "stereo-scenes", n_train = 1000 }')
    known = model.model_fields
    for key in value:
        if key not in known and key not in model.former_names:
            raise complain("Stimulus", (key,), unknown_key(key, known), value[key])
    config = stimulus_config(value)
    for key, given in value.items():
        # The stimuli read "0.5" as a number; here, text in quotation marks is text.
        if isinstance(given, str | bool) and key in known and type(getattr(config, key)) is not type(given):
            raise complain("Stimulus", (key,), f"is {given!r}, but must be {getattr(config, key)!r} or the like", given)
    return config


def _seeds(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and 1 <= value <= 100_000:
        return value
    if isinstance(value, list | tuple) and value and all(type(seed) is int for seed in value):
        for index, seed in enumerate(value):
            if not 0 <= seed <= LARGEST_SEED:
                raise complain("Protocol", (index,), f"is {seed}, but must be from 0 to {LARGEST_SEED}", seed)
        if len(set(value)) < len(value):
            raise complain("Protocol", (), f"is {list(value)!r}, but no seed may be given twice", value)
        return tuple(value)
    raise complain(
        "Protocol",
        (),
        f"is {value!r}, but must be the number of subjects of a condition (1 to 100000) or a list such as [0, 1, 2]",
        value,
    )


class Condition(Checked):
    """One history: a name and its phases."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=80)] = Field(
        description="name of the condition, in lower-case letters, digits, '.', '_' and '-'"
    )
    label: str = Field(default="", description="name for people, used in tables and figures")
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] = Field(description="the phases, in order")
    values: dict[str, Value] = Field(default_factory=dict, description="swept values that led to this condition")

    @property
    def epochs(self) -> int:
        """Epochs of the whole history."""
        return sum(phase.epochs for phase in self.phases)

    @model_validator(mode="after")
    def _check_length(self) -> Condition:
        if self.epochs < 1:
            raise complain("Condition", ("phases",), "last 0 epochs in all, but must last at least 1", None)
        held: Pull | None = None
        for index, phase in enumerate(self.phases):
            pull, where = phase.pull, ("phases", index, "pull")
            if pull is not None and pull.to == "kept":
                if held is None:
                    what = "is 'kept', but must be 'initial' or 'start' where the phase before has no pull"
                    raise complain("Condition", (*where, "to"), what, "kept")
                if pull.importance != held.importance:
                    what = f"is '{pull.importance}', but must be '{held.importance}' as in the phase before"
                    raise complain("Condition", (*where, "importance"), what, pull.importance)
            held = pull if phase.epochs else held
        return self


@dataclass(frozen=True)
class Stretch:
    """One phase on a time line.

    Attributes
    ----------
    start, stop
        Epochs, half open.
    phase
        Name of the phase.
    sentence
        What happens in it, for people.
    rate_start, rate_stop
        Learning rate in the first and in the last epoch.
    deficits
        What is done to the eyes in the first epoch, as plain data.
    objective
        What is learned, as plain data.
    age_start, age_stop
        The same interval in age, where the protocol declares a scale.
    """

    start: int
    stop: int
    phase: str
    sentence: str
    rate_start: float
    rate_stop: float
    deficits: tuple[dict[str, Any], ...] = ()
    objective: dict[str, Any] = field(default_factory=lambda: {"kind": "classification"})
    age_start: float | None = None
    age_stop: float | None = None


class ResolvedCondition(Condition):
    """A condition whose eyes are settled, together with the rules of its training."""

    training: Training = Field(description="learning rate, decay and clock")

    def epoch_conditions(self) -> list[EpochConditions]:
        """Return what is decided about each epoch, in order."""
        return unroll(self.phases, self.training)

    def phase_ends(self) -> tuple[int, ...]:
        """Return the epoch at which each phase ends, phases of 0 epochs left out."""
        ends, epoch = [], 0
        for phase in self.phases:
            epoch += phase.epochs
            if phase.epochs:
                ends.append(epoch)
        return tuple(ends)

    def timeline(self, scale: AgeScale | None = None) -> tuple[Stretch, ...]:
        """Return the phases as plain data for a time line; phases of 0 epochs are left out."""
        history, stretches = self.epoch_conditions(), []
        for stop in self.phase_ends():
            last = history[stop - 1]
            start = stop - self.phases[last.phase_index].epochs
            first = history[start]
            stretches.append(
                Stretch(
                    start=start,
                    stop=stop,
                    phase=last.phase_name,
                    sentence=self.phases[last.phase_index].sentence(),
                    rate_start=first.learning_rate,
                    rate_stop=last.learning_rate,
                    deficits=tuple(deficit.model_dump(mode="json", exclude_none=True) for deficit in first.deficits),
                    objective=first.objective.model_dump(mode="json"),
                    age_start=scale.age(start) if scale else None,
                    age_stop=scale.age(stop) if scale else None,
                )
            )
        return tuple(stretches)


class Protocol(Checked):
    """A checked experiment: sweeps are laid out, every number is settled, eyes are still 'treated' and 'fellow'."""

    newer: ClassVar = ("figures",)

    title: Annotated[str, Field(min_length=1)] = Field(description="title of the experiment")
    reference: str = Field(default="", description="the experiment it follows: authors, year, journal, figure")
    description: str = Field(default="", description="what is done, and what is to be seen")
    deviations: tuple[str, ...] = Field(
        default=(), description="where it departs from the reference, one sentence each"
    )
    treated_eye: Literal["right", "left"] = Field(
        default="right", description="the eye called 'treated'; the other is 'fellow'"
    )
    seeds: Annotated[int | tuple[int, ...], BeforeValidator(_seeds)] = Field(
        default=3, description="how many subjects each condition has, or the list of their seeds"
    )
    values: dict[str, Value] = Field(default_factory=dict, description="named numbers for use in expressions")
    age_scale: AgeScale | None = Field(default=None, description="scale from age to epochs")
    stimulus: Annotated[SerializeAsAny[StimulusConfig], BeforeValidator(_stimulus)] = Field(
        description="what the eyes see: a table with the kind of stimulus and its parameters"
    )
    network: NetworkSpec = Field(default=NetworkSpec(), description="what is reared")
    training: Training = Field(default=Training(), description="how it learns")
    probes: ProbePlan = Field(default=ProbePlan(), description="when and how it is measured")
    figures: tuple[str, ...] = Field(
        default=(), description="figures of your own, as module:function, drawn beside those that ship"
    )
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)] = Field(description="the histories compared")

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, data: Any) -> Any:
        for where, text in texts_in(data, ()):
            odd = _UNWRITABLE.search(text)
            if odd is not None:
                what = f"holds the character {odd[0]!a}, but must be text that can be written and printed"
                raise complain("Protocol", where, what, text)
        return data

    @model_validator(mode="after")
    def _check_names(self) -> Protocol:
        names: dict[str, int] = {}
        for index, condition in enumerate(self.conditions):
            if condition.name in names:
                first = names[condition.name]
                what = f"is '{condition.name}' as in conditions[{first}], but each condition needs a name of its own"
                raise complain("Protocol", ("conditions", index, "name"), what, condition.name)
            names[condition.name] = index
        return self

    @property
    def seed_list(self) -> tuple[int, ...]:
        """Seeds of the subjects of each condition."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def resolved_conditions(self) -> tuple[ResolvedCondition, ...]:
        """Return the conditions with eyes settled by ``treated_eye``, each with the rules of training."""
        return tuple(
            ResolvedCondition.model_construct(
                name=condition.name,
                label=condition.label or condition.name,
                phases=tuple(phase.resolved(self.treated_eye) for phase in condition.phases),
                values=condition.values,
                training=self.training,
            )
            for condition in self.conditions
        )

    def timeline(self) -> dict[str, tuple[Stretch, ...]]:
        """Return the time line of each condition, by name."""
        return {condition.name: condition.timeline(self.age_scale) for condition in self.resolved_conditions()}

    def to_toml(self) -> str:
        """Return the protocol as TOML, everything written out; loading it gives an equal protocol."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    def hash(self) -> str:
        """Return 16 hexadecimal digits that change when anything in the protocol does."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
