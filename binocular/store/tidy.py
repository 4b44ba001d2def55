"""A study as tidy tables: one observation a row, one variable a column, each with its type, units and meaning.

``study, subjects, phases, history, units, dominance, groups, summary, tree, failures`` are always there; one without
observations has no rows. For what later probes measured there is one table per probe and set of dimensions, named
``PROBE`` and the dimensions but the checkpoint, joined by dots. What a column is called, and its units and meaning,
come from `binocular.store.schema`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import h5py
import numpy as np
import pandas

from binocular.dominance import group_numbers
from binocular.store import schema
from binocular.store.reading import Reader
from binocular.store.records import SiteRecord, SiteUnits, SubjectRecord
from binocular.store.schema import Field
from binocular.store.tables import stored_fields

__all__ = ["Tables", "unit_columns"]

About = dict[str, str]
Frames = Iterator[tuple[str, pandas.DataFrame]]

_MISSING = {
    "never": "",
    "allowed": "no value was taken",
    "silent": "silent unit",
    "all-silent": "all units are silent",
}
_KINDS = {"f": "number", "i": "integer", "u": "integer"}


def _column(kind: str, meaning: str, units: str = "1", empty: str = "") -> About:
    return {"type": kind, "units": units, "meaning": meaning, "empty": empty}


def _of(field: Field, empty: str | None = None) -> About:
    """Return the column in which a data set of the schema is written out."""
    kind = "text" if field.kind == "string" else _KINDS[np.dtype(field.kind).kind]
    return _column(kind, field.long_name, field.units, _MISSING[field.missing] if empty is None else empty)


_KEY = {"condition": _column("text", "condition"), "seed": _column("integer", "seed of the subject")}
_SITE = {**_KEY, "site": _column("text", "site: a named layer of the network")}
_EPOCH = {"epoch": _of(schema.PROBES["epoch"])}
_PHASES = {
    **_KEY,
    "phase": _column("integer", "index of the phase, counted from 0"),
    "phase_name": _column("text", "name of the phase"),
    "start": _column("integer", "epochs completed when it begins", "epoch"),
    "stop": _column("integer", "epochs completed when it ends", "epoch"),
    "eye": _column("text", "eye that something is done to: left, right or both", empty="normal vision"),
    "deficits": _column("text", "kinds of deficits, joined by +", empty="normal vision"),
    "in_words": _column("text", "what happens in it, in words", empty="not given"),
    "parameters": _column("text", "the deficits with all their parameters, JSON"),
}
_UNIT = {
    "kind": _column("text", "what is counted: cell, centre, pooled or map", empty="not said in a file of version 1"),
    "channel": _column("integer", "channel of the unit, counted from 0", empty="not said"),
    "row": _column("integer", "row of its place in the map, from the top", empty="no place: averaged over the map"),
    "column": _column("integer", "column of its place, from the left", empty="no place: averaged over the map"),
}
_GROUP = "ocular-dominance group, 1 right eye only to 7 left eye only"
_SUMMARY = {
    "condition": _column("text", "condition"),
    "site": _column("text", "site: a named layer of the network", empty="an accuracy, which belongs to no site"),
    "epoch": _column("integer", "epochs of rearing completed", "epoch", "the last time the accuracy was taken"),
    "measure": _column("text", "what was measured: an index of the table dominance, group_share or an accuracy"),
    "group": _column("integer", _GROUP, empty="a measure other than group_share"),
    "mean": _column("number", "mean over seeds", empty="no seed has a value"),
    "low": _column("number", "lower end of the 95 % t interval over seeds", empty="fewer than two seeds"),
    "high": _column("number", "upper end of the 95 % t interval over seeds", empty="fewer than two seeds"),
    "n": _column("integer", "seeds in the mean"),
}
_NOTES = {"sign_convention": "what the sign of rsv and of odi means", "seeds": "seeds of the protocol, by spaces"}


class Tables:
    """The tables of an open study, which has to stay open while they are made.

    Attributes
    ----------
    meaning
        For each table, what one row is.
    columns
        For each table its columns, in order: ``type`` (number, integer or text), ``units``, ``meaning``, and what an
        ``empty`` cell says.
    n_subjects, protocol
        Number of subjects, and the protocol as TOML.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._about = reader.attributes(reader.file, schema.ROOT_ATTRIBUTES)
        self.protocol = self._about["protocol"]
        self._conditions = [
            (name, group, reader.condition(group)) for name, group in reader.groups(reader.file, "conditions")
        ]
        self.meaning: dict[str, str] = {}
        self.columns: dict[str, dict[str, About]] = {}
        self.n_subjects = 0
        self._fields: dict[str, dict[str, Field]] = {}
        self._declare(*self._look())

    def _look(self) -> tuple[set[str], set[str]]:
        """Look at the names of all data sets of subjects, once; return those in histories and in probes."""
        history: dict[str, None] = {}
        probes: set[str] = set()
        for _, condition, _ in self._conditions:
            for _, subject in self._reader.groups(condition):
                self.n_subjects += 1
                if isinstance(columns := subject.get("history"), h5py.Group):
                    history |= dict.fromkeys(map(str, columns))
                for _, site in self._reader.groups(subject, "probes", optional=True):
                    probes |= set(map(str, site))
                for probe, sites in self._reader.groups(subject, "measures", optional=True):
                    for _, table in self._reader.groups(sites):
                        known = self._fields.setdefault(probe, {})
                        if set(map(str, table)) - set(known):
                            stored = schema.measure_fields(stored_fields(table))
                            known |= {name: stored[name] for name in map(str, table) if name in stored}
        self._history = schema.history_fields(history)
        return set(history), probes

    def _declare(self, history: set[str], probes: set[str]) -> None:
        def table(name: str, meaning: str, columns: dict[str, About]) -> None:
            self.meaning[name], self.columns[name] = meaning, columns

        root = {name: _column("text", _NOTES.get(name, text)) for name, text in schema.ROOT_ATTRIBUTES.items()}
        del root["protocol"]
        root["complete"]["type"] = "integer"
        root["finished"]["empty"] = "the study is incomplete"
        table("study", "the study", root)
        swept: dict[str, list[Any]] = {}
        for _, _, (_, values) in self._conditions:
            for key, value in values.items():
                swept.setdefault(key, []).append(value)
        self._swept = {key: _swept(key, values) for key, values in swept.items()}
        facts = {name: _column("text", schema.SUBJECT_ATTRIBUTES[name]) for name in ("subject_id", "attributes")}
        table(
            "subjects",
            "one subject",
            {
                **_KEY,
                "label": _column("text", schema.CONDITION_ATTRIBUTES["label"]),
                "subject_id": facts["subject_id"],
                "epochs": _column("integer", "epochs of rearing completed", "epoch"),
                **{f"swept_{key}": about for key, about in self._swept.items()},
                "attributes": facts["attributes"],
            },
        )
        table("phases", "one phase of one subject", _PHASES)
        columns = {name: _of(field) for name, field in self._history.items()}
        table("history", "one epoch of one subject", {**_KEY, **columns})
        always = {"epoch", "unit", "rsv", "sv_left", "sv_right"}
        unit = {name: _of(field) for name, field in schema.PROBES.items() if name in (probes | always)}
        unit.pop("checkpoint", None)
        unit.pop("n_silent", None)
        group = schema.DOMINANCE["group"]
        every_unit = {**_SITE, **unit, **_UNIT, "group": _of(group, "silent unit, in no group")}
        table("units", "one unit at one checkpoint of one subject", every_unit)
        checkpoint = "one checkpoint of one subject at one site"
        indices = {name: _of(schema.DOMINANCE[name]) for name in ("epoch", *schema.MEASURES)}
        table("dominance", checkpoint, {**_SITE, **indices, "n_silent": _of(schema.PROBES["n_silent"])})
        counted = {"epoch": indices["epoch"], "group": _of(group), "units": _of(schema.DOMINANCE["groups"])}
        table("groups", f"one ocular-dominance group at {checkpoint}", {**_SITE, **counted})
        table("summary", "one measure of one condition, over seeds", _SUMMARY)
        tree = {name: _of(field) for name, field in schema.TREE.items()}
        tree["parent"]["empty"] = "a beginning"
        table("tree", "one node of the phase tree", tree)
        failures = {name: _of(field) for name, field in schema.FAILURES.items()}
        table("failures", "one subject that could not be reared", failures)
        for probe, fields in sorted(self._fields.items()):
            for dims in sorted({f.dims for name, f in fields.items() if name not in ("epoch", *f.dims)}):
                about = {name: _of(fields[name]) for name in dims if name != "checkpoint"}
                values = {n: _of(f) for n, f in fields.items() if f.dims == dims and n not in ("epoch", *dims)}
                row = f"what the probe {probe} found in one subject at one site, by {', '.join(dims) or 'nothing else'}"
                at = _EPOCH if "checkpoint" in dims else {}
                table(_measure_table(probe, dims), row, {**_SITE, **at, **about, **values})

    def of_study(self) -> Frames:
        """Give the rows that belong to no subject."""
        row = {name: [self._about.get(name)] for name in self.columns["study"]}
        row["seeds"] = [" ".join(map(str, self._about["seeds"]))]
        yield "study", pandas.DataFrame(row)
        for name, fields in (("tree", schema.TREE), ("failures", schema.FAILURES)):
            if name in self._reader.file:
                yield name, pandas.DataFrame(self._reader.table(name, fields))
        for site, _ in self._reader.groups(self._reader.file, "summary/dominance", optional=True):
            columns = self._reader.table(f"summary/dominance/{site}", schema.SUMMARY_DOMINANCE)
            for measure in schema.MEASURES:
                key = {"condition": columns["condition"], "epoch": columns["epoch"]}
                yield "summary", pandas.DataFrame({**key, "site": site, "measure": measure, **_parts(columns, measure)})
            key = _grid({"row": np.arange(len(columns["row"])), "group": columns["group"]})
            at = {name: columns[name][key["row"]] for name in ("condition", "epoch")}
            group = {"group": key["group"], "measure": "group_share", **_parts(columns, "group_share")}
            yield "summary", pandas.DataFrame({**at, "site": site, **group})
        if "summary/vision" in self._reader.file:
            fields = schema.vision_fields(name for name in self._history if name not in schema.HISTORY)
            present = {name: field for name, field in fields.items() if f"summary/vision/{name}" in self._reader.file}
            columns = self._reader.table("summary/vision", present)
            for measure in (name for name in columns if f"{name}_low" in columns):
                key = {"condition": columns["condition"], "measure": measure}
                yield "summary", pandas.DataFrame({**key, **_parts(columns, measure)})

    def of_subjects(self) -> Iterator[list[tuple[str, pandas.DataFrame]]]:
        """Give the rows of each subject, in order of condition and seed."""
        for name, condition, (label, values) in self._conditions:
            for group, subject in self._reader.subjects(name, condition):
                frames = []
                for table, frame in self._of_subject(group, subject, label, values):
                    frames.append((table, frame.assign(condition=subject.condition, seed=subject.seed)))
                yield frames

    def _of_subject(self, group: h5py.Group, subject: SubjectRecord, label: str, values: Mapping[str, Any]) -> Frames:
        given = {
            f"swept_{key}": [_word(values[key]) if about["type"] == "text" else values[key]]
            for key, about in self._swept.items()
            if key in values
        }
        facts = {"label": label, "subject_id": subject.subject_id, "epochs": len(subject.history["epoch"])}
        more = json.dumps(subject.attributes, ensure_ascii=False)
        yield "subjects", pandas.DataFrame({**facts, "attributes": [more], **given})
        yield "phases", pandas.DataFrame(_phases(subject.phases))
        yield "history", pandas.DataFrame(subject.history)
        for site, record in subject.sites.items():
            yield "units", pandas.DataFrame(unit_columns(record)).assign(site=site)
            dominance = self._reader.table(f"{group.name}/dominance/{site}", schema.DOMINANCE)
            indices = {name: dominance[name] for name in ("epoch", *schema.MEASURES)}
            yield "dominance", pandas.DataFrame({**indices, "n_silent": record.n_silent}).assign(site=site)
            key = _grid({"epoch": dominance["epoch"], "group": dominance["group"]})
            yield "groups", pandas.DataFrame({**key, "units": dominance["groups"].ravel()}).assign(site=site)
        for (probe, site), measure in subject.measures.items():
            for dims, names in _by_dims(self._fields[probe], measure.values).items():
                key = _grid({dim: measure.values.get(dim, measure.epoch) for dim in dims})
                columns = {**key, **{name: np.ravel(measure.values[name]) for name in names}}
                frame = pandas.DataFrame(columns).rename(columns={"checkpoint": "epoch"})
                yield _measure_table(probe, dims), frame.assign(site=site)


