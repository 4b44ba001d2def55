"""Rows that are decisions of this project, declared and never fitted: scales of age, and what is tested of a fact."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from binocular.compare.rows import DAYS, Age, Blank, Bound, Checked, Id, Identifier, Positive, Species, Text

__all__ = ["MEASURE_NAMES", "TREATMENTS", "AgeScaleRow", "FactTestRow"]

TREATMENTS = (
    "normal",
    "one eye closed",
    "both eyes closed",
    "reverse suture",
    "one eye blurred",
    "one eye closed part-time",
    "fellow eye inactivated",
    "squint",
    "squint part-time",
    "dissociation",
    "alternation",
    "stripes",
    "darkness, then one eye closed",
)
"""What may have been done to a subject's eyes, in the words of the fact tests; see `treatments.treatment_of`."""

MEASURE_NAMES = (
    "binocular share",
    "least influence",
    "deprived influence",
    "fellow only",
    "deprived dominated",
    "cbi",
    "fellow bias",
    "mi",
    "median unit mi",
    "shift from normal",
    "binocular relative to normal",
    "mi above normal",
    "stereopsis lost",
    "deprived vision lost",
    "relapse",
    "disparity correlation",
)
"""What a fact may be tested on; the methods are in `binocular.compare.measured`."""


class AgeScaleRow(Checked):
    """``age_scales.csv``: the declared scale from the age of a species to epochs of rearing."""

    species: Species
    also: str = Field(default="", description="further names of the species, separated by |")
    unit: Literal["day", "week", "month", "year", "epoch"] = Field(description="day, week, month, year or epoch")
    epochs_per_unit: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = Field(
        description="epochs of rearing per unit of age, above 0"
    )
    start_age: Positive = Field(description="the age at which rearing begins, at least 0")
    status: Literal["declared"] = Field(description="the word declared: a scale is never fitted")
    reason: Text = Field(description="why this scale, not empty")

    @property
    def names(self) -> tuple[str, ...]:
        """The species and its further names, in lower case."""
        return tuple(name.strip().lower() for name in (self.species, *self.also.split("|")) if name.strip())

    @property
    def unit_days(self) -> float:
        """Days in a unit; NaN where the unit is an epoch."""
        return DAYS.get(self.unit, float("nan"))

    def age(self, epoch: float) -> float:
        """Return the age, in the unit of the scale, at which an epoch begins."""
        return self.start_age + epoch / self.epochs_per_unit

    def epoch(self, age: float) -> float:
        """Return the epoch of an age in the unit of the scale; negative before rearing begins."""
        return (age - self.start_age) * self.epochs_per_unit


def _treatments(value: str) -> str:
    if not all(name.strip() in TREATMENTS for name in value.split("|")):
        raise ValueError(value)
    return value


_OPEN = Field(description="the share of the time with both eyes open, from 0 to 1, or nothing")
_OpenShare = Annotated[Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None, Blank, _OPEN]


class FactTestRow(Checked):
    """``fact_tests.csv``: what of a fact can be tested, the same for every study.

    The fact holds where the 95 % interval of ``measure`` lies within ``at_least`` and ``at_most``, does not hold where
    it lies outside, and is undecided where an end of the interval reaches across.
    """

    id: Id
    published: Identifier = Field(description="the id of a fact or of a histogram")
    claim: Text = Field(description="the claim in words, not empty")
    treatment: Annotated[Text, BeforeValidator(_treatments)] = Field(
        description=f"one or more of {', '.join(TREATMENTS)}, separated by |"
    )
    species: Text = Field(description="the species whose scale of age is used, not empty")
    onset_from: Age = None
    onset_to: Age = None
    duration_from: Age = None
    recovery_from: Age = None
    both_open_from: _OpenShare = None
    both_open_to: _OpenShare = None
    moment: Annotated[Literal["end", "deficit"] | None, Blank] = Field(
        default=None, description="end (of rearing), deficit (where it ended), or nothing: as the comparison is asked"
    )
    measure: Literal[MEASURE_NAMES] = Field(description=f"one of {', '.join(MEASURE_NAMES)}")  # type: ignore[valid-type]
    at_least: Bound = Field(default=None, description="a number, or nothing")
    at_most: Bound = Field(default=None, description="a number, or nothing")
    reason: Text = Field(description="why this criterion, not empty")

    @property
    def treatments(self) -> tuple[str, ...]:
        """The treatments to which the fact applies."""
        return tuple(name.strip() for name in self.treatment.split("|"))

    def criterion(self) -> str:
        """Return the criterion in words."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.measure} from {self.at_least:g} to {self.at_most:g}"
        return (
            f"{self.measure} above {self.at_least:g}"
            if self.at_most is None
            else f"{self.measure} below {self.at_most:g}"
        )

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        low, high = self.at_least, self.at_most
        if low is None and high is None:
            accepted = "a number, because a test needs at_least, at_most or both"
        elif low is not None and high is not None and low >= high:
            accepted = f"above {low:g}, the value of at_least"
        else:
            return self
        raise self._wrong("at_most", high, accepted)
