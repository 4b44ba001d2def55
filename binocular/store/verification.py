"""Whether a study is still what was written, and agrees with itself.

The seal is compared before any HDF5 code sees the file; then all of it is read once by a process of its own, because
HDF5 may crash or hang on damaged bytes: the verdict comes in any case (see `binocular.store.vetting`). At last the
contents are held against the schema and against themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from binocular.dominance import Dominance, dominance_of
from binocular.stimuli.errors import BadInput, CannotRead, shortened
from binocular.store import schema
from binocular.store.opening import check_schema, opened, refusal, study_file
from binocular.store.reading import Reader
from binocular.store.records import SiteRecord, SubjectRecord
from binocular.store.schema import Field
from binocular.store.sealing import SIGNATURE, SealState, seal_state
from binocular.store.summary import SubjectOutcome, summarise_dominance, summarise_vision
from binocular.store.tables import (
    ATTRIBUTES_CHECKSUM,
    CHECKSUM,
    attributes_checksum,
    checksum,
    plain_attributes,
    read_dataset,
)

__all__ = ["verify_study"]

_SAME: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12, "equal_nan": True}


def verify_study(path: Path | str, inside: bool = True) -> list[str]:
    """Check a study from its bytes to the agreement of its numbers.

    Bytes: the seal (see `binocular.store.sealing`). Form: schema, every dataset there with its dimensions, type, units
    and range. Values: a checksum per dataset and one per group of attributes. Agreement: groups and silent units add up
    to the units; every index, the summary and ``complete`` are computed again from what they were computed from.

    Parameters
    ----------
    path
        A ``study.h5``, or the folder that holds one.
    inside
        Look inside a file whose bytes have changed, to say what is affected; takes a second more.

    Returns
    -------
    list of str
        One sentence per fault, each on one line; empty if the study is sound.

    Raises
    ------
    BadInput
        If there is no such file, or it cannot be read whatever it holds.
    """
    return [shortened(sentence) for sentence in _found(study_file(path), inside)]


def _found(path: Path, inside: bool) -> list[str]:
    try:
        with path.open("rb") as file:
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return [f"{path} is not an HDF5 file, or its beginning is damaged"]
        state = seal_state(path)
    except OSError as error:
        raise refusal(path, error) from error
    found = {
        SealState.WHOLE: [],
        SealState.BROKEN: [f"{path}: its bytes are not those that were written (the seal does not match)"],
        SealState.ABSENT: [f"{path}: there is no seal at its end; it was cut off, or another program rewrote it"],
    }[state]
    if found and not inside:
        return found
    contents: list[str] = []
    try:
        with opened(path, seal="ignored") as file:
            check_schema(path, file)
            _Verifier(file, contents).study()
    except CannotRead:
        raise
    except BadInput as error:
        contents.append(str(error))
    return found + contents


class _Verifier(Reader):
    """Reads a study as `Reader` does, notes everything that is wrong, and holds the numbers against each other."""

    def __init__(self, file: h5py.File, found: list[str]):
        super().__init__(file, found.append)
        self.found = found
        self._outcomes: list[SubjectOutcome] = []
        self._treated_eye = "right"

    def study(self) -> None:
        attributes, conditions, failures = self.contents()
        self.only(self.file, {"conditions", "summary", "tree", "failures"})
        names = [condition.name for condition in conditions]
        self._summary(names)
        self._tree()
        self._complete(attributes, names, failures)

    def root(self, attributes: Mapping[str, Any]) -> None:
        super().root(attributes)
        if attributes.get("treated_eye") == "left":
            self._treated_eye = "left"
        if attributes.get("sign_convention") != schema.SIGN_CONVENTION:
            self.found.append(f"/: sign_convention should be {schema.SIGN_CONVENTION!r}")
        try:
            tomllib.loads(str(attributes.get("protocol", "")))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            self.found.append(f"/: protocol is not TOML: {error}")
        for name in ("created", "finished"):
            text = str(attributes.get(name, ""))
            try:
                if text or name == "created":
                    datetime.fromisoformat(text)
            except ValueError:
                self.found.append(f"/: {name} is not a date and time (ISO 8601): {text[:40]!r}")

    def subject(self, group: h5py.Group, condition: str, seed: str) -> SubjectRecord | None:
        before = len(self.found)
        self.only(group, {"history", "probes", "dominance", "measures"})
        subject = super().subject(group, condition, seed)
        epochs = 0 if subject is None else len(subject.history.get("epoch", ()))
        for site, _ in self.groups(group, "probes"):
            table = self.table(f"{group.name}/dominance/{site}", schema.DOMINANCE)
            if subject is not None and len(self.found) == before:
                probes = subject.sites[site]
                self._probes(f"{group.name}/probes/{site}", probes, epochs)
                self._dominance(f"{group.name}/dominance/{site}", probes, table)
        for site, _ in self.groups(group, "dominance"):
            if f"probes/{site}" not in group:
                self.found.append(f"{group.name}/dominance/{site}: there are no probes of that site")
        if subject is not None:
            self._measured(group, subject, epochs)
            if len(self.found) == before:
                self._outcomes.append(SubjectOutcome.of(subject, self._treated_eye))
        return subject

    def _probes(self, name: str, site: SiteRecord, epochs: int) -> None:
        values = site.values
        silent = np.isnan(values["rsv"])
        if not np.array_equal(silent.sum(1), site.n_silent):
            self.found.append(f"{name}: n_silent is not the number of units without rsv")
        for column in ("interaction", "rsv_se"):
            missing = np.isnan(values.get(column, values["rsv"]))
            if np.any(silent & ~missing) or (column == "interaction" and np.any(missing & ~silent)):
                self.found.append(f"{name}: {column} should be missing (NaN) where rsv is")
        if np.any(np.diff(site.epoch) <= 0) or np.any(site.epoch > epochs):
            self.found.append(f"{name}/epoch should rise and end within the {epochs} epochs of the history")
        left, right = values["sv_left"], values["sv_right"]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            again = (left - right) / (left + right)
        if not np.allclose(again[~silent], values["rsv"][~silent], rtol=0, atol=1e-6):
            self.found.append(f"{name}: rsv is not (sv_left - sv_right) / (sv_left + sv_right)")

    def _measured(self, group: h5py.Group, subject: SubjectRecord, epochs: int) -> None:
        for (probe, site), record in subject.measures.items():
            if np.any(np.diff(record.epoch) <= 0) or np.any(record.epoch > epochs):
                self.found.append(
                    f"{group.name}/measures/{probe}/{site}/epoch should rise and end within the {epochs} epochs of "
                    "the history"
                )
        for site, record in subject.sites.items():
            expected = record.odi(subject.measures.get(("odi", site))).get("odi", ())
            if "odi" in record.values and not np.array_equal(record.values["odi"], expected, equal_nan=True):
                self.found.append(f"{group.name}/probes/{site}: odi is not what measures/odi/{site} gives")

    def _dominance(self, name: str, site: SiteRecord, table: Mapping[str, np.ndarray]) -> None:
        units = site.values["rsv"].shape[1]
        if not np.array_equal(table["epoch"], site.epoch):
            self.found.append(f"{name}: its checkpoints are not those of the probes")
            return
        if np.any(table["groups"].sum(1) + site.n_silent != units):
            self.found.append(f"{name}: groups and silent units do not add up to {units} units")
        again = dominance_of(site.values["rsv"], self._treated_eye)
        for field in fields(Dominance):
            if not np.allclose(table[field.name], getattr(again, field.name), **_SAME):
                self.found.append(f"{name}: {field.name} is not what rsv gives")

    def _summary(self, names: list[str]) -> None:
        outcomes, sound = self._outcomes, not self.found
        sites = [site for site, _ in self.groups(self.file, "summary/dominance", optional=not outcomes)]
        tables = {site: self.table(f"summary/dominance/{site}", schema.SUMMARY_DOMINANCE) for site in sites}
        tasks = list(
            dict.fromkeys(task for outcome in outcomes for task in outcome.vision if task not in schema.HISTORY)
        )
        vision = self.table("summary/vision", schema.vision_fields(tasks)) if outcomes and sound else {}
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
            if column not in table:  # a file of version 1 has fewer
                continue
            there = table[column]
            equal = there.shape == values.shape and (
                np.array_equal(there, values) if values.dtype == object else np.allclose(there, values, **_SAME)
            )
            if not equal:
                self.found.append(f"{name}: {column} is not what the subjects give")

    def _tree(self) -> None:
        if "tree" not in self.file:
            return
        tree = self.table("tree", schema.TREE)
        if len(tree) < len(schema.TREE):
            return
        if not set(tree["parent"]) <= {"", *tree["identity"]}:
            self.found.append("/tree: a node has a parent that is not in the tree")
        if np.any(tree["stop"] < tree["start"]):
            self.found.append("/tree: a node ends before it begins")

    def _complete(
        self, attributes: Mapping[str, Any], names: list[str], failures: Mapping[tuple[str, int], str]
    ) -> None:
        if attributes.get("complete") != 1 or self.found:
            return
        there = {(outcome.condition, outcome.seed) for outcome in self._outcomes}
        wanted = {(name, int(seed)) for name in names for seed in attributes.get("seeds", [])}
        if missing := sorted(wanted - there):
            self.found.append(f"/: complete is 1, but condition {missing[0][0]} has no seed {missing[0][1]}")
        if failures:
            self.found.append("/: complete is 1, but there are failures")

    def attributes(self, group: h5py.Group, expected: Mapping[str, str]) -> dict[str, Any]:
        plain = plain_attributes(group)
        if plain.get(ATTRIBUTES_CHECKSUM) != attributes_checksum(plain):
            self.found.append(f"{group.name}: its attributes were altered (checksum)")
        return super().attributes(group, expected)

    def only(self, group: h5py.Group, known: set[str]) -> None:
        for name in set(group) - known:
            self.found.append(f"{group.name}: {name} is not part of the format")

    def dataset(self, name: str, dataset: h5py.Dataset, group: h5py.Group, field: Field) -> np.ndarray:
        about = plain_attributes(dataset)
        if about.get("units") != field.units:
            self.found.append(f"{name}: its units are {str(about.get('units'))[:40]!r}; expected {field.units!r}")
        if about.get("long_name") != field.long_name:
            self.found.append(f"{name}: its long_name should be {field.long_name!r}")
        if name.rsplit("/", 1)[-1] not in field.dims:
            for axis, dim in enumerate(field.dims):
                if dataset.dims[axis].values() != [group.get(dim)]:
                    self.found.append(f"{name}: axis {axis} should have the dimension scale {dim}")
        values = read_dataset(dataset)
        if about.get(CHECKSUM) != checksum(values):
            self.found.append(f"{name}: its values were altered (checksum)")
        return values
