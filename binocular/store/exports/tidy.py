"""A study as tidy tables, made subject by subject from the file: it may be larger than the memory.

What a column is called, and its units and meaning, come from `binocular.store.schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from binocular.store import schema
from binocular.store.exports import rows
from binocular.store.exports.measured import measure_tables
from binocular.store.exports.rows import PHASE, sites_of
from binocular.store.exports.table import KEY, Block, Column, Subject, Table, column_of, subjects_of
from binocular.store.tables import plain_attributes, read_dataset, read_table, subgroup

__all__ = ["tidy_tables"]

Rows = Callable[[Subject], Iterable[Block]]

_SITE = {**KEY, "site": Column("text", "1", "site: a named layer of the network")}
_ROOT_NOTES = {"sign_convention": "what the sign of rsv and of odi means", "seeds": "seeds of the protocol, by spaces"}


def tidy_tables(file: h5py.File) -> tuple[Table, ...]:
    """Return the tables of a study.

    Parameters
    ----------
    file
        An open study; it has to stay open while the tables are used.

    Returns
    -------
    tuple of Table
        ``study, subjects, phases, history, units, dominance, groups, summary, tree, failures``, always all of them: a
        table without observations has no rows. Then those of later probes, see `measure_tables`.
    """
    subjects = list(subjects_of(file))

    def table(name: str, meaning: str, columns: Mapping[str, Column], of_subject: Rows) -> Table:
        return Table(name, meaning, columns, lambda: (b for s in subjects for b in of_subject(s)), of_subject)

    measured = {"epoch", "unit", "rsv", "sv_left", "sv_right", *_columns_of(subjects, "probes/{site}")}
    unit = {name: column_of(schema.PROBES[name]) for name in schema.PROBES if name in measured - {"checkpoint"}}
    n_silent = unit.pop("n_silent", column_of(schema.PROBES["n_silent"]))
    group = column_of(schema.DOMINANCE["group"])
    indices = {name: column_of(schema.DOMINANCE[name]) for name in ("epoch", *schema.MEASURES)}
    counted = {"epoch": indices["epoch"], "group": group, "units": column_of(schema.DOMINANCE["groups"])}
    history = {
        name: column_of(field) for name, field in schema.history_fields(_columns_of(subjects, "history")).items()
    }
    every_unit = {**_SITE, **unit, "group": replace(group, missing="silent unit, in no group")}
    checkpoint = "one checkpoint of one subject at one site"
    return (
        _study(file),
        _subjects(file, subjects),
        table("phases", "one phase of one subject", PHASE, rows.phases_rows),
        table("history", "one epoch of one subject", {**KEY, **history}, rows.history_rows),
        table("units", "one unit at one checkpoint of one subject", every_unit, rows.units_rows),
        table("dominance", checkpoint, {**_SITE, **indices, "n_silent": n_silent}, rows.dominance_rows),
        table("groups", f"one ocular-dominance group at {checkpoint}", {**_SITE, **counted}, rows.groups_rows),
        Table("summary", "one measure of one condition, over seeds", _SUMMARY, lambda: _summary(file)),
        _stored(file, "tree", "one node of the phase tree", schema.TREE),
        _stored(file, "failures", "one subject that could not be reared", schema.FAILURES),
        *measure_tables(subjects),
    )


def _columns_of(subjects: Iterable[Subject], part: str) -> list[str]:
    """Return the names of the datasets that some subject has in a part of its group."""
    groups = (subgroup(subject.group, part.format(site=site)) for subject in subjects for site in sites_of(subject))
    return list(dict.fromkeys(str(name) for group in groups for name in group))


def _study(file: h5py.File) -> Table:
    attributes = plain_attributes(file)
    numbers = {"complete": Column("integer", "1", schema.ROOT_ATTRIBUTES["complete"])}
    columns = {
        name: numbers.get(name) or Column("text", "1", _ROOT_NOTES.get(name, meaning))
        for name, meaning in schema.ROOT_ATTRIBUTES.items()
        if name != "protocol"
    }
    columns["finished"] = replace(columns["finished"], missing="the study is incomplete")
    row = {name: [attributes.get(name)] for name in columns}
    row["seeds"] = [" ".join(map(str, np.ravel(attributes.get("seeds", []))))]
    return Table("study", "the study", columns, lambda: [row])


def _subjects(file: h5py.File, subjects: list[Subject]) -> Table:
    conditions = {
        str(name): plain_attributes(subgroup(file, f"conditions/{name}")) for name in subgroup(file, "conditions")
    }
    values = {name: json.loads(about["values"]) for name, about in conditions.items()}
    swept = {f"swept_{key}": key for of in values.values() for key in of}
    columns = {
        **KEY,
        "label": Column("text", "1", schema.CONDITION_ATTRIBUTES["label"]),
        "subject_id": Column("text", "1", schema.SUBJECT_ATTRIBUTES["subject_id"]),
        "epochs": Column("integer", "epoch", "epochs of rearing completed"),
        **{column: _swept([of[key] for of in values.values() if key in of], key) for column, key in swept.items()},
        "attributes": Column("text", "1", schema.SUBJECT_ATTRIBUTES["attributes"]),
    }

    def blocks() -> Iterator[Block]:
        for subject in subjects:
            about = subject.attributes
            given = values[subject.condition]
            yield {
                "condition": [subject.condition],
                "seed": [subject.seed],
                "label": [conditions[subject.condition]["label"]],
                "subject_id": [about["subject_id"]],
                "epochs": [len(read_dataset(subject.group["history/epoch"]))],  # type: ignore[arg-type]
                **{
                    column: [_word(given.get(key)) if columns[column].type == "text" else given.get(key)]
                    for column, key in swept.items()
                },
                "attributes": [about["attributes"]],
            }

    return Table("subjects", "one subject", columns, blocks)


def _swept(values: list[Any], key: str) -> Column:
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in values)
    number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return Column(
        "integer" if whole else "number" if number else "text", "1", f"swept value {key}", "the condition has none"
    )


def _word(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _stored(file: h5py.File, name: str, meaning: str, fields: Mapping[str, schema.Field]) -> Table:
    """Return a table that is tidy as it is stored."""
    columns = {name: column_of(field) for name, field in fields.items()}
    if "parent" in columns:
        columns["parent"] = replace(columns["parent"], missing="a beginning")
    return Table(name, meaning, columns, lambda: [dict(read_table(subgroup(file, name)))] if name in file else [])


_SUMMARY = {
    "condition": Column("text", "1", "condition"),
    "site": Column("text", "1", "site: a named layer of the network", "an accuracy, which belongs to no site"),
    "epoch": Column("integer", "epoch", "epochs of rearing completed", "the last time the accuracy was taken"),
    "measure": Column("text", "1", "what was measured: an index of the table dominance, group_share or an accuracy"),
    "group": Column(
        "integer",
        "1",
        "ocular-dominance group, 1 right eye only to 7 left eye only",
        "a measure other than group_share",
    ),
    "mean": Column("number", "1", "mean over seeds", "no seed has a value"),
    "low": Column("number", "1", "lower end of the 95 % t interval over seeds", "fewer than two seeds"),
    "high": Column("number", "1", "upper end of the 95 % t interval over seeds", "fewer than two seeds"),
    "n": Column("integer", "1", "seeds in the mean"),
}


def _summary(file: h5py.File) -> Iterator[Block]:
    if "summary/dominance" in file:
        for site in map(str, subgroup(file, "summary/dominance")):
            columns = read_table(subgroup(file, f"summary/dominance/{site}"))
            for measure in schema.MEASURES:
                key = {"condition": columns["condition"], "site": site, "epoch": columns["epoch"]}
                yield {**key, "measure": measure, "group": None, **_interval(columns, measure)}
            rows, groups = columns["group_share"].shape
            yield {
                "condition": np.repeat(columns["condition"], groups),
                "site": site,
                "epoch": np.repeat(columns["epoch"], groups),
                "measure": "group_share",
                "group": np.tile(columns["group"], rows),
                **_interval(columns, "group_share"),
            }
    if "summary/vision" in file:
        columns = read_table(subgroup(file, "summary/vision"))
        for measure in columns:
            if f"{measure}_low" in columns:
                key = {"condition": columns["condition"], "site": None, "epoch": None, "measure": measure}
                yield {**key, "group": None, **_interval(columns, measure)}


def _interval(columns: Mapping[str, np.ndarray], measure: str) -> Block:
    parts = {"mean": measure, "low": f"{measure}_low", "high": f"{measure}_high", "n": f"{measure}_n"}
    return {part: columns[name].ravel() for part, name in parts.items()}
