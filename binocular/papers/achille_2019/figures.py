"""Figures after Achille, Rovere & Soatto (2019), with the digitised points of Fig. 1."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binocular.papers.achille_2019.measures import fisher_traces, published_accuracy, sensitivity, windows
from binocular.papers.claims import Had
from binocular.papers.figures import (
    AROUND,
    deficit_axis,
    labelled_rows,
    new_figure,
    points_and_line,
    published_line,
    zero,
)
from binocular.papers.numbers import changes, costs, lost, settled
from binocular.report.figures.style import title_panel
from binocular.store.study import Study

__all__ = ["draw_fisher", "draw_harmless", "draw_removal", "draw_two_eyed", "draw_window"]

_INFORMATION = "Fisher information (log₁₀ of trace, nat²)"
_DEFICITS = {
    "blurred": "blurred",
    "noise": "only noise",
    "upside-down": "upside down",
    "permuted": "labels permuted",
    "sham": "sham, of its age",
}


def _removal(ax: Axes, study: Study) -> None:
    """Draw the change of accuracy by the end of the blur, published and ours at a falling and a constant rate."""
    published_line(ax, changes(published_accuracy()), "published (Fig. 1)")
    points_and_line(ax, -costs(study), "ours", "#000000")
    points_and_line(ax, -costs(study, "constant"), "ours, constant rate", "#009E73", "s")
    deficit_axis(ax, "blur")
    ax.set_ylabel("change of accuracy (points)")


def draw_removal(had: Had) -> Figure:
    """Draw Fig. 1 beside ours: the change of accuracy by the end of the blur, at a falling and at a constant rate."""
    figure = new_figure(4.2, 3.0)
    ax = figure.subplots()
    _removal(ax, had["removal-one"])
    published, ours = float(published_accuracy()[0]), float(settled(had["removal-one"], "blurred-0").mean())
    title_panel(ax, "Blur from the beginning", f"published {published:.1f} %, ours {ours:.1f} % without")
    ax.legend(loc="lower left", handlelength=2.4)
    return figure


def _window(ax: Axes, study: Study) -> None:
    by_onset, length = windows(study)
    points_and_line(ax, by_onset, "lost by the blur", "#000000", x=by_onset["onset"].to_numpy())
    zero(ax)
    ax.set_xlabel(f"onset of the blur of {length} epochs (epoch)")
    ax.set_ylabel("accuracy lost (points)")


def draw_window(had: Had) -> Figure:
    """Draw what a blur of fixed length costs by its onset, beside the course of undisturbed accuracy."""
    study = had["window-one"]
    figure = new_figure(6.4, 2.9)
    axes = figure.subplots(1, 2)
    _window(axes[0], study)
    title_panel(axes[0], "Sensitivity", "means with 95 % intervals")
    _learning(axes[1], study)
    return figure


def _learning(ax: Axes, study: Study) -> None:
    normal = study.condition("normal")
    epochs = normal.subjects[0].history["epoch"]
    rows = 100 * np.array([subject.history["test_accuracy"] for subject in normal.subjects])
    tested = ~np.isnan(rows).all(0)
    ax.plot(epochs[tested], rows[:, tested].T, color="#BBBBBB", lw=0.6)
    ax.plot(epochs[tested], rows[:, tested].mean(0), color="#000000", lw=1.4)
    ax.set_xlabel("epoch")
    ax.set_ylabel("test accuracy (%)")
    title_panel(ax, "Undisturbed rearing", "mean, and single subjects in grey")


def _deficits(ax: Axes, study: Study) -> None:
    shown = [name for name in _DEFICITS if any(c.name == name for c in study.reared)]
    # A sham compares at equal age, where it must be nothing; deficits after equal recovery, as published.
    losses = [lost(study, "normal-long" if name == "sham" else "normal", name) for name in shown]
    labelled_rows([ax], [_DEFICITS[name] for name in shown], {"accuracy lost (points)": losses}, {"reference": 0})


def draw_harmless(had: Had) -> Figure:
    """Draw what each deficit costs."""
    figure = new_figure(4.2, 2.8)
    ax = figure.subplots()
    _deficits(ax, had["controls-one"])
    title_panel(ax, "Deficits of equal length", AROUND)
    return figure


def _fisher(ax: Axes, study: Study) -> None:
    traces = fisher_traces(study)
    curves = np.log10(traces.to_numpy())
    ax.plot(traces["epoch"], curves, color="#BBBBBB", lw=0.6)
    ax.plot(traces["epoch"], curves.mean(1), color="#000000", lw=1.4, marker="o", ms=3)
    ax.set_xlabel("epoch")
    ax.set_ylabel(_INFORMATION)
    title_panel(ax, "Information in the weights", "mean, and single subjects in grey")


def _follows(ax: Axes, both: xr.Dataset) -> None:
    mean = both.mean("seed")
    ax.plot(mean["information"], mean["loss"], "o", color="#000000", ms=4)
    for onset, x, y in zip(mean["onset"].values, mean["information"].values, mean["loss"].values, strict=True):
        ax.annotate(str(onset), (x, y), xytext=(4, 3), textcoords="offset points", fontsize=6.5, color="#555555")
    zero(ax)
    ax.set_xlabel(f"{_INFORMATION},\nmean during the window")
    ax.set_ylabel("accuracy lost (points)")
    title_panel(ax, "Loss and information", "a point per onset (epoch), means")


def draw_fisher(had: Had) -> Figure:
    """Draw the Fisher information through rearing, and the loss by a window against the information during it."""
    figure = new_figure(6.6, 2.9)
    axes = figure.subplots(1, 2)
    _fisher(axes[0], had["fisher-one"])
    _follows(axes[1], sensitivity(had["window-one"], had["fisher-one"]))
    return figure


def draw_two_eyed(had: Had) -> Figure:
    """Draw all of it for subjects with two eyes."""
    figure = new_figure(7.6, 5.4)
    axes = figure.subplots(2, 2)
    _removal(axes[0, 0], had["removal-two"])
    title_panel(axes[0, 0], "Blur from the beginning", "two eyes, both blurred")
    axes[0, 0].legend(loc="upper right", handlelength=2.4)
    _window(axes[0, 1], had["window-two"])
    title_panel(axes[0, 1], "Sensitivity", "means with 95 % intervals")
    _deficits(axes[1, 0], had["controls-two"])
    title_panel(axes[1, 0], "Deficits of equal length", "diamonds: means with 95 % intervals")
    _fisher(axes[1, 1], had["fisher-two"])
    return figure
