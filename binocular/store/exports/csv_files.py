"""Tidy tables as CSV files, with a data dictionary beside them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from binocular.store.exports.table import Column, Table, rows_in
from binocular.store.sealing import safely

__all__ = ["DICTIONARY", "export_csv"]

DICTIONARY = "columns.csv"
"""The data dictionary: one row per column of every table."""

_DICTIONARY_COLUMNS = ("table", "row", "column", "type", "units", "meaning", "empty")


def export_csv(study: Path | str, folder: Path | str) -> list[Path]:
    """Write a study as tidy CSV tables.

    Comma separated, UTF-8, one line of names on top, an empty cell where there is no value. Numbers are written with
    as many digits as it takes to read the same binary number back.

    Parameters
    ----------
    study
        A ``study.h5``, or the folder that holds one.
    folder
        Made if missing; files of the same name are replaced, each whole or not at all.

    Returns
    -------
    list of Path
        The tables (see `binocular.store.exports.tidy_tables`), the dictionary of their columns, and the protocol as
        TOML.

    Raises
    ------
    BadInput
        If the study cannot be opened, or the folder cannot be written.
    """
    from binocular.store.exports.opened import opened
    from binocular.store.exports.tidy import tidy_tables

    folder = Path(folder)
    with opened(study) as file:
        tables = tidy_tables(file)
        written = [_write(folder / f"{table.name}.csv", list(table.columns), _rows(table)) for table in tables]
        written.append(_write(folder / DICTIONARY, list(_DICTIONARY_COLUMNS), _dictionary(tables)))
        with safely(folder / "protocol.toml") as temporary:
            temporary.write_text(str(file.attrs["protocol"]), encoding="utf-8")
    return [*written, folder / "protocol.toml"]


def _write(path: Path, names: list[str], rows: Iterator[tuple[str, ...]]) -> Path:
    with safely(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        # Lines end as RFC 4180 has it, which also gets lone carriage returns in texts quoted.
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows(rows)
    return path


def _dictionary(tables: tuple[Table, ...]) -> Iterator[tuple[str, ...]]:
    for table in tables:
        for name, column in table.columns.items():
            yield table.name, table.meaning, name, column.type, column.units, column.meaning, column.missing


def _rows(table: Table) -> Iterator[tuple[str, ...]]:
    for block in table.blocks():
        length = rows_in(block)
        cells = [_cells(block.get(name), column, length) for name, column in table.columns.items()]
        yield from zip(*cells, strict=True)


def _cells(values: Any, column: Column, length: int) -> list[str]:
    write = _WRITE[column.type]
    if values is None or isinstance(values, str | int):
        return ["" if values is None else write(values)] * length
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    return ["" if value is None or value != value else write(value) for value in plain]


# The shortest text that reads back as the same number is what repr gives.
_WRITE: dict[str, Callable[[Any], str]] = {
    "number": lambda value: repr(float(value)),
    "integer": lambda value: str(int(value)),
    "text": str,
}
