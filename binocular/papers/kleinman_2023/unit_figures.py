"""Histograms of the units beside the digitised ones, and their indices (Kleinman et al. 2023, Figs 4, 6 and 10).

The published figures plot relative source variance the other way round; here, as everywhere in this project, group 1 is
the treated (right) eye and +1 the left one, and the digitised numbers are turned accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from binocular.compare.histogram_figures import oriented_histogram
from binocular.papers.claims import Had
from binocular.papers.figures import new_figure, points_and_line, published_line, zero
from binocular.papers.kleinman_2023.measures import MAP, POOLED, clean_bias, monocular
from binocular.papers.kleinman_2023.tables import bias_of, histograms, monocularity_of, nearest_removal
from binocular.papers.numbers import swept
from binocular.report.figures.style import title_panel, whole_epochs
from binocular.store.statistics import interval

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from binocular.compare.published import HistogramRecord
    from binocular.store.study import Condition

__all__ = ["draw_blur", "draw_dissociation", "draw_training"]

_SITES = {MAP: ("units by place", "#000000", "o"), POOLED: ("pooled units", "#009E73", "s")}
_SHADES = ("#9A9A9A", "#56B4E9", "#AA4499", "#000000", "#B8860B", "#009E73")


def _histograms_and_index(
    conditions: Mapping[int, Condition],
    published: Mapping[int, HistogramRecord],
    index: Callable[[HistogramRecord], float],
    ours: Callable[..., xr.DataArray],
    words: tuple[str, str, str],
    reference: tuple[float | None, str],
) -> Figure:
    """Draw published histograms over ours, column by column, and an index of them by the length of the deficit."""
    done, treated, name = words
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
    published_line(ax, {at: index(record) for at, record in published.items()})
    for site, (units, colour, marker) in _SITES.items():
        points_and_line(ax, ours(conditions, site), f"ours, {units}", colour, marker)
        untrained = interval(ours(conditions[0], site, "untrained")).mean
        ax.plot([-0.12], [untrained], marker=marker, ms=4.5, mfc="white", mec=colour, ls="none", clip_on=False)
    if reference[0] is not None:
        zero(ax, reference[0])
    ax.set_ylim(0, 1)
    ax.set_xlim(-0.18, 1.05)
    ax.set_xticks([-0.12, 0, 0.5, 1], ["un-\ntrained", "0", "half", "longest\ndeficit"])
    ax.set_xlabel("end of the deficit")
    title_panel(ax, name, reference[1])
    beside = figure.add_subplot(grid[2, columns])
    beside.axis("off")
    beside.legend(*ax.get_legend_handles_labels(), loc="upper left", handlelength=2.6)
    return figure


def draw_blur(had: Had) -> Figure:
    """Draw Figs 4 and 10 beside ours: histograms, and the clean eye's bias by the length of the blur."""
    return _histograms_and_index(
        swept(had["fig4"], "blurred"), histograms("blur"), bias_of, clean_bias,
        ("blurred", "blurred", "clean eye's bias"), (0.5, "1 = every unit the clean eye's only"),
    )  # fmt: skip


def draw_dissociation(had: Had) -> Figure:
    """Draw Fig. 6 beside ours: histograms, and monocularity by the length of the dissociation."""
    conditions, whole = swept(had["fig6"], "dissociated"), swept(had["fig6-whole"], "dissociated")

    figure = _histograms_and_index(
        conditions, histograms("dissociation"), monocularity_of, monocular,
        ("dissociated", "treated", "monocularity index"), (None, "1 = every unit one eye's only"),
    )  # fmt: skip
    ax, beside = figure.axes[-2:]
    points_and_line(ax, monocular(whole), "ours, by place, both eyes see all", "#AA4499", "D")
    beside.legend(*ax.get_legend_handles_labels(), loc="upper left", handlelength=2.6)
    return figure


def draw_training(had: Had) -> Figure:
    """Draw the clean eye's bias and the monocularity of the units through rearing."""
    conditions = swept(had["fig4"], "blurred")
    figure = new_figure(7.4, 3.0)
    axes = figure.subplots(1, 2)
    for colour, (at, condition) in zip(_SHADES, conditions.items(), strict=False):
        epochs = sorted({int(epoch) for epoch in condition.subjects[0].sites[MAP].epoch})
        for ax, of in zip(axes, (clean_bias, monocular), strict=True):
            found = interval(np.array([of(condition, MAP, epoch).to_numpy() for epoch in epochs]).T)
            ax.fill_between(epochs, found.low, found.high, color=colour, alpha=0.18, lw=0)
            label = f"blurred to {at}" if at else "not blurred"
            ax.plot(epochs, found.mean, color=colour, marker="o", ms=3, label=label)
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
