"""Figures, each drawn from a study file alone.

The functions that draw one panel take arrays and ``ax`` and return the ``ax``; those that end in ``_figure`` take a
`binocular.store.study.Study` and return a matplotlib figure. ``FIGURES`` names the latter; a new figure is one function
and one line there. Drawn inside ``with binocular.report.figures.style.style():`` they look as in the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.report.figures.dominance import dominance_figure, dominance_histogram
    from binocular.report.figures.drawing import FIGURES, draw, draw_all, figure_of
    from binocular.report.figures.learning import learning_curves, learning_figure
    from binocular.report.figures.outcomes import interval_rows, outcomes_figure
    from binocular.report.figures.physiology import (
        agreement_figure,
        dominance_agreement,
        field_pairs,
        field_pairs_figure,
        tuning_figure,
        two_eye_tuning,
    )
    from binocular.report.figures.rearing import rearing_figure, rsv_density

__all__ = [
    "FIGURES",
    "agreement_figure",
    "dominance_agreement",
    "dominance_figure",
    "dominance_histogram",
    "draw",
    "draw_all",
    "field_pairs",
    "field_pairs_figure",
    "figure_of",
    "interval_rows",
    "learning_curves",
    "learning_figure",
    "outcomes_figure",
    "rearing_figure",
    "rsv_density",
    "tuning_figure",
    "two_eye_tuning",
]

_HOME = {
    "two_eye_tuning": "physiology",
    "tuning_figure": "physiology",
    "field_pairs_figure": "physiology",
    "field_pairs": "physiology",
    "dominance_agreement": "physiology",
    "agreement_figure": "physiology",
    "FIGURES": "drawing",
    "dominance_figure": "dominance",
    "dominance_histogram": "dominance",
    "draw": "drawing",
    "draw_all": "drawing",
    "figure_of": "drawing",
    "interval_rows": "outcomes",
    "learning_curves": "learning",
    "learning_figure": "learning",
    "outcomes_figure": "outcomes",
    "rearing_figure": "rearing",
    "rsv_density": "rearing",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
