"""The units of a site as columns of a table: one row per unit and checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas

from binocular.dominance import group_numbers
from binocular.store.records import SiteRecord, SiteUnits

__all__ = ["unit_columns"]


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
