"""Damage against the onset of a closure, by objective, beside the digitised curves (Kleinman et al. 2023, Fig. 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.claims import Had
from binocular.papers.figures import new_figure, points_and_line, subjects, zero
from binocular.papers.kleinman_2023.measures import (
    KEY,
    REBUILDING,
    SAME,
    SUPERVISED,
    earliest,
    losses,
    stereopsis,
    turns,
)
from binocular.papers.kleinman_2023.tables import onset_curve
from binocular.papers.numbers import lost, seeds_of
from binocular.report.figures.style import TASK_COLOURS, title_panel
from binocular.store.statistics import interval

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from binocular.store.study import Study

__all__ = ["draw_controls", "draw_onset", "draw_twins"]

_LOOKS = {
    SUPERVISED: ("learning the classes", TASK_COLOURS[0], "o"),
    REBUILDING: ("rebuilding what is hidden", TASK_COLOURS[1], "s"),
}
_MASKED = "masked cross-view reconstruction"


def draw_onset(had: Had) -> Figure:
    """Draw the supervised curve of Fig. 8 and ours."""
    figure = new_figure(6.4, 3.0)
    axes = figure.subplots(1, 2, sharey=True)
    _curves(figure, axes, had[KEY], (SUPERVISED,))
    return figure


def draw_twins(study: Study) -> Figure:
    """Draw both curves of Fig. 8, ours for stereopsis, and how far the units turn to the fellow eye."""
    figure = new_figure(9.0, 3.2)
    axes = figure.subplots(1, 3)
    axes[1].sharey(axes[0])
    for step, prefix in enumerate((SUPERVISED, REBUILDING)):
        _line(axes[2], turns(study, prefix), prefix, step)
    zero(axes[2])
    axes[2].set_ylabel("turn to the fellow eye (mean RSV)")
    title_panel(axes[2], "ours: units", "means with 95 % intervals, and subjects")
    _curves(figure, axes, study, (SUPERVISED, REBUILDING))
    return figure


def _line(ax: Axes, values: xr.DataArray, prefix: str, step: int) -> None:
    label, colour, marker = _LOOKS[prefix]
    at = values["onset"].to_numpy() + (step - 0.5) * 0.012
    points_and_line(ax, values, label, colour, marker, at)
    subjects(ax, values, colour, at + 0.025)


def _curves(figure: Figure, axes: Any, study: Study, prefixes: tuple[str, ...]) -> None:
    """Draw published curves on the left and ours beside them, and label every panel."""
    for step, prefix in enumerate(prefixes):
        _, colour, marker = _LOOKS[prefix]
        curve = onset_curve("supervised" if prefix == SUPERVISED else _MASKED)
        axes[0].plot(
            list(curve), list(curve.values()), ls=(0, (4, 2)), lw=1.1, color=colour, marker=marker, ms=4, mfc="white"
        )
        _line(axes[1], losses(study, prefix), prefix, step)
    title_panel(axes[0], "published (Fig. 8)", "video, two frames; digitised")
    title_panel(axes[1], "ours: stereopsis", "means with 95 % intervals, and subjects")
    axes[0].set_ylabel("loss of accuracy (points)")
    axes[1].set_ylabel("loss of stereopsis (points)")
    for ax in axes:
        ax.set_xlabel("onset of the deficit (share)")
        ax.set_xlim(-0.05, 1.05)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "1/4", "1/2", "3/4", "1"])
    for ax in axes[:2]:
        zero(ax)
    figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=2)


def draw_controls(had: Had) -> Figure:
    """Draw the losses of stereopsis under each objective and control, and what is learned with the eyes open."""
    study = had[KEY]
    objectives = {
        "classes": SUPERVISED,
        "classes, then a fresh\nclassifier": "fresh-head",
        "classes, pictures with\nhidden patches": "hidden",
        "classes and\nrebuilding at once": "both",
        "rebuilding": REBUILDING,
    }
    pairs = {words: (study, name, earliest(study, name)) for words, name in objectives.items()}
    pairs["rebuilding, always\nthe same patches"] = (had[SAME], "same", "same-closed")
    pairs["rebuilding first, closed\nwhile classes are learned"] = (
        study,
        "rebuilding-longer",
        "rebuilding-then-closed",
    )
    figure = new_figure(7.6, 3.3)
    axes = figure.subplots(1, 2, sharey=True)
    for row, (of, normal, closed) in enumerate(pairs.values()):
        _dots(axes[0], row, lost(of, normal, closed, "stereopsis"), "#000000")
        _dots(axes[1], row - 0.16, 100 * stereopsis(of, normal), "#000000")
        _dots(axes[1], row + 0.16, 100 * stereopsis(of, closed), TASK_COLOURS[2])
    late = interval(100 * stereopsis(study, "late-start"))
    axes[1].axvspan(late.low, late.high, color="#DDDDDD", lw=0)
    axes[1].axvline(late.mean, color="#8C8C8C", lw=0.9)
    axes[1].axvline(50, color="#8C8C8C", lw=0.7, ls=":")
    axes[0].axvline(0, color="#8C8C8C", lw=0.7, ls=":")
    axes[0].set_yticks(range(len(pairs)), list(pairs))
    axes[0].set_ylim(len(pairs) - 0.5, -0.5)
    axes[0].set_xlabel("loss of stereopsis (points)")
    axes[1].set_xlabel("stereopsis (%)")
    title_panel(axes[0], "What a closure costs", "means with 95 % intervals")
    title_panel(axes[1], "Eyes open (black), closed", "band: late start; dotted: guessing")
    return figure


def _dots(ax: Axes, row: float, values: xr.DataArray, colour: str) -> None:
    found, seeds = interval(values), seeds_of(values)
    ax.hlines(row, found.low, found.high, color=colour, lw=1.0)
    ax.plot(seeds, np.full(len(seeds), row), "o", ms=2.6, mfc="white", mec=colour, mew=0.6)
    ax.plot([found.mean], [row], "D", ms=4, color=colour)
