"""Figures of depth, heads, controls and variants of the blur, beside the digitised curves (Kleinman et al. 2023)."""

from __future__ import annotations

from matplotlib.figure import Figure

from binocular.papers.claims import Had
from binocular.papers.figures import AROUND, halves, labelled_rows, new_figure, points_and_line, published_line
from binocular.papers.kleinman_2023.measures import CLOCKS, CLOSURES, DEPTHS, MAP, POOLED, bias, monocular
from binocular.papers.kleinman_2023.tables import accuracy_curve, published_depth
from binocular.papers.numbers import accuracy, changes, costs, swept
from binocular.report.figures.style import title_panel

__all__ = ["RATES", "WIDTHS", "draw_blur", "draw_closure", "draw_depth", "draw_heads", "draw_rates", "draw_widths"]

WIDTHS = {"narrow": (14, 12, "Fig. 11"), "wide": (18, 16, "Fig. 12")}
"""Columns an eye sees, by the key of the study: of 32 as published, of 28 at laboratory scale, and the figure."""
RATES = {"rate-05": 0.05, "rate-01": 0.01}
"""Initial learning rates, by the key of the study."""
_LOOKS = {1: ("#56B4E9", "o"), 2: ("#AA4499", "s"), 3: ("#000000", "D")}
_SITES = {MAP: "units by place", POOLED: "pooled units"}
_UNIT = {"limits": (0, 1)}
_BALANCE = {"limits": (0, 1), "reference": 0.5}


def draw_depth(had: Had) -> Figure:
    """Draw Fig. 5 centre beside ours: change of accuracy by the end of the blur, for each depth."""
    figure = new_figure(6.8, 3.2)
    axes = figure.subplots(1, 2, sharey=True)
    for aside, depth in zip((-0.015, 0.0, 0.015), DEPTHS, strict=True):
        colour, marker = _LOOKS[depth]
        published_line(axes[0], published_depth().sel(blocks=depth), colour=colour)
        label = f"{depth} block{'s' if depth > 1 else ''} in a pathway"
        points_and_line(axes[1], -costs(had[f"depth-{depth}"]), label, colour, marker, aside=aside)
    halves("change of accuracy (points)", "CIFAR-10, constant rate 0.001", *axes, source="Fig. 5 centre")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


_BLUR = {
    **{
        f"{group}-{clock}": group if clock == "absolute" else f"{group}, {clock} rate"
        for clock in CLOCKS
        for group in ("sharp", "early", "late")
    },
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
    columns = {
        f"{study.fellow_eye} eye's bias, {label}": [bias(study, name, site) for name in _BLUR]
        for site, label in _SITES.items()
    }
    columns["test accuracy (%)"] = [accuracy(study, name) for name in _BLUR]
    labelled_rows(axes, list(_BLUR.values()), columns, _BALANCE, _BALANCE, {})
    figure.suptitle(f"Blur of the right view and its controls; {AROUND}", x=0.01, ha="left")
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
    columns = {
        f"{study.fellow_eye} eye's bias, pooled units": [bias(study, name, POOLED) for name in shown],
        "stereopsis (% right, chance 50)": [accuracy(study, name, "stereopsis") for name in shown],
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
    columns = {
        f"monocularity index, {label}": [monocular(had[key], name, site) for key, name in rows.values()]
        for site, label in _SITES.items()
    }
    labelled_rows(axes, list(rows), columns, _UNIT, _UNIT)
    title_panel(axes[0], "Dissociated views", AROUND)
    return figure


def draw_widths(had: Had) -> Figure:
    """Draw Figs 11 and 12 beside ours: change of accuracy by the end of the blur, for narrow and wide views."""
    figure = new_figure(6.8, 3.2)
    axes = figure.subplots(1, 2, sharey=True)
    for key, (columns, _, source) in WIDTHS.items():
        colour, marker, aside = {"narrow": ("#56B4E9", "o", -0.01), "wide": ("#000000", "D", 0.01)}[key]
        published_line(axes[0], changes(accuracy_curve("blur", f"view width {columns}", source)), colour=colour)
        points_and_line(axes[1], changes(accuracy(had[key], "blurred-*")), f"{key} views", colour, marker, aside=aside)
    halves("change of accuracy (points)", "CIFAR-10, 14 and 18 of 32 columns", *axes, source="Figs 11 and 12")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_rates(had: Had) -> Figure:
    """Draw the clean eye's bias without and with the longest blur, at each initial learning rate."""
    figure = new_figure(6.8, 2.6)
    axes = figure.subplots(1, 2, sharey=True)
    found = {key: swept(had[key], "blurred") for key in RATES}
    rows = {
        f"{'blurred' if at else 'sharp'}, rate {rate:g}": (had[key], found[key][at].name)
        for key, rate in RATES.items()
        for at in (min(found[key]), max(found[key]))
    }
    columns = {
        f"clean eye's bias, {words}": [bias(study, name, site) for study, name in rows.values()]
        for site, words in _SITES.items()
    }
    labelled_rows(axes, list(rows), columns, _BALANCE, _BALANCE)
    title_panel(axes[0], "Blur at two initial learning rates", AROUND)
    return figure
