"""Figures of what closes the period: what is left in each cell, and what could have predicted it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.figures import new_figure
from binocular.papers.what_closes.cells import FIRST, LAST, PREDICTORS, RATES, skill, table
from binocular.report.figures.style import title_panel
from binocular.store.statistics import interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_predictions", "draw_table"]

_RATE_WORDS = {"falling": "falling", "constant": "constant", "cyclic": "cyclic", "restarted": "begun anew"}
_MARKERS = dict(zip(RATES, "osD^", strict=True))
_COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73")


def draw_table(had: Mapping[str, Any], shown: Mapping[str, str]) -> Figure:
    """Draw the share of the turn that is left in each cell, at the first binocular cells and at the last layer."""
    figure = new_figure(8.6, 3.4)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, site, name in zip(axes, (FIRST, LAST), ("first binocular cells", "last representation"), strict=True):
        found = interval(table(had, site)["left"])
        values = found.mean.reshape(len(had), len(RATES))
        picture = ax.imshow(values, vmin=0, vmax=1, cmap="cividis", aspect="auto")
        for row, column in np.ndindex(values.shape):
            value = values[row, column]
            text = "–" if np.isnan(value) else f"{value:.2f}"
            ax.text(column, row, text, ha="center", va="center", color="white" if not value > 0.6 else "black", size=8)
        ax.set_xticks(range(len(RATES)), [_RATE_WORDS[rate] for rate in RATES])
        ax.set_yticks(range(len(had)), [shown.get(key, key) for key in had])
        ax.set_xlabel("learning rate")
        ax.grid(False)
        title_panel(ax, name, "share of the turn that is left, mean over seeds")
    figure.colorbar(picture, ax=list(axes), shrink=0.8, label="share left")
    return figure


def draw_predictions(had: Mapping[str, Any], shown: Mapping[str, str]) -> Figure:
    """Draw what is left against each quantity at the opening of the eye, a point for a cell."""
    cells = table(had)
    names = {**PREDICTORS, "rate_left": "learning rates that are to come"}
    figure = new_figure(9.2, 5.4)
    axes = figure.subplots(2, 3, sharey=True).ravel()
    colours = dict(zip(had, _COLOURS, strict=False))
    left = interval(cells["left"])
    for ax, (name, words) in zip(axes, names.items(), strict=True):
        at = interval(cells[name]).mean
        for cell, (key, rate) in enumerate(zip(cells["shown"].to_numpy(), cells["rate"].to_numpy(), strict=True)):
            ax.plot(at[cell], left.mean[cell], _MARKERS[rate], color=colours[key], ms=5, mec="white", mew=0.4)
        found = interval(skill(cells, [name]))
        title_panel(ax, words, f"skill for cells left out {found.text()}")
        ax.set_xlabel("value" if name == "turn" else "logarithm to base 10")
    for ax in axes[::3]:
        ax.set_ylabel("share of the turn left")
    points = [ax.plot([], [], "o", color=colours[key], label=shown.get(key, key))[0] for key in had]
    points += [ax.plot([], [], _MARKERS[rate], color="#555555", label=f"rate {_RATE_WORDS[rate]}")[0] for rate in RATES]
    figure.legend(handles=points, loc="outside lower center", ncols=3, fontsize=7)
    return figure
