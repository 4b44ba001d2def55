"""The kit that figures of claims are made of: ours with intervals and subjects, and published curves beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from binocular.compare.histogram_figures import PUBLISHED
from binocular.report.figures.outcomes import interval_rows
from binocular.report.figures.style import title_panel
from binocular.stimuli.canvas import Canvas
from binocular.store.statistics import interval

__all__ = [
    "AROUND",
    "SUBJECTS",
    "band",
    "deficit_axis",
    "halves",
    "labelled_rows",
    "new_figure",
    "points_and_line",
    "published_line",
    "zero",
]

AROUND = "diamonds: means with 95 % intervals; circles: subjects"
"""How to read `labelled_rows`."""
SUBJECTS: dict[str, Any] = {"ms": 2, "mfc": "white", "mew": 0.5, "ls": "none", "marker": "o", "zorder": 4}
"""How matplotlib draws subjects beside the mean of a line."""


def new_figure(width: float, height: float) -> Figure:
    """Return a figure that keeps its labels apart.

    Parameters
    ----------
    width, height
        In inches.
    """
    figure = Canvas((width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)  # type: ignore[union-attr]
    return figure


def band(ax: Axes, x: ArrayLike, values: ArrayLike, colour: str, **line: Any) -> None:
    """Draw a mean over subjects as a line in the shade of its 95 % interval.

    Parameters
    ----------
    ax, x, values
        Where to draw; positions, ``[point]``; and ``[seed, point]``.
    colour, line
        Of the line, and what else matplotlib is to know of it.
    """
    found = interval(values)
    ax.plot(x, found.mean, color=colour, **line)
    ax.fill_between(x, found.low, found.high, color=colour, alpha=0.2, lw=0)


def points_and_line(
    ax: Axes,
    values: xr.DataArray,
    label: str,
    colour: str,
    marker: str = "o",
    x: ArrayLike | None = None,
    aside: float = 0,
) -> None:
    """Draw means over subjects with their 95 % intervals, joined by a line.

    Parameters
    ----------
    ax, values, label, colour, marker
        Where to draw, and what, ``[point, seed]``; and the look of the line.
    x, aside
        Positions, ``[point]``, the coordinates as shares of the largest by default; and how far beside them to draw, so
        that the intervals of several lines do not hide each other.
    """
    found, along = interval(values), values[values.dims[0]].to_numpy()
    at = (along / along.max() if x is None else np.asarray(x)) + aside
    ax.plot(at, found.mean, color=colour, marker=marker, ms=3.6, label=label, zorder=3)
    ax.vlines(at, found.low, found.high, color=colour, lw=0.9, zorder=2)


def published_line(
    ax: Axes, curve: xr.DataArray, label: str = "published", colour: str = PUBLISHED, marker: str = "o"
) -> None:
    """Draw a published curve over the share of the longest deficit, or of the latest onset: grey, dashed, open.

    Parameters
    ----------
    ax, curve, label, colour, marker
        Where to draw, the published values, ``[point]``, and the look of the line.
    """
    along = curve[curve.dims[0]]
    ax.plot(
        along / along.max(), curve, ls=(0, (4, 2)), lw=1.1, color=colour, marker=marker, ms=4, mfc="white", mew=1.0,
        label=label, zorder=1,
    )  # fmt: skip


def zero(ax: Axes, at: float = 0) -> None:
    """Draw a thin dotted line at no change, or at balance.

    Parameters
    ----------
    ax, at
        Where to draw, and at which height.
    """
    ax.axhline(at, color="#8C8C8C", lw=0.7, ls=":", zorder=0)


def deficit_axis(ax: Axes, deficit: str = "deficit", change: bool = True) -> None:
    """Label the end of a deficit as a share of the longest, and mark no change.

    Parameters
    ----------
    ax, deficit, change
        Where; the deficit in a word; and whether the values are changes, so that 0 is marked.
    """
    if change:
        zero(ax)
    ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
    ax.set_xlabel(f"end of the {deficit}")


def halves(title: str, below: str, *axes: Axes, source: str, change: bool = True) -> None:
    """Name two panels, published on the left and ours on the right, over the end of a deficit.

    Parameters
    ----------
    title, below, source
        Of the vertical axis; under the name of the published panel; and the figure of the paper.
    axes, change
        The published panel and ours; and as for `deficit_axis`.
    """
    for ax, name, about in ((axes[0], f"published ({source})", below), (axes[1], "ours", "means with 95 % intervals")):
        deficit_axis(ax, "blur", change)
        title_panel(ax, name, about)
    axes[0].set_ylabel(title)


def labelled_rows(
    axes: Sequence[Axes],
    labels: Sequence[str],
    columns: Mapping[str, Sequence[xr.DataArray]],
    *settings: dict[str, Any],
) -> None:
    """Draw a row per condition in each of several panels: subjects, means and 95 % intervals.

    Parameters
    ----------
    axes, labels
        A panel per column, and the names of the rows that they share, from the top.
    columns, settings
        By the name of the quantity, for each row its values, ``[seed]``; and for each column the settings of
        `binocular.report.figures.outcomes.interval_rows`.
    """
    for ax, (name, values), setting in zip(axes, columns.items(), settings, strict=True):
        interval_rows(values, ax, **setting)
        ax.set_xlabel(name)
    axes[0].set_yticks(range(len(labels)), list(labels))
