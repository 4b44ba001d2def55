"""Figures of the blur in other settings, with the digitised curves of Figs 11 and 12 of Kleinman et al. (2023)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from binocular.papers.claims import Had
from binocular.papers.figures import AROUND, halves, labelled_rows, new_figure, points_and_line, published_line
from binocular.papers.kleinman_2023.measures import MAP, POOLED, accuracies, clean_bias
from binocular.papers.kleinman_2023.tables import accuracy_curve
from binocular.papers.numbers import swept
from binocular.report.figures.style import title_panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from binocular.store.study import Condition

__all__ = ["RATES", "WIDTHS", "draw_rates", "draw_widths"]

WIDTHS = {"narrow": (14, 12, "Fig. 11"), "wide": (18, 16, "Fig. 12")}
"""Columns an eye sees, by the key of the study: of 32 as published, of 28 at laboratory scale, and the figure."""
RATES = {"rate-05": 0.05, "rate-01": 0.01}
"""Initial learning rates, by the key of the study."""
_LINES = {"narrow": ("#56B4E9", "o"), "wide": ("#000000", "D")}


def draw_widths(had: Had) -> Figure:
    """Draw Figs 11 and 12 beside ours: change of accuracy by the end of the blur, for narrow and wide views."""
    figure = new_figure(6.8, 3.2)
    axes = figure.subplots(1, 2)
    for key, (columns, _, source) in WIDTHS.items():
        colour, marker = _LINES[key]
        curve = accuracy_curve("blur", f"view width {columns}", source)
        published_line(axes[0], {at: value - curve[0] for at, value in curve.items()}, colour=colour)
        found = accuracies(had[key], "blurred")
        points_and_line(axes[1], found - found[0].drop_vars("removal"), f"{key} views", colour, marker)
    halves("change of accuracy (points)", "CIFAR-10, 14 and 18 of 32 columns", *axes, source="Figs 11 and 12")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _first_and_last(found: Mapping[int, Condition]) -> Iterator[tuple[int, Condition]]:
    for at in (min(found), max(found)):
        yield at, found[at]


def draw_rates(had: Had) -> Figure:
    """Draw the clean eye's bias without and with the longest blur, at each initial learning rate."""
    figure = new_figure(6.8, 2.6)
    axes = figure.subplots(1, 2, sharey=True)
    conditions = {
        f"{'blurred' if at else 'sharp'}, rate {rate:g}": condition
        for key, rate in RATES.items()
        for at, condition in _first_and_last(swept(had[key], "blurred"))
    }
    sites = {MAP: "units by place", POOLED: "pooled units"}
    columns = {
        f"clean eye's bias, {words}": [clean_bias(condition, site) for condition in conditions.values()]
        for site, words in sites.items()
    }
    setting = {"limits": (0, 1), "reference": 0.5}
    labelled_rows(axes, list(conditions), columns, setting, setting)
    title_panel(axes[0], "Blur at two initial learning rates", AROUND)
    return figure
