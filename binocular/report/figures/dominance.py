"""Ocular-dominance histograms in the classic layout: seven groups, one panel a condition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from binocular.dominance import contralateral_bias, group_shares
from binocular.report.figures.style import (
    EYE_COLOURS,
    axes_or_new,
    eye_ends,
    group_colours,
    has_intervals,
    lived_through,
    number,
    panels,
    title_figure,
    title_panel,
)
from binocular.store.statistics import Interval, interval
from binocular.store.study import Study

__all__ = [
    "POSITIONS",
    "classic_axes",
    "dominance_figure",
    "dominance_histogram",
    "group_bars",
    "name_ends",
    "per_cent",
]

POSITIONS = np.arange(1, 8)
_HEADROOM = 1.2


def dominance_histogram(
    groups: ArrayLike,
    ax: Axes | None = None,
    *,
    treated_eye: str = "right",
    null: ArrayLike | None = None,
    silent: ArrayLike | None = None,
    top: float | None = None,
    unit: str = "units",
) -> Axes:
    """Draw the histogram of one condition, shares of units in per cent.

    Bars are the mean share of units in each group over seeds, whiskers its 95 % t interval, dots the single seeds.

    Parameters
    ----------
    groups
        Units per group and seed, ``[seed, 7]``, group 1 = right eye only.
    ax
        Where to draw; a new figure by default.
    treated_eye
        ``"right"`` or ``"left"``, marked on the axis with the fellow eye.
    null
        Units per group and seed of the untrained subjects, ``[seed, 7]``, drawn as a thin outline.
    silent
        Silent units per seed, ``[seed]``; stated in the panel if there are any.
    top
        Upper end of the axis in per cent; as the data ask by default.
    unit
        What is counted: ``units`` or ``cells``.
    """
    ax = axes_or_new(ax)
    counts = np.asarray(groups, dtype=np.float64).reshape(-1, 7)
    shares = per_cent(counts)
    top = top or _top_of_axis(shares)
    group_bars(ax, counts, null, top)
    offsets = np.linspace(-0.22, 0.22, len(shares)) if len(shares) > 1 else np.zeros(1)
    for seed, offset in zip(shares, offsets, strict=False):
        ax.plot(
            POSITIONS + offset, seed, "o", ms=2.6, mfc="white", mec="#222222", mew=0.6, ls="none", zorder=4,
            clip_on=False,
        )  # fmt: skip
    classic_axes(ax, treated_eye, top)
    _statement(ax, counts, silent, treated_eye, unit)
    return ax


def group_bars(
    ax: Axes, counts: np.ndarray, null: ArrayLike | None, top: float, lines: Sequence[float] = (0.9, 0.8)
) -> None:
    """Draw bars of the mean shares with their intervals, and the outline of the untrained subjects.

    Parameters
    ----------
    ax, counts, null, top
        As for `dominance_histogram`.
    lines
        Widths of intervals and outline, in points.
    """
    found = interval(per_cent(counts))
    ax.bar(POSITIONS, np.nan_to_num(found.mean), width=0.86, color=group_colours(), lw=0, zorder=1)
    if null is not None and len(np.reshape(null, (-1, 7))):
        untrained = interval(per_cent(np.reshape(np.asarray(null, float), (-1, 7)))).mean
        ax.stairs(np.nan_to_num(untrained), np.arange(0.5, 8), color="#000000", lw=lines[1], zorder=2)
    spread = np.isfinite(found.low)
    # Shares end at 0 and 100 %, whatever the t interval of few seeds says.
    low, high = np.clip(found.low[spread], 0, top), np.clip(found.high[spread], 0, top)
    ax.vlines(POSITIONS[spread], low, high, color="#222222", lw=lines[0], zorder=3)


def per_cent(counts: np.ndarray) -> np.ndarray:
    """Return the share of units in each group in per cent, ``[..., 7]``; NaN where none was counted."""
    return 100 * group_shares(counts)


def _top_of_axis(shares: np.ndarray) -> float:
    """Return the upper end of an axis with room for bars, dots and whiskers, but never more than all units (%)."""
    highest = max(float(np.max(v[np.isfinite(v)], initial=0.0)) for v in (interval(shares).high, shares))
    return float(np.clip(10 * np.ceil(highest * 1.04 / 10), 30, 100))


def classic_axes(ax: Axes, treated_eye: str, top: float) -> None:
    """Lay out the axes of a histogram up to ``top`` per cent: groups 1 to 7, and whose they are.

    Parameters
    ----------
    ax, treated_eye, top
        To lay out; ``"left"`` or ``"right"``, for the words under groups 1 and 7; upper end in per cent.
    """
    ax.set_xlim(0.4, 7.6)
    # Room above the shares for the statement, outside the axis.
    ax.set_ylim(0, _HEADROOM * top)
    ax.set_yticks(np.arange(0, top + 1, 20 if top > 50 else 10))
    ax.spines["left"].set_bounds(0, top)
    ax.set_xticks(POSITIONS, [str(group) for group in POSITIONS])
    name_ends(ax, treated_eye, -15, fontsize=7, linespacing=1.15)
    ax.annotate(
        "equal", (4, 0), (0, -15), ("data", "axes fraction"), "offset points",
        ha="center", va="top", fontsize=7, color="#595959",
    )  # fmt: skip


def name_ends(ax: Axes, treated_eye: str, below: float, **text: float) -> None:
    """Write under groups 1 and 7 whose they are, some points below the axis.

    Parameters
    ----------
    ax, treated_eye, below, text
        As for `classic_axes`; place in points, negative; settings of the text.
    """
    ends = eye_ends(treated_eye)
    for x, eye, side in ((0.4, "right", "left"), (7.6, "left", "right")):
        place = {"xytext": (0, below), "xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        ax.annotate(ends[eye], (x, 0), ha=side, va="top", color=EYE_COLOURS[eye], **place, **text)  # type: ignore[arg-type]


def _statement(ax: Axes, counts: np.ndarray, silent: ArrayLike | None, treated_eye: str, unit: str) -> None:
    """Write CBI, number of units or cells and seeds above the bars."""
    bias = interval(contralateral_bias(counts, treated_eye))
    lines = [_cbi(bias), _numbers(counts, silent, unit)]
    ax.annotate("\n".join(lines), (0, 1), xycoords="axes fraction", ha="left", va="top", fontsize=7, linespacing=1.2)


def _cbi(bias: Interval) -> str:
    if not np.isfinite(bias.mean):
        return "CBI: all units silent"
    if not np.isfinite(bias.low):
        return f"CBI {number(float(bias.mean))} (one seed)"
    return f"CBI {number(float(bias.mean))} [{number(float(bias.low))}, {number(float(bias.high))}]"


def _numbers(counts: np.ndarray, silent: ArrayLike | None, unit: str) -> str:
    quiet = np.zeros(len(counts)) if silent is None else np.asarray(silent, dtype=np.float64)
    units = counts.sum(1) + quiet
    each = f"{int(units[0])}" if len(units) and np.all(units == units[0]) else f"{units.mean():.0f}"
    seeds = f"{each} {unit} × {len(counts)} seed{'s' if len(counts) != 1 else ''}"
    return f"{seeds}, {quiet.mean():.3g} silent" if quiet.any() else seeds


def dominance_figure(study: Study, site: str | None = None) -> Figure:
    """Draw the histograms of all conditions at the end of rearing, one panel each.

    Parameters
    ----------
    study, site
        As for `figure_of`; without a site `study.default_site`.
    """
    site = site or study.default_site
    unit = study.unit_word(site)
    shown = study.measured_at(site)
    # Room below every row for the names of the eyes.
    figure, axes = panels(len(shown), (2.35, 2.3))
    top = max((_top_of_axis(100 * condition.shares(site)) for condition in shown), default=100.0)
    for condition, ax in zip(shown, axes, strict=False):
        dominance_histogram(
            [dominance.groups[-1] for dominance in condition.dominance(site)],
            ax,
            treated_eye=study.treated_eye,
            null=condition.untrained(site),
            silent=[subject.sites[site].n_silent[-1] for subject in condition.subjects if site in subject.sites],
            top=top,
            unit=unit,
        )
        title_panel(ax, condition.label, lived_through(condition.subjects[0].phases))
    for ax in axes:
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel(f"share of {unit} (%)")
    title_figure(figure, "Ocular dominance at the end of rearing", study.title, site)
    _legend(figure, has_intervals(study))
    return figure


def _legend(figure: Figure, intervals: bool) -> None:
    whisker = Line2D([], [], color="#222222", ls="none", marker="|", mew=0.9, ms=9, label="95 % interval")
    handles = [
        Patch(color="#C2C2C2", lw=0, label="mean over seeds"),
        *([whisker] if intervals else []),
        Line2D([], [], ls="none", marker="o", ms=3, mfc="white", mec="#222222", mew=0.6, label="one seed"),
        Line2D([], [], color="#000000", lw=0.8, label="outline: untrained"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=1.3, columnspacing=1.4)
