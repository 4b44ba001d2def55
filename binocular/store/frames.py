"""A study as pandas tables for a notebook: one observation a row, with the condition, seed and area that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas

from binocular.dominance import N_GROUPS, group_numbers, group_shares, groups_of
from binocular.store.conditions import Condition
from binocular.store.records import SiteRecord, SiteUnits, SubjectRecord

__all__ = ["groups_frame", "history_frame", "unit_columns", "units_frame"]

_GROUPS = np.arange(1, N_GROUPS + 1)


def history_frame(conditions: Sequence[Condition]) -> pandas.DataFrame:
    """Return one row per epoch of each subject: loss, accuracies and tasks, NaN where they were not tested."""
    return _joined((_key(condition, subject) | dict(subject.history)) for condition, subject in _subjects(conditions))


def units_frame(conditions: Sequence[Condition], sites: Sequence[str]) -> pandas.DataFrame:
    """Return one row per unit, checkpoint and area of each subject.

    Columns beside the key are those that source variance gives (``rsv`` from -1 = right eye only to 1 = left eye only),
    the ocular-dominance ``group`` (1 to 7, missing where silent), and what the unit is: its ``kind``, ``channel``, and
    ``row`` and ``column`` of the map for one at a place.

    Parameters
    ----------
    conditions
        Of a study.
    sites
        Areas, by the names under which they are stored.
    """
    return _joined(key | unit_columns(record) for key, record in _records(conditions, sites))


def groups_frame(conditions: Sequence[Condition], sites: Sequence[str]) -> pandas.DataFrame:
    """Return one row per ocular-dominance group, checkpoint and area of each subject: its units and their share.

    Parameters
    ----------
    conditions
        Of a study.
    sites
        Areas, by the names under which they are stored.
    """
    frames = []
    for key, record in _records(conditions, sites):
        counts = groups_of(record.values["rsv"])
        each = {"epoch": np.repeat(record.epoch, N_GROUPS), "group": np.tile(_GROUPS, len(record.epoch))}
        frames.append(key | each | {"units": counts.ravel(), "share": group_shares(counts).ravel()})
    return _joined(frames)


def _subjects(conditions: Sequence[Condition]) -> list[tuple[Condition, SubjectRecord]]:
    return [(condition, subject) for condition in conditions for subject in condition.subjects]


def _key(condition: Condition, subject: SubjectRecord) -> dict[str, Any]:
    return {"condition": condition.name, "seed": subject.seed}


def _records(conditions: Sequence[Condition], sites: Sequence[str]) -> Iterator[tuple[dict[str, Any], SiteRecord]]:
    for condition, subject in _subjects(conditions):
        for site in sites:
            if site in subject.sites:
                yield _key(condition, subject) | {"area": site}, subject.sites[site]


def unit_columns(record: SiteRecord) -> dict[str, Any]:
    """Return what is known of each unit of a site at each checkpoint, by column; see `units_frame`.

    Parameters
    ----------
    record
        Of one subject.
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


def _joined(frames: Any) -> pandas.DataFrame:
    made = [pandas.DataFrame(frame) for frame in frames]
    return pandas.concat(made, ignore_index=True) if made else pandas.DataFrame()
