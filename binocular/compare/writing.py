"""A comparison in a folder: as plain data in JSON, and its figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from binocular.compare.comparison import Comparison
from binocular.compare.curves import CurveComparison
from binocular.compare.facts import FactVerdict
from binocular.compare.histograms import HistogramComparison, estimates
from binocular.compare.resampling import DRAWS, LEVEL
from binocular.report.figures.saving import save_figure
from binocular.report.figures.style import style
from binocular.store.ownership import remove_figures
from binocular.store.sealing import atomic_write
from binocular.store.statistics import Interval

_MOMENTS = {
    "recorded": "the moment at which the animals of each published row were recorded",
    "end": "end of rearing",
    "deficit": "end of each deficit",
}
__all__ = ["COMPARISONS", "as_plain", "draw_comparison", "write_comparison"]

_SCHEMA = "binocular-comparison/1"
_CRITERION = (
    f"Declared beforehand, {LEVEL:.0%} in all: different where the {1 - LEVEL / 2:.1%} interval of the difference in "
    f"CBI leaves out 0, or where the Wasserstein-1 distance over groups exceeds {1 - LEVEL / 2:.1%} of the distances "
    "between resampled histograms when both sides have the same one; else consistent. Resampled are our subjects and "
    "their units, and the cells of the published histogram; where their number is not known the published shares are "
    "taken as they are."
)


def as_plain(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as data for JSON.

    Returns
    -------
    dict
        Group 1 is the deprived eye only in every histogram; shares and indices lie between 0 and 1; what is not
        known is None.
    """
    study = comparison.study
    species = {curve.scale.species: curve.scale for curve in comparison.curves}
    for test in (found.test for found in comparison.facts):
        scale = comparison.literature.scale(test.species)
        if scale is not None:
            species[scale.species] = scale
    return _clean(
        {
            "schema": _SCHEMA,
            "study": {
                "title": study.title, "protocol_hash": study.attributes.get("protocol_hash"),
                "treated_eye": study.treated_eye, "complete": study.complete,
            },
            "site": comparison.site,
            "measured_at": _MOMENTS[comparison.at],
            "asked_for": list(comparison.chosen),
            "orientation": "group 1 = deprived (treated) eye only, group 7 = fellow eye only",
            "criterion": _CRITERION,
            "intervals": f"95 %, from {DRAWS} resamplings of subjects and units, or of cells",
            "age_scales": [scale.model_dump() for scale in species.values()],
            "histograms": [_histogram(found, comparison) for found in comparison.histograms],
            "curves": [_curve(found) for found in comparison.curves],
            "recovery": _recovery(comparison),
            "facts": [_fact(found) for found in comparison.facts],
        }
    )  # fmt: skip


_ESTIMATE = ("value=mean", "low", "high")


def _plain(thing: object, *names: str) -> dict[str, Any]:
    """Return attributes by their names, or by another one that stands before it: ``"start_epoch=start"``."""
    return {name.partition("=")[0]: getattr(thing, name.rpartition("=")[2]) for name in names}


def _histogram(found: HistogramComparison, comparison: Comparison) -> dict[str, Any]:
    sample, record, test, units = found.sample, found.record, found.test, found.units
    return {
        **_plain(sample, "condition=name", "label"),
        "treatment": _plain(
            sample.treatment, "name", "deprived_eye", "start_epoch=start", "stop_epoch=stop", "epochs"
        ),
        "treatment_in_words": sample.treatment.sentence(comparison.literature.scale(record.species)),
        **_plain(sample, "site", "epoch", "seeds", "units_per_group_and_seed=counts", "silent_units_per_seed=silent"),
        "published": _plain(
            record, "id", "species", "name", "condition", "onset", "duration", "recovery", "cells", "evidence", "note",
            "reference",
        ),
        **_plain(found, "like_for_like=like", "ours", "theirs"),
        "cbi_difference": _plain(test.cbi_difference, "value=mean", "low_97.5=low", "high_97.5=high"),
        "wasserstein_1": {
            **_plain(test.distance, *_ESTIMATE), **_plain(test, "told_apart_from=detectable", "p=p_distance"),
        },
        "kolmogorov_smirnov": None if units is None else {
            **_plain(units, "value", "told_apart_from=detectable"),
            "compared": f"cumulative shares of units at the {units.edges} inner edges of the published bins",
        },
        **_plain(found, "distances_of_animals_treated_the_same=twins", "verdict"),
        "marks": [
            {"epoch": one.epoch, "cbi": estimates(one.shares, one.resampled)["cbi"]} for one in found.marks
        ],
        "elsewhere": {
            site: _plain(one, "wasserstein_1=distance", "verdict") for site, one in found.elsewhere.items()
        },
    }  # fmt: skip


