"""The kit that figures of claims are made of: ours with intervals and subjects, and published curves beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from binocular.compare.histogram_figures import PUBLISHED
from binocular.papers.numbers import seeds_of
from binocular.report.figures.outcomes import interval_rows
from binocular.report.figures.style import title_panel
from binocular.store.statistics import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "AROUND",
    "TIGHT",
    "band",
    "deficit_axis",
    "halves",
    "labelled_rows",
    "new_figure",
    "points_and_line",
    "published_line",
    "subjects",
    "zero",
]

AROUND = "diamonds: means with 95 % intervals; circles: subjects"
"""How to read `labelled_rows`."""
TIGHT = (0.04167, 0.04167)
"""matplotlib's own room around panels, for figures whose panels share their axes."""


def new_figure(width: float, height: float, apart: tuple[float, float] = (0.06, 0.08)) -> Figure:
    """Return a figure of a size in inches that keeps its labels apart.

    Parameters
    ----------
    width, height
        In inches.
    apart
        Room around the panels, across and down, in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=apart[0], h_pad=apart[1])  # type: ignore[union-attr]
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
    ax, values
        Where to draw, and what, ``[point, seed]``.
    label, colour, marker
        Of the line.
    x
        Positions, ``[point]``; the coordinates as shares of the largest by default.
    aside
        How far beside them to draw, so that the intervals of several lines do not hide each other.
    """
    found, along = interval(values), values[values.dims[0]].to_numpy()
    at = (along / along.max() if x is None else np.asarray(x)) + aside
    ax.plot(at, found.mean, color=colour, marker=marker, ms=3.6, label=label, zorder=3)
    ax.vlines(at, found.low, found.high, color=colour, lw=0.9, zorder=2)


def subjects(ax: Axes, values: xr.DataArray, colour: str, x: np.ndarray) -> None:
    """Draw the subjects of ``[point, seed]`` as small open circles at ``x``.

    Parameters
    ----------
    ax, values, colour, x
        Where to draw; what; the colour of the rims; and the positions, ``[point]``.
    """
    for at, seeds in zip(x, values, strict=True):
        ax.plot([at] * len(seeds_of(seeds)), seeds_of(seeds), "o", ms=2, mfc="white", mec=colour, mew=0.5, zorder=4)


def published_line(ax: Axes, curve: Mapping[int, float], label: str = "published", colour: str = PUBLISHED) -> None:
    """Draw a published curve over the share of the longest deficit: grey, dashed, open.

    Parameters
    ----------
    ax, curve
        Where to draw, and published values by the end of the deficit, in epochs.
    label, colour
        Of the line.
    """
    longest = max(curve)
    ax.plot(
        [at / longest for at in curve], list(curve.values()), ls=(0, (4, 2)), lw=1.1, color=colour, marker="o", ms=4,
        mfc="white", mew=1.0, label=label, zorder=1,
    )  # fmt: skip


def zero(ax: Axes, at: float = 0) -> None:
    """Draw a thin dotted line at no change, or at balance.

    Parameters
    ----------
    ax, at
        Where to draw, and at which height, in units of the axis.
    """
    ax.axhline(at, color="#8C8C8C", lw=0.7, ls=":", zorder=0)


def deficit_axis(ax: Axes, deficit: str = "deficit", change: bool = True) -> None:
    """Label the end of a deficit as a share of the longest, and mark no change.

    Parameters
    ----------
    ax, deficit
        Whose horizontal axis it is, and the deficit in a word.
    change
        Whether the values are changes, so that 0 is marked.
    """
    if change:
        zero(ax)
    ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
    ax.set_xlabel(f"end of the {deficit}")


def halves(title: str, below: str, *axes: Axes, source: str, change: bool = True) -> None:
    """Name two panels, published on the left and ours on the right, over the end of a deficit.

    Parameters
    ----------
    title, below
        Of the vertical axis, and under the name of the published panel.
    axes
        The published panel, ours, and no other.
    source
        Figure of the paper.
    change
        As for `deficit_axis`.
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
    columns
        By the name of the quantity, for each row its values, ``[seed]``.
    settings
        For each column those of `binocular.report.figures.outcomes.interval_rows`.
    """
    for ax, (name, values), setting in zip(axes, columns.items(), settings, strict=True):
        interval_rows([seeds_of(row) for row in values], ax, **setting)
        ax.set_xlabel(name)
    axes[0].set_yticks(range(len(labels)), list(labels))
