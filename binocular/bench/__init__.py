"""Benchmarks: how fast the experiment is, as ratios measured in one run, each with its limit.

`binocular.bench.registry` lists the cases, one line each; a module per group holds what they measure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.bench.registry import CASES
    from binocular.bench.running import run_benchmarks

__all__ = ["CASES", "run_benchmarks"]

__getattr__, __dir__ = lazily(__name__, {"CASES": "registry", "run_benchmarks": "running"})
