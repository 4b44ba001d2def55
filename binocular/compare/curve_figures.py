"""Sensitive-period profiles, dose-response curves and recovery, beside the published ones.

Open symbols are numbers made of words ("maximal", "about half") or set by convention; filled ones were read, digitised
or derived from such. No line joins or fits published points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from binocular.compare.comparison import Comparison
from binocular.compare.curves import CurveComparison, PublishedPoint, Series
from binocular.compare.histogram_figures import PUBLISHED
from binocular.report.figures.style import number, panels, title_figure, title_panel

__all__ = ["duration_figures", "profile_figures", "recovery_figures"]

_LOOKS = (("#000000", "D"), ("#009E73", "s"), ("#AA4499", "^"), ("#B8860B", "v"), ("#56B4E9", "P"))
_WORDS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


def effect_curve(ax: Axes, points: Sequence[PublishedPoint], ours: Mapping[int, tuple[np.ndarray, Series]]) -> None:
    """Draw effects by age or by length of closure; published ones are open where they come from words.

    ``ours`` are places, ``[point]``, and series, by the number of its colour.
    """
    ax.axhline(0, color="#BBBBBB", lw=0.6, zorder=0)
    for index, (place, series) in ours.items():
        colour, marker = _LOOKS[index]
        found = series.relative()
        low, high = (np.clip([getattr(e, end) for e in found], -0.25, 1.35) for end in ("low", "high"))
        ax.vlines(place, low, high, color=colour, lw=0.9, zorder=2)
        ax.plot(place, [e.mean for e in found], color=colour, lw=1.1, marker=marker, ms=3.4, zorder=3)
    for point in points:
        if np.isfinite(point.low):
            ax.vlines(point.at, point.low, point.high, color=PUBLISHED, lw=1.1, zorder=3)
        face = "white" if point.from_words else PUBLISHED
        ax.plot(point.at, point.effect, "o", ms=6, mfc=face, mec=PUBLISHED, mew=1.2, zorder=4, clip_on=False)
    ax.set_ylim(-0.25, 1.35)
    ax.set_yticks([0, 0.5, 1])


def profile_figures(comparison: Comparison) -> list[Figure]:
    """Draw the sensitive period of each species, and ours on its declared scale of age."""
    return _figures(comparison, "profile", "Effect of a closure by the age at its onset")


def duration_figures(comparison: Comparison) -> list[Figure]:
    """Draw the effect by length of closure of each species, and ours on its declared scale."""
    return _figures(comparison, "duration", "Effect of a closure by its length")


def _figures(comparison: Comparison, kind: str, what: str) -> list[Figure]:
    curves = [curve for curve in comparison.curves if curve.kind == kind]
    if not curves or not any(curve.series for curve in curves):
        return []
    figure, axes = panels(len(curves), (2.6, 2.2))
    drawn = [series for series in curves[0].series if series.largest > 0][: len(_LOOKS)]
    for curve, ax in zip(curves, axes, strict=True):
        _panel(curve, drawn, ax)
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel("effect, relative to the\nlargest of its series")
    title_figure(figure, what, comparison.study.title, comparison.site)
    points = [point for curve in curves for point in curve.points]
    ends = [point.low for point in points] + [shift.low for series in drawn for shift in series.shifts]
    _legend(figure, points, [_series_label(series, kind) for series in drawn], bool(np.isfinite(ends).any()))
    return [figure]


def _panel(curve: CurveComparison, drawn: Sequence[Series], ax: Axes) -> None:
    scale = curve.scale
    if curve.kind == "profile":
        places = [np.array([scale.age(epoch) for epoch in series.epochs]) for series in drawn]
        ax.set_xlabel(f"age at onset ({_WORDS[scale.unit]})")
    else:
        places = [series.epochs / scale.epochs_per_unit * scale.unit_days for series in drawn]
        ax.set_xlabel("length of closure (days)")
    effect_curve(ax, curve.points, dict(enumerate(zip(places, drawn, strict=True))))
    everywhere = [point.at for point in curve.points] + [float(x) for place in places for x in place]
    positive = [x for x in everywhere if x > 0]
    if curve.kind == "duration" or (positive and max(positive) > 30 * min(positive)):
        # A few days and many weeks on one axis; 0 stays where it is.
        ax.set_xscale("symlog", linthresh=min(positive), linscale=0.5)
        ax.set_xlim(-0.15 * min(positive), max(positive) * 1.4)
        ticks = [0, *(t for t in (1, 3, 10, 30, 100, 300, 1000) if min(positive) <= t <= max(positive))]
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    per = number(scale.epochs_per_unit, 2).rstrip("0").rstrip(".")
    below = f"declared scale: {per} epoch{'s' if per != '1' else ''} a {scale.unit}"
    if curve.kind == "profile":
        below += f", rearing from {scale.start_age:g} {_WORDS[scale.unit]}"
    title_panel(ax, curve.species, below)


def _series_label(series: Series, kind: str) -> str:
    what = {"one eye closed": "closed", "one eye blurred": "blurred"}[series.treatment]
    fixed = f"for {series.fixed} epochs" if kind == "profile" else f"from epoch {series.fixed}"
    return f"ours, {what} {fixed} (largest shift of CBI {number(series.largest)})"


def _legend(figure: Figure, points: Sequence[PublishedPoint], labels: Sequence[str], intervals: bool) -> None:
    handles = []
    kinds = ((False, PUBLISHED, "published, measured"), (True, "white", "published, from words"))
    for from_words, face, label in kinds:
        if any(point.from_words is from_words for point in points):
            handles.append(Line2D([], [], ls="none", marker="o", ms=6, mfc=face, mec=PUBLISHED, mew=1.2, label=label))
    for (colour, marker), label in zip(_LOOKS, labels, strict=False):
        handles.append(Line2D([], [], color=colour, marker=marker, ms=3.4, lw=1.1, label=label))
    if intervals:
        handles.append(Line2D([], [], color=PUBLISHED, ls="none", marker="|", mew=1, ms=9, label="95 % interval"))
    columns = 2 if figure.get_figwidth() > 7 else 1
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.6, columnspacing=1.6)


def recovery_figures(comparison: Comparison) -> list[Figure]:
    """Draw vision long after a deficit by its end: kittens, published networks, and ours, each in its own units."""
    if not comparison.recovery:
        return []
    rows = comparison.literature.recoveries
    panels_of: dict[str, list[str]] = {}
    for name, points in rows.items():
        panels_of.setdefault(points[0].performance_unit, []).append(name)
    figure, axes = panels(len(panels_of) + 1, (2.7, 2.3), sharey=False)
    for (unit, names), ax in zip(panels_of.items(), axes, strict=False):
        for index, name in enumerate(names):
            points = rows[name]
            for point in points:
                ax.plot(
                    point.deficit_end, point.performance, "osv^"[index % 4], ms=5, mec=PUBLISHED, clip_on=False,
                    mfc="white" if point.from_words else PUBLISHED, label=name if point is points[0] else None,
                )  # fmt: skip
        ax.set_ylabel(f"acuity ({unit})" if unit.startswith("cycles") else unit)
        ax.set_xlabel(f"end of the deficit ({rows[names[0]][0].deficit_end_unit})")
        if unit.startswith("cycles"):
            ax.set_ylim(0, None)
        ax.legend(loc="best", handlelength=1)
        title_panel(ax, "published", re.sub(r" \(arXiv[^)]*\)", "", rows[names[0]][0].reference))
    ours = axes[len(panels_of)]
    for index, found in enumerate(comparison.recovery):
        colour, marker = _LOOKS[index % len(_LOOKS)]
        low, high = (np.clip([getattr(p, end) for p in found.accuracy], 0, 1) for end in ("low", "high"))
        ours.vlines(found.ends_at, low, high, color=colour, lw=0.9)
        after = {"one eye closed": "after closure", "one eye blurred": "after blur"}[found.treatment]
        values, label = [point.mean for point in found.accuracy], f"{found.measure}, {after}"
        ours.plot(found.ends_at, values, color=colour, marker=marker, ms=3.4, lw=1.1, label=label)
    ours.set_ylim(0, 1.02)
    ours.set_ylabel("accuracy, all classes")
    ours.set_xlabel("end of the deficit (epoch)")
    ours.legend(loc="best", handlelength=1.6)
    title_panel(ours, "ours", "deficit of one eye from the beginning; at 0 normal subjects; lines: 95 % intervals")
    title_figure(figure, "Vision long after a deficit, by its end", comparison.study.title)
    return [figure]
