"""Finished computations on disk: one HDF5 file of tables, sealed, with the parameters it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from binocular.stimuli.errors import BadInput, CannotRead
from binocular.store.opening import opened
from binocular.store.schema import Field
from binocular.store.tables import (
    new_file,
    plain_attributes,
    read_table,
    stored_fields,
    subgroup,
    write_attributes,
    write_table,
)

__all__ = ["SCHEMA", "Table", "read_results", "same_parameters", "stored_parameters", "write_results"]

SCHEMA = "binocular-computation/1"
_EXPECTED = f"a whole file of the schema {SCHEMA}; delete it to compute it again"


@dataclass(frozen=True)
class Table:
    """Data sets that share their dimensions.

    Attributes
    ----------
    fields
        What each data set is; one named like its only dimension is that dimension's scale.
    columns
        Their values.
    """

    fields: Mapping[str, Field]
    columns: Mapping[str, Any]


def write_results(path: Path, title: str, parameters: Mapping[str, Any], tables: Mapping[str, Table]) -> None:
    """Write a computation, whole or not at all.

    Parameters
    ----------
    path
        The file; replaced if it exists.
    title
        What was computed, in words.
    parameters
        Everything that decides the result, JSON-able.
    tables
        By name.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full.
    ValueError
        If a table breaks its fields, for example by a number that is not finite.
    """
    size = sum(np.asarray(column).nbytes for table in tables.values() for column in table.columns.values())
    with new_file(path, estimate=2 * size + (64 << 10)) as file:
        for name, table in tables.items():
            write_table(file.create_group(name), table.fields, table.columns)
        write_attributes(file, {"schema": SCHEMA, "title": title, "parameters": _canonical(parameters)})


def stored_parameters(path: Path) -> dict[str, Any] | None:
    """Return the parameters of a file that is there and whole; else None, and it has to be computed again."""
    try:
        with opened(path, _EXPECTED, seal="required") as file:
            attributes = plain_attributes(file)
            return json.loads(attributes["parameters"]) if attributes.get("schema") == SCHEMA else None
    except CannotRead:
        raise
    except BadInput:
        return None


def read_results(path: Path) -> dict[str, xr.Dataset]:
    """Return the tables of a computation by name, with the dimensions and scales that the file names.

    Raises
    ------
    BadInput
        If the file is missing, damaged or of another kind.
    """
    if stored_parameters(path) is None:
        raise BadInput(f"{path} is not a whole file of the schema {SCHEMA}; delete it to compute it again")
    with opened(path, _EXPECTED, seal="required") as file:
        return {str(name): _dataset(subgroup(file, str(name))) for name in file}


def _dataset(group: h5py.Group) -> xr.Dataset:
    values = read_table(group)
    return xr.Dataset({name: (field.dims, values[name]) for name, field in stored_fields(group).items()})


def _canonical(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, ensure_ascii=False)


def same_parameters(stored: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Say whether a file was made from these parameters.

    Parameters
    ----------
    stored
        Read from the file; None where there is none.
    wanted
        What is asked for now.
    """
    return stored is not None and _canonical(stored) == _canonical(wanted)
