"""Units, accuracy and usable information beside the digitised ones (Kleinman et al. 2023, Figs 4 to 6, 9, 10, 15).

The published figures plot relative source variance the other way round; here, as everywhere in this project, group 1 is
the treated (right) eye and +1 the left one, and the digitised numbers are turned accordingly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from binocular.compare.histogram_figures import oriented_histogram
from binocular.compare.published import HistogramRecord
from binocular.papers.claims import Had
from binocular.papers.figures import (
    band,
    deficit_axis,
    halves,
    labelled_rows,
    new_figure,
    points_and_line,
    published_line,
    zero,
)
from binocular.papers.kleinman_2023.measures import MAP, POOLED, bias, bits, monocular, relative_losses
from binocular.papers.kleinman_2023.tables import (
    accuracy_curve,
    bias_of,
    histograms,
    index_curve,
    monocularity_of,
    usable_information,
)
from binocular.papers.numbers import accuracy, changes, swept
from binocular.papers.published import nearest_removal
from binocular.report.figures.style import EYE_COLOURS, title_panel, whole_epochs
from binocular.store.statistics import interval, printed
from binocular.store.study import Study

__all__ = ["draw_accuracy", "draw_blur", "draw_clocks", "draw_dissociation", "draw_information", "draw_training"]

_SITES = {MAP: ("units by place", "#000000", "o"), POOLED: ("pooled units", "#009E73", "s")}
_SHADES = ("#9A9A9A", "#56B4E9", "#AA4499", "#000000", "#B8860B", "#009E73")


def _histograms_and_index(
    study: Study,
    deficit: str,
    done: str,
    index: Callable[[HistogramRecord], float],
    ours: Callable[..., xr.DataArray],
    treated: str,
    name: str,
    below: str,
) -> Figure:
    """Draw published histograms over ours, column by column, and an index of them by the length of the deficit."""
    published, conditions = histograms(deficit), swept(study, done)
    longest, columns = max(conditions), len(conditions)
    figure = new_figure(1.75 * columns + 2.9, 5.4)
    grid = figure.add_gridspec(3, columns + 1, width_ratios=[1.0] * columns + [1.55])
    shares = {site: {at: c.shares(site) for at, c in conditions.items()} for site in _SITES}
    chosen = {at: published[nearest_removal(at, longest, published)] for at in conditions}
    means = [one.mean(0) for of_site in shares.values() for one in of_site.values()]
    highest = max(float(np.max(each)) for each in (*means, *(record.shares for record in chosen.values())))
    top = float(np.clip(10 * np.ceil(11.5 * highest), 40, 100))
    for column, (at, condition) in enumerate(conditions.items()):
        axes = [figure.add_subplot(grid[row, column]) for row in range(3)]
        oriented_histogram(chosen[at].shares, axes[0], first=treated, top=top)
        ends = nearest_removal(at, longest, published)
        title_panel(
            axes[0], f"published, to {ends}" if ends else "published, none", f"{done}, longest {max(published)}"
        )
        for ax, (site, (units, _, _)) in zip(axes[1:], _SITES.items(), strict=True):
            turned = shares[site][at] if condition.treated_eye == "right" else shares[site][at][:, ::-1]
            found = interval(turned)
            oriented_histogram(
                found.mean, ax, low=found.low, high=found.high, outline=chosen[at].shares,
                deprived_eye=condition.treated_eye, first=treated, top=top,
            )  # fmt: skip
            title_panel(ax, f"ours, to {at}" if at else "ours, none", units)
        for ax in axes:
            if column:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel("share of units (%)")
    ax = figure.add_subplot(grid[:2, columns])
    published_line(ax, index_curve(deficit, index))
    for site, (units, colour, marker) in _SITES.items():
        points_and_line(ax, ours(study, f"{done}-*", site), f"ours, {units}", colour, marker)
        untrained = interval(ours(study, conditions[0].name, site, "untrained")).mean
        ax.plot([-0.12], [untrained], marker=marker, ms=4.5, mfc="white", mec=colour, ls="none", clip_on=False)
    ax.set_ylim(0, 1)
    ax.set_xlim(-0.18, 1.05)
    ax.set_xticks([-0.12, 0, 0.5, 1], ["un-\ntrained", "0", "half", "longest\ndeficit"])
    ax.set_xlabel("end of the deficit")
    title_panel(ax, name, below)
    beside = figure.add_subplot(grid[2, columns])
    beside.axis("off")
    beside.legend(*ax.get_legend_handles_labels(), loc="upper left", handlelength=2.6)
    return figure


def draw_blur(had: Had) -> Figure:
    """Draw Figs 4 and 10 beside ours: histograms, and the clean eye's bias by the length of the blur."""
    figure = _histograms_and_index(
        had["fig4"], "blur", "blurred", bias_of, bias,
        "blurred", "clean eye's bias", "1 = every unit the clean eye's only",
    )  # fmt: skip
    zero(figure.axes[-2], 0.5)
    return figure


def draw_dissociation(had: Had) -> Figure:
    """Draw Fig. 6 beside ours: histograms, and monocularity by the length of the dissociation."""
    figure = _histograms_and_index(
        had["fig6"], "dissociation", "dissociated", monocularity_of, monocular,
        "treated", "monocularity index", "1 = every unit one eye's only",
    )  # fmt: skip
    ax, beside = figure.axes[-2:]
    points_and_line(ax, monocular(had["fig6-whole"]), "ours, by place, both eyes see all", "#AA4499", "D")
    beside.legend(*ax.get_legend_handles_labels(), loc="upper left", handlelength=2.6)
    return figure


