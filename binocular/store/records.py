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
    """What the units of a site are.

    Attributes
    ----------
    kind
        ``"cell"``, ``"centre"``, ``"pooled"`` or ``"map"``, see `binocular.networks.sites`.
    module
        Dotted name of the module whose output was recorded.
    depth
        Place among the areas of the network, 0 = ``first_binocular``; -1 for a module that is none of them.
    channels, height, width
        Size of its output for one presentation.
    places
        (row, column) of the places recorded at; none for pooled units. Units are in order of channels, then of places.
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
        ``rsv, rsv_se, sv_left, sv_right, interaction`` (and ``odi`` where measured), each ``[checkpoint, unit]``
        float64.
        ``interaction`` is the share, 0 to 1, of a unit's variance that neither eye explains alone. NaN in ``rsv``,
        ``rsv_se`` and ``interaction`` marks a silent unit.
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
        ``epoch, phase, learning_rate, train_loss, train_accuracy, test_accuracy, accuracy_left_only,
        accuracy_right_only`` and one column per task (``outline``, ``stereopsis``), each ``[epoch]``; ``epoch`` counts
        completed epochs from 1,
        ``phase`` is the index into ``phases``; NaN marks a test that was not given in that epoch.
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
    """The phase tree as it was reared: one row per node, in order of rearing.

    Attributes
    ----------
    identity, parent
        Hash of each node and of its parent (empty for a root).
    seed, start, stop
        Seed and epochs (half open) of each node, ``[node]``.
    seconds
        Time spent on each node, ``[node]``.
    conditions
        Names of the conditions that pass through each node, comma separated.
    """

    identity: list[str]
    parent: list[str]
    seed: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    seconds: np.ndarray
    conditions: list[str]
