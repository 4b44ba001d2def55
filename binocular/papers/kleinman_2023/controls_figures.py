"""Figures of depth, heads and controls after Kleinman et al. (2023), with the digitised curves of Fig. 5 centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.papers.claims import Had
from binocular.papers.figures import AROUND, halves, labelled_rows, new_figure, points_and_line, published_line
from binocular.papers.kleinman_2023.measures import CLOSURES, DEPTHS, MAP, POOLED, clean_bias, lost_by_depth
from binocular.papers.kleinman_2023.tables import published_depth
from binocular.papers.numbers import accuracy, condition_of, dominance
from binocular.report.figures.style import title_panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_blur", "draw_closure", "draw_depth", "draw_heads"]

_LOOKS = {1: ("#56B4E9", "o"), 2: ("#AA4499", "s"), 3: ("#000000", "D")}
_SITES = {MAP: "units by place", POOLED: "pooled units"}
_UNIT = {"limits": (0, 1)}
_BALANCE = {"limits": (0, 1), "reference": 0.5}


def draw_depth(had: Had) -> Figure:
    """Draw Fig. 5 centre beside ours: change of accuracy by the end of the blur, for each depth."""
    figure = new_figure(6.8, 3.2)
    axes = figure.subplots(1, 2)
    for depth in DEPTHS:
        colour, marker = _LOOKS[depth]
        published_line(axes[0], published_depth()[depth], colour=colour)
        label = f"{depth} block{'s' if depth > 1 else ''} in a pathway"
        points_and_line(axes[1], -lost_by_depth(had[f"depth-{depth}"]), label, colour, marker)
    halves("change of accuracy (points)", "CIFAR-10, constant rate 0.001", *axes, source="Fig. 5 centre")
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


def draw_blur(had: Had) -> Figure:
    """Draw the clean eye's bias and accuracy after a blur under each control."""
    study = had["blur-controls"]
    figure = new_figure(8.0, 4.6)
    axes = figure.subplots(1, 3, sharey=True)
    conditions = [condition_of(study, name) for name in _BLUR]
    columns = {
        f"{study.fellow_eye} eye's bias, {label}": [clean_bias(c, site) for c in conditions]
        for site, label in _SITES.items()
    }
    columns["test accuracy (%)"] = [accuracy(c) for c in conditions]
    labelled_rows(axes, list(_BLUR.values()), columns, _BALANCE, _BALANCE, {})
    title_panel(axes[1], "Blur of the right view and its controls", AROUND)
    return figure


_CLOSURE = {
    "early-long-recovery": "early, long recovery",
    "early-statistics-renewed": "early, averages forgotten",
    "early-momentum-forgotten": "early, momentum forgotten",
    "fellow-early": "other eye early",
    "sham": "sham",
}


def draw_closure(had: Had) -> Figure:
    """Draw the open eye's bias and stereopsis after a closure under each control."""
    study = had["deprivation-controls"]
    shown = {}
    for rate, (normal, early, late) in CLOSURES.items():
        said = "" if rate == "falling" else f", rate {rate}"
        shown |= {normal: f"both open{said}", early: f"early{said}", late: f"late{said}"}
    shown |= {"normal": "both open", **_CLOSURE}
    figure = new_figure(6.6, 5.0)
    axes = figure.subplots(1, 2, sharey=True)
    conditions = [condition_of(study, name) for name in shown]
    columns = {
        f"{study.fellow_eye} eye's bias, pooled units": [clean_bias(c, POOLED) for c in conditions],
        "stereopsis (% right, chance 50)": [accuracy(c, "stereopsis") for c in conditions],
    }
    labelled_rows(axes, list(shown.values()), columns, _BALANCE, {"limits": (0, 100), "reference": 50})
    title_panel(axes[0], "Closure of the right eye and its controls", AROUND)
    return figure


def draw_heads(had: Had) -> Figure:
    """Draw the monocularity index after dissociation, with a head for each eye and with one."""
    rows = {
        "undisturbed, a head for each eye": ("heads-per-eye", "normal"),
        "dissociated, a head learns its own eye": ("heads-per-eye", "paired"),
        "dissociated, heads as released": ("heads-per-eye", "as-released"),
        "undisturbed, one head": ("heads-one", "normal"),
        "dissociated, one head": ("heads-one", "paired"),
    }
    figure = new_figure(6.6, 2.8)
    axes = figure.subplots(1, 2, sharey=True)
    conditions = [condition_of(had[key], name) for key, name in rows.values()]
    columns = {
        f"monocularity index, {label}": [dominance(c, "mi", site) for c in conditions] for site, label in _SITES.items()
    }
    labelled_rows(axes, list(rows), columns, _UNIT, _UNIT)
    title_panel(axes[0], "Dissociated views", AROUND)
    return figure
