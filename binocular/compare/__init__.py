"""Published numbers, read with their provenance, and the comparison of a study with them.

Everything that is compared comes from ``data/literature`` or from a folder of the user's in the same format (see
``docs/literature-format.md``); nothing is filled in. Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.compare.collection import Literature, load_literature
    from binocular.compare.comparison import Comparison, compare_study
    from binocular.compare.facts import FactVerdict, evaluate_facts
    from binocular.compare.histograms import HistogramComparison, compare_histograms
    from binocular.compare.published import HistogramRecord
    from binocular.compare.resampling import HistogramTest, histogram_test, resample_shares
    from binocular.compare.treatments import Treatment, treatment_of
    from binocular.compare.writing import write_comparison

__all__ = [
    "Comparison",
    "FactVerdict",
    "HistogramComparison",
    "HistogramRecord",
    "HistogramTest",
    "Literature",
    "Treatment",
    "compare_histograms",
    "compare_study",
    "evaluate_facts",
    "histogram_test",
    "load_literature",
    "resample_shares",
    "treatment_of",
    "write_comparison",
]

_HOME = {
    "Comparison": "comparison",
    "FactVerdict": "facts",
    "HistogramComparison": "histograms",
    "HistogramRecord": "published",
    "HistogramTest": "resampling",
    "Literature": "collection",
    "Treatment": "treatments",
    "compare_histograms": "histograms",
    "compare_study": "comparison",
    "evaluate_facts": "facts",
    "histogram_test": "resampling",
    "load_literature": "collection",
    "resample_shares": "resampling",
    "treatment_of": "treatments",
    "write_comparison": "writing",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
