"""Figures of depth, heads and controls after Kleinman et al. (2023), with the digitised curves of Fig. 5 centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from binocular.papers.kleinman_2023.controls_judges import (
    CLOCKS,
    CLOSURES,
    DEPTHS,
    lost_by_depth,
    published_depth,
)
from binocular.papers.kleinman_2023.unit_figures import new_figure, points_and_line, published_line
from binocular.papers.kleinman_2023.units import MAP, POOLED, clean_bias
from binocular.papers.numbers import accuracies, by_seed, condition_of
from binocular.report.figures.outcomes import interval_rows
from binocular.report.figures.style import title_panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_blur", "draw_closure", "draw_depth", "draw_heads"]

_LOOKS = {1: ("#56B4E9", "o"), 2: ("#AA4499", "s"), 3: ("#000000", "D")}


def draw_depth(had: Mapping[str, Any]) -> Figure:
    """Draw Fig. 5 centre beside ours: change of accuracy by the end of the blur, for each depth."""
    figure = new_figure(6.8, 3.2)
    axes = figure.subplots(1, 2)
    for depth in DEPTHS:
        colour, marker = _LOOKS[depth]
        published_line(axes[0], published_depth()[depth], colour=colour)
        lost = lost_by_depth(had[f"depth-{depth}"])
        change = [{seed: -points for seed, points in values.items()} for values in lost.values()]
        label = f"{depth} block{'s' if depth > 1 else ''} in a pathway"
        points_and_line(axes[1], [end / max(lost) for end in lost], change, label, colour, marker)
    for ax, title, below in (
        (axes[0], "published (Fig. 5 centre)", "CIFAR-10, constant rate 0.001"),
        (axes[1], "ours", "means with 95 % intervals"),
    ):
        ax.axhline(0, color="#8C8C8C", lw=0.7, ls=":")
        ax.set_xticks([0, 0.5, 1], ["0", "half", "longest"])
        ax.set_xlabel("end of the blur")
        title_panel(ax, title, below)
    axes[0].set_ylabel("change of accuracy (points)")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


_BLUR = {
    "sharp-absolute": "sharp",
    "early-absolute": "early",
    "late-absolute": "late",
    "sharp-constant": "sharp, constant rate",
    "early-constant": "early, constant rate",
    "late-constant": "late, constant rate",
    "sharp-cyclic": "sharp, cyclic rate",
    "early-cyclic": "early, cyclic rate",
    "late-cyclic": "late, cyclic rate",
    "early-phase": "early, rate begun anew",
    "early-statistics-renewed": "early, averages forgotten",
    "early-momentum-forgotten": "early, momentum forgotten",
    "fellow-early": "other eye early",
    "sham-early": "sham",
    "sharp-short": "sharp, recovery only",
}


def draw_blur(had: Mapping[str, Any]) -> Figure:
    """Draw the clean eye's bias and accuracy after a blur under each control."""
    study = had["blur-controls"]
    assert set(CLOCKS) == {"absolute", "constant", "cyclic"}
    figure = new_figure(8.0, 4.6)
    axes = figure.subplots(1, 3, sharey=True)
    conditions = [condition_of(study, name) for name in _BLUR]
    for ax, site, label in ((axes[0], MAP, "units by place"), (axes[1], POOLED, "pooled units")):
        values = [list(clean_bias(condition, site).values()) for condition in conditions]
        interval_rows(values, ax, limits=(0, 1), reference=0.5)
        ax.set_xlabel(f"{study.fellow_eye} eye's bias, {label}")
    interval_rows([[100 * a for a in accuracies(c).values()] for c in conditions], axes[2])
    axes[2].set_xlabel("test accuracy (%)")
    axes[0].set_yticks(range(len(_BLUR)), list(_BLUR.values()))
    title_panel(
        axes[1], "Blur of the right view and its controls", "diamonds: means with 95 % intervals; circles: subjects"
    )
    return figure


def draw_closure(had: Mapping[str, Any]) -> Figure:
    """Draw the open eye's bias and stereopsis after a closure under each control."""
    study = had["deprivation-controls"]
    shown = {}
    for rate, (normal, early, late) in CLOSURES.items():
        said = "" if rate == "falling" else f", rate {rate}"
        shown |= {
            normal: f"both open{said if rate != 'begun anew' else ''}",
            early: f"early{said}",
            late: f"late{said}",
        }
    shown |= {
        "normal": "both open",
        "early-long-recovery": "early, long recovery",
        "early-statistics-renewed": "early, averages forgotten",
        "early-momentum-forgotten": "early, momentum forgotten",
        "fellow-early": "other eye early",
        "sham": "sham",
    }
    figure = new_figure(6.6, 5.0)
    axes = figure.subplots(1, 2, sharey=True)
    conditions = [condition_of(study, name) for name in shown]
    interval_rows([list(clean_bias(c, POOLED).values()) for c in conditions], axes[0], limits=(0, 1), reference=0.5)
    axes[0].set_xlabel(f"{study.fellow_eye} eye's bias, pooled units")
    right = [[100 * a for a in accuracies(c, "stereopsis").values()] for c in conditions]
    interval_rows(right, axes[1], limits=(0, 100), reference=50)
    axes[1].set_xlabel("stereopsis (% right, chance 50)")
    axes[0].set_yticks(range(len(shown)), list(shown.values()))
    title_panel(
        axes[0], "Closure of the right eye and its controls", "diamonds: means with 95 % intervals; circles: subjects"
    )
    return figure


def draw_heads(had: Mapping[str, Any]) -> Figure:
    """Draw the monocularity index after dissociation, with a head for each eye and with one."""
    rows = [
        ("heads-per-eye", "normal", "undisturbed, a head for each eye"),
        ("heads-per-eye", "paired", "dissociated, a head learns its own eye"),
        ("heads-per-eye", "as-released", "dissociated, heads as released"),
        ("heads-one", "normal", "undisturbed, one head"),
        ("heads-one", "paired", "dissociated, one head"),
    ]
    figure = new_figure(6.6, 2.8)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, site, label in ((axes[0], MAP, "units by place"), (axes[1], POOLED, "pooled units")):
        values = [list(by_seed(condition_of(had[key], name), "mi", site).values()) for key, name, _ in rows]
        interval_rows(values, ax, limits=(0, 1))
        ax.set_xlabel(f"monocularity index, {label}")
    axes[0].set_yticks(range(len(rows)), [label for _, _, label in rows])
    title_panel(axes[0], "Dissociated views", "diamonds: means with 95 % intervals; circles: subjects")
    return figure
