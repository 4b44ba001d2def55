"""Studies as HDF5 files (format ``binocular/2``, see `binocular.store.schema`), built from their subjects' records.

A study is written whole or not at all (`binocular.store.sealing.atomic_write`). The same records give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from binocular.stimuli.errors import BadInput, CannotRead
from binocular.store import schema
from binocular.store.measures import measures_of, write_measures
from binocular.store.opening import opened
from binocular.store.records import MeasureRecord, SubjectRecord, TreeRecord
from binocular.store.summary import SubjectOutcome, summarise_dominance, summarise_vision
from binocular.store.tables import (
    ATTRIBUTES_CHECKSUM,
    attributes_checksum,
    new_file,
    plain_attributes,
    subgroup,
    write_attributes,
    write_table,
)

__all__ = ["ConditionHeader", "StudyHeader", "write_study"]

_OVERHEAD = 100 << 10  # names, units and checksums of one subject, more than measured
_LARGEST_ADDED = 1 << 16  # bytes of the attributes that a user added to one group or data set
# Attributes of HDF5 and netCDF themselves.
_MACHINERY = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "_Netcdf4", "_NC", "_FillValue")


@dataclass(frozen=True)
class ConditionHeader:
    """A condition's name (that of its group), its label in words and its swept values (JSON-able)."""

    name: str
    label: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyHeader:
    """What a study says about itself; see `binocular.store.schema.ROOT_ATTRIBUTES`.

    Attributes
    ----------
    conditions
        In the order of the protocol; empty = as the subjects come.
    seeds
        Seeds that every condition should have; empty = whatever is there counts as all.
    assembled
        When the study was put together, ISO 8601 with time zone.
    """

    title: str
    protocol: str
    protocol_hash: str
    created: str
    finished: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    command: str = ""
    treated_eye: str = "right"
    conditions: Sequence[ConditionHeader] = ()
    seeds: Sequence[int] = ()
    assembled: str = ""


def write_study(
    path: Path | str,
    header: StudyHeader,
    subjects: Iterable[SubjectRecord],
    tree: TreeRecord | None = None,
    failures: MutableMapping[tuple[str, int], str] | None = None,
    measures: Path | None = None,
    size: int | None = None,
) -> None:
    """Build the study from its subjects, whole or not at all; attributes that a user added to the old one stay.

    Parameters
    ----------
    path
        The file, usually ``study.h5``; replaced if it exists.
    header
        Title, protocol and origin.
    subjects
        Subjects' records, in order of condition and seed, taken one at a time.
    tree
        The phase tree, if there was one.
    failures
        For each (condition, seed) that could not be reared, why. A subject whose record cannot be stored, such as one
        with infinite values, is added here instead of to the study; without this mapping it is an error.
    measures
        Folder of the files that later probes left (see `binocular.store.measures`). What lies there for a subject takes
        the place of what its record holds of the same probe and site.
    size
        Bytes that the subjects will take; without it they are counted, all records being in memory at once.

    Raises
    ------
    BadInput
        If a measure's file is damaged, the folder cannot be written or the disk is full.
    ValueError
        If a record breaks the schema, a subject comes twice or its condition is not in the header.
    """
    path = Path(path)
    if size is None:
        subjects = list(subjects)
        size = sum(_nbytes(subject) for subject in subjects)
    if measures is not None and measures.is_dir():
        size += sum(file.stat().st_size for file in measures.glob("*.h5"))
    with new_file(path, estimate=2 * size) as file:
        conditions = file.create_group("conditions", track_order=True)
        for condition in header.conditions:
            _new_condition(conditions, condition)
        outcomes = []
        for subject in subjects:
            outcome = _add_subject(conditions, subject, header, measures, failures)
            outcomes += [] if outcome is None else [outcome]
        names = list(conditions)
        for site, columns in summarise_dominance(outcomes, names).items():
            write_table(file.require_group(f"summary/dominance/{site}"), schema.SUMMARY_DOMINANCE, columns)
        if outcomes:
            columns = summarise_vision(outcomes, names)
            tasks = list(dict.fromkeys(t for outcome in outcomes for t in outcome.vision if t not in schema.HISTORY))
            write_table(file.require_group("summary/vision"), schema.vision_fields(tasks), columns)
        if tree is not None:
            nodes = np.arange(len(tree.identity), dtype=np.int64)
            write_table(file.create_group("tree"), schema.TREE, {"node": nodes, **asdict(tree)})
        if failures:
            (names_of, seeds_of), causes = zip(*failures, strict=True), list(failures.values())
            columns = {"failure": np.arange(len(causes)), "condition": names_of, "seed": seeds_of, "cause": causes}
            write_table(file.create_group("failures"), schema.FAILURES, columns)
        write_attributes(file, _root_attributes(header, _complete(header, names, outcomes, failures)))
        for item, attributes in _additions(path, header.protocol_hash, file):
            item.attrs.update(attributes)
            if ATTRIBUTES_CHECKSUM in item.attrs:
                item.attrs[ATTRIBUTES_CHECKSUM] = attributes_checksum(plain_attributes(item))


