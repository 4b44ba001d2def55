"""What a tidy table is: one observation a row, one variable a column, units and meaning beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import h5py

from binocular.store import schema
from binocular.store.tables import plain_attributes, subgroup

__all__ = ["KEY", "Block", "Column", "Subject", "Table", "column_of", "rows_in", "subjects_of"]

Block = dict[str, Any]
"""Some rows of a table: for each column a sequence, or one value that holds for all rows; None or NaN is missing."""


@dataclass(frozen=True)
class Column:
    """A variable: its type, units, meaning, and what a missing value says (empty = never missing)."""

    type: Literal["number", "integer", "text"]
    units: str
    meaning: str
    missing: str = ""


@dataclass(frozen=True)
class Subject:
    """A subject in an open study file."""

    condition: str
    seed: int
    group: h5py.Group

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes, see `binocular.store.schema.SUBJECT_ATTRIBUTES`."""
        return plain_attributes(self.group)


@dataclass(frozen=True)
class Table:
    """A tidy table.

    Attributes
    ----------
    meaning
        What one row is.
    columns
        Its variables, in order.
    blocks
        Gives its rows, some at a time.
    of_subject
        Gives the rows of one subject, for a table whose rows each belong to one.
    """

    name: str
    meaning: str
    columns: Mapping[str, Column]
    blocks: Callable[[], Iterable[Block]]
    of_subject: Callable[[Subject], Iterable[Block]] | None = None


_MISSING = {
    "never": "",
    "allowed": "no value was taken",
    "silent": "silent unit",
    "all-silent": "all units are silent",
}


def column_of(field: schema.Field) -> Column:
    """Return the column in which a dataset of the schema is written out."""
    kinds: dict[str, Literal["number", "integer", "text"]] = {"float64": "number", "int64": "integer", "string": "text"}
    return Column(kinds[field.kind], field.units, field.long_name, _MISSING[field.missing])


KEY = {
    "condition": Column("text", "1", "condition"),
    "seed": Column("integer", "1", "seed of the subject"),
}
"""The columns that say which subject a row belongs to."""


def subjects_of(file: h5py.File) -> Iterator[Subject]:
    """Give the subjects of a study, in order of condition and seed."""
    conditions = subgroup(file, "conditions")
    for condition in map(str, conditions):
        group = subgroup(conditions, condition)
        for seed in sorted(map(str, group), key=int):
            yield Subject(condition, int(seed), subgroup(group, seed))


def rows_in(block: Block) -> int:
    """Return the number of rows of a block: the length of any of its columns that is not one value for all rows."""
    return next(len(values) for values in block.values() if not isinstance(values, str | int | None))
