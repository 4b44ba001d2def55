"""What later probes found: a file per subject and probe beside the subjects, from which the study takes it.

The file is named ``measures/<subject_id>.<probe>.h5`` after the identity of the subject, a hash of everything that
decided its weights: a study that is built again takes the measures that belong to its subjects and leaves others alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

import h5py
import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.store import schema
from binocular.store.opening import opened
from binocular.store.reading import Reader
from binocular.store.records import MeasureRecord
from binocular.store.tables import (
    new_file,
    plain_attributes,
    write_attributes,
    write_table,
)

__all__ = ["Measures", "measure_path", "measures_of", "write_measure", "write_measures"]

MEASURE_SCHEMA = f"binocular-measure/{schema.VERSION}"
_READABLE = {f"binocular-measure/{version}" for version in range(1, schema.VERSION + 1)}
Measures = dict[tuple[str, str], MeasureRecord]
"""What was measured on one subject, by (probe, site)."""


def measure_path(folder: Path, subject_id: str, probe: str) -> Path:
    """Where a probe's measures of a subject lie in an output folder.

    Parameters
    ----------
    folder, subject_id, probe
        The output folder, the identity of the subject, and the name of the probe.
    """
    return folder / "measures" / f"{subject_id}.{probe}.h5"


def write_measure(path: Path, subject_id: str, measures: Measures) -> None:
    """Write the measures of one probe on one subject, all sites, whole or not at all.

    Parameters
    ----------
    path, subject_id, measures
        See `measure_path`, replaced if it exists; whose they are; the records by probe and site.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full.
    ValueError
        If a record breaks the table of its probe, or has a dataset that is not in it.
    """
    size = sum(values.nbytes for record in measures.values() for values in record.values.values())
    with new_file(path, estimate=size + (100 << 10)) as file:
        write_measures(file, measures)
        write_attributes(file, {"schema": MEASURE_SCHEMA, "subject_id": subject_id})


def measures_of(folder: Path | None, subject_id: str) -> Measures:
    """Read what lies in a folder of measures for one subject.

    Parameters
    ----------
    folder, subject_id
        Where the measures of subjects lie (none if it is None or not there), and whose are read.

    Raises
    ------
    BadInput
        If a file is damaged.
    """
    found: Measures = {}
    if folder is None or not folder.is_dir():
        return found
    for path in sorted(folder.glob(f"{subject_id}.*.h5")):
        with opened(path, "a measure; delete it, and measure again", seal="required") as file:
            about = plain_attributes(file)
            if about.get("schema") not in _READABLE or about.get("subject_id") != subject_id:
                raise BadInput(f"{path} is not a measure of the subject {subject_id}; delete it, and measure again")
            found |= Reader(file, partial(_refuse, path)).measures(file)
    return found


def _refuse(path: Path, sentence: str) -> NoReturn:
    raise BadInput(f"{path} cannot be read as a measure: {sentence}; delete it, and measure again")


def write_measures(group: h5py.Group, measures: Mapping[tuple[str, str], MeasureRecord]) -> None:
    """Write measures into an empty group, one table per probe and site.

    Parameters
    ----------
    group, measures
        Open for writing, and the records by probe and site.
    """
    for (probe, site), record in sorted(measures.items()):
        table = group.create_group(f"{probe}/{site}")
        columns = {"checkpoint": np.arange(len(record.epoch)), "epoch": record.epoch, **record.values}
        write_table(table, schema.measure_fields(record.fields), columns)
        about = {"columns": list(columns), "settings": record.settings, "versions": record.versions}
        units = {} if record.units is None else record.units.attributes()
        write_attributes(table, {**{name: json.dumps(value) for name, value in about.items()}, **units})
