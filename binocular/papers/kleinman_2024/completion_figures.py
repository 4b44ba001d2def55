"""Matrix completion after a first task: error against its duration, and what is left in the singular values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from binocular.report.figures.style import TASK_COLOURS, axes_or_new, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["completion_error", "completion_figure", "singular_values"]

Series = Mapping[str, np.ndarray]


def completion_error(series: Mapping[str, Series], ax: Axes | None = None) -> Axes:
    """Draw the error of the second task against the duration of the first.

    Parameters
    ----------
    series
        Tables by name, from `binocular.papers.kleinman_2024.tables.completions`: lines are means over seeds, bars their
        95 % intervals, faint lines single seeds.
    ax
        Where to draw; a new figure by default. Its horizontal axis is logarithmic, with 0 at its left end.
    """
    from binocular.store.statistics import interval

    ax = axes_or_new(ax)
    for colour, (name, table) in zip(TASK_COLOURS, series.items(), strict=False):
        switch = table["switch"]
        at = np.where(switch == 0, switch[1] / 3, switch).astype(np.float64)
        found = interval(table["error"].T)
        ax.plot(at, table["error"], color=colour, lw=0.4, alpha=0.3)
        ax.errorbar(
            at, found.mean, [found.mean - found.low, found.high - found.mean], color=colour, marker="o", ms=3,
            capsize=1.5, label=name.replace("-", " "),
        )  # fmt: skip
    first = next(iter(series.values()))["switch"]
    ax.set_xscale("log")
    ticks = [first[1] / 3, *[10**k for k in range(1, 7) if first[1] <= 10**k <= first[-1]]]
    ax.set_xticks(ticks, ["0", *[f"{tick:,}" for tick in ticks[1:]]])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.set_xlabel("duration of the first task (steps)")
    ax.set_ylabel("mean squared error in the end")
    return ax


def singular_values(series: Mapping[str, Series], ax: Axes | None = None, *, switch: int = -1) -> Axes:
    """Draw the singular values in the end, mean over seeds with 95 % intervals, for one duration of the first task.

    Parameters
    ----------
    series
        By what is named in the legend.
    ax
        Where to draw; a new figure by default.
    switch
        Position of the duration of the first task; the longest by default.
    """
    from binocular.store.statistics import interval

    ax = axes_or_new(ax)
    for colour, (name, table) in zip(TASK_COLOURS, series.items(), strict=False):
        found = interval(table["strength"][switch])
        ax.plot(table["value"], found.mean, color=colour, marker="o", ms=2.5, label=name.replace("-", " "))
        ax.fill_between(table["value"], found.low, found.high, color=colour, alpha=0.2, lw=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("singular value, from the largest")
    ax.set_ylabel("strength in the end")
    return ax


def completion_figure(series: Mapping[str, Series], title: str) -> Figure:
    """Draw the error against duration, and the singular values without and after the longest first task.

    Parameters
    ----------
    series
        By what is named in the legend.
    title
        Of the figure.
    """
    from matplotlib.figure import Figure

    order = sorted(series, key=lambda name: (not name[-1].isdigit(), len(name), name))
    ordered = {name: series[name] for name in order}
    with style():
        figure = Figure((7.4, 2.9), layout="constrained")
        error, before, after = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
        completion_error(ordered, error)
        singular_values(ordered, before, switch=0)
        singular_values(ordered, after)
        before.set_title("without a first task", loc="left")
        after.set_title("after the longest first task", loc="left")
        top = max(before.get_ylim()[1], after.get_ylim()[1])
        before.set_ylim(0, top)
        after.set_ylim(0, top)
        after.set_ylabel("")
        error.set_title("error over all entries", loc="left")
        n = len(next(iter(series.values()))["seed"])
        figure.legend(*error.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        figure.suptitle(f"{title}: means of {n} seeds, 95 % intervals", x=0.01, ha="left")
    return figure
