"""The ocular-dominance experiment for two-eyed networks: rear, measure, store and draw.

Names are loaded when first used, so that ``import binocular`` costs nothing.
"""

from __future__ import annotations

from binocular.imports import prefer_installed

prefer_installed()

from typing import TYPE_CHECKING  # noqa: E402 - whatever is imported from here on is the installed module

from binocular.stimuli.lazy import lazily  # noqa: E402

if TYPE_CHECKING:
    from binocular.networks.build import build_network, check_network
    from binocular.probes import response_grid, source_variance
    from binocular.report.figures import figure_of
    from binocular.report.figures.timeline import timeline_figure
    from binocular.report.showing import stimulus_figure
    from binocular.runs.measuring import measure_study
    from binocular.runs.running import run_study
    from binocular.store.opening import open_study
    from binocular.store.study import load_study
    from binocular.store.verification import verify_study

__all__ = [
    "build_network",
    "check_network",
    "figure_of",
    "load_study",
    "measure_study",
    "open_study",
    "response_grid",
    "run_study",
    "source_variance",
    "stimulus_figure",
    "timeline_figure",
    "verify_study",
]

_HOME = {
    "build_network": "networks.build",
    "check_network": "networks.build",
    "figure_of": "report.figures",
    "load_study": "store.study",
    "measure_study": "runs.measuring",
    "open_study": "store.opening",
    "response_grid": "probes",
    "run_study": "runs.running",
    "source_variance": "probes",
    "stimulus_figure": "report.showing",
    "timeline_figure": "report.figures.timeline",
    "verify_study": "store.verification",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
