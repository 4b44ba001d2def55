"""A study as pandas tables for a notebook: one observation a row, with the condition, seed and area that it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.dominance import N_GROUPS, groups_of

if TYPE_CHECKING:
    import pandas

    from binocular.store.conditions import Condition
    from binocular.store.records import SiteUnits, SubjectRecord

_GROUPS = np.arange(1, N_GROUPS + 1)

__all__ = ["groups_frame", "history_frame", "unit_places", "units_frame"]


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
    import pandas

    frames = []
    for condition, subject in _subjects(conditions):
        for site in (site for site in sites if site in subject.sites):
            record = subject.sites[site]
            rsv = record.values["rsv"]
            epochs, count = len(record.epoch), rsv.shape[1]
            group = pandas.array((groups_of(rsv[..., None]) @ _GROUPS).ravel(), dtype="Int64")
            group[group == 0] = pandas.NA
            measured = {n: np.ravel(v) for n, v in record.values.items() if np.shape(v) == rsv.shape}
            what = {name: np.tile(values, epochs) for name, values in unit_places(record.units, count).items()}
            key = _key(condition, subject) | {"area": site, "epoch": np.repeat(record.epoch, count)}
            frames.append(key | {"unit": np.tile(np.arange(count), epochs)} | what | measured | {"group": group})
    return _joined(frames)


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
    for condition, subject in _subjects(conditions):
        for site in (site for site in sites if site in subject.sites):
            record = subject.sites[site]
            counts = groups_of(record.values["rsv"][..., None]).sum(1)
            total = counts.sum(1, keepdims=True)
            share = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
            key = _key(condition, subject) | {"area": site, "epoch": np.repeat(record.epoch, N_GROUPS)}
            group = np.tile(_GROUPS, len(record.epoch))
            frames.append(key | {"group": group, "units": counts.ravel(), "share": share.ravel()})
    return _joined(frames)


def _subjects(conditions: Sequence[Condition]) -> list[tuple[Condition, SubjectRecord]]:
    return [(condition, subject) for condition in conditions for subject in condition.subjects]


def _key(condition: Condition, subject: SubjectRecord) -> dict[str, Any]:
    return {"condition": condition.name, "seed": subject.seed}


def unit_places(units: SiteUnits | None, count: int) -> dict[str, np.ndarray]:
    """Return what each unit of a site is, by column; nothing where the file does not say it.

    Parameters
    ----------
    units
        What the file says of the site.
    count
        Number of units.
    """
    if units is None:
        return {}
    each = max(1, len(units.places))
    known = {"kind": np.full(count, units.kind), "channel": np.arange(count) // each}
    if units.places:
        rows, columns = np.array(units.places).T
        known |= {"row": np.tile(rows, count // each), "column": np.tile(columns, count // each)}
    return known


def _joined(frames: Any) -> pandas.DataFrame:
    import pandas

    made = [pandas.DataFrame(frame) for frame in frames]
    return pandas.concat(made, ignore_index=True) if made else pandas.DataFrame()
