"""Curves of accuracy and usable information beside the digitised ones (Kleinman et al. 2023, Figs 5, 9 and 15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.kleinman_2023.outcomes import CHANCE, bits, relative_loss, with_normal
from binocular.papers.kleinman_2023.tables import accuracy_curve, usable_information
from binocular.papers.kleinman_2023.unit_figures import new_figure, points_and_line, published_line
from binocular.papers.kleinman_2023.units import MAP, by_removal, clean_bias
from binocular.papers.numbers import accuracies, condition_of, number_of
from binocular.report.figures.style import EYE_COLOURS, number, title_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


__all__ = ["draw_accuracy", "draw_clocks", "draw_information"]


def draw_accuracy(had: Mapping[str, Any]) -> Figure:
    """Draw Fig. 5 left and right beside ours, and the loss by one closure in two tasks."""
    figure = new_figure(8.6, 2.9)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
    blurred = by_removal(had["fig5"], "blurred")
    panels = (("blur", "blurred", "Fig. 5 left"), ("dissociation", "dissociated", "Fig. 5 right"))
    for ax, (deficit, prefix, source) in zip(axes, panels, strict=False):
        published = accuracy_curve(deficit, figure=source)
        published_line(ax, {at: value - published[0] for at, value in published.items()}, f"published ({source})")
        conditions = with_normal(had["fig5"], prefix, blurred[0])
        start = accuracies(blurred[0])
        change = [
            {seed: 100 * (value - start[seed]) for seed, value in accuracies(c).items()} for c in conditions.values()
        ]
        x = [at / max(conditions) for at in conditions]
        points_and_line(ax, x, change, "ours", "#000000")
        ax.axhline(0, color="#8C8C8C", lw=0.7, ls=":")
        ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
        ax.set_xlabel("end of the deficit")
        normal = number_of(list(start.values())).mean
        title_panel(ax, deficit, f"published {number(published[0], 1)} %, ours {number(100 * normal, 1)} % without")
        ax.legend(loc="lower left", handlelength=2.4)
    axes[0].set_ylabel("change of accuracy (points)")
    low = min(ax.get_ylim()[0] for ax in axes[:2])
    for ax in axes[:2]:
        ax.set_ylim(low - 2.5, max(ax.get_ylim()[1] for ax in axes[:2]))
    _losses(axes[2], had)
    return figure


def _losses(ax: Axes, had: Mapping[str, Any]) -> None:
    closed, stereo = by_removal(had["closure"], "closed"), had["stereo"]
    normal, early = (accuracies(condition_of(stereo, name), "stereopsis") for name in ("normal", "deprived-early"))
    ordinary = relative_loss(accuracies(closed[0]), accuracies(closed[max(closed)]), CHANCE["ordinary"])
    bars = {"either eye\nwill do": ordinary, "both eyes\nneeded": relative_loss(normal, early, CHANCE["stereopsis"])}
    for x, lost in enumerate(bars.values()):
        values = 100 * np.array(list(lost.values()))
        found = number_of(values)
        ax.bar([x], [found.mean], width=0.6, color="#C2C2C2", lw=0)
        ax.vlines([x], found.low, found.high, color="#222222", lw=1.0)
        places = x + np.linspace(-0.14, 0.14, len(values))
        ax.plot(places, values, "o", ms=3, mfc="white", mec="#222222", mew=0.6)
    ax.axhline(0, color="#8C8C8C", lw=0.7)
    ax.set_xticks(range(len(bars)), list(bars))
    ax.set_xlim(-0.6, 1.6)
    ax.set_ylabel("lost of what is above chance (%)")
    title_panel(ax, "one eye closed early", "epochs 0–10, then 20 with both")


def draw_information(had: Mapping[str, Any]) -> Figure:
    """Draw Fig. 9 and ours: bits about the class with each eye and both."""
    study, published = had["fig9"], usable_information()
    conditions = by_removal(study, "blurred")
    figure = new_figure(6.6, 3.1)
    axes = figure.subplots(1, 2, sharey=True)
    looks = {"both": ("both eyes", "#4D4D4D", "D"), study.fellow_eye: (f"{study.fellow_eye} eye (clean)", "", "o"),
             study.treated_eye: (f"{study.treated_eye} eye (blurred)", "", "s")}  # fmt: skip
    as_published = {"both": "both", study.fellow_eye: "left", study.treated_eye: "right"}
    for eye, (label, colour, marker) in looks.items():
        colour = colour or EYE_COLOURS[eye]
        axes[0].plot(
            [at / max(published) for at in published], [row[as_published[eye]] for row in published.values()],
            color=colour, marker=marker, ms=4, mfc="white", ls=(0, (4, 2)),
        )  # fmt: skip
        x = [at / max(conditions) for at in conditions]
        points_and_line(axes[1], x, [bits(c, eye) for c in conditions.values()], label, colour, marker)
    for ax, title, below in (
        (axes[0], "published (Fig. 9)", "CIFAR-10, at most 3.32 bits"), (axes[1], "ours", "means with 95 % intervals"),
    ):  # fmt: skip
        ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
        ax.set_xlabel("end of the blur")
        title_panel(ax, title, below)
    axes[0].set_ylabel("usable information (bits)")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_clocks(had: Mapping[str, Any]) -> Figure:
    """Draw Fig. 15 beside ours, and the bias of the units under three clocks of the learning rate."""
    study, published = had["fig15"], accuracy_curve("blur", "constant learning rate 5e-4", "Fig. 15")
    figure = new_figure(7.0, 3.1)
    axes = figure.subplots(1, 2)
    looks = {"constant": ("constant rate", "#000000", "o"), "phase": ("clock anew after the blur", "#009E73", "s"),
             "absolute": ("published clock", "#AA4499", "D")}  # fmt: skip
    published_line(axes[0], {at: value - published[0] for at, value in published.items()}, "published, constant rate")
    for offset, (clock, (label, colour, marker)) in zip((-0.015, 0.0, 0.015), looks.items(), strict=True):
        conditions = by_removal(study, clock)
        x, start = [at / max(conditions) + offset for at in conditions], accuracies(conditions[0])
        change = [
            {seed: 100 * (value - start[seed]) for seed, value in accuracies(c).items()} for c in conditions.values()
        ]
        points_and_line(axes[0], x, change, label, colour, marker)
        points_and_line(axes[1], x, [clean_bias(c, MAP) for c in conditions.values()], label, colour, marker)
    axes[0].axhline(0, color="#8C8C8C", lw=0.7, ls=":")
    axes[0].set_ylabel("change of accuracy (points)")
    axes[1].axhline(0.5, color="#8C8C8C", lw=0.7, ls=":")
    axes[1].set_ylim(0, 1)
    axes[1].set_ylabel("clean eye's bias")
    for ax, title in zip(axes, ("Accuracy", "Units by place"), strict=True):
        ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
        ax.set_xlabel("end of the blur")
        title_panel(ax, title, "means with 95 % intervals")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
