"""The contents of a study held against the schema and against themselves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from binocular.dominance import Dominance, dominance_of
from binocular.stimuli.errors import BadInput
from binocular.store import schema
from binocular.store.opening import check_schema
from binocular.store.schema import Field, problems_of
from binocular.store.summary import Outcome, outcome_of, summarise_dominance, summarise_vision
from binocular.store.tables import (
    ATTRIBUTES_CHECKSUM,
    CHECKSUM,
    attributes_checksum,
    checksum,
    plain_attributes,
    read_dataset,
)
from binocular.store.writing import read_records

__all__ = ["problems_inside"]

_SAME: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12, "equal_nan": True}


def problems_inside(path: Path) -> list[str]:
    """Return one sentence per fault of the contents; empty if there is none. See `binocular.verify_study`."""
    try:
        with h5py.File(path, "r") as file:
            try:
                check_schema(path, plain_attributes(file).get("schema"))
            except BadInput as error:
                return [str(error)]
            return _Reader(file).study()
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, UnicodeDecodeError) as error:
        return [f"its contents cannot be read: {str(error) or type(error).__name__}"]


class _Reader:
    """Walks through a study and notes what is wrong."""

    def __init__(self, file: h5py.File):
        self.file = file
        self.found: list[str] = []

    def study(self) -> list[str]:
        attributes = self._attributes(self.file, schema.ROOT_ATTRIBUTES)
        self._root(attributes)
        self._only(self.file, {"conditions", "summary", "tree", "failures"})
        treated = attributes.get("treated_eye")
        outcomes: list[Outcome] = []
        names: list[str] = []
        for name, condition in self._groups(self.file, "conditions"):
            names.append(name)
            about = self._attributes(condition, schema.CONDITION_ATTRIBUTES)
            self._json(f"{condition.name}: values", about.get("values"))
            for seed, subject in self._groups(condition):
                outcome = self._subject(subject, name, seed, treated if treated in ("left", "right") else "right")
                outcomes += [outcome] if outcome else []
        self._summary(outcomes, names)
        self._tree()
        failures = self._table("failures", schema.FAILURES) if "failures" in self.file else None
        self._complete(attributes, outcomes, names, failures)
        return self.found

    def _root(self, attributes: Mapping[str, Any]) -> None:
        if attributes.get("sign_convention") != schema.SIGN_CONVENTION:
            self.found.append(f"/: sign_convention should be {schema.SIGN_CONVENTION!r}")
        if attributes.get("treated_eye") not in ("left", "right"):
            self.found.append("/: treated_eye should be 'left' or 'right'")
        if attributes.get("complete") not in (0, 1):
            self.found.append("/: complete should be 0 or 1")
        self._json("/: versions", attributes.get("versions"))
        try:
            tomllib.loads(str(attributes.get("protocol", "")))
        except tomllib.TOMLDecodeError as error:
            self.found.append(f"/: protocol is not TOML: {error}")
        for name in ("created", "finished"):
            text = str(attributes.get(name, ""))
            try:
                if text or name == "created":
                    datetime.fromisoformat(text)
            except ValueError:
                self.found.append(f"/: {name} is not a date and time (ISO 8601): {text!r}")

    def _subject(self, group: h5py.Group, condition: str, seed: str, treated_eye: str) -> Outcome | None:
        before = len(self.found)
        attributes = self._attributes(group, schema.SUBJECT_ATTRIBUTES)
        self._only(group, {"history", "probes", "dominance", "measures"})
        phases = self._json(f"{group.name}: phases", attributes.get("phases"))
        self._json(f"{group.name}: attributes", attributes.get("attributes"))
        if str(attributes.get("seed")) != seed:
            self.found.append(f"{group.name}: its seed is {attributes.get('seed')}")
        history = self._history(group, len(phases) if isinstance(phases, list) else 0)
        for site, _ in self._groups(group, "probes"):
            probes = self._table(f"{group.name}/probes/{site}", schema.PROBES)
            table = self._table(f"{group.name}/dominance/{site}", schema.DOMINANCE)
            if len(self.found) == before:
                self._probes(f"{group.name}/probes/{site}", probes, len(history.get("epoch", ())))
                self._dominance(f"{group.name}/dominance/{site}", probes, table, treated_eye)
        for site, _ in self._groups(group, "dominance"):
            if f"probes/{site}" not in group:
                self.found.append(f"{group.name}/dominance/{site}: there are no probes of that site")
        self._measures(group, len(history.get("epoch", ())))
        if len(self.found) > before:
            return None
        return outcome_of(read_records(group, condition, attributes), treated_eye)

    def _history(self, group: h5py.Group, n_phases: int) -> dict[str, np.ndarray]:
        name = f"{group.name}/history"
        item = group.get("history")
        columns = list(item) if isinstance(item, h5py.Group) else []
        try:
            table = schema.history_fields(columns)
        except ValueError as error:
            self.found.append(f"{name}: {error}")
            return {}
        history = self._table(name, table)
        if "epoch" in history and not np.array_equal(history["epoch"], np.arange(1, len(history["epoch"]) + 1)):
            self.found.append(f"{name}/epoch should count 1, 2, 3 ...")
        if "phase" in history and np.any(history["phase"] >= n_phases):
            self.found.append(f"{name}/phase names a phase that the subject does not have")
        return history

    def _probes(self, name: str, probes: Mapping[str, np.ndarray], epochs: int) -> None:
        silent = np.isnan(probes["rsv"])
        if not np.array_equal(silent.sum(1), probes["n_silent"]):
            self.found.append(f"{name}: n_silent is not the number of units without rsv")
        for column in ("interaction", "rsv_se"):
            missing = np.isnan(probes.get(column, probes["rsv"]))
            if np.any(silent & ~missing) or (column == "interaction" and np.any(missing & ~silent)):
                self.found.append(f"{name}: {column} should be missing (NaN) where rsv is")
        if np.any(np.diff(probes["epoch"]) <= 0) or np.any(probes["epoch"] > epochs):
            self.found.append(f"{name}/epoch should rise and end within the {epochs} epochs of the history")
        left, right = probes["sv_left"], probes["sv_right"]
        with np.errstate(invalid="ignore", divide="ignore"):
            again = (left - right) / (left + right)
        if not np.allclose(again[~silent], probes["rsv"][~silent], rtol=0, atol=1e-6):
            self.found.append(f"{name}: rsv is not (sv_left - sv_right) / (sv_left + sv_right)")

    def _measures(self, subject: h5py.Group, epochs: int) -> None:
        odi: dict[str, Mapping[str, np.ndarray]] = {}
        for probe, group in self._groups(subject, "measures", optional=True):
            for site, table in self._groups(group):
                try:
                    fields = schema.measure_fields(probe)
                except BadInput:
                    self.found.append(f"{group.name}: this version knows no probe {probe!r}")
                    break
                about = self._attributes(table, schema.MEASURE_ATTRIBUTES)
                for name in schema.MEASURE_ATTRIBUTES:
                    self._json(f"{table.name}: {name}", about.get(name))
                columns = self._table(str(table.name), fields)
                if np.any(np.diff(columns.get("epoch", [])) <= 0) or np.any(columns.get("epoch", np.zeros(1)) > epochs):
                    self.found.append(
                        f"{table.name}/epoch should rise and end within the {epochs} epochs of the history"
                    )
                if probe == "odi":
                    odi[site] = columns
        for site, group in self._groups(subject, "probes"):
            if "odi" in group and not self._odi_agrees(group, odi.get(site, {})):
                self.found.append(f"{group.name}: odi is not what measures/odi/{site} gives")

    def _odi_agrees(self, probes: h5py.Group, measure: Mapping[str, np.ndarray]) -> bool:
        if not {"epoch", "odi"} <= set(measure):
            return False
        rows = {int(epoch): values for epoch, values in zip(measure["epoch"], measure["odi"], strict=True)}
        stored, epochs = read_dataset(probes["odi"]), read_dataset(probes["epoch"])  # type: ignore[arg-type]
        missing = np.full(stored.shape[1:], np.nan)
        expected = np.array([rows.get(int(epoch), missing) for epoch in epochs])
        return np.array_equal(stored, expected, equal_nan=True)

    def _dominance(
        self, name: str, probes: Mapping[str, np.ndarray], table: Mapping[str, np.ndarray], treated_eye: str
    ) -> None:
        units = probes["rsv"].shape[1]
        if not np.array_equal(table["epoch"], probes["epoch"]):
            self.found.append(f"{name}: its checkpoints are not those of the probes")
            return
        if np.any(table["groups"].sum(1) + probes["n_silent"] != units):
            self.found.append(f"{name}: groups and silent units do not add up to {units} units")
        again = dominance_of(probes["rsv"], treated_eye)
        for field in fields(Dominance):
            if not np.allclose(table[field.name], getattr(again, field.name), **_SAME):
                self.found.append(f"{name}: {field.name} is not what rsv gives")

    def _summary(self, outcomes: list[Outcome], names: list[str]) -> None:
        sound = not self.found
        sites = [site for site, _ in self._groups(self.file, "summary/dominance", optional=not outcomes)]
        tables = {site: self._table(f"summary/dominance/{site}", schema.SUMMARY_DOMINANCE) for site in sites}
        tasks = list(
            dict.fromkeys(task for outcome in outcomes for task in outcome.vision if task not in schema.HISTORY)
        )
        vision = self._table("summary/vision", schema.vision_fields(tasks)) if outcomes and sound else {}
        if not sound or self.found:
            return
        expected = summarise_dominance(outcomes, names)
        if set(expected) != set(tables):
            self.found.append("/summary/dominance: its sites are not those of the subjects")
        for site in set(expected) & set(tables):
            self._same(f"/summary/dominance/{site}", tables[site], expected[site])
        if outcomes:
            self._same("/summary/vision", vision, summarise_vision(outcomes, names))

    def _same(self, name: str, table: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
        for column, values in expected.items():
            there = table[column]
            equal = there.shape == values.shape and (
                np.array_equal(there, values) if values.dtype == object else np.allclose(there, values, **_SAME)
            )
            if not equal:
                self.found.append(f"{name}: {column} is not what the subjects give")

    def _tree(self) -> None:
        if "tree" not in self.file:
            return
        tree = self._table("tree", schema.TREE)
        if len(tree) < len(schema.TREE):
            return
        if not set(tree["parent"]) <= {"", *tree["identity"]}:
            self.found.append("/tree: a node has a parent that is not in the tree")
        if np.any(tree["stop"] < tree["start"]):
            self.found.append("/tree: a node ends before it begins")

    def _complete(
        self,
        attributes: Mapping[str, Any],
        outcomes: list[Outcome],
        names: list[str],
        failures: Mapping[str, np.ndarray] | None,
    ) -> None:
        if attributes.get("complete") != 1 or self.found:
            return
        there = {(outcome.condition, outcome.seed) for outcome in outcomes}
        seeds = list(np.ravel(attributes.get("seeds", [])))
        wanted = {(name, int(seed)) for name in names for seed in seeds}
        if missing := sorted(wanted - there):
            self.found.append(f"/: complete is 1, but condition {missing[0][0]} has no seed {missing[0][1]}")
        if failures is not None and len(failures["failure"]):
            self.found.append("/: complete is 1, but there are failures")

    def _attributes(self, group: h5py.Group, expected: Mapping[str, str]) -> dict[str, Any]:
        attributes = plain_attributes(group)
        for name in expected:
            if name not in attributes:
                self.found.append(f"{group.name}: the attribute {name} is missing")
        if attributes.get(ATTRIBUTES_CHECKSUM) != attributes_checksum(attributes):
            self.found.append(f"{group.name}: its attributes were altered (checksum)")
        return attributes

    def _json(self, name: str, text: object) -> Any:
        try:
            return json.loads(str(text))
        except ValueError:
            self.found.append(f"{name} is not JSON")
            return None

    def _only(self, group: h5py.Group, known: set[str]) -> None:
        for name in set(group) - known:
            self.found.append(f"{group.name}: {name} is not part of the format")

    def _groups(self, parent: h5py.Group, name: str = "", optional: bool = False) -> list[tuple[str, h5py.Group]]:
        group = parent.get(name) if name else parent
        if not isinstance(group, h5py.Group):
            if not optional:
                self.found.append(f"{str(parent.name).rstrip('/')}/{name} is missing")
            return []
        items = [(str(key), group.get(str(key))) for key in group]
        for key, item in items:
            if not isinstance(item, h5py.Group):
                self.found.append(f"{group.name}: {key} is not part of the format")
        return [(key, item) for key, item in items if isinstance(item, h5py.Group)]

    def _table(self, name: str, table: Mapping[str, Field]) -> dict[str, np.ndarray]:
        """Check the datasets of one group, each by itself; return those that can be used."""
        group = self.file.get(name)
        name = "/" + name.strip("/")
        if not isinstance(group, h5py.Group):
            self.found.append(f"{name} is missing")
            return {}
        self._only(group, set(table))
        columns: dict[str, np.ndarray] = {}
        for key, field in table.items():
            dataset = group.get(key)
            if isinstance(dataset, h5py.Dataset):
                try:
                    columns[key] = self._dataset(f"{name}/{key}", dataset, group, field)
                except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
                    self.found.append(f"{name}/{key} cannot be read: {error}")
            elif field.required:
                self.found.append(f"{name}/{key} is missing")
        sizes = {key: len(values) for key, values in columns.items() if table[key].dims == (key,) and values.ndim == 1}
        for key in list(columns):
            if set(table[key].dims) <= set(sizes):
                problems = problems_of(f"{name}/{key}", table[key], columns[key], sizes)
                self.found += problems
            else:
                problems = ["without its dimensions"]
            if problems:
                del columns[key]
        return columns

    def _dataset(self, name: str, dataset: h5py.Dataset, group: h5py.Group, field: Field) -> np.ndarray:
        attributes = plain_attributes(dataset)
        if attributes.get("units") != field.units:
            self.found.append(f"{name}: its units are {attributes.get('units')!r}; expected {field.units!r}")
        if attributes.get("long_name") != field.long_name:
            self.found.append(f"{name}: its long_name should be {field.long_name!r}")
        if dataset.ndim == len(field.dims) and name.rsplit("/", 1)[-1] not in field.dims:
            for axis, dim in enumerate(field.dims):
                if dataset.dims[axis].values() != [group.get(dim)]:
                    self.found.append(f"{name}: axis {axis} should have the dimension scale {dim}")
        values = read_dataset(dataset)
        if attributes.get(CHECKSUM) != checksum(values):
            self.found.append(f"{name}: its values were altered (checksum)")
        return values
