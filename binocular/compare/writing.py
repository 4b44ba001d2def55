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


def _estimate(found: Interval) -> dict[str, float]:
    return {"value": found.mean, "low": found.low, "high": found.high}


_PUBLISHED = (
    "id", "species", "name", "condition", "onset", "duration", "recovery", "cells", "evidence", "note", "reference",
)  # fmt: skip


def _histogram(found: HistogramComparison, comparison: Comparison) -> dict[str, Any]:
    sample, record, test, done = found.sample, found.record, found.test, found.sample.treatment
    scale, apart = comparison.literature.scale(record.species), test.cbi_difference
    return {
        "condition": sample.name,
        "label": sample.label,
        "treatment": {
            "name": done.name, "deprived_eye": done.deprived_eye, "start_epoch": done.start, "stop_epoch": done.stop,
            "epochs": done.epochs,
        },
        "treatment_in_words": done.sentence(scale),
        "site": sample.site,
        "epoch": sample.epoch,
        "seeds": list(sample.seeds),
        "units_per_group_and_seed": sample.counts.tolist(),
        "silent_units_per_seed": list(sample.silent),
        "published": {name: getattr(record, name) for name in _PUBLISHED},
        "like_for_like": found.like,
        "ours": {name: _estimate(value) for name, value in found.ours.items()},
        "theirs": {name: _estimate(value) for name, value in found.theirs.items()},
        "cbi_difference": {"value": apart.mean, "low_97.5": apart.low, "high_97.5": apart.high},
        "wasserstein_1": {**_estimate(test.distance), "told_apart_from": test.detectable, "p": test.p_distance},
        "kolmogorov_smirnov": None
        if found.units is None
        else {
            "value": found.units.value,
            "told_apart_from": found.units.detectable,
            "compared": f"cumulative shares of units at the {found.units.edges} inner edges of the published bins",
        },
        "distances_of_animals_treated_the_same": list(found.twins),
        "verdict": test.verdict,
        "marks": [
            {"epoch": one.epoch, "cbi": _estimate(estimates(one.shares, one.resampled)["cbi"])} for one in found.marks
        ],
        "elsewhere": {
            site: {"wasserstein_1": _estimate(one.distance), "verdict": one.verdict}
            for site, one in found.elsewhere.items()
        },
    }  # fmt: skip


def _curve(found: CurveComparison) -> dict[str, Any]:
    claim = "the effect falls with age" if found.kind == "profile" else "the effect grows with the length of closure"
    return {
        "id": found.id,
        "kind": found.kind,
        "species": found.species,
        "unit": found.scale.unit if found.kind == "profile" else "day",
        "published": [
            {
                "at": point.at, "relative_effect": point.effect, "low": point.low, "high": point.high,
                "evidence": point.evidence, "from_words": point.from_words, "reference": point.reference,
            }
            for point in found.points
        ],
        "ours": [
            {
                "treatment": series.treatment, "shared_epochs": series.fixed, "conditions": list(series.names),
                "epochs": series.epochs.tolist(),
                "shift_of_cbi": [_estimate(shift) for shift in series.shifts],
                "relative_effect": [estimate.mean for estimate in series.relative()],
                "at_the_published_points": list(there),
                "claim": claim,
                "contrast_of_the_ends": _estimate(series.contrast),
                "verdict": verdict,
            }
            for series, there, verdict in zip(found.series, found.ours_there, found.verdicts, strict=True)
        ],
    }  # fmt: skip


def _recovery(comparison: Comparison) -> dict[str, Any] | None:
    if not comparison.recovery:
        return None
    published = comparison.literature.recoveries
    return {
        "published": {name: [row.model_dump() for row in rows] for name, rows in published.items()},
        "ours": [
            {
                "treatment": found.treatment, "measure": found.measure, "conditions": list(found.names),
                "deficit_end_epoch": found.ends_at.tolist(),
                "accuracy": [_estimate(point) for point in found.accuracy],
                "falls_with_every_later_end": found.falls,
            }
            for found in comparison.recovery
        ],
    }  # fmt: skip


def _fact(found: FactVerdict) -> dict[str, Any]:
    return {
        "id": found.test.id,
        "claim": found.test.claim,
        "criterion": found.test.criterion(),
        "reason": found.test.reason,
        "published_id": found.test.published,
        "published": found.published,
        "evidence": found.evidence,
        "reference": found.reference,
        "verdict": found.verdict,
        "why": found.why,
        "verdict_elsewhere": dict(found.elsewhere),
        "verdict_by_moment": dict(found.moments),
        "tested": [
            {
                "condition": one.condition, "treatment": one.treatment, "measure": found.test.measure,
                **_estimate(one.estimate), "subjects": one.subjects, "compared_with": one.baseline or None,
                "verdict": one.verdict,
            }
            for one in found.tested
        ],
    }  # fmt: skip


def _clean(value: Any) -> Any:
    """Return plain data: numpy's numbers as Python's, and nothing (None) for NaN."""
    if isinstance(value, Mapping):
        return {str(key): _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def write_comparison(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Write ``comparison.json`` and all figures (PNG and SVG) into a folder.

    Parameters
    ----------
    comparison
        As `compare_study` returns it.
    folder
        Made if it is not there.

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
    """Draw all figures of a comparison, each as PNG (200 dpi) and SVG.

    Parameters
    ----------
    comparison
        What is compared.
    folder
        Made if missing; figures of an earlier comparison are replaced, or removed where this one has none.

    Returns
    -------
    list of Path
        The files that were written; a second page of a figure has ``-2`` in its name.

    Raises
    ------
    BadInput
        If the folder cannot be written.
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
