"""What later probes found, unit by unit: RSV against ODI, tuning of the two eyes, pairs of receptive fields."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from binocular.report.figures.style import (
    EYE_COLOURS,
    axes_or_new,
    lived_through,
    number,
    panels,
    title_figure,
    title_panel,
)
from binocular.stimuli.canvas import Canvas
from binocular.store.records import MeasureRecord
from binocular.store.statistics import interval
from binocular.store.study import Condition, Study

__all__ = [
    "agreement_figure",
    "dominance_agreement",
    "field_pairs",
    "field_pairs_figure",
    "tuning_figure",
    "two_eye_tuning",
]

_TUNED_UNITS = 4
_FIELD_UNITS = 12


def dominance_agreement(
    rsv: ArrayLike,
    odi: ArrayLike,
    ax: Axes | None = None,
    *,
    correlations: ArrayLike = (),
    untrained: tuple[ArrayLike, ArrayLike] | None = None,
) -> Axes:
    """Draw the dominance of units by gratings over their dominance by source variance.

    Parameters
    ----------
    rsv, odi
        Values of all units, ``[unit]`` each; +1 left eye only.
    ax
        Where to draw; a new figure by default.
    correlations
        Rank correlation within each subject, ``[seed]``; stated as the mean with its 95 % t interval over seeds.
    untrained
        Both values of the units of untrained subjects, drawn lightly behind.
    """
    ax = axes_or_new(ax)
    ax.plot([-1, 1], [-1, 1], color="#BBBBBB", lw=0.7, zorder=0)
    ax.axhline(0, color="#DDDDDD", lw=0.7, zorder=0)
    ax.axvline(0, color="#DDDDDD", lw=0.7, zorder=0)
    if untrained is not None:
        ax.plot(*untrained, "o", ms=2.2, mfc="none", mec="#B5B5B5", mew=0.5, zorder=1, clip_on=False)
    ax.plot(rsv, odi, "o", ms=2.8, mfc="#222222", mec="white", mew=0.3, zorder=2, clip_on=False)
    found = interval(np.asarray(correlations, float)) if np.size(correlations) else None
    if found is not None and np.isfinite(found.mean):
        text = f"ρ = {number(float(found.mean))}"
        if np.isfinite(found.low):
            low, high = np.clip([found.low, found.high], -1, 1)
            text += f"\n[{number(float(low))}, {number(float(high))}]"
        # In the corner of units that are right-eyed by one measure and left-eyed by the other.
        ax.text(0.02, 0.98, text, transform=ax.transAxes, ha="left", va="top", fontsize=6.8, zorder=3,
                bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 1})  # fmt: skip
    ax.set(xlim=(-1, 1), ylim=(-1, 1), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    ax.set_xticklabels(["−1\nright eye", "0", "1\nleft eye"])
    ax.set_yticklabels(["−1", "0", "1"])
    return ax


def agreement_figure(study: Study, site: str | None = None) -> Figure:
    """Draw RSV against ODI for each condition at the end of rearing, all seeds together.

    Parameters
    ----------
    study, site
        As for `figure_of`; without a site `study.default_site`.
    """
    site = site or study.default_site
    shown = _measured(study, "odi", site)
    figure, axes = panels(len(shown), size=(2.0, 1.75))
    for condition, ax in zip(shown, axes, strict=False):
        records = _records(condition, "odi", site)
        rsv, odi = (np.concatenate([r.values[name][-1] for r in records]) for name in ("rsv", "odi"))
        null = tuple(
            np.concatenate([r.values[name][0] for r in records if r.epoch[0] == 0] or [np.empty(0)])
            for name in ("rsv", "odi")
        )
        dominance_agreement(
            rsv, odi, ax, correlations=[r.values["rank_correlation"][-1] for r in records], untrained=(null[0], null[1])
        )
        title_panel(ax, condition.label, lived_through(condition.subjects[0].phases))
    for ax in axes:
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel("ODI (gratings)")
    figure.supxlabel("RSV (source variance)", fontsize=8)
    one = study.unit_word(site).removesuffix("s")
    counts = sorted({len(_records(condition, "odi", site)) for condition in shown})
    subjects = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))) if counts else "0"
    handles = [
        Line2D([], [], ls="none", marker="o", ms=2.8, mfc="#222222", mec="white", mew=0.3,
               label=f"a {one} at the end of rearing, {subjects} subjects"),
        Line2D([], [], ls="none", marker="o", ms=2.2, mfc="none", mec="#B5B5B5", mew=0.5, label="untrained"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=1.3)
    title_figure(figure, "Dominance by gratings and by source variance", study.title, site)
    return figure


def two_eye_tuning(angle: ArrayLike, left: ArrayLike, right: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw one unit's tuning to each eye.

    Parameters
    ----------
    angle
        Orientations in degrees, ``[orientation]``, within 180; the curve is closed by its first point.
    left, right
        Responses above grey, ``[orientation]``.
    ax
        Where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    order = np.argsort(angle)
    around = np.append(np.asarray(angle)[order], np.asarray(angle)[order][0] + 180.0)
    ax.axhline(0, color="#BBBBBB", lw=0.7, zorder=0)
    for eye, values, marker in (("left", left, "o"), ("right", right, "s")):
        closed = np.append(np.asarray(values)[order], np.asarray(values)[order][0])
        ax.plot(around, closed, marker=marker, ms=2.2, lw=1.1, color=EYE_COLOURS[eye], label=f"{eye} eye")
    ax.set(xlim=(around[0], around[-1]), xticks=np.linspace(around[0], around[-1], 3))
    return ax


def tuning_figure(study: Study, site: str | None = None) -> Figure:
    """Draw orientation tuning through both eyes: a row per condition, units of the first seed from right- to left-eyed.

    The units are those nearest to the 5th, 35th, 65th and 95th percentile of ODI at the end of rearing.

    Parameters
    ----------
    study, site
        As for `figure_of`; without a site `study.default_site`.
    """
    site = site or study.default_site
    shown = _measured(study, "odi", site)
    rows = max(len(shown), 1)
    figure = Canvas((1.55 * _TUNED_UNITS + 1.0, 1.25 * rows + 1.1), layout="constrained")
    axes = figure.subplots(rows, _TUNED_UNITS, squeeze=False, sharex=True)
    for condition, row in zip(shown, axes, strict=False):
        values = _records(condition, "odi", site)[0].values
        for ax, unit in zip(row, _spread(values["odi"][-1], _TUNED_UNITS), strict=False):
            left, right = values["orientation_tuning"][-1, unit]
            two_eye_tuning(values["orientation"], left, right, ax)
            ax.set_title(f"ODI {number(float(values['odi'][-1, unit]))}", loc="left", fontsize=7.5, pad=2)
            ax.locator_params(axis="y", nbins=3)
        row[0].set_ylabel("\n".join(textwrap.wrap(condition.label, 16, max_lines=3, placeholder=" ...")), fontsize=7.5)
    for ax in axes.flat:
        ax.set_visible(bool(ax.lines))
    figure.supxlabel("orientation of the bars, degrees (0 horizontal)", fontsize=8)
    figure.supylabel("response above grey", fontsize=8)
    handles = [line for line in axes.flat[0].lines if not str(line.get_label()).startswith("_")]
    if handles:
        figure.legend(handles=handles, loc="outside lower right", ncols=2)
    title_figure(figure, "Orientation tuning through each eye", study.title, site)
    return figure


def field_pairs(fields: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw pairs of receptive fields: left eye's in blue frame, right eye's in vermilion beside it.

    Parameters
    ----------
    fields
        ``[unit, eye, channel, height, width]``; channels are averaged. Both fields of a unit share one scale, from
        minus to plus their largest absolute value; white is 0.
    ax
        Where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    pictures, columns = np.asarray(fields, float).mean(2), 3
    for place, pair in enumerate(pictures):
        top, start = -(place // columns) * 1.18, (place % columns) * 2.45
        limit = np.abs(pair).max() or 1.0
        for eye, (name, picture) in enumerate(zip(("left", "right"), pair, strict=True)):
            x = start + eye * 1.08
            ax.imshow(picture, extent=(x, x + 1, top - 1, top), cmap="PuOr_r", vmin=-limit, vmax=limit, zorder=1)
            ax.add_patch(Rectangle((x, top - 1), 1, 1, fill=False, ec=EYE_COLOURS[name], lw=1.1, zorder=2))
    rows = -(-len(pictures) // columns)
    ax.set(xlim=(-0.05, columns * 2.45 - 0.32), ylim=(-rows * 1.18 + 0.1, 0.06), aspect="equal")
    ax.set_axis_off()
    return ax


def field_pairs_figure(study: Study, site: str = "first-layer") -> Figure:
    """Draw pairs of receptive fields of the first seed of each condition at the end of rearing.

    Up to twelve units: those with the strongest signal where there is one (reverse correlation), else evenly chosen; in
    order of the left eye's share of the squared field, from right- to left-eyed.

    Parameters
    ----------
    study, site
        As for `figure_of`.
    """
    shown = _measured(study, "receptive-fields", site)
    figure, axes = panels(len(shown), size=(2.3, 1.55))
    for condition, ax in zip(shown, axes, strict=False):
        values = _records(condition, "receptive-fields", site)[0].values
        fields, signal = values["receptive_field"][-1], values["signal"][-1]
        energy = np.square(fields).sum((2, 3, 4))
        share = np.divide(energy[:, 0], energy.sum(1), out=np.full(len(energy), np.nan), where=energy.sum(1) > 0)
        strength = np.where(np.isfinite(signal), signal, 0).max(1)
        best = np.argsort(-strength)[:_FIELD_UNITS] if strength.any() else np.arange(len(share))
        chosen = best[_spread(share[best], _FIELD_UNITS)]
        field_pairs(fields[chosen], ax)
        title_panel(ax, condition.label, lived_through(condition.subjects[0].phases))
    first = site == "first-layer"
    what = "First-layer filters" if first else "Receptive fields by reverse correlation"
    title_figure(figure, f"{what} of the left (blue) and right (vermilion) eye", study.title, "" if first else site)
    return figure


def _measured(study: Study, probe: str, site: str) -> list[Condition]:
    return [condition for condition in study.reared if _records(condition, probe, site)]


def _records(condition: Condition, probe: str, site: str) -> list[MeasureRecord]:
    return [s.measures[probe, site] for s in condition.subjects if (probe, site) in s.measures]


def _spread(values: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of up to ``count`` members, evenly over their ranks, in rising order; NaN left out."""
    order = np.argsort(values)[: int((~np.isnan(values)).sum())]
    if len(order) <= count:
        return order
    return order[np.round(np.linspace(0.05, 0.95, count) * (len(order) - 1)).astype(int)]
