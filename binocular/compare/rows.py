"""What a row of each published table may hold.

The tables on the networks of Kleinman et al. are in `network_rows`, the declared ones in `declared_rows`. There is one
model per table; the description of a field is what a message about a bad row says would be accepted. Evidence is
one of five kinds, told by the beginning of the label (see `evidence_kind`); numbers made of words are of the kind
``from the text``: they are drawn as open symbols and nothing is ever fitted to them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

__all__ = [
    "DAYS",
    "Age",
    "AnyText",
    "Blank",
    "Bound",
    "Checked",
    "DurationRow",
    "FactRow",
    "Finite",
    "HistogramRow",
    "Id",
    "Identifier",
    "PartsRow",
    "Positive",
    "ProfileRow",
    "RecoveryRow",
    "Row",
    "Share",
    "Species",
    "Text",
    "days_of",
    "evidence_kind",
    "treatment_in_words",
]

DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
"""Days in each unit of age."""
_AGE = re.compile(r"(\d{1,6}(?:\.\d{1,4})?) (day|week|month|year)s?")
_EVIDENCE = {
    "read": "read",
    "digitised": "digitised",
    "derived": "derived",
    "from the text": "from the text",
    "baseline": "by definition",
    "reference": "by definition",
}
_BINS = ("n1", "n2", "n3", "n4", "n5", "n6", "n7")


def evidence_kind(label: str) -> str:
    """Return the kind of an evidence label.

    Returns
    -------
    str
        ``"read"``, ``"digitised"``, ``"derived"``, ``"from the text"``, ``"by definition"`` (the 0 or 1 to which a
        series is scaled), or nothing for a label that is none of these.
    """
    return next((kind for start, kind in _EVIDENCE.items() if label.startswith(start)), "")


def days_of(age: str) -> float:
    """Return an age or a time such as ``"2 weeks"`` in days; ``"birth"`` is 0.

    Raises
    ------
    ValueError
        If it is none.
    """
    if age == "birth":
        return 0.0
    match = _AGE.fullmatch(age)
    if match is None:
        raise ValueError(f"{age!r} is not an age such as '2 weeks'")
    return float(match[1]) * DAYS[match[2]]


def _age(value: str) -> str:
    days_of(value)
    return value


Blank = BeforeValidator(lambda value: None if value == "" else value)
AnyText = Annotated[str, Field(description="any text")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
_AGE_WORDS = "a time such as '2 weeks' or '18 months' (day, week, month, year), 'birth', or nothing"
Age = Annotated[Annotated[str, BeforeValidator(_age)] | None, Blank, Field(description=_AGE_WORDS)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e9)]
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
Cells = Annotated[Positive, Field(description="a number of cells, or their share, at least 0")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=80)]
Id = Annotated[Identifier, Field(description="a name of its own, in lower-case letters, digits, '_', '-' and '.'")]
Species = Annotated[Text, Field(description="the species, not empty")]
Done = Annotated[Text, Field(description="what was done to the animals, not empty")]
Bound = Annotated[Finite | None, Blank]
_LABEL = "a label that begins with read, digitised, derived, from the text, baseline or reference"


_TREATMENTS = {
    "normal": "normal",
    "monocular deprivation": "one eye closed",
    "binocular deprivation": "both eyes closed",
    "reverse suture": "reverse suture",
    "strabismus": "squint",
    "squint": "squint",
    "blur": "one eye blurred",
    "dissociation": "dissociation",
}


def treatment_in_words(condition: str) -> str:
    """Return what was done to animals in the words of the fact tests; nothing where it is none of these."""
    words = condition.lower()
    if words.startswith("monocular deprivation") and "then reverse suture" in words:
        return "reverse suture"
    return next((name for start, name in _TREATMENTS.items() if words.startswith(start)), "")


class Checked(BaseModel):
    """A row: frozen, and with no column that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def _wrong(self, column: str, value: Any, accepted: str) -> ValidationError:
        """Return the error of one column where only several together show what is wrong."""
        problem = PydanticCustomError("row", accepted)  # type: ignore[arg-type]
        return ValidationError.from_exception_data(
            type(self).__name__, [InitErrorDetails(type=problem, loc=(column,), input=value)]
        )


class Row(Checked):
    """A row with its evidence and its reference."""

    evidence: Text = Field(description=_LABEL)
    reference: Text = Field(description="where the number was published, not empty")

    @field_validator("evidence")
    @classmethod
    def _known_evidence(cls, value: str) -> str:
        if not evidence_kind(value):
            raise ValueError(value)
        return value

    @property
    def from_words(self) -> bool:
        """Whether the numbers were made of words or of the convention of a series: drawn open and never fitted."""
        return evidence_kind(self.evidence) in ("from the text", "by definition")


class CountsRow(Row):
    """A row that counts cells, or gives their shares."""

    id: Id
    species: Species
    condition: Done
    unit: str
    cells: Annotated[Annotated[int, Field(ge=1, le=10**9)] | None, Blank] = Field(
        default=None, description="the whole number of cells behind percentages or shares, or nothing if not known"
    )
    note: AnyText = ""

    @property
    def counts(self) -> tuple[float, ...]:
        """The numbers as they stand in the table."""
        raise NotImplementedError

    @property
    def cells_counted(self) -> int | None:
        """How many cells there are behind the numbers; None where it is not known."""
        # Half cells come from bars read off a figure.
        return round(sum(self.counts)) if self.unit == "cells" else self.cells