def _curve(found: CurveComparison) -> dict[str, Any]:
    claim = "the effect falls with age" if found.kind == "profile" else "the effect grows with the length of closure"
    series = zip(found.series, found.ours_there, found.verdicts, strict=True)
    return {
        **_plain(found, "id", "kind", "species"),
        "unit": found.scale.unit if found.kind == "profile" else "day",
        "published": [
            _plain(point, "at", "relative_effect=effect", "low", "high", "evidence", "from_words", "reference")
            for point in found.points
        ],
        "ours": [
            {
                **_plain(one, "treatment", "shared_epochs=fixed", "conditions=names", "epochs", "shift_of_cbi=shifts"),
                "relative_effect": [estimate.mean for estimate in one.relative()],
                "at_the_published_points": there,
                "claim": claim,
                "contrast_of_the_ends": one.contrast,
                "verdict": verdict,
            }
            for one, there, verdict in series
        ],
    }


def _recovery(comparison: Comparison) -> dict[str, Any] | None:
    if not comparison.recovery:
        return None
    published = comparison.literature.recoveries
    ours = (
        "treatment", "measure", "conditions=names", "deficit_end_epoch=ends_at", "accuracy",
        "falls_with_every_later_end=falls",
    )  # fmt: skip
    return {
        "published": {name: [row.model_dump() for row in rows] for name, rows in published.items()},
        "ours": [_plain(found, *ours) for found in comparison.recovery],
    }


def _fact(found: FactVerdict) -> dict[str, Any]:
    return {
        **_plain(found.test, "id", "claim"),
        "criterion": found.test.criterion(),
        **_plain(found.test, "reason", "published_id=published"),
        **_plain(found, "published", "evidence", "reference", "verdict", "why"),
        **_plain(found, "verdict_elsewhere=elsewhere", "verdict_by_moment=moments"),
        "tested": [
            {
                **_plain(one, "condition", "treatment"), "measure": found.test.measure,
                **_plain(one.estimate, *_ESTIMATE), "subjects": one.subjects, "compared_with": one.baseline or None,
                "verdict": one.verdict,
            }
            for one in found.tested
        ],
    }  # fmt: skip


def _clean(value: Any) -> Any:
    """Return plain data: numpy's numbers as Python's, intervals as their numbers, and nothing (None) for NaN."""
    if isinstance(value, Interval):
        value = _plain(value, *_ESTIMATE)
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def write_comparison(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Write ``comparison.json`` and all figures (PNG and SVG) into a folder.

    Parameters
    ----------
    comparison, folder
        As `compare_study` returns it; the folder is made if it is not there.

    Returns
    -------
    list of Path
        The files, the JSON first.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full; no file is left half-written.
    """
    path = Path(folder) / "comparison.json"
    text = json.dumps(as_plain(comparison), indent=1, ensure_ascii=False, allow_nan=False)
    # The figures first: drawing them clears away what an earlier comparison left, its numbers too.
    figures = draw_comparison(comparison, folder)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return [path, *figures]


COMPARISONS: dict[str, str] = {
    "experiment": "binocular.compare.experiment_figure:experiment_figures",
    "histograms": "binocular.compare.histogram_figures:histogram_figures",
    "units": "binocular.compare.histogram_figures:unit_figures",
    "sensitive-period": "binocular.compare.curve_figures:profile_figures",
    "dose-response": "binocular.compare.curve_figures:duration_figures",
    "recovery": "binocular.compare.curve_figures:recovery_figures",
}
"""By name of file the function that draws it: from a `Comparison` to as many figures as there is something to show."""


def draw_comparison(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw all figures of a comparison, each as PNG (200 dpi) and SVG, and return the files.

    Parameters
    ----------
    comparison, folder
        As for `write_comparison`; figures of an earlier comparison in the folder are replaced, or removed where this
        one has none. A second page of a figure has ``-2`` in its name.
    """
    protocol = comparison.study.attributes["protocol_hash"]
    written: list[Path] = []
    for name, function in COMPARISONS.items():
        module, function_name = function.split(":")
        with style():
            figures = getattr(import_module(module), function_name)(comparison)
        for page, figure in enumerate(figures, 1):
            written += save_figure(figure, Path(folder) / (name if page == 1 else f"{name}-{page}"), of=protocol)
    remove_figures(Path(folder), written)
    return written
