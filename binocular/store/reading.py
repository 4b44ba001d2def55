"""Reading a study: every table and attribute held against the schema before it is used, and no larger than it says.

The reader asks for what a study cannot do without; the verifier (`binocular.store.verification`) reads the same way and
asks for all.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.store import schema
from binocular.store.conditions import Condition
from binocular.store.container import READING_ERRORS, failure_of, one_line
from binocular.store.opening import check_schema, opened, study_file
from binocular.store.records import MeasureRecord, SiteRecord, SiteUnits, SubjectRecord
from binocular.store.schema import Field
from binocular.store.tables import plain_attributes, read_dataset, stored_fields

__all__ = ["Reader", "reading"]

_NUMBERS = {"complete", "seed", "depth", "channels", "map_height", "map_width"}
_LISTS_OF_NUMBERS = {"seeds"}


@contextlib.contextmanager
def reading(path: Path | str) -> Iterator[Reader]:
    """Check a study, or the one in a folder, as `binocular.open_study` does, and give its reader.

    Whatever is missing, or not of the shape, type or range that the schema gives it, is `BadInput` when it is read.
    """
    path = study_file(path)

    def refuse(sentence: str) -> None:
        raise BadInput(f"{path} cannot be read as a study: {sentence}; `binocular verify` says more")

    with opened(path) as file:
        check_schema(path, file)
        yield Reader(file, refuse)


class Reader:
    """Walks through a study and tells what cannot be used; what is merely unusual is left to the verifier."""

    def __init__(self, file: h5py.File, complain: Callable[[str], None]):
        self.file, self.complain = file, complain
        self.version = int(str(plain_attributes(file)["schema"]).rpartition("/")[2])

    def contents(self) -> tuple[dict[str, Any], tuple[Condition, ...], dict[tuple[str, int], str]]:
        """Read everything: the attributes of the root, the conditions, and why subjects could not be reared."""
        attributes = self.attributes(self.file, schema.ROOT_ATTRIBUTES)
        self.root(attributes)
        conditions = []
        for name, condition in self.groups(self.file, "conditions"):
            label, values = self.condition(condition)
            subjects = tuple(subject for _, subject in self.subjects(name, condition))
            conditions.append(Condition(name, label, subjects, values, str(attributes.get("treated_eye"))))
        return attributes, tuple(conditions), self._failures()

    def condition(self, group: h5py.Group) -> tuple[str, dict[str, Any]]:
        """Return the label and the swept values of a condition."""
        about = self.attributes(group, schema.CONDITION_ATTRIBUTES)
        values = self._json(f"{group.name}: values", about.get("values"), dict)
        return about.get("label", ""), values or {}

    def subjects(self, name: str, condition: h5py.Group) -> Iterator[tuple[h5py.Group, SubjectRecord]]:
        """Give the subjects of a condition, each read when it is its turn, in order of their seeds."""
        by_seed = sorted(self.groups(condition), key=lambda item: (len(item[0]), item[0]))
        for seed, group in by_seed:
            subject = self.subject(group, name, seed)
            if subject is not None:
                yield group, subject

    def _failures(self) -> dict[tuple[str, int], str]:
        if "failures" not in self.file:
            return {}
        table = self.table("failures", schema.FAILURES)
        columns = (table.get(name, ()) for name in ("condition", "seed", "cause"))
        return {(str(condition), int(seed)): str(cause) for condition, seed, cause in zip(*columns, strict=False)}

    def root(self, attributes: Mapping[str, Any]) -> None:
        """Check what the root says about the study."""
        if attributes.get("treated_eye") not in ("left", "right"):
            self.complain("/: treated_eye should be 'left' or 'right'")
        if attributes.get("complete") not in (0, 1):
            self.complain("/: complete should be 0 or 1")
        self._json("/: versions", attributes.get("versions"), dict)

    def subject(self, group: h5py.Group, condition: str, seed: str) -> SubjectRecord | None:
        """Return a subject, as far as it can be read; None if what everything else hangs on cannot."""
        attributes = self.attributes(group, schema.SUBJECT_ATTRIBUTES)
        phases = self._phases(group, attributes.get("phases"))
        more = self._json(f"{group.name}: attributes", attributes.get("attributes"), dict)
        if str(attributes.get("seed")) != seed:
            self.complain(f"{group.name}: its seed is {attributes.get('seed')}")
        history = self._history(group, len(phases))
        sites = {}
        for site, table in self.groups(group, "probes"):
            columns = self.table(f"{group.name}/probes/{site}", schema.PROBES)
            if {"epoch", "rsv", "n_silent"} <= set(columns):
                values = {name: columns[name] for name in columns if schema.PROBES[name].dims == ("checkpoint", "unit")}
                units = self._units(table, columns["rsv"].shape[1])
                sites[site] = SiteRecord(columns["epoch"], values, columns["n_silent"], units)
        measures = self.measures(group, "measures")
        if not isinstance(attributes.get("seed"), int):
            return None
        identity = str(attributes.get("subject_id"))
        return SubjectRecord(condition, attributes["seed"], identity, phases, history, sites, more or {}, measures)

    def _phases(self, group: h5py.Group, text: object) -> list[dict[str, Any]]:
        phases = self._json(f"{group.name}: phases", text, list) or []
        for phase in phases:
            sound = isinstance(phase, dict) and isinstance(phase.get("name"), str)
            if not sound or not all(type(phase.get(key)) is int for key in ("start", "stop")):
                self.complain(f"{group.name}: phases should each have a name, start and stop")
                return []
            deficits = phase.get("deficits", [])
            if not isinstance(deficits, list) or not all(isinstance(deficit, dict) for deficit in deficits):
                self.complain(f"{group.name}: the deficits of a phase should be a list of tables")
                return []
        return phases

    def _history(self, group: h5py.Group, n_phases: int) -> dict[str, np.ndarray]:
        name = f"{group.name}/history"
        item = _member(group, "history")
        columns = list(item) if isinstance(item, h5py.Group) else []
        try:
            table = schema.history_fields(columns)
        except ValueError as error:
            self.complain(f"{name}: {error}")
            return {}
        history = self.table(name, table)
        if "epoch" in history and not np.array_equal(history["epoch"], np.arange(1, len(history["epoch"]) + 1)):
            self.complain(f"{name}/epoch should count 1, 2, 3 ...")
        if "phase" in history and np.any(history["phase"] >= n_phases):
            self.complain(f"{name}/phase names a phase that the subject does not have")
        return history

    def measures(self, parent: h5py.Group, below: str = "") -> dict[tuple[str, str], MeasureRecord]:
        """Return the measures below a group, or below the one of a name in it, by probe and site."""
        found = {}
        for probe, group in self.groups(parent, below, optional=True):
            for site, table in self.groups(group):
                expected = {
                    name: meaning
                    for name, meaning in schema.MEASURE_ATTRIBUTES.items()
                    if name != "columns" or self.version >= 2
                }
                about = self.attributes(table, expected)
                settings, versions = (
                    self._json(f"{table.name}: {name}", about.get(name), dict) for name in ("settings", "versions")
                )
                # A measure describes itself, so that it can be read without the probe that made it.
                fields = stored_fields(table)
                named = (
                    self._json(f"{table.name}: columns", about.get("columns"), list) if "columns" in about else table
                )
                for name in named or ():
                    if name not in fields:
                        self.complain(f"{table.name}/{name} is missing, or does not say what it is")
                columns = self.table(str(table.name), schema.measure_fields(fields))
                if "epoch" not in columns:
                    continue
                values = {name: columns[name] for name in columns if name not in ("epoch", "checkpoint")}
                fields = {name: fields[name] for name in values}
                count = len(values["unit"]) if "unit" in values else None
                units = self._units(table, count) if "unit_kind" in about else None
                found[probe, site] = MeasureRecord(
                    columns["epoch"], values, fields, units, settings or {}, versions or {}
                )
        return found

    def _units(self, table: h5py.Group, count: int | None) -> SiteUnits | None:
        """Return what is said of the units of a site, from version 2 on; of so many, where they are counted."""
        if self.version < 2:
            return None
        about = self.attributes(table, schema.SITE_ATTRIBUTES)
        try:
            units = SiteUnits.of(about)
        except READING_ERRORS:
            units = None
        if units is None:
            self.complain(f"{table.name}: its attributes do not say what its units are")
        elif count is not None and units.count != count:
            self.complain(f"{table.name} has {count} units; its attributes make them {units.count}")
        return units

    def attributes(self, group: h5py.Group, expected: Mapping[str, str]) -> dict[str, Any]:
        """Return attributes, those of the schema of the types it gives them."""
        attributes = plain_attributes(group)
        for name in expected:
            value = attributes.get(name)
            if name in _LISTS_OF_NUMBERS:  # other programs store one number by itself, and a number as a list of one
                value = value if isinstance(value, list) else [value]
                wanted, what = all(type(item) is int for item in value), "a list of whole numbers"
            elif name in _NUMBERS:
                value = value[0] if isinstance(value, list) and len(value) == 1 else value
                wanted, what = type(value) is int, "a whole number"
            else:
                wanted, what = isinstance(value, str), "text"
            if name not in attributes:
                self.complain(f"{group.name}: the attribute {name} is missing")
            elif not wanted:
                self.complain(f"{group.name}: the attribute {name} should be {what}")
                del attributes[name]
            else:
                attributes[name] = value
        return attributes

    def _json(self, name: str, text: object, kind: type) -> Any:
        try:
            value = json.loads(str(text))
            if isinstance(value, kind):
                return value
            self.complain(f"{name} should be {'a list' if kind is list else 'names with values'}, in JSON")
        except (ValueError, RecursionError):
            self.complain(f"{name} is not JSON")
        return None

    def groups(self, parent: h5py.Group, name: str = "", optional: bool = False) -> list[tuple[str, h5py.Group]]:
        """Return the groups inside a group by name; anything else there is a fault."""
        group = _member(parent, name) if name else parent
        if not isinstance(group, h5py.Group):
            if group is not None or not optional:
                self.complain(f"{str(parent.name).rstrip('/')}/{name} is missing")
            return []
        items = [(str(key), group[str(key)]) for key in group]
        for key, item in items:
            if not isinstance(item, h5py.Group):
                self.complain(f"{group.name}: {key} is not part of the format")
        return [(key, item) for key, item in items if isinstance(item, h5py.Group)]

    def table(self, name: str, table: Mapping[str, Field]) -> dict[str, np.ndarray]:
        """Check the data sets of one group, each by itself; return those that can be used."""
        group = _member(self.file, name)
        name = "/" + name.strip("/")
        table = {key: field for key, field in table.items() if field.since <= self.version}
        if not isinstance(group, h5py.Group):
            self.complain(f"{name} is missing")
            return {}
        self.only(group, set(table))
        datasets: dict[str, h5py.Dataset] = {}
        for key, field in table.items():
            dataset = _member(group, key)
            if isinstance(dataset, h5py.Dataset):
                datasets[key] = dataset
            elif field.required:
                self.complain(f"{name}/{key} is missing")
        scales = {key for key, dataset in datasets.items() if table[key].dims == (key,) and dataset.ndim == 1}
        sizes = {key: datasets[key].shape[0] for key in scales}
        columns: dict[str, np.ndarray] = {}
        for key, dataset in datasets.items():
            field = table[key]
            problems = _form_problems(f"{name}/{key}", field, dataset, sizes)
            if not problems:  # nothing is read that does not have the size that the schema gives it
                try:
                    columns[key] = self.dataset(f"{name}/{key}", dataset, group, field)
                except READING_ERRORS as error:
                    if isinstance(error, (BadInput, MemoryError)) or failure_of(error):
                        raise
                    problems = [f"{name}/{key} cannot be read: {one_line(error)}"]
                else:
                    problems = field.problems(f"{name}/{key}", columns[key], sizes)
                    if problems:
                        del columns[key]
            for problem in problems:
                self.complain(problem)
        return columns

    def dataset(self, name: str, dataset: h5py.Dataset, group: h5py.Group, field: Field) -> np.ndarray:
        """Read one data set that has the shape of its field."""
        return read_dataset(dataset)

    def only(self, group: h5py.Group, known: set[str]) -> None:
        """Say what is not part of the format; of no consequence for a reader."""


def _member(group: h5py.Group, name: str) -> Any:
    """Return what is called so in a group, None if nothing is; `h5py.Group.get` says so of what cannot be read, too."""
    if name not in group:
        return None
    return group[name]


def _form_problems(name: str, field: Field, dataset: h5py.Dataset, sizes: Mapping[str, int]) -> list[str]:
    """Say what is wrong with a data set before any of it is read."""
    if not set(field.dims) <= set(sizes):
        return [f"{name} is without its dimensions [{', '.join(field.dims)}]"]
    shape = tuple(sizes[dim] for dim in field.dims)
    if dataset.shape != shape:
        return [f"{name} has shape {dataset.shape}; expected {shape}, [{', '.join(field.dims)}]"]
    text = h5py.check_string_dtype(dataset.dtype) is not None
    if text != (field.kind == "string"):
        return [f"{name} has type {'text' if text else dataset.dtype}; expected {field.kind}"]
    return []
