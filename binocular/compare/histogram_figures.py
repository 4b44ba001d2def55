"""Histograms and unit values beside published ones, turned so that group 1 is the deprived eye."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from binocular.compare.comparison import Comparison
from binocular.compare.histograms import HistogramComparison
from binocular.compare.published import UnitBins
from binocular.report.figures.style import (
    EYE_COLOURS,
    axes_or_new,
    group_colours,
    number,
    panels,
    title_figure,
    title_panel,
)
from binocular.stimuli.canvas import Canvas
from binocular.store.conditions import in_words

__all__ = ["GREY", "GROUPS", "PUBLISHED", "group_axes", "histogram_figures", "oriented_histogram", "unit_figures"]

GROUPS = np.arange(1, 8)
PUBLISHED = "#595959"
"""Published numbers: grey, because the eyes of the animals are neither our left nor our right one."""
GREY = "#8C8C8C"
"""The same in the bars of histograms."""
_PAIRS = 8


def oriented_histogram(
    shares: ArrayLike,
    ax: Axes | None = None,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    outline: ArrayLike | None = None,
    deprived_eye: str | None = None,
    first: str = "deprived",
    top: float = 100.0,
    named: bool = True,
) -> Axes:
    """Draw a histogram whose group 1 is the deprived eye.

    Parameters
    ----------
    shares, ax
        Share of each group, ``[7]``, group 1 = deprived eye only; and where to draw, a new figure by default.
    low, high
        Ends of an interval of each share, ``[7]``; NaN = none.
    outline
        Another histogram, ``[7]``, drawn over it as a line.
    deprived_eye
        ``"left"`` or ``"right"`` gives the groups the eyes' colours; None, for animals, grey.
    first, named
        What the eye of group 1 is called on the axis, and whether its ends are named after the eyes.
    top
        Upper end of the axis in per cent.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, share in per cent along y.
    """
    ax = axes_or_new(ax)
    values = 100 * np.asarray(shares, dtype=np.float64)
    of_eyes = {"right": group_colours(), "left": group_colours()[::-1]}
    colours = GREY if deprived_eye is None else of_eyes[deprived_eye]
    ax.bar(GROUPS, np.nan_to_num(values), width=0.86, color=colours, lw=0, zorder=1)
    if low is not None and high is not None:
        ends = 100 * np.array([low, high], dtype=np.float64)
        given = np.isfinite(ends).all(0) & (np.abs(ends[1] - ends[0]) > 1e-9)
        ax.vlines(GROUPS[given], ends[0][given], ends[1][given], color="#111111", lw=1.0, zorder=3)
    if outline is not None:
        ax.stairs(100 * np.asarray(outline, dtype=np.float64), np.arange(0.5, 8), color="#000000", lw=0.9, zorder=2)
    group_axes(ax, top)
    fellow = {"left": "right", "right": "left"}
    for x, part, side, eye in ((0.4, first, "left", deprived_eye), (7.6, "fellow", "right", None)) if named else ():
        eye = fellow.get(deprived_eye or "") if part == "fellow" else eye
        ax.annotate(
            "group", (4, 0), (0, -15), ("data", "axes fraction"), "offset points",
            ha="center", va="top", fontsize=7, color=PUBLISHED,
        )  # fmt: skip
        ax.annotate(
            f"{part}\n({eye})" if eye else part, (x, 0), (0, -15), ("data", "axes fraction"), "offset points",
            ha=side, va="top", fontsize=7, linespacing=1.1, color=EYE_COLOURS[eye] if eye else PUBLISHED,
        )  # fmt: skip
    return ax


def group_axes(ax: Axes, top: float) -> None:
    """Lay out axes for the seven groups.

    Parameters
    ----------
    ax, top
        The axes, and the upper end of shares in per cent.
    """
    ax.set_xlim(0.4, 7.6)
    ax.set_ylim(0, top)
    ax.set_xticks(GROUPS, [str(group) for group in GROUPS])


def histogram_figures(comparison: Comparison) -> list[Figure]:
    """Draw each published histogram and, to its right, ours; a few pairs a figure."""
    shown = [found for found in comparison.shown if np.isfinite(found.sample.shares).all()]
    figures = []
    for start in range(0, len(shown), _PAIRS):
        page = shown[start : start + _PAIRS]
        across = min(2, len(page))
        rows = -(-len(page) // across)
        figure = Canvas((4.7 * across + 0.3, 2.75 * rows + 0.9), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.06, h_pad=0.09)  # type: ignore[union-attr]
        axes = figure.subplots(rows, 2 * across, squeeze=False).ravel()
        for ax in axes[2 * len(page) :]:
            ax.set_visible(False)
        for index, found in enumerate(page):
            _pair(comparison, found, axes[2 * index], axes[2 * index + 1])
        count = f" ({start + 1}–{start + len(page)} of {len(shown)})" if len(shown) > _PAIRS else ""
        title_figure(figure, f"Published histograms, and ours beside them{count}", comparison.study.title)
        _legend(figure)
        figures.append(figure)
    return figures


def _pair(comparison: Comparison, found: HistogramComparison, left: Axes, right: Axes) -> None:
    sample, record, test = found.sample, found.record, found.test
    groups = [f"group {group}" for group in GROUPS]
    sides = (found.theirs, found.ours)
    ends = [(np.array([e[g].low for g in groups]), np.array([e[g].high for g in groups])) for e in sides]
    everything = np.concatenate([record.shares, sample.shares, ends[0][1], ends[1][1], [0.3]])
    highest = np.max(everything[np.isfinite(everything)])
    top = 100 * float(highest) * 1.3  # room for two lines above the bars
    words = ["deprived" if "one eye" in done or done == "reverse suture" else "treated"
             for done in (record.treatment, sample.treatment.name)]  # fmt: skip
    oriented_histogram(record.shares, left, low=ends[0][0], high=ends[0][1], first=words[0], top=top)
    oriented_histogram(
        sample.shares, right, low=ends[1][0], high=ends[1][1], outline=record.shares,
        deprived_eye=sample.treatment.deprived_eye, first=words[1], top=top,
    )  # fmt: skip
    for ax in (left, right):
        ax.set_yticks([tick for tick in range(0, 101, 20) if tick <= top])
    left.set_ylabel("share (%)")
    right.set_ylabel(f"share (%)\n{in_words(sample.site)}")
    scale = comparison.literature.scale(record.species)
    done = record.name.removeprefix(f"{record.species}, ")
    title_panel(left, record.species, f"{done}; {record.evidence}")
    cells = f"{record.cells} cells" if record.cells else "units not counted"
    _state(left, f"CBI {number(found.theirs['cbi'].mean)}\n{cells}", record.shares)
    title_panel(right, textwrap.shorten(sample.label, 28, placeholder=" ..."), sample.treatment.sentence(scale))
    verdict = f"CBI {number(found.ours['cbi'].mean)}, W₁ {number(test.distance.mean)}\n{test.verdict}"
    _state(right, f"{verdict}, n = {test.distance.n}", sample.shares + record.shares)


def _state(ax: Axes, text: str, shares: np.ndarray) -> None:
    heavy = shares[4:].sum() > shares[:3].sum()
    ax.annotate(
        text, (0.03 if heavy else 0.97, 0.985), xycoords="axes fraction", ha="left" if heavy else "right", va="top",
        fontsize=7, linespacing=1.25, bbox={"facecolor": "white", "alpha": 0.85, "lw": 0, "pad": 1}, zorder=5,
    )  # fmt: skip


def _legend(figure: Figure) -> None:
    handles = [
        Patch(color=GREY, lw=0, label="published"),
        Patch(color=EYE_COLOURS["left"], lw=0, label="ours, in the colours of the eyes"),
        Line2D([], [], color="#000000", lw=0.9, label="the same, over ours"),
        Line2D([], [], color="#111111", ls="none", marker="|", mew=1, ms=9, label="95 % interval (resampled)"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=1.3, columnspacing=1.4)


def _unit_curves(ax: Axes, values: Sequence[np.ndarray], published: UnitBins) -> None:
    """Draw cumulative distributions of unit values, +1 = fellow eye only: a thin line per subject, published grey."""
    shares = np.concatenate([[0.0], np.cumsum(published.shares)])
    ax.plot(published.edges, shares, color=PUBLISHED, lw=2.4, alpha=0.8, label="published", zorder=1)
    for index, units in enumerate(values):
        if len(units):
            ax.ecdf(units, color="#000000", lw=0.8, label="our subjects" if index == 0 else None, zorder=2)
    ax.set_xlim(-1.02, 1.02)
    ax.set_ylim(0, 1.02)
    ax.set_xticks([-1, 0, 1], ["−1\ndeprived", "0", "+1\nfellow"])
    ax.set_yticks([0, 0.5, 1])


def unit_figures(comparison: Comparison) -> list[Figure]:
    """Draw unit values beside published ones, for the records that have them."""
    shown = [found for found in comparison.shown if found.units is not None and found.record.units is not None][:12]
    if not shown:
        return []
    figure, axes = panels(len(shown), (2.4, 2.3))
    for found, ax in zip(shown, axes, strict=True):
        assert found.record.units is not None and found.units is not None
        _unit_curves(ax, found.sample.values, found.record.units)
        title_panel(ax, found.sample.label, f"beside: {found.record.name}")
        ax.annotate(
            f"KS {number(found.units.value)}\ntold apart\nfrom {number(found.units.detectable)}", (0.03, 0.98),
            xycoords="axes fraction", va="top", fontsize=7,
        )  # fmt: skip
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel("cumulative share of units")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, handlelength=1.4)
    title_figure(figure, "Relative source variance of the units", comparison.study.title, shown[0].sample.site)
    return [figure]