def draw_training(had: Had) -> Figure:
    """Draw the clean eye's bias and the monocularity of the units through rearing."""
    conditions = swept(had["fig4"], "blurred")
    figure = new_figure(7.4, 3.0)
    axes = figure.subplots(1, 2)
    for colour, (at, condition) in zip(_SHADES, conditions.items(), strict=False):
        epochs = sorted({int(epoch) for epoch in condition.subjects[0].sites[MAP].epoch})
        for ax, of in zip(axes, (bias, monocular), strict=True):
            values = np.transpose([of(had["fig4"], condition.name, MAP, epoch) for epoch in epochs])
            band(ax, epochs, values, colour, marker="o", ms=3, label=f"blurred to {at}" if at else "not blurred")
            if at:
                ax.plot([at, at], [0.015, 0.055], color=colour, lw=2.5, transform=ax.get_xaxis_transform())
    for ax, name, title in (
        (axes[0], "clean eye's bias", "Inhibition of the blurred eye"), (axes[1], "monocularity index", "Monocularity"),
    ):  # fmt: skip
        ax.set_ylim(0, 1)
        ax.set_xlabel("epoch")
        ax.set_ylabel(name)
        whole_epochs(ax)
        title_panel(ax, title, "units by place; ticks: end of the blur")
    zero(axes[0], 0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(conditions))
    return figure


def draw_accuracy(had: Had) -> Figure:
    """Draw Fig. 5 left and right beside ours, and the loss by one closure in two tasks."""
    figure = new_figure(8.6, 2.9)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
    panels = (("blur", "blurred", "Fig. 5 left"), ("dissociation", "dissociated", "Fig. 5 right"))
    for ax, (deficit, prefix, source) in zip(axes, panels, strict=False):
        published = accuracy_curve(deficit, figure=source)
        published_line(ax, changes(published), f"published ({source})")
        ours = accuracy(had["fig5"], f"{prefix}-*")
        points_and_line(ax, changes(ours), "ours", "#000000")
        deficit_axis(ax)
        normal = interval(ours[0]).mean
        title_panel(ax, deficit, f"published {printed(float(published[0]), 1)} %, ours {printed(normal, 1)} % without")
        ax.legend(loc="lower left", handlelength=2.4)
    axes[0].set_ylabel("change of accuracy (points)")
    low = min(ax.get_ylim()[0] for ax in axes[:2])
    for ax in axes[:2]:
        ax.set_ylim(low - 2.5, max(ax.get_ylim()[1] for ax in axes[:2]))
    losses = relative_losses(had)
    longest = max(swept(had["closure"], "closed").items())[1]
    closures = [longest, had["stereo"].condition("deprived-early")]
    phases = [condition.subjects[0].phases for condition in closures]
    labelled_rows(axes[2:], ["either eye\nwill do", "both eyes\nneeded"],
                  {"lost of what is above chance (%)": [100 * losses["ordinary"], 100 * losses["stereopsis"]]},
                  {"reference": 0})  # fmt: skip
    times = " and ".join(f"0–{of[0]['stop']} of {of[-1]['stop']}" for of in phases)
    title_panel(axes[2], "one eye closed early", f"epochs {times}")
    return figure


def draw_information(had: Had) -> Figure:
    """Draw Fig. 9 and ours: bits about the class with each eye and both."""
    study = had["fig9"]
    figure = new_figure(6.6, 3.1)
    axes = figure.subplots(1, 2, sharey=True)
    clean, blurred = study.fellow_eye, study.treated_eye
    for eye, as_published, label, colour, marker in (
        ("both", "both", "both eyes", "#4D4D4D", "D"),
        (clean, "left", f"{clean} eye (clean)", EYE_COLOURS[clean], "o"),
        (blurred, "right", f"{blurred} eye (blurred)", EYE_COLOURS[blurred], "s"),
    ):
        published_line(axes[0], usable_information(as_published), "", colour, marker)
        points_and_line(axes[1], bits(study, eye), label, colour, marker)
    halves("usable information (bits)", "CIFAR-10, at most 3.32 bits", *axes, source="Fig. 9", change=False)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def draw_clocks(had: Had) -> Figure:
    """Draw Fig. 15 beside ours, and the bias of the units under three clocks of the learning rate."""
    study, published = had["fig15"], accuracy_curve("blur", "constant learning rate 5e-4", "Fig. 15")
    figure = new_figure(7.0, 3.1)
    axes = figure.subplots(1, 2)
    looks = {"constant": ("constant rate", "#000000", "o"), "phase": ("clock anew after the blur", "#009E73", "s"),
             "absolute": ("published clock", "#AA4499", "D")}  # fmt: skip
    published_line(axes[0], changes(published), "published, constant rate")
    for aside, (clock, look) in zip((-0.015, 0.0, 0.015), looks.items(), strict=True):
        points_and_line(axes[0], changes(accuracy(study, f"{clock}-*")), *look, aside=aside)
        points_and_line(axes[1], bias(study, f"{clock}-*"), *look, aside=aside)
    axes[0].set_ylabel("change of accuracy (points)")
    zero(axes[1], 0.5)
    axes[1].set_ylim(0, 1)
    axes[1].set_ylabel("clean eye's bias")
    for ax, title in zip(axes, ("Accuracy", "Units by place"), strict=True):
        deficit_axis(ax, "blur", change=ax is axes[0])
        title_panel(ax, title, "means with 95 % intervals")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
