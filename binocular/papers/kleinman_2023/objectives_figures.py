"""Damage against the onset of a closure, by objective, beside the digitised curves (Kleinman et al. 2023, Fig. 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.kleinman_2023.objectives_numbers import (
    KEY,
    REBUILDING,
    SUPERVISED,
    TRANSFORMER,
    loss,
    onset_share,
    onsets,
    stereopsis,
    turn,
)
from binocular.papers.kleinman_2023.tables import onset_curve
from binocular.papers.kleinman_2023.unit_figures import new_figure, points_and_line
from binocular.papers.numbers import number_of
from binocular.report.figures.style import TASK_COLOURS, title_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from binocular.store.study import Study

__all__ = ["draw_controls", "draw_onset", "draw_transformer", "draw_twins"]

_LOOKS = {
    SUPERVISED: ("learning the classes", TASK_COLOURS[0], "o"),
    REBUILDING: ("rebuilding what is hidden", TASK_COLOURS[1], "s"),
}
_OFFSET = 0.012


def draw_onset(had: Mapping[str, Any]) -> Figure:
    """Draw the supervised curve of Fig. 8 and ours."""
    study = had[KEY]
    figure = new_figure(6.4, 3.0)
    axes = figure.subplots(1, 2, sharey=True)
    _published(axes[0], ("supervised",))
    _losses(axes[1], study, (SUPERVISED,))
    _finish(figure, axes, "loss of accuracy (points)")
    return figure


def draw_twins(had: Mapping[str, Any]) -> Figure:
    """Draw both curves of Fig. 8, ours for stereopsis, and how far the units turn to the fellow eye."""
    return _twins(had[KEY])


def draw_transformer(had: Mapping[str, Any]) -> Figure:
    """Draw the same for the two-eye transformer."""
    return _twins(had[TRANSFORMER])


def _twins(study: Study) -> Figure:
    figure = new_figure(9.0, 3.2)
    axes = figure.subplots(1, 3)
    _published(axes[0], ("supervised", "masked cross-view reconstruction"))
    _losses(axes[1], study, (SUPERVISED, REBUILDING))
    axes[1].sharey(axes[0])
    for step, prefix in enumerate((SUPERVISED, REBUILDING)):
        label, colour, marker = _LOOKS[prefix]
        at = [onset_share(study, onset) + (step - 0.5) * _OFFSET for onset in onsets(study)]
        turned = [turn(study, prefix, onset) for onset in onsets(study)]
        points_and_line(axes[2], at, turned, label, colour, marker)
        _subjects(axes[2], at, turned, colour)
    axes[2].axhline(0, color="#8C8C8C", lw=0.7, ls=":")
    axes[2].set_ylabel("turn to the fellow eye (mean RSV)")
    title_panel(axes[2], "ours: units", "means with 95 % intervals, and subjects")
    _finish(figure, axes, "loss of accuracy (points)")
    return figure


def _published(ax: Axes, objectives: tuple[str, ...]) -> None:
    for objective in objectives:
        prefix = SUPERVISED if objective == "supervised" else REBUILDING
        _, colour, marker = _LOOKS[prefix]
        curve = onset_curve(objective)
        ax.plot(
            list(curve), list(curve.values()), ls=(0, (4, 2)), lw=1.1, color=colour, marker=marker, ms=4, mfc="white"
        )
    title_panel(ax, "published (Fig. 8)", "video, two frames; digitised")


def _losses(ax: Axes, study: Study, prefixes: tuple[str, ...]) -> None:
    for step, prefix in enumerate(prefixes):
        label, colour, marker = _LOOKS[prefix]
        at = [onset_share(study, onset) + (step - 0.5) * _OFFSET for onset in onsets(study)]
        found = [loss(study, prefix, f"{prefix}-closed-{onset}") for onset in onsets(study)]
        points_and_line(ax, at, found, label, colour, marker)
        _subjects(ax, at, found, colour)
    ax.set_ylabel("loss of stereopsis (points)")
    title_panel(ax, "ours: stereopsis", "means with 95 % intervals, and subjects")


def _subjects(ax: Axes, at: list[float], values: list[dict[int, float]], colour: str) -> None:
    for x, found in zip(at, values, strict=True):
        ax.plot([x + 0.025] * len(found), list(found.values()), "o", ms=2, mfc="white", mec=colour, mew=0.5, zorder=4)


def _finish(figure: Figure, axes: Any, ylabel: str) -> None:
    for ax in axes:
        ax.set_xlabel("onset of the deficit (share)")
        ax.set_xlim(-0.05, 1.05)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "1/4", "1/2", "3/4", "1"])
    for ax in axes[:2]:
        ax.axhline(0, color="#8C8C8C", lw=0.7, ls=":")
    axes[0].set_ylabel(ylabel)
    figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=2)


def draw_controls(had: Mapping[str, Any]) -> Figure:
    """Draw the losses of stereopsis under each objective and control, and what is learned with the eyes open."""
    study = had[KEY]
    first = min(onsets(study))
    pairs = {
        "classes": (SUPERVISED, f"{SUPERVISED}-closed-{first}"),
        "classes, then a fresh\nclassifier": ("fresh-head", f"fresh-head-closed-{first}"),
        "classes, pictures with\nhidden patches": ("hidden", f"hidden-closed-{first}"),
        "classes and\nrebuilding at once": ("both", f"both-closed-{first}"),
        "rebuilding": (REBUILDING, f"{REBUILDING}-closed-{first}"),
        "rebuilding first, closed\nwhile classes are learned": ("rebuilding-longer", "rebuilding-then-closed"),
    }
    figure = new_figure(7.6, 3.3)
    axes = figure.subplots(1, 2, sharey=True)
    for row, (normal, closed) in enumerate(pairs.values()):
        _dots(axes[0], row, list(loss(study, normal, closed).values()), "#000000")
        _dots(axes[1], row - 0.16, [100 * v for v in stereopsis(study, normal).values()], "#000000")
        _dots(axes[1], row + 0.16, [100 * v for v in stereopsis(study, closed).values()], TASK_COLOURS[2])
    late = number_of([100 * value for value in stereopsis(study, "late-start").values()])
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


def _dots(ax: Axes, row: float, values: list[float], colour: str) -> None:
    found = number_of(values)
    ax.hlines(row, found.low, found.high, color=colour, lw=1.0)
    ax.plot(np.array(values), np.full(len(values), row), "o", ms=2.6, mfc="white", mec=colour, mew=0.6)
    ax.plot([found.mean], [row], "D", ms=4, color=colour)