def _measure_table(probe: str, dims: Iterable[str]) -> str:
    return ".".join([probe, *(dim for dim in dims if dim != "checkpoint")])


def _by_dims(fields: Mapping[str, Field], values: Mapping[str, np.ndarray]) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for name in values:
        if name in fields and fields[name].dims != (name,):
            found.setdefault(fields[name].dims, []).append(name)
    return found


def _grid(scales: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the coordinates of each value of an array that has these scales, the last one running fastest."""
    grid = np.meshgrid(*scales.values(), indexing="ij")
    return {name: part.ravel() for name, part in zip(scales, grid, strict=True)}


def _parts(columns: Mapping[str, np.ndarray], measure: str) -> dict[str, np.ndarray]:
    parts = {"mean": measure, "low": f"{measure}_low", "high": f"{measure}_high", "n": f"{measure}_n"}
    return {part: columns[name].ravel() for part, name in parts.items()}


def _phases(phases: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for index, phase in enumerate(phases):
        deficits = phase.get("deficits", [])
        eyes = {str(deficit.get("eye", "both")) for deficit in deficits}
        rows.append(
            {
                "phase": index,
                "phase_name": phase["name"],
                "start": phase["start"],
                "stop": phase["stop"],
                "eye": eyes.pop() if len(eyes) == 1 else "both" if eyes else None,
                "deficits": " + ".join(str(deficit.get("kind")) for deficit in deficits) or None,
                "in_words": phase.get("description"),
                "parameters": json.dumps(deficits, ensure_ascii=False),
            }
        )
    return rows


def _swept(key: str, values: list[Any]) -> About:
    whole = all(type(value) is int for value in values)
    number = all(type(value) in (int, float) for value in values)
    kind = "integer" if whole else "number" if number else "text"
    return _column(kind, f"swept value {key}", empty="the condition has none")


def _word(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def unit_columns(record: SiteRecord) -> dict[str, Any]:
    """Return what is known of each unit of a site of one subject at each checkpoint, by column.

    They are those that source variance gives (``rsv`` from -1 = right eye only to 1 = left eye only), the
    ocular-dominance ``group`` (1 to 7, missing where silent), and what the unit is: its ``kind``, ``channel``, and
    ``row`` and ``column`` of the map for one at a place.
    """
    epochs, count = record.values["rsv"].shape
    group = pandas.array(group_numbers(record.values["rsv"]).ravel(), dtype="Int64")
    group[group == 0] = pandas.NA
    return {
        "epoch": np.repeat(record.epoch, count),
        "unit": np.tile(np.arange(count), epochs),
        **{name: np.tile(values, epochs) for name, values in _places(record.units, count).items()},
        **{name: values.ravel() for name, values in record.values.items()},
        "group": group,
    }


def _places(units: SiteUnits | None, count: int) -> dict[str, np.ndarray]:
    """Return kind, channel and place of each unit of a site, by column; nothing where the file does not say it."""
    if units is None:
        return {}
    each = max(1, len(units.places))
    known = {"kind": np.full(count, units.kind), "channel": np.arange(count) // each}
    if units.places:
        rows, columns = np.array(units.places).T
        known |= {"row": np.tile(rows, count // each), "column": np.tile(columns, count // each)}
    return known