class HistogramRow(CountsRow):
    """``od_histograms.csv``: cells by ocular-dominance group."""

    onset: Age = None
    duration: Age = None
    recovery: Age = None
    n1: Cells
    n2: Cells
    n3: Cells
    n4: Cells
    n5: Cells
    n6: Cells
    n7: Cells
    unit: Literal["cells", "%", "share"] = Field(description="cells, % or share")
    group_1: Literal["treated eye only", "fellow eye only"] = Field(
        default="treated eye only", description="'treated eye only' or 'fellow eye only': whose cells are in n1"
    )

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        total, whole = sum(self.counts), {"cells": None, "%": 100.0, "share": 1.0}[self.unit]
        if total <= 0:
            raise self._wrong("n1", total, "above 0 in at least one of n1 to n7")
        if whole is not None and abs(total - whole) > 0.02 * whole:
            raise self._wrong("unit", self.unit, f"'cells', because n1 to n7 add up to {total:g} and not to {whole:g}")
        if self.unit == "cells" and self.cells is not None:
            raise self._wrong("cells", self.cells, "empty where the unit is cells, because n1 to n7 say it")
        return self

    @property
    def counts(self) -> tuple[float, ...]:
        """The seven numbers as they stand in the table."""
        return tuple(getattr(self, name) for name in _BINS)


class PartsRow(CountsRow):
    """``od_parts.csv``: cells of one eye alone, of both eyes (groups 2 to 6) and of the other eye alone."""

    deprived_only: Cells
    both: Cells
    fellow_only: Cells
    unit: Literal["cells", "%"] = Field(description="cells or %")

    @property
    def counts(self) -> tuple[float, float, float]:
        """The three numbers as they stand in the table."""
        return self.deprived_only, self.both, self.fellow_only

    @property
    def shares(self) -> np.ndarray:
        """Deprived eye only (group 1), both (groups 2 to 6), fellow eye only (group 7), adding up to 1."""
        return np.array(self.counts) / sum(self.counts)

    @property
    def name(self) -> str:
        """Who, and what was done, for a reader."""
        return f"{self.species}, {self.condition}"

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        total = sum(self.counts)
        if total <= 0 or (self.unit == "%" and abs(total - 100) > 2):
            raise self._wrong("both", self.both, f"such that the three add up to 100 and not to {total:g}")
        return self


class ProfileRow(Row):
    """``age_profiles.csv``: the relative effect of a closure by its age; 1 = the largest of its series."""

    species: Species
    age: Positive = Field(description="an age, at least 0")
    age_unit: Literal["day", "week", "month", "year"] = Field(description="day, week, month or year")
    relative_effect: Finite = Field(ge=-1, le=2, description="the effect relative to the largest, from -1 to 2")
    deprivation: AnyText = ""


class DurationRow(Row):
    """``duration_curves.csv``: the relative effect of a closure by its length; 1 = the effect of a long one."""

    species: Species
    duration_days: Positive = Field(description="a number of days, at least 0")
    relative_effect: Annotated[Annotated[float, Field(allow_inf_nan=False, ge=-1, le=2)] | None, Blank] = Field(
        default=None,
        description="the effect relative to a long closure, from -1 to 2, or nothing if there is no number",
    )


class RecoveryRow(Row):
    """``acuity_recovery.csv``: performance long after a deficit, by the moment at which the deficit ended."""

    system: Text = Field(description="who was tested, not empty")
    deficit_end: Positive = Field(description="when the deficit ended, at least 0")
    deficit_end_unit: Literal["day of age", "epoch"] = Field(description="'day of age' or 'epoch'")
    performance: Finite = Field(description="a number")
    performance_unit: Text = Field(description="the unit of the performance, not empty")


class FactRow(Row):
    """``facts.csv``: a published fact, as a range of numbers, or in words alone (in ``unit``) where none was given."""

    id: Id
    condition: Text = Field(description="who was observed, not empty")
    quantity: Text = Field(description="what was found, not empty")
    low: Bound = Field(default=None, description="the lower end of the published range, a number, or nothing")
    high: Bound = Field(default=None, description="the upper end of the published range, a number, or nothing")
    unit: AnyText = ""

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise self._wrong("high", self.high, "given where low is given, and nothing where it is not")
        if self.low is None and not self.unit:
            raise self._wrong("unit", self.unit, "the finding in words where low and high are nothing")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise self._wrong("high", self.high, f"at least {self.low:g}, the lower end")
        return self

    @property
    def words(self) -> str:
        """The finding in words, with its number where there is one."""
        if self.low is None or self.high is None or self.unit.startswith("none"):
            return f"{self.quantity}: {self.unit}"
        if ":" in self.quantity:  # the quantity spells its numbers out
            return self.quantity
        span = f"{self.low:g}" if self.low == self.high else f"{self.low:g}–{self.high:g}"
        return f"{self.quantity}: {span} {self.unit}".rstrip()
