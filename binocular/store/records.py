"""What rearing hands to storage: plain arrays, one record per subject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from binocular.store.schema import Field

__all__ = ["MeasureRecord", "SiteRecord", "SiteUnits", "SubjectRecord", "TreeRecord"]


_WRITTEN_AS = {
    "unit_kind": "kind", "module": "module", "depth": "depth", "channels": "channels", "map_height": "height",
    "map_width": "width",
}  # fmt: skip
"""Attribute of a file -> field of `SiteUnits`."""


@dataclass(frozen=True)
class SiteUnits:
    """What the units of a site are, as `binocular.store.schema.SITE_ATTRIBUTES` has it.

    Units are in order of channels, then of places, which are (row, column); the kinds are those of
    `binocular.networks.sites`.
    """

    kind: str
    module: str
    depth: int
    channels: int
    height: int
    width: int
    places: list[tuple[int, int]]

    @property
    def count(self) -> int:
        """Number of units."""
        return self.channels * max(1, len(self.places))

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of `binocular.store.schema.SITE_ATTRIBUTES`."""
        about = {name: getattr(self, field) for name, field in _WRITTEN_AS.items()}
        return about | {"places": json.dumps(self.places)}

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> SiteUnits | None:
        """Return what attributes say; None where a file of version 1 says nothing."""
        if "unit_kind" not in attributes:
            return None
        numbers = {
            field: int(attributes[name]) for name, field in _WRITTEN_AS.items() if field not in ("kind", "module")
        }
        places = [(int(row), int(column)) for row, column in json.loads(attributes["places"])]
        return cls(kind=str(attributes["unit_kind"]), module=str(attributes["module"]), places=places, **numbers)


@dataclass
class SiteRecord:
    """What was measured at one site, checkpoint by checkpoint.

    Attributes
    ----------
    epoch
        Epochs of rearing completed at each checkpoint, ``[checkpoint]``; 0 is the untrained network, the null.
    values
        The columns of `binocular.store.schema.PROBES` that run along units, each ``[checkpoint, unit]`` float64.
    n_silent
        Units whose two source variances lie below the floor, ``[checkpoint]``.
    units
        What the units are; None where a file of version 1 does not say it.
    """

    epoch: np.ndarray
    values: dict[str, np.ndarray]
    n_silent: np.ndarray
    units: SiteUnits | None = None

    def odi(self, measure: MeasureRecord | None) -> dict[str, np.ndarray]:
        """Return the column ``odi [checkpoint, unit]`` from what the probe ``odi`` measured at this site.

        NaN at checkpoints of which there is no snapshot; no column without a measure of as many units.
        """
        shape = self.values["rsv"].shape
        if measure is None or "odi" not in measure.values or measure.values["odi"].shape[1] != shape[1]:
            return {}
        odi = np.full(shape, np.nan)
        for epoch, values in zip(measure.epoch, measure.values["odi"], strict=True):
            odi[self.epoch == epoch] = values
        return {"odi": odi}


@dataclass
class MeasureRecord:
    """What a probe measured at one site of a subject, while it was reared or later from snapshots.

    Attributes
    ----------
    epoch
        Epochs of rearing completed at each snapshot, ``[checkpoint]``; 0 is the untrained network, the null.
    values
        The probe's datasets; all but coordinates begin with the checkpoint.
    fields
        What each of them may hold: the probe's ``columns``, see `binocular.probes.base.Probe`.
    units
        What the units of the site are; None where the probe looked at the network as a whole.
    settings, versions
        Settings of the probe, JSON-able, and versions of the software it was measured with.
    """

    epoch: np.ndarray
    values: dict[str, np.ndarray]
    fields: Mapping[str, Field] = field(default_factory=dict)
    units: SiteUnits | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(repr=False)
class SubjectRecord:
    """One subject: its history and its probes.

    Attributes
    ----------
    history
        The columns of `binocular.store.schema.HISTORY` and one per task (``outline``, ``stereopsis``), each
        ``[epoch]``; NaN marks a test that was not given in that epoch.
    measures
        What was measured later, by (probe, site).
    phases
        One mapping per phase, in order: ``name``, ``start``, ``stop`` (epochs, half open), ``deficits`` (list of
        mappings), ``description``.
    """

    condition: str
    seed: int
    subject_id: str
    phases: list[dict[str, Any]]
    history: dict[str, np.ndarray]
    sites: dict[str, SiteRecord]
    attributes: dict[str, Any] = field(default_factory=dict)
    measures: dict[tuple[str, str], MeasureRecord] = field(default_factory=dict)


@dataclass
class TreeRecord:
    """The phase tree as it was reared: one row per node, in order of rearing; see `binocular.store.schema.TREE`."""

    identity: list[str]
    parent: list[str]
    seed: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    seconds: np.ndarray
    conditions: list[str]
