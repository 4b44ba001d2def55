"""Weights of a deep and a shallow linear network whose strong sensor is taken away (Kleinman et al. 2023, Fig. 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from binocular.report.figures.style import TASK_COLOURS, axes_or_new, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["sensor_weights", "sensors_figure"]

_WEIGHTS = ((0, 2), (0, 0), (0, 3), (4, 7), (2, 1))
_LINES = {"intact": "-", "removed": (0, (4, 2))}


def sensor_weights(
    time: np.ndarray,
    intact: np.ndarray,
    removed: np.ndarray,
    ax: Axes | None = None,
    *,
    exact: tuple[np.ndarray, np.ndarray] | None = None,
    window: tuple[float, float] | None = None,
) -> Axes:
    """Draw weights through training, with the strong sensor (solid) and without it (dashed).

    Parameters
    ----------
    time
        In time constants, ``[time]``.
    intact, removed
        Weights ``[seed, time, task, sensor]``: lines are means over seeds, bands their 95 % intervals.
    ax
        Where to draw; a new figure by default.
    exact
        The closed form of both, ``[time, task, sensor]``, drawn as dots.
    window
        From when to when the sensor is removed; shaded.
    """
    from binocular.store.statistics import interval

    ax = axes_or_new(ax)
    if window is not None:
        ax.axvspan(*window, color="#4D4D4D", alpha=0.12, lw=0, zorder=0)
    for colour, (task, sensor) in zip(TASK_COLOURS, _WEIGHTS, strict=True):
        for index, (weights, dashes) in enumerate(zip((intact, removed), _LINES.values(), strict=True)):
            found = interval(weights[:, :, task, sensor])
            ax.plot(time, found.mean, color=colour, ls=dashes)
            ax.fill_between(time, found.low, found.high, color=colour, alpha=0.2, lw=0)
            if exact is not None:
                every = slice(2 * index, None, 5)
                ax.plot(time[every], exact[index][every, task, sensor], ".", color=colour, ms=3, alpha=0.7)
    ax.set_xlim(time[0], time[-1])
    ax.set_xlabel("time (time constants)")
    return ax


def sensors_figure(found: Mapping[str, np.ndarray]) -> Figure:
    """Draw the weights of both networks with the sensor removed throughout, early and late."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    with style():
        figure = Figure((7.4, 4.9), layout="constrained")
        grid = figure.subplots(2, 3, sharex=True, sharey=True)
        names = list(found["condition"])
        windows = {"removed throughout": (0, 10), "removed early": (0, 2.5), "removed late": (6, 8.5)}
        for row, depth in ((0, 1), (1, 0)):
            weights = found["weight"][depth]
            for ax, (name, window) in zip(grid[row], windows.items(), strict=True):
                exact = None
                if name == "removed throughout":
                    exact = (found["exact_intact"][depth], found["exact_removed"][depth])
                sensor_weights(
                    found["time"], weights[names.index("intact")], weights[names.index(name)], ax,
                    exact=exact, window=window,
                )  # fmt: skip
                ax.set_title(f"{('shallow', 'deep')[depth]}, {name}", loc="left")
                if row == 0:
                    ax.set_xlabel("")
            grid[row, 0].set_ylabel("weight")
        handles = [
            *(
                Line2D([], [], color=colour, label=f"sensor {sensor + 1} to task {task + 1}")
                for colour, (task, sensor) in zip(TASK_COLOURS, _WEIGHTS, strict=True)
            ),
            Line2D([], [], color="#4D4D4D", label="all sensors there"),
            Line2D([], [], color="#4D4D4D", ls=_LINES["removed"], label="sensor 3 removed (shaded)"),
            Line2D([], [], color="#4D4D4D", ls="", marker=".", ms=4, label="closed form, from modes of 0.0001"),
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=2.2)
        n = found["weight"].shape[2]
        figure.suptitle(
            f"A strong sensor is taken away: means of {n} networks from small random weights, bands 95 % intervals",
            x=0.01, ha="left",
        )  # fmt: skip
    return figure
