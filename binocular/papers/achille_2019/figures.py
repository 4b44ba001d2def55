"""Figures after Achille, Rovere & Soatto (2019), with the digitised points of Fig. 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.achille_2019.judges import fisher_traces, published_accuracy, sensitivity, windows
from binocular.papers.kleinman_2023.unit_figures import new_figure, points_and_line, published_line
from binocular.papers.numbers import condition_of
from binocular.papers.settled import losses, settled
from binocular.report.figures.outcomes import interval_rows
from binocular.report.figures.style import title_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from binocular.store.study import Study

__all__ = ["draw_fisher", "draw_harmless", "draw_removal", "draw_two_eyed", "draw_window"]

_INFORMATION = "Fisher information (log₁₀ of trace, nat²)"
_ZERO = {"color": "#8C8C8C", "lw": 0.7, "ls": ":"}
_DEFICITS = {
    "blurred": "blurred",
    "noise": "only noise",
    "upside-down": "upside down",
    "permuted": "labels permuted",
    "sham": "sham, of its age",
}


def _removal(ax: Axes, study: Study, label: str = "ours", colour: str = "#000000", marker: str = "o") -> None:
    ends = sorted(int(c.values["removal"]) for c in study.reared if c.name.startswith("blurred-"))
    sharp = condition_of(study, "blurred-0")
    change = [losses(condition_of(study, f"blurred-{end}"), sharp) for end in ends]
    points_and_line(ax, [end / ends[-1] for end in ends], change, label, colour, marker)


def _constant(ax: Axes, study: Study) -> None:
    ends = sorted(int(c.values["removal"]) for c in study.reared if c.name.startswith("constant-"))
    sharp = condition_of(study, "constant-0")
    change = [losses(condition_of(study, f"constant-{end}"), sharp) for end in ends]
    points_and_line(ax, [end / ends[-1] for end in ends], change, "ours, constant rate", "#009E73", "s")


def _published(ax: Axes) -> None:
    published = published_accuracy()
    published_line(ax, {at: value - published[0] for at, value in published.items()}, "published (Fig. 1)")


def _removal_axes(ax: Axes) -> None:
    ax.axhline(0, **_ZERO)
    ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
    ax.set_xlabel("end of the blur")
    ax.set_ylabel("change of accuracy (points)")


def draw_removal(had: Mapping[str, Any]) -> Figure:
    """Draw Fig. 1 beside ours: the change of accuracy by the end of the blur, at a falling and at a constant rate."""
    figure = new_figure(4.2, 3.0)
    ax = figure.subplots()
    _published(ax)
    _removal(ax, had["removal-one"])
    _constant(ax, had["removal-one"])
    _removal_axes(ax)
    sharp = np.mean(list(settled(condition_of(had["removal-one"], "blurred-0")).values()))
    title_panel(ax, "Blur from the beginning", f"published {published_accuracy()[0]:.1f} %, ours {sharp:.1f} % without")
    ax.legend(loc="lower left", handlelength=2.4)
    return figure


def _window(
    ax: Axes, study: Study, label: str = "lost by the blur", colour: str = "#000000", marker: str = "o"
) -> None:
    by_onset, length = windows(study)
    points_and_line(ax, list(by_onset), list(by_onset.values()), label, colour, marker)
    ax.axhline(0, **_ZERO)
    ax.set_xlabel(f"onset of the blur of {length} epochs (epoch)")
    ax.set_ylabel("accuracy lost (points)")


def draw_window(had: Mapping[str, Any]) -> Figure:
    """Draw what a blur of fixed length costs by its onset, beside the course of undisturbed accuracy."""
    study = had["window-one"]
    figure = new_figure(6.4, 2.9)
    axes = figure.subplots(1, 2)
    _window(axes[0], study)
    title_panel(axes[0], "Sensitivity", "means with 95 % intervals")
    _learning(axes[1], study)
    return figure


def _learning(ax: Axes, study: Study) -> None:
    normal = condition_of(study, "normal")
    epochs = normal.subjects[0].history["epoch"]
    rows = 100 * np.array([subject.history["test_accuracy"] for subject in normal.subjects])
    tested = ~np.isnan(rows).all(0)
    ax.plot(epochs[tested], rows[:, tested].T, color="#BBBBBB", lw=0.6)
    ax.plot(epochs[tested], rows[:, tested].mean(0), color="#000000", lw=1.4)
    ax.set_xlabel("epoch")
    ax.set_ylabel("test accuracy (%)")
    title_panel(ax, "Undisturbed rearing", "mean, and single subjects in grey")


def _deficits(ax: Axes, study: Study) -> None:
    normal = condition_of(study, "normal")
    shown = [name for name in _DEFICITS if any(c.name == name for c in study.reared)]
    # A sham compares at equal age, where it must be nothing; deficits after equal recovery, as published.
    twins = {"sham": condition_of(study, "normal-long")}
    lost = [losses(twins.get(name, normal), condition_of(study, name)) for name in shown]
    interval_rows([list(values.values()) for values in lost], ax, reference=0)
    ax.set_yticks(range(len(shown)), [_DEFICITS[name] for name in shown])
    ax.set_xlabel("accuracy lost (points)")


def draw_harmless(had: Mapping[str, Any]) -> Figure:
    """Draw what each deficit costs."""
    figure = new_figure(4.2, 2.8)
    ax = figure.subplots()
    _deficits(ax, had["controls-one"])
    title_panel(ax, "Deficits of equal length", "diamonds: means with 95 % intervals; circles: subjects")
    return figure


def _fisher(ax: Axes, study: Study) -> None:
    epochs, traces = fisher_traces(study)
    rows = np.log10(np.array(list(traces.values())))
    ax.plot(epochs, rows.T, color="#BBBBBB", lw=0.6)
    ax.plot(epochs, rows.mean(0), color="#000000", lw=1.4, marker="o", ms=3)
    ax.set_xlabel("epoch")
    ax.set_ylabel(_INFORMATION)
    title_panel(ax, "Information in the weights", "mean, and single subjects in grey")


def _follows(ax: Axes, found: Mapping[int, tuple[np.ndarray, np.ndarray]], onsets: Sequence[int]) -> None:
    information = np.mean([pair[0] for pair in found.values()], axis=0)
    loss = np.mean([pair[1] for pair in found.values()], axis=0)
    ax.plot(information, loss, "o", color="#000000", ms=4)
    for onset, x, y in zip(onsets, information, loss, strict=True):
        ax.annotate(str(onset), (x, y), xytext=(4, 3), textcoords="offset points", fontsize=6.5, color="#555555")
    ax.axhline(0, **_ZERO)
    ax.set_xlabel(f"{_INFORMATION},\nmean during the window")
    ax.set_ylabel("accuracy lost (points)")
    title_panel(ax, "Loss and information", "a point per onset (epoch), means")


def draw_fisher(had: Mapping[str, Any]) -> Figure:
    """Draw the Fisher information through rearing, and the loss by a window against the information during it."""
    figure = new_figure(6.6, 2.9)
    axes = figure.subplots(1, 2)
    _fisher(axes[0], had["fisher-one"])
    found = sensitivity(had["window-one"], had["fisher-one"])
    _follows(axes[1], found, list(windows(had["window-one"])[0]))
    return figure


def draw_two_eyed(had: Mapping[str, Any]) -> Figure:
    """Draw all of it for subjects with two eyes."""
    figure = new_figure(7.6, 5.4)
    axes = figure.subplots(2, 2)
    _published(axes[0, 0])
    _removal(axes[0, 0], had["removal-two"])
    _constant(axes[0, 0], had["removal-two"])
    _removal_axes(axes[0, 0])
    title_panel(axes[0, 0], "Blur from the beginning", "two eyes, both blurred")
    axes[0, 0].legend(loc="upper right", handlelength=2.4)
    _window(axes[0, 1], had["window-two"])
    title_panel(axes[0, 1], "Sensitivity", "means with 95 % intervals")
    _deficits(axes[1, 0], had["controls-two"])
    title_panel(axes[1, 0], "Deficits of equal length", "diamonds: means with 95 % intervals")
    _fisher(axes[1, 1], had["fisher-two"])
    return figure