def _complete(
    header: StudyHeader, names: Sequence[str], outcomes: Sequence[SubjectOutcome], failures: Mapping[Any, str] | None
) -> bool:
    there = {(outcome.condition, outcome.seed) for outcome in outcomes}
    wanted = {(name, seed) for name in names for seed in header.seeds}
    return bool(there) and wanted <= there and not failures and all(any(n == c for c, _ in there) for n in names)


def _root_attributes(header: StudyHeader, complete: bool) -> dict[str, Any]:
    about = {
        **vars(header),
        "schema": schema.SCHEMA,
        "sign_convention": schema.SIGN_CONVENTION,
        "complete": int(complete),
    }
    about |= {"versions": _json(header.versions), "seeds": [int(seed) for seed in header.seeds]}
    names = (*schema.ROOT_ATTRIBUTES, *(["assembled"] if header.assembled else []))
    return {name: about[name] for name in names}


def _new_condition(conditions: h5py.Group, condition: ConditionHeader) -> h5py.Group:
    group = conditions.create_group(condition.name, track_order=True)
    write_attributes(group, {"label": condition.label or condition.name, "values": _json(condition.values)})
    return group


def _add_subject(
    conditions: h5py.Group,
    subject: SubjectRecord,
    header: StudyHeader,
    folder: Path | None,
    failures: MutableMapping[tuple[str, int], str] | None,
) -> SubjectOutcome | None:
    if subject.condition not in conditions:
        if header.conditions:
            raise ValueError(f"subject {subject.subject_id}: the study has no condition {subject.condition!r}")
        _new_condition(conditions, ConditionHeader(subject.condition))
    parent = subgroup(conditions, subject.condition)
    if str(subject.seed) in parent:
        raise ValueError(f"condition {subject.condition!r} has seed {subject.seed} twice")
    group = parent.create_group(str(subject.seed))
    measures = {**subject.measures, **measures_of(folder, subject.subject_id)}
    try:
        return _fill(group, subject, measures, header.treated_eye)
    except ValueError as error:
        if failures is None:
            raise
        del parent[str(subject.seed)]
        failures[subject.condition, subject.seed] = f"what was measured cannot be stored: {error}"
        return None


def _fill(
    group: h5py.Group,
    subject: SubjectRecord,
    measures: Mapping[tuple[str, str], MeasureRecord],
    treated_eye: str,
) -> SubjectOutcome:
    write_table(group.create_group("history"), schema.history_fields(subject.history), subject.history)
    for site, record in subject.sites.items():
        checkpoints, units = record.values["rsv"].shape
        columns = {
            "checkpoint": np.arange(checkpoints),
            "epoch": record.epoch,
            "unit": np.arange(units),
            "n_silent": record.n_silent,
            **record.values,
            **record.odi(measures.get(("odi", site))),
        }
        table = group.create_group(f"probes/{site}")
        write_table(table, schema.PROBES, columns)
        if record.units is not None:
            write_attributes(table, record.units.attributes())
    if measures:
        write_measures(group.create_group("measures"), measures)
    about = {"subject_id": subject.subject_id, "seed": subject.seed}
    write_attributes(group, about | {name: _json(getattr(subject, name)) for name in ("phases", "attributes")})
    outcome = SubjectOutcome.of(subject, treated_eye)
    for site, dominance in outcome.dominance.items():
        columns = {
            "checkpoint": np.arange(len(outcome.epochs[site])),
            "epoch": outcome.epochs[site],
            "group": np.arange(1, 8),
            **{name: getattr(dominance, name) for name in ("groups", *schema.MEASURES)},
        }
        write_table(group.create_group(f"dominance/{site}"), schema.DOMINANCE, columns)
    return outcome


def _additions(
    path: Path, protocol_hash: str, study: h5py.File
) -> list[tuple[h5py.Group | h5py.Dataset, dict[str, Any]]]:
    """Return the attributes that a user added to an earlier study of the same protocol, each with its place in the new.

    They are those that the study of now, already written, does not have by itself in the same place. An earlier study
    that is damaged has nothing to give.
    """
    found: list[tuple[h5py.Group | h5py.Dataset, dict[str, Any]]] = []
    if not path.is_file():
        return found

    def collect(name: str, item: Any) -> None:
        ours = study.get(name)
        if not isinstance(ours, h5py.Group | h5py.Dataset):
            return
        new = {key for key in item.attrs if key not in ours.attrs and not key.startswith(_MACHINERY)}
        if new:
            with suppress(TypeError, ValueError):
                plain = plain_attributes(item)
                attributes = {key: plain[key] for key in plain if key in new and plain[key] is not None}
                if attributes and len(json.dumps(attributes)) <= _LARGEST_ADDED:
                    found.append((ours, attributes))

    try:
        with opened(path, seal="ignored") as file:
            if plain_attributes(file).get("protocol_hash") == protocol_hash:
                collect("/", file)
                file.visititems(collect)
    except CannotRead:  # what it has to give would be lost
        raise
    except BadInput:
        return []
    return found


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False, default=_number)


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def _nbytes(subject: SubjectRecord) -> int:
    arrays = [*subject.history.values(), *(value for site in subject.sites.values() for value in site.values.values())]
    return _OVERHEAD + sum(np.asarray(array).nbytes for array in arrays)
