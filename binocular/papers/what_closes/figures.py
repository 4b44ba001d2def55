"""Figures of what closes the period: what is left in each cell, and what could have predicted it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from binocular.papers.figures import new_figure, subjects, zero
from binocular.papers.what_closes.cells import FIRST, LAST, LOGARITHMIC, RATES, SHOWN, skill, table
from binocular.report.figures.style import title_panel
from binocular.store.statistics import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_predictions", "draw_table"]

_RATE_WORDS = {"falling": "falling", "constant": "constant", "cyclic": "cyclic", "restarted": "begun anew"}
_MARKERS: dict[str, str] = dict(zip(RATES, "osD^", strict=True))
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9")
_LEFT = "share of the turn left"
_AXES = {
    "loss": ("training loss", "cross-entropy, both eyes open (nats)"),
    "gradient": ("gradient", "norm, deprived pathway"),
    "turn": ("turn of the units", "mean RSV, closed less normal"),
    "fisher": ("Fisher information", "trace, deprived pathway"),
    "moved": ("distance moved", "of the weights, deprived pathway"),
    "rate_left": ("learning rates to come", "sum over the epochs after the opening"),
}
"""Each quantity in a word or two, and its axis."""


def draw_table(had: Mapping[str, Any]) -> Figure:
    """Draw the share of the turn that is left in each cell, at the first binocular cells and at the last layer.

    For each learning rate a mean with its 95 % interval over subjects, and the subjects beside it.
    """
    figure = new_figure(6.6, 3.0)
    axes = figure.subplots(1, 2, sharey=True)
    at, apart = np.arange(len(RATES), dtype=float), 0.8 / max(len(had), 2)
    for ax, site, name in zip(axes, (FIRST, LAST), ("first binocular cells", "last representation"), strict=True):
        left = table(had, site)["left"]
        for number, (key, colour) in enumerate(zip(had, _COLOURS, strict=False)):
            here = at + apart * (number - len(had) / 2 + 0.35)
            values = left[(left["shown"] == key).to_numpy()]
            _crosses(ax, here, values, colour, SHOWN[key][0])
            subjects(ax, values, colour, here + min(0.1, 0.4 * apart))
        zero(ax)
        zero(ax, 1)
        ax.set_xticks(at, [_RATE_WORDS[rate] for rate in RATES])
        ax.set_xlabel("learning rate")
        title_panel(ax, name, "means with 95 % intervals; circles: subjects")
    axes[0].set_ylabel(f"{_LEFT} (0 none, 1 all)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_predictions(had: Mapping[str, Any]) -> Figure:
    """Draw what is left against each quantity at the opening of the eye, a point for a cell.

    A panel for each quantity: means over subjects with 95 % intervals both ways, and how well the quantity predicts a
    cell from the others, among all of them and among those that are shown the same.
    """
    cells = table(had)
    figure = new_figure(7.6, 5.6)
    axes = figure.subplots(2, 3, sharey=True).ravel()
    colours = dict(zip(had, _COLOURS, strict=False))
    for ax, (name, (words, axis)) in zip(axes, _AXES.items(), strict=True):
        for cell in range(cells.sizes["cell"]):
            one = cells.isel(cell=[cell])
            key, rate = str(one["shown"].item()), str(one["rate"].item())
            _crosses(ax, one[name], one["left"], colours[key], marker=_MARKERS[rate])
        if name in LOGARITHMIC:
            _powers_of_ten(ax)
        zero(ax)
        zero(ax, 1)
        within = interval(skill(cells, [name], ["shown"])).text()
        title_panel(ax, words, f"skill {interval(skill(cells, [name])).text()},\namong the same scenes {within}")
        ax.set_xlabel(axis)
    for ax in axes[::3]:
        ax.set_ylabel(_LEFT)
    points = [ax.plot([], [], "o", color=colours[key], label=SHOWN[key][0])[0] for key in had]
    points += [ax.plot([], [], _MARKERS[rate], color="#555555", label=f"rate {_RATE_WORDS[rate]}")[0] for rate in RATES]
    note = "means with 95 % intervals over subjects; skill for a cell left out: 1 perfect, 0 no better than a mean"
    figure.legend(handles=points, loc="outside lower center", ncols=3, fontsize=7, title=note, title_fontsize=7)
    return figure


def _crosses(
    ax: Axes, x: np.ndarray | xr.DataArray, y: xr.DataArray, colour: str, label: str = "", marker: str = "o"
) -> None:
    """Draw means over seeds with their 95 % intervals, those along x where it has seeds too."""
    up = interval(y)
    if isinstance(x, xr.DataArray):
        along = interval(x)
        ax.hlines(up.mean, along.low, along.high, color=colour, lw=0.8, alpha=0.6, zorder=2)
        x = np.asarray(along.mean)
    ax.vlines(x, up.low, up.high, color=colour, lw=0.8, alpha=0.8, zorder=2)
    ax.plot(x, up.mean, marker, color=colour, ms=4.5, mec="white", mew=0.5, label=label, zorder=3)


def _powers_of_ten(ax: Axes) -> None:
    """Write what stands on the axis as a logarithm to base 10 as the quantity itself."""
    low, high = ax.get_xlim()
    steps = [step * 10.0**power for power in range(int(np.floor(low)), int(np.ceil(high)) + 1) for step in (1, 2, 5)]
    inside = [step for step in steps if low <= np.log10(step) <= high]
    ax.set_xticks(np.log10(inside), [f"{step:g}" for step in inside])
