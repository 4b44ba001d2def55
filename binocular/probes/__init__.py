"""Probes: measurements that change nothing."""

from __future__ import annotations

from binocular.probes.normalisation import adapted
from binocular.probes.source_variance import SILENT_FLOOR, SourceVariance, response_grid, source_variance
from binocular.probes.vision import vision

__all__ = ["SILENT_FLOOR", "SourceVariance", "adapted", "response_grid", "source_variance", "vision"]
