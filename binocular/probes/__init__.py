"""Probes: measurements that change nothing.

They are classes listed in `PROBES` (see `binocular.probes.base`), taken at the checkpoints of rearing or later from
snapshots; what a subject can see is tested by `vision`. Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.probes.base import Probe
    from binocular.probes.normalisation import adapted
    from binocular.probes.recording import response_grid
    from binocular.probes.registry import PROBES, probe_from
    from binocular.probes.relative_variance import RelativeSourceVariance
    from binocular.probes.shown import probe_views
    from binocular.probes.sight import vision
    from binocular.probes.variance import SILENT_FLOOR, SourceVariance, source_variance

__all__ = [
    "PROBES",
    "SILENT_FLOOR",
    "Probe",
    "RelativeSourceVariance",
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
    "RelativeSourceVariance": "relative_variance",
    "SourceVariance": "variance",
    "adapted": "normalisation",
    "probe_from": "registry",
    "probe_views": "shown",
    "response_grid": "recording",
    "source_variance": "variance",
    "vision": "sight",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
