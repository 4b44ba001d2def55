"""Curves of accuracy and usable information beside the digitised ones (Kleinman et al. 2023, Figs 5, 9 and 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from binocular.papers.claims import Had
from binocular.papers.figures import deficit_axis, halves, new_figure, points_and_line, published_line, zero
from binocular.papers.kleinman_2023.measures import accuracies, bias, bits, relative_losses
from binocular.papers.kleinman_2023.tables import accuracy_curve, usable_information
from binocular.papers.numbers import seeds_of
from binocular.report.figures.style import EYE_COLOURS, title_panel
from binocular.store.statistics import interval, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from binocular.store.study import Study


__all__ = ["draw_accuracy", "draw_clocks", "draw_information"]


def _changed(curve: dict[int, float]) -> dict[int, float]:
    return {at: value - curve[0] for at, value in curve.items()}


def draw_accuracy(had: Had) -> Figure:
    """Draw Fig. 5 left and right beside ours, and the loss by one closure in two tasks."""
    figure = new_figure(8.6, 2.9)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
    panels = (("blur", "blurred", "Fig. 5 left"), ("dissociation", "dissociated", "Fig. 5 right"))
    for ax, (deficit, prefix, source) in zip(axes, panels, strict=False):
        published = dict(accuracy_curve(deficit, figure=source))
        published_line(ax, _changed(published), f"published ({source})")
        ours = accuracies(had["fig5"], prefix)
        points_and_line(ax, ours - ours[0].drop_vars("removal"), "ours", "#000000")
        deficit_axis(ax)
        normal = interval(ours[0]).mean
        title_panel(ax, deficit, f"published {printed(published[0], 1)} %, ours {printed(normal, 1)} % without")
        ax.legend(loc="lower left", handlelength=2.4)
    axes[0].set_ylabel("change of accuracy (points)")
    low = min(ax.get_ylim()[0] for ax in axes[:2])
    for ax in axes[:2]:
        ax.set_ylim(low - 2.5, max(ax.get_ylim()[1] for ax in axes[:2]))
    _losses(axes[2], had)
    return figure


def _losses(ax: Axes, had: Had) -> None:
    lost = relative_losses(had)
    bars = {"either eye\nwill do": lost["ordinary"], "both eyes\nneeded": lost["stereopsis"]}
    for x, values in enumerate(bars.values()):
        found, seeds = interval(100 * values), 100 * seeds_of(values)
        ax.bar([x], [found.mean], width=0.6, color="#C2C2C2", lw=0)
        ax.vlines([x], found.low, found.high, color="#222222", lw=1.0)
        places = x + np.linspace(-0.14, 0.14, len(seeds))
        ax.plot(places, seeds, "o", ms=3, mfc="white", mec="#222222", mew=0.6)
    ax.axhline(0, color="#8C8C8C", lw=0.7)
    ax.set_xticks(range(len(bars)), list(bars))
    ax.set_xlim(-0.6, 1.6)
    ax.set_ylabel("lost of what is above chance (%)")
    title_panel(ax, "one eye closed early", "epochs 0–10, then 20 with both")


def draw_information(had: Had) -> Figure:
    """Draw Fig. 9 and ours: bits about the class with each eye and both."""
    study, published = had["fig9"], usable_information()
    figure = new_figure(6.6, 3.1)
    axes = figure.subplots(1, 2, sharey=True)
    for eye, as_published, label, colour, marker in _eyes(study):
        axes[0].plot(
            [at / max(published) for at in published], [row[as_published] for row in published.values()],
            color=colour, marker=marker, ms=4, mfc="white", ls=(0, (4, 2)),
        )  # fmt: skip
        points_and_line(axes[1], bits(study, eye), label, colour, marker)
    halves("usable information (bits)", "CIFAR-10, at most 3.32 bits", *axes, source="Fig. 9", change=False)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _eyes(study: Study) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return eye, eye of the publication, label, colour and marker of each line."""
    clean, blurred = study.fellow_eye, study.treated_eye
    return (
        ("both", "both", "both eyes", "#4D4D4D", "D"),
        (clean, "left", f"{clean} eye (clean)", EYE_COLOURS[clean], "o"),
        (blurred, "right", f"{blurred} eye (blurred)", EYE_COLOURS[blurred], "s"),
    )


def draw_clocks(had: Had) -> Figure:
    """Draw Fig. 15 beside ours, and the bias of the units under three clocks of the learning rate."""
    study, published = had["fig15"], dict(accuracy_curve("blur", "constant learning rate 5e-4", "Fig. 15"))
    figure = new_figure(7.0, 3.1)
    axes = figure.subplots(1, 2)
    looks = {"constant": ("constant rate", "#000000", "o"), "phase": ("clock anew after the blur", "#009E73", "s"),
             "absolute": ("published clock", "#AA4499", "D")}  # fmt: skip
    published_line(axes[0], _changed(published), "published, constant rate")
    for offset, (clock, look) in zip((-0.015, 0.0, 0.015), looks.items(), strict=True):
        ours, turned = accuracies(study, clock), bias(study, clock)
        x = (ours["removal"] / ours["removal"].max() + offset).to_numpy()
        points_and_line(axes[0], ours - ours[0].drop_vars("removal"), *look, x)
        points_and_line(axes[1], turned, *look, x)
    axes[0].set_ylabel("change of accuracy (points)")
    zero(axes[1], 0.5)
    axes[1].set_ylim(0, 1)
    axes[1].set_ylabel("clean eye's bias")
    for ax, title in zip(axes, ("Accuracy", "Units by place"), strict=True):
        deficit_axis(ax, "blur", change=ax is axes[0])
        title_panel(ax, title, "means with 95 % intervals")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
