"""Ocular dominance through rearing: how the units move between the eyes, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from binocular.dominance import over_units
from binocular.report.figures.style import (
    EYE_COLOURS,
    axes_or_new,
    deficit_handles,
    eye_ends,
    has_intervals,
    lived_through,
    numbered,
    panels,
    shade_deficits,
    title_figure,
    title_panel,
    whole_epochs,
)
from binocular.store.study import Study

__all__ = ["rearing_figure", "rsv_density"]

_BINS = 40
_SMOOTH = 1.2
_DARKEST = 20.0


def rsv_density(
    epoch: ArrayLike,
    rsv: Sequence[ArrayLike],
    ax: Axes | None = None,
    *,
    phases: Sequence[Mapping[str, Any]] = (),
    darkest: float = _DARKEST,
) -> Axes:
    """Draw the distribution of RSV over units at each checkpoint as a column of grey, with the median as a line.

    Parameters
    ----------
    epoch
        Epochs of the checkpoints, ``[checkpoint]``, rising.
    rsv
        For each seed ``[checkpoint, unit]``, +1 = left eye only; NaN (silent) is left out. Seeds are pooled in the
        grey columns; each has a thin line for its own median.
    ax
        Where to draw; a new figure by default.
    phases
        Mappings with ``start``, ``stop`` and ``deficits``; those with deficits are marked.
    darkest
        Upper end of the grey scale: per cent of the units within a tenth of RSV.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the coloured mesh as the first of ``ax.collections``.
    """
    ax = axes_or_new(ax)
    at = np.asarray(epoch, dtype=np.float64)
    seeds = [np.asarray(values, dtype=np.float64) for values in rsv]
    pooled = np.concatenate(seeds, axis=1) if seeds else np.empty((len(at), 0))
    edges, per_tenth = _per_tenth(pooled)
    ax.pcolormesh(_column_edges(at), edges, per_tenth.T, cmap="Greys", vmin=0, vmax=darkest, rasterized=True, zorder=1)
    for values in seeds if len(seeds) > 1 else ():
        ax.plot(at, over_units(values, "median"), color="#009E73", lw=0.6, alpha=0.7, zorder=3)
    ax.plot(at, over_units(pooled, "median"), color="#009E73", lw=1.6, marker="o", ms=2.4, zorder=4)
    ax.axhline(0, color="#333333", lw=0.5, ls=":", zorder=2)
    shade_deficits(ax, phases, fill=False)
    ax.set_ylim(-1, 1.08)
    ax.set_yticks([-1, -0.5, 0, 0.5, 1])
    ax.set_xlim(_column_edges(at)[0], _column_edges(at)[-1])
    whole_epochs(ax)
    return ax


def _per_tenth(pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of the bins of RSV, and per checkpoint and bin the per cent of units within a tenth of RSV."""
    edges = np.linspace(-1, 1, _BINS + 1)
    density = np.stack([np.histogram(row[~np.isnan(row)], edges)[0] for row in pooled]).astype(np.float64)
    density /= np.maximum(density.sum(1, keepdims=True), 1)
    return edges, 100 * gaussian_filter1d(density, _SMOOTH, axis=1, mode="reflect") * (0.1 / (2 / _BINS))


def _darkest(all_rsv: Sequence[Sequence[np.ndarray]]) -> float:
    """Return an end of the grey scale that suits most checkpoints of a study; a few narrow ones may saturate."""
    peaks = [_per_tenth(np.concatenate(rsv, axis=1))[1].max(axis=1) for rsv in all_rsv]
    return float(np.clip(10 * np.ceil(np.median(np.concatenate(peaks)) / 10), 20, 100)) if peaks else _DARKEST


def _column_edges(at: np.ndarray) -> np.ndarray:
    """Borders of the columns: half-way between checkpoints, so that nothing is drawn as measured that was not."""
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[at[0]], middle, [at[-1]]])


def rearing_figure(study: Study, site: str | None = None) -> Figure:
    """Draw RSV through rearing for all conditions, one panel each.

    Parameters
    ----------
    study, site
        As for `figure_of`; without a site `study.default_site`.
    """
    site = site or study.default_site
    word = study.unit_word(site)
    shown = study.measured_at(site)
    figure, axes = panels(len(shown), (2.35, 2.0))
    probed = [condition.common_checkpoints(site) for condition in shown]
    darkest = _darkest([rsv for _, rsv in probed])
    for condition, (epoch, rsv), ax in zip(shown, probed, axes, strict=False):
        phases = condition.subjects[0].phases
        rsv_density(epoch, rsv, ax, phases=phases, darkest=darkest)
        title_panel(ax, condition.label, lived_through(phases))
        ax.set_xlabel("epochs of rearing")
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            _name_eyes(ax, study.treated_eye)
    title_figure(figure, f"Relative source variance (RSV) of the {word}", study.title, site)
    if shown:
        bar = figure.colorbar(
            axes[0].collections[0], ax=axes, shrink=min(1.0, 1.6 / len(axes) + 0.5), aspect=22, pad=0.015, extend="max"
        )
        bar.set_label(f"{word} (% per 0.1 RSV)")
        bar.outline.set_linewidth(0.5)  # type: ignore[union-attr]
        _legend(figure, study, word)
    return figure


def _name_eyes(ax: Axes, treated_eye: str) -> None:
    ax.set_ylabel("RSV", labelpad=1)
    ends = eye_ends(treated_eye)
    for y, eye, side in ((1, "left", "top"), (-1, "right", "bottom")):
        ax.annotate(
            ends[eye], (0, y), (-26, 0), ("axes fraction", "data"), "offset points",
            rotation=90, ha="right", va=side, fontsize=7, color=EYE_COLOURS[eye], linespacing=1.15,
        )  # fmt: skip


def _legend(figure: Figure, study: Study, word: str) -> None:
    one_seed = Line2D([], [], color="#009E73", lw=0.6, alpha=0.7, label="median of one seed")
    pooled = f"median of the {word}, seeds pooled ({numbered(study)})"
    handles = [
        Line2D([], [], color="#009E73", lw=1.6, marker="o", ms=2.4, label=pooled),
        *([one_seed] if has_intervals(study) else []),
        *deficit_handles(condition.subjects[0].phases for condition in study.reared),
    ]
    columns = 5 if figure.get_figwidth() > 7 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.3, columnspacing=1.4)
