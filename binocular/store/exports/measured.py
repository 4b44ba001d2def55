"""Tidy tables of what later probes found, whatever the probe: its dimension scales say what a row is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import h5py
import numpy as np

from binocular.store import schema
from binocular.store.exports.table import KEY, Block, Column, Subject, Table, column_of
from binocular.store.tables import plain_attributes, read_dataset, subgroup

__all__ = ["measure_tables"]

Dims = tuple[str, ...]


def measure_tables(subjects: Sequence[Subject]) -> list[Table]:
    """Return the tables of ``measures/<probe>/<site>``.

    Parameters
    ----------
    subjects
        The subjects of an open study.

    Returns
    -------
    list of Table
        For each probe one table per set of dimensions that its datasets have, named ``PROBE`` and the dimensions but
        the checkpoint, joined by dots; dimensions become columns, the checkpoint its epoch.
    """
    columns: dict[tuple[str, Dims], dict[str, Column]] = {}
    for subject in subjects:
        for probe, _, group in _sites(subject):
            scales = _scales(group)
            for name, dims in _measures(group).items():
                table = columns.setdefault((probe, dims), {dim: _about(scales[dim]) for dim in dims})
                table.setdefault(name, _about(group[name]))
    tables = []
    for (probe, dims), found in sorted(columns.items()):
        coordinates = {"epoch": column_of(schema.PROBES["epoch"])} if "checkpoint" in dims else {}
        rest = {name: column for name, column in found.items() if name != "checkpoint"}
        all_columns = {**KEY, "site": Column("text", "1", "site: a named layer of the network"), **coordinates, **rest}
        of_subject = partial(_rows, probe, dims)
        row = f"what the probe {probe} found in one subject at one site, by {', '.join(dims) or 'nothing else'}"
        name = ".".join([probe, *(dim for dim in dims if dim != "checkpoint")])
        tables.append(Table(name, row, all_columns, partial(_all_rows, subjects, of_subject), of_subject))
    return tables


def _all_rows(subjects: Sequence[Subject], of_subject: Any) -> Iterator[Block]:
    for subject in subjects:
        yield from of_subject(subject)


def _sites(subject: Subject) -> Iterator[tuple[str, str, h5py.Group]]:
    if "measures" in subject.group:
        for probe in map(str, subgroup(subject.group, "measures")):
            for site in map(str, subgroup(subject.group, f"measures/{probe}")):
                yield probe, site, subgroup(subject.group, f"measures/{probe}/{site}")


def _scales(group: h5py.Group) -> dict[str, h5py.Dataset]:
    return {str(name): item for name, item in group.items() if isinstance(item, h5py.Dataset) and item.is_scale}


def _measures(group: h5py.Group) -> dict[str, Dims]:
    """Return the dimensions of each dataset that holds measures; the epochs go with the checkpoints."""
    return {
        str(name): tuple(str(item.dims[axis].values()[0].name).rsplit("/", 1)[-1] for axis in range(item.ndim))
        for name, item in group.items()
        if isinstance(item, h5py.Dataset) and not item.is_scale and name != "epoch"
    }


def _about(dataset: Any) -> Column:
    about = plain_attributes(dataset)
    kinds = {"f": "number", "i": "integer", "u": "integer"}
    kind = kinds.get(dataset.dtype.kind, "text")
    return Column(kind, about["units"], about["long_name"], "no value was taken" if kind == "number" else "")  # type: ignore[arg-type]


def _rows(probe: str, dims: Dims, subject: Subject) -> Iterator[Block]:
    for measured_by, site, group in _sites(subject):
        names = [name for name, those in _measures(group).items() if those == dims]
        if measured_by != probe or not names:
            continue
        values = {name: np.atleast_1d(read_dataset(group[name]).ravel()) for name in names}  # type: ignore[arg-type]
        scales = _scales(group)
        coordinates = {dim: read_dataset(scales[dim]) for dim in dims}
        if "checkpoint" in coordinates:
            coordinates["checkpoint"] = read_dataset(group["epoch"])  # type: ignore[arg-type]
        grid = np.meshgrid(*coordinates.values(), indexing="ij")
        key = {dim: part.ravel() for dim, part in zip(coordinates, grid, strict=True)}
        if "checkpoint" in key:
            key = {"epoch": key.pop("checkpoint"), **key}
        yield {"condition": subject.condition, "seed": subject.seed, "site": site, **key, **values}
