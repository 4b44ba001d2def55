"""The ocular-dominance experiment for two-eyed networks: rear, measure, store and draw.

Names are loaded when first used, so that ``import binocular`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.figures import figure_of
    from binocular.figures.timeline import timeline_figure
    from binocular.measuring import measure_study
    from binocular.opening import open_study
    from binocular.probes import response_grid, source_variance
    from binocular.running import run_study
    from binocular.showing import stimulus_figure
    from binocular.study import load_study
    from binocular.subjects import build_network, check_network
    from binocular.verification import verify_study

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
    "build_network": "subjects",
    "check_network": "subjects",
    "figure_of": "figures",
    "load_study": "study",
    "measure_study": "measuring",
    "open_study": "opening",
    "response_grid": "probes",
    "run_study": "running",
    "source_variance": "probes",
    "stimulus_figure": "showing",
    "timeline_figure": "figures.timeline",
    "verify_study": "verification",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
