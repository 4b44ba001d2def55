"""Probes: measurements that change nothing.

Those taken while a subject is reared are functions (`response_grid` with `source_variance`, `vision`); those taken
afterwards from snapshots are classes listed in `PROBES`, see `binocular.probes.base`. Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.probes.base import Probe
    from binocular.probes.normalisation import adapted
    from binocular.probes.registry import PROBES, probe_from
    from binocular.probes.sight import vision
    from binocular.probes.variance import SILENT_FLOOR, SourceVariance, probe_views, response_grid, source_variance

__all__ = [
    "PROBES",
    "SILENT_FLOOR",
    "Probe",
    "SourceVariance",
    "adapted",
    "probe_from",
    "probe_views",
    "response_grid",
    "source_variance",
    "vision",
]

_HOME = {
    "PROBES": "registry",
    "SILENT_FLOOR": "variance",
    "Probe": "base",
    "SourceVariance": "variance",
    "adapted": "normalisation",
    "probe_from": "registry",
    "probe_views": "variance",
    "response_grid": "variance",
    "source_variance": "variance",
    "vision": "sight",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
