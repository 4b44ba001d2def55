"""Reading tables: every row is checked, and a bad one is named by file, line and column.

A table is a CSV file in UTF-8 with a header. The names of the files are fixed (see `TABLES`), so that a folder of the
user's is read by the same rules as the one that ships with binocular.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from binocular.compare import declared_rows, network_rows, rows
from binocular.stimuli.errors import BadInput
from binocular.stimuli.wording import nearest

__all__ = ["TABLES", "Line", "read_folder", "read_table", "shipped_folder"]

TABLES: dict[str, type[rows.Checked]] = {
    "od_histograms.csv": rows.HistogramRow,
    "od_parts.csv": rows.PartsRow,
    "age_profiles.csv": rows.ProfileRow,
    "duration_curves.csv": rows.DurationRow,
    "acuity_recovery.csv": rows.RecoveryRow,
    "facts.csv": rows.FactRow,
    "fact_tests.csv": declared_rows.FactTestRow,
    "age_scales.csv": declared_rows.AgeScaleRow,
    "kleinman_rsv_seven_bins.csv": network_rows.SevenBinsRow,
    "kleinman_rsv_histograms.csv": network_rows.UnitBinRow,
    "kleinman_accuracy.csv": network_rows.AccuracyRow,
    "kleinman_depth.csv": network_rows.DepthRow,
    "kleinman_onset_kinetics.csv": network_rows.OnsetRow,
    "kleinman_usable_information.csv": network_rows.InformationRow,
}
"""The tables by name of file, and the model of a row of each."""

_OF_USERS = {"od_histograms.csv": ("group_1",)}
"""Columns that a user's table must have although the shipped one does not: there, the README says it for all rows."""

_MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Line:
    """A checked row and where it stands."""

    row: Any
    file: str
    line: int

    def wrong(self, column: str, value: object, accepted: str) -> BadInput:
        """Return the error of one column."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        where = f"{self.file}, line {self.line}, column {column!r}"
        return BadInput(f"{where}: {shown} is not accepted; it must be {accepted}")


def shipped_folder() -> Traversable:
    """Return the folder of the tables that ship with binocular."""
    folder = resources.files("binocular.data") / "literature"
    if not folder.is_dir():
        raise BadInput("the folder literature with the published numbers is missing: install binocular-lab anew")
    return folder


def read_folder(folder: Traversable | Path, of_user: bool = False) -> dict[str, list[Line]]:
    """Read all tables of a folder.

    Parameters
    ----------
    folder
        Holds some of the files of `TABLES`; files that do not end in ``.csv`` are left alone.
    of_user
        Whether columns are required that the shipped tables may leave out.

    Returns
    -------
    dict
        The lines of each file of `TABLES`, empty where it is not there.

    Raises
    ------
    BadInput
        For a folder without tables, an unknown table, or a row that is not accepted.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; expected one with tables such as od_histograms.csv")
    try:
        names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".csv"))
    except OSError as error:
        raise BadInput(f"{folder} cannot be read: {error.strerror or error}; expected a folder with tables") from error
    for name in names:
        if name not in TABLES:
            known = f"{nearest(name, TABLES)}; accepted are {', '.join(TABLES)}"
            raise BadInput(f"{folder}/{name} is not a table that is known here{known}")
    if not names:
        raise BadInput(f"{folder} holds no table; accepted are {', '.join(TABLES)}")
    return {name: read_table(folder / name, of_user) if name in names else [] for name in TABLES}


def read_table(path: Traversable | Path, of_user: bool = False) -> list[Line]:
    """Read one table, named as in `TABLES`; see `read_folder`.

    Parameters
    ----------
    path, of_user
        Of a CSV file; and whether it is a table of the user's own, beside the shipped ones.

    Raises
    ------
    BadInput
        Naming file, line and column, and what would be accepted.
    """
    model, file = TABLES[path.name], str(path)
    lines, seen = [], False
    for number, cells in _cells(path, model, of_user):
        seen = True
        try:
            lines.append(Line(model.model_validate(cells), file, number))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            column = str(first["loc"][0]) if first["loc"] else ""
            field = model.model_fields.get(column)
            accepted = first["msg"] if first["type"] == "row" or field is None else str(field.description)
            raise Line(None, file, number).wrong(column, cells.get(column, ""), accepted) from None
    if not seen:
        raise BadInput(f"{file} has no row; expected a header and at least one row")
    return lines


def _cells(path: Traversable | Path, model: type[BaseModel], of_user: bool) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row as text by column, with the number of its line."""
    file = str(path)
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise BadInput(f"{file} is too large: a table may have {_MOST_BYTES // 10**6} MB")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror or error}; expected a CSV table") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput(f"{file}, line {line} is not text in UTF-8, which is what a table must be") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, model, file, of_user)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"{file}, line {reader.line_num} has {len(cells)} columns; expected {len(header)} as in the header"
                )
            yield reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except csv.Error as error:
        raise BadInput(
            f"{file}, line {reader.line_num} is not CSV: {error}; expected values set apart by commas"
        ) from error


def _check_header(header: list[str], model: type[BaseModel], file: str, of_user: bool) -> None:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    if of_user:
        required += _OF_USERS.get(Path(file).name, ())
    accepted = f"accepted are {', '.join(model.model_fields)}"
    for name in header:
        if name not in model.model_fields:
            raise BadInput(
                f"{file}, line 1: there is no column {name!r}{nearest(name, model.model_fields)}; {accepted}"
            )
        if header.count(name) > 1:
            raise BadInput(f"{file}, line 1: the column {name!r} is there twice; once is accepted")
    for name in required:
        if name not in header:
            what = model.model_fields[name].description
            raise BadInput(f"{file}, line 1: the column {name!r} is missing; it must give {what}")
