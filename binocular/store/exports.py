"""Tidy tables as CSV files, with a data dictionary beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import pandas

from binocular.store.reading import reading
from binocular.store.sealing import atomic_write
from binocular.store.tidy import Tables

__all__ = ["DICTIONARY", "export_csv"]

DICTIONARY = "columns.csv"
"""The data dictionary: one row per column of every table."""


def export_csv(
    study: Path | str, folder: Path | str, on_subject: Callable[[int, int], None] | None = None
) -> list[Path]:
    """Write a study as tidy CSV tables, subject by subject: it may be larger than the memory.

    Comma separated, UTF-8, one line of names on top, an empty cell where there is no value. Numbers are written with
    as many digits as it takes to read the same binary number back.

    Parameters
    ----------
    study
        A ``study.h5``, or the folder that holds one.
    folder
        Made if missing; files of the same name are replaced, each whole or not at all, none where the disk is full.
    on_subject
        Called after each subject with how many are written, and of how many.

    Returns
    -------
    list of Path
        The tables (see `binocular.store.tidy`), the dictionary of their columns, and the protocol as TOML.

    Raises
    ------
    BadInput
        If the study cannot be opened, or the folder cannot be written.
    """
    folder = Path(folder)
    # The files are closed, and what they hold is known to fit on the disk, before the first takes its place.
    with reading(study) as reader, ExitStack() as places, ExitStack() as stack:
        tables = Tables(reader)
        paths = [*(folder / f"{name}.csv" for name in tables.columns), folder / DICTIONARY, folder / "protocol.toml"]
        temporaries = {path: places.enter_context(atomic_write(path)) for path in paths}
        opened = [stack.enter_context(path.open("w", encoding="utf-8", newline="")) for path in temporaries.values()]
        *of_tables, dictionary, protocol = opened
        files = dict(zip(tables.columns, of_tables, strict=True))
        for name, columns in tables.columns.items():
            _append(files[name], pandas.DataFrame(columns=list(columns)), columns, header=True)
        for name, frame in tables.of_study():
            _append(files[name], frame, tables.columns[name])
        for done, frames in enumerate(tables.of_subjects(), 1):
            for name, frame in frames:
                _append(files[name], frame, tables.columns[name])
            if on_subject is not None:
                on_subject(done, tables.n_subjects)
        rows = [
            {"table": name, "row": tables.meaning[name], "column": column, **about}
            for name, columns in tables.columns.items()
            for column, about in columns.items()
        ]
        _append(dictionary, pandas.DataFrame(rows), rows[0], header=True)
        protocol.write(tables.protocol)
    return paths


def _append(file: TextIO, frame: pandas.DataFrame, columns: Mapping[str, object], header: bool = False) -> None:
    # Lines end as RFC 4180 has it, which also gets lone carriage returns in texts quoted.
    frame.reindex(columns=list(columns)).to_csv(file, header=header, index=False, lineterminator="\r\n")
