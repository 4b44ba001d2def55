"""Subjects as files of Neurodata Without Borders (NWB), one each.

What NWB defines is used as it is defined. Units of a network do not spike, so ``/units``, made for sorted spikes, stays
empty; epochs of rearing are no seconds, so nothing is a time series. The tidy tables go as they are into ``/analysis``,
the place NWB keeps for analyses of a laboratory's own, as ``DynamicTable``, its standard type for tables.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.store.exports.table import Column, Subject, Table, rows_in, subjects_of
from binocular.store.sealing import safely
from binocular.store.tables import plain_attributes

__all__ = ["export_nwb"]


def export_nwb(study: Path | str, folder: Path | str) -> list[Path]:
    """Write each subject of a study to an NWB file, ``CONDITION.SEED.nwb``, that `pynwb.validate` accepts.

    Parameters
    ----------
    study
        A ``study.h5``, or the folder that holds one.
    folder
        Made if missing; files of the same name are replaced, each whole or not at all.

    Returns
    -------
    list of Path
        One file per subject. The tables whose rows belong to a subject (see
        `binocular.store.exports.tidy_tables`) are in ``nwbfile.analysis``.

    Raises
    ------
    BadInput
        If pynwb is not installed, the study cannot be opened, or the folder cannot be written.
    """
    try:
        pynwb: Any = importlib.import_module("pynwb")
    except ImportError:
        raise BadInput("--nwb: pynwb is not installed; pip install 'binocular-lab[nwb]' brings it") from None
    written = []
    for name, content in _contents(study):
        written.append(Path(folder) / f"{name}.nwb")
        with safely(written[-1]) as temporary, warnings.catch_warnings():
            # The temporary name does not end in .nwb; the final one does.
            warnings.filterwarnings("ignore", message="The file path provided")
            with pynwb.NWBHDF5IO(temporary, "w") as io:
                io.write(content)
    return written


def _contents(study: Path | str) -> Iterator[tuple[str, Any]]:
    from binocular.store.exports.opened import opened
    from binocular.store.exports.tidy import tidy_tables

    with opened(study) as file:
        tables = [table for table in tidy_tables(file) if table.of_subject]
        about = plain_attributes(file)
        for subject in subjects_of(file):
            yield f"{subject.condition}.{subject.seed}", _content(subject, about, tables)


def _content(subject: Subject, about: dict[str, Any], tables: list[Table]) -> Any:
    pynwb: Any = importlib.import_module("pynwb")
    facts = subject.attributes
    created = datetime.fromisoformat(str(about["created"]))
    content = pynwb.NWBFile(
        session_description=f"{about['title']}: rearing of an artificial neural network, condition {subject.condition}",
        identifier=f"{about['protocol_hash']}/{subject.condition}/{subject.seed}/{facts['subject_id']}",
        session_start_time=created if created.tzinfo else created.replace(tzinfo=UTC),
        protocol=str(about["protocol"]),
        source_script=str(about["command"]) or None,
        source_script_file_name="binocular" if about["command"] else None,
        notes=f"sign of rsv and odi: {about['sign_convention']}; treated eye: {about['treated_eye']}; "
        f"software: {about['versions']}; device: {about['device']}; phases: {facts['phases']}",
    )
    content.subject = pynwb.file.Subject(
        subject_id=f"{subject.condition}.{subject.seed}",
        description=json.dumps({"artificial neural network": facts["subject_id"], "seed": subject.seed}),
    )
    for table in tables:
        if (filled := _table(table, subject)) is not None:
            content.add_analysis(filled)
    return content


def _table(table: Table, subject: Subject) -> Any:
    """Return a subject's rows of a table; None where it has none."""
    tables: Any = importlib.import_module("hdmf.common")
    blocks = list(table.of_subject(subject)) if table.of_subject else []
    lengths = [rows_in(block) for block in blocks]
    if not sum(lengths):
        return None
    columns = []
    for name, column in table.columns.items():
        values = [_filled(block.get(name), n, column) for block, n in zip(blocks, lengths, strict=True)]
        missing = f"; missing: {column.missing}" if column.missing else ""
        meaning = f"{column.meaning} [{column.units}]{missing}"
        columns.append(tables.VectorData(name=name, description=meaning, data=_array(values, column)))
    return tables.DynamicTable(name=table.name, description=f"one row: {table.meaning}", columns=columns)


def _filled(values: Any, length: int, column: Column) -> list[Any]:
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    plain = [plain] * length if plain is None or isinstance(plain, str | int) else plain
    nothing = "" if column.type == "text" else float("nan")
    return [nothing if value is None else value for value in plain]


def _array(values: list[list[Any]], column: Column) -> Any:
    """Return a column as an array; integers of which some are missing become floating-point numbers."""
    merged = [value for block in values for value in block]
    if column.type == "text":
        return [str(value) for value in merged]
    array = np.array(merged, dtype=np.float64 if column.type == "number" else None)
    return array if array.dtype.kind in "if" else array.astype(np.float64)
