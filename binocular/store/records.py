"""What rearing hands to storage: plain arrays, one record per subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["MeasureRecord", "SiteRecord", "SubjectRecord", "TreeRecord"]


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
    """

    epoch: np.ndarray
    values: dict[str, np.ndarray]
    n_silent: np.ndarray


@dataclass
class MeasureRecord:
    """What a probe measured at one site of a subject, from snapshots taken while it was reared.

    Attributes
    ----------
    epoch
        Epochs of rearing completed at each snapshot, ``[checkpoint]``; 0 is the untrained network, the null.
    values
        The probe's ``columns`` (see `binocular.probes.base.Probe`); all but coordinates begin with the checkpoint.
    settings
        Settings of the probe, JSON-able.
    versions
        Versions of the software it was measured with.
    """

    epoch: np.ndarray
    values: dict[str, np.ndarray]
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass
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
