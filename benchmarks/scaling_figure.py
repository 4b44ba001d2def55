"""Time against the size of what is reared, from a record of `binocular bench`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.report.figures.saving import save_figure
from binocular.report.figures.style import BOTH_EYES, axes_or_new, style
from binocular.stimuli.canvas import Canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_scaling", "scaling_curve"]


def scaling_curve(scaling: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Draw time over size on logarithmic axes, with the line of growth in proportion.

    The line goes through the largest size, or through the smallest where more should take less time.

    Parameters
    ----------
    scaling
        ``x``; ``seconds`` (median over rounds), ``lowest`` and ``highest``, each ``[x]``; ``across`` and ``up``, what
        the axes are; ``ideal``, the power of ``x`` with which time should grow (1 where it is missing).
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes_or_new(ax)
    x, seconds = np.array(scaling["x"], dtype=float), np.array(scaling["seconds"], dtype=float)
    spread = np.abs(np.array([scaling["lowest"], scaling["highest"]]) - seconds)
    ideal = scaling.get("ideal", 1)
    anchor = -1 if ideal > 0 else 0
    line = seconds[anchor] * (x / x[anchor]) ** ideal
    proportion = "in proportion" if abs(ideal) == 1 else f"in proportion to its power {ideal}"
    ax.plot(x, line, color=BOTH_EYES, linestyle=":", linewidth=1, label=proportion)
    ax.errorbar(x, seconds, spread, color="black", marker="o", markersize=4, capsize=2, label="measured, with range")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(x, [f"{value:g}" for value in x])
    ax.minorticks_off()
    ticks = _ticks(float(min(*scaling["lowest"], *line)), float(max(scaling["highest"])))
    ax.set_yticks(ticks, [f"{value:g}" for value in ticks])
    ax.set_xlabel(scaling["across"])
    ax.set_ylabel(scaling["up"])
    ax.legend(frameon=False)
    return ax


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers, 1, 2 or 5 times a power of ten, from below the lowest to above the highest."""
    decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    rounds = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
    first = max(index for index, value in enumerate(rounds) if value <= low)
    last = min((index for index, value in enumerate(rounds) if value >= high), default=len(rounds) - 1)
    kept = rounds[first : last + 1]
    return kept if len(kept) <= 8 else [value for value in kept if f"{value:e}"[0] == "1"]


def draw_scaling(record: Mapping[str, Any], folder: Path, stem: str) -> list[Path]:
    """Write a PNG for each scaling case of a record; return the files."""
    written = []
    for case in record["cases"]:
        scaling = case.get("detail", {}).get("scaling")
        if not scaling:
            continue
        with style():
            figure = Canvas((3.4, 2.8), layout="constrained")
            scaling_curve(scaling, figure.add_subplot())
            machine = record["machine"]
            figure.supxlabel(f"{machine['processor']}, {machine['cores']} cores, {record['date'][:10]}", fontsize=6)
        written += save_figure(figure, folder / f"{stem}.{case['name']}", ["png"])
    return written
