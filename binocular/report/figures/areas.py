"""Ocular dominance through the areas of a network: from the first cells that hear both eyes to the representation."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from binocular.report.figures.dominance import POSITIONS, group_bars, name_ends
from binocular.report.figures.style import TASK_COLOURS, has_intervals, numbered, title_figure
from binocular.stimuli.canvas import Canvas
from binocular.store.study import Condition, Study

__all__ = ["areas_figure"]

_MOST = 6
"""Conditions whose histograms fit on a page; the lines below have room for as many."""
_MARKERS = "oDs^vP"
_MEASURES = {"binocular_share": "binocular share\n(groups 2–6)", "median_unit_mi": "median monocularity\n(|RSV|)"}


def _area_names(study: Study) -> list[str]:
    """Return what the areas of a study are called on an axis: the first cells, areas by number, the representation."""
    names = [f"area {index + 1}" for index in range(len(study.areas))]
    named = {"first_binocular": "first cells", "representation": "represen-\ntation"}
    return [named.get(area, name) for area, name in zip(study.areas, names, strict=True)]


def _through_areas(conditions: list[Condition], areas: tuple[str, ...], measure: str, ax: Axes) -> None:
    """Draw a measure of dominance between 0 and 1 at the end of rearing over the areas, a line a condition.

    Means over seeds with 95 % intervals, cut at 0 and 1.
    """
    colours = [*TASK_COLOURS, "#8A8A8A"]
    for index, condition in enumerate(conditions):
        place = np.arange(len(areas)) + 0.06 * (index - (len(conditions) - 1) / 2)
        found = [condition.at_end(measure, area) for area in areas]
        mean = np.array([one.mean for one in found])
        low, high = np.clip([one.low for one in found], 0, 1), np.clip([one.high for one in found], 0, 1)
        look = {"color": colours[index], "zorder": 3}
        ax.plot(place, mean, marker=_MARKERS[index], ms=3.6, lw=1.1, label=condition.label, **look)
        ax.vlines(place, low, high, lw=0.9, color=colours[index], zorder=2)
    ax.set_ylim(0, 1.03)
    ax.set_yticks([0, 0.5, 1])


def areas_figure(study: Study) -> Figure:
    """Draw the histograms of up to six conditions at every area, and below two measures over the areas."""
    areas, names = study.areas, _area_names(study)
    shown = list(study.through_areas[:_MOST])
    across = len(areas)
    figure = Canvas((max(1.35 * across + 1.2, 5.2), 0.95 * len(shown) + 3.3), layout="constrained")
    heights = [0.95 * len(shown) + 0.9, 2.4]
    above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
    grid = above.subplots(max(len(shown), 1), across, squeeze=False, sharex=True, sharey=True)
    for condition, row in zip(shown, grid, strict=False):
        for area, ax in zip(areas, row, strict=True):
            _histogram(condition, area, ax)
        row[0].set_ylabel(
            "\n".join(textwrap.wrap(condition.label, 15, max_lines=3)), rotation=0, ha="right", va="center"
        )
    for ax, name, area in zip(grid[0], names, areas, strict=True):
        ax.set_title(name.replace("-\n", ""), loc="left", fontweight="bold", pad=12)
        ax.annotate(
            _units(study, area), (0, 1), (0, 3), "axes fraction", "offset points", fontsize=6.8, color="#595959",
            va="bottom",
        )  # fmt: skip
    for ax in grid[-1]:
        name_ends(ax, study.treated_eye, -14, fontsize=6.4, linespacing=1.1)
    for ax, (measure, label) in zip(below.subplots(1, 2), _MEASURES.items(), strict=True):
        _through_areas(shown, areas, measure, ax)
        ax.set_xticks(range(across), names)
        ax.set_xlim(-0.4, across - 0.6)
        ax.set_ylabel(label)
    handles, labels = below.axes[0].get_legend_handles_labels()
    if has_intervals(study):
        handles.append(Line2D([], [], ls="none", marker="|", ms=9, color="#222222", mew=0.8))
        labels.append(f"95 % interval over seeds ({numbered(study)})")
    handles.append(Line2D([], [], color="#000000", lw=0.7))
    labels.append("outline: untrained")
    below.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), handlelength=1.8)
    title_figure(figure, "Ocular dominance through the areas, at the end of rearing", study.title)
    return figure


def _histogram(condition: Condition, area: str, ax: Axes) -> None:
    counts = np.array([found.groups[-1] for found in condition.dominance(area)], float)
    group_bars(ax, counts, condition.untrained(area), 100, (0.8, 0.7))
    ax.set_xlim(0.4, 7.6)
    ax.set_ylim(0, 100)
    ax.set_xticks(POSITIONS, [str(group) for group in POSITIONS])
    ax.set_yticks([0, 50, 100], ["0", "50", "100 %"])


def _units(study: Study, area: str) -> str:
    counts = {s.sites[area].values["rsv"].shape[1] for c in study.reared for s in c.subjects if area in s.sites}
    number = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"{number} {study.unit_word(area)} a subject"
