"""Two linear pathways that share what is learned: phase portraits, gates in time, lesions (Kleinman et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from binocular.linear.gating import shares
from binocular.linear.modes import contribution
from binocular.papers.claims import Had
from binocular.papers.figures import band, new_figure
from binocular.papers.kleinman_2024.tables import GATES, LESIONS
from binocular.report.figures.style import EYE_COLOURS, TASK_COLOURS
from binocular.store.statistics import interval

__all__ = ["bent_figure", "gates_figure", "late_figure", "lesions_figure", "portraits_figure"]

_A, _B = EYE_COLOURS["left"], EYE_COLOURS["right"]
_MODES = dict(zip((0, 1, 2, 4), TASK_COLOURS, strict=False))
"""The modes that are drawn, counted from 0."""
_DASHED = (0, (3, 2))
_TIME = "time (steps × learning rate)"


def _phase_portrait(ax: Axes, contributions: np.ndarray, depth: int) -> None:
    """Draw how two pathways come to share a mode, ``[seed, time, 2]``, over the flow of the undisturbed equation.

    A line per seed, from the origin to the diagonal on which the error is zero.
    """
    strength, conserved = 10.0, 1.0  # of the mode; q^2 - p^2
    p = np.linspace(0, strength, 20001)
    k = contribution(p, depth, conserved)
    grid = np.linspace(0, strength, 21)[1:]
    ka, kb = np.meshgrid(grid, grid)
    # dK/dt = dK/dp dp/dt, with dp/dt = q^(D - 1) (s - K_a - K_b).
    q2 = np.interp(ka, k, p) ** 2 + conserved, np.interp(kb, k, p) ** 2 + conserved
    rise = [part ** (depth - 1) + (depth - 1) * (part - conserved) * part ** (depth - 2) for part in q2]
    missing = strength - ka - kb
    ax.streamplot(
        ka, kb, rise[0] * missing, rise[1] * missing, color="#C8C8C8", linewidth=0.5, density=0.7, arrowsize=0.5
    )
    ax.plot([0, strength], [strength, 0], color="#4D4D4D", lw=1.0)
    for line in contributions:
        ax.plot(line[:, 0], line[:, 1], color="#009E73", lw=0.7, alpha=0.7)
    ends = contributions[:, -1]
    ax.plot(ends[:, 0], ends[:, 1], "o", color="#000000", ms=2.5, zorder=5)
    ax.set_xlim(0, strength)
    ax.set_ylim(0, strength)
    ax.set_aspect("equal")


def _portraits(had: Had, conditions: Mapping[str, str], title: str) -> Figure:
    found = had["linear-portraits"]["portraits"]["contribution"]
    shown = [int(depth) for depth in found["depth"] if depth != 3]
    figure = new_figure(1.55 * len(shown) + 0.5, 1.62 * len(conditions) + 0.7)
    grid = figure.subplots(len(conditions), len(shown), sharex=True, sharey=True, squeeze=False)
    for row, (name, label) in zip(grid, conditions.items(), strict=True):
        for ax, depth in zip(row, shown, strict=True):
            traces = found.sel(depth=depth, condition=name).to_numpy()
            _phase_portrait(ax, traces, depth)
            ax.annotate(
                f"b: {shares(traces[:, -1]).mean():.2f}", (0.95, 0.93), xycoords="axes fraction", ha="right", va="top",
                bbox={"fc": "white", "ec": "none", "pad": 1.0},
            )  # fmt: skip
        row[0].set_ylabel(f"{label}\npathway b", color=_B)
    for ax, depth in zip(grid[0], shown, strict=True):
        ax.set_title(f"depth {depth}")
    for ax in grid[-1]:
        ax.set_xlabel("pathway a", color=_A)
    figure.suptitle(f"{title}; b: mean share of the gated pathway in the end", x=0.01, ha="left")
    return figure


def portraits_figure(had: Had) -> Figure:
    """Draw the portraits without a gate, with an early one, and with one matched to each depth's own speed."""
    conditions = {"sham": "no gate", "early": "early gate", "quarter": "gate of ¼ half-time"}
    return _portraits(had, conditions, "Contributions of two pathways to one mode")


def late_figure(had: Had) -> Figure:
    """Draw the portraits of late gates."""
    conditions = {
        "late": "late gate (0.1)", "half-way": "gate half-way", "half-way, closed": "half-way, silent",
    }  # fmt: skip
    return _portraits(had, conditions, "Late gates")


def _modes_in_time(
    ax: Axes, found: xr.DataArray, window: tuple[float, float], exact: xr.DataArray | None = None
) -> None:
    """Draw the contributions of both pathways to modes, ``[time, mode, 2]`` of one network, through training.

    Crosses are pathway a and circles pathway b, which is gated in the shaded window; lines, solid for pathway a and
    dashed for b, are the same by the differential equation where ``exact`` has it.
    """
    if window[1] > window[0]:
        ax.axvspan(*window, color=_B, alpha=0.13, lw=0, zorder=0)
    time, every = found["time"].to_numpy(), slice(None, None, 4)
    for mode, colour in _MODES.items():
        for pathway, (marker, dashes) in enumerate((("x", "-"), ("o", _DASHED))):
            ax.plot(
                time[every], found[every, mode, pathway], marker, color=colour, ms=3.2, mfc="none", mew=0.8,
                ls="" if exact is not None else dashes, lw=0.9,
            )  # fmt: skip
            if exact is not None:
                ax.plot(time, exact[:, mode, pathway], color=colour, ls=dashes, lw=0.9)
    ax.set_xlim(time[0], time[-1])


def _mode_legend(figure: Figure, strengths: xr.DataArray, equation: bool) -> None:
    looks: dict[str, dict[str, Any]] = {
        f"mode {mode + 1} (strength {float(strengths[mode]):.2f})": {"color": colour} for mode, colour in _MODES.items()
    }
    looks["pathway a, gradient descent"] = {"ls": "", "marker": "x", "ms": 4}
    looks["pathway b (gated), gradient descent"] = {"ls": "", "marker": "o", "mfc": "none", "ms": 4}
    if equation:
        looks |= {"a, differential equation": {}, "b, differential equation": {"ls": _DASHED}}
    handles = [Line2D([], [], **{"color": "#4D4D4D", **look}, label=label) for label, look in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2)


def gates_figure(had: Had) -> Figure:
    """Draw the modes of the hierarchy under an early, a middle and a late gate, deep and shallow."""
    table = had["linear-gates"]["gates"]
    figure = new_figure(7.4, 4.6)
    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    for row, depth in zip(grid, (4, 1), strict=True):
        for ax, name in zip(row, ("early", "middle", "late"), strict=True):
            one = table.sel(depth=depth, condition=name).isel(seed=0)
            _modes_in_time(ax, one["contribution"], GATES[name], one["exact"])
            ax.set_title(f"depth {depth}, {name} gate", loc="left")
        row[0].set_ylabel("contribution")
    for ax in grid[1]:
        ax.set_xlabel(_TIME)
    _mode_legend(figure, table["strength"], equation=True)
    figure.suptitle("Contributions of two pathways to the modes of the hierarchy, seed 0", x=0.01, ha="left")
    return figure


def lesions_figure(had: Had) -> Figure:
    """Draw the gate with and without the lesion of a mode in the open pathway, and the shares in the end."""
    table = had["linear-gates"]["lesions"]
    figure = new_figure(7.4, 2.9)
    *axes, beside = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    looks = (("gate", " without lesion", -0.15, "#7A7A7A"), ("gate and lesion", " of mode 2 in a", 0.15, "#AA4499"))
    for ax, (name, words, offset, colour) in zip(axes, looks, strict=True):
        found = table["contribution"].sel(condition=name)
        _modes_in_time(ax, found[0], LESIONS[name])
        ax.set_title(name + words, loc="left")
        ax.set_xlabel(_TIME)
        ax.set_ylabel("contribution")
        share = interval(shares(found.isel(time=-1).to_numpy()))
        beside.errorbar(
            table["mode"].to_numpy() + offset, share.mean, [share.mean - share.low, share.high - share.mean],
            color=colour, fmt="o", ms=3.5, label=name,
        )  # fmt: skip
    beside.axhline(0.5, color="#333333", lw=0.6, ls=":")
    beside.set_ylim(-0.03, 1.05)
    beside.set_xlabel("mode")
    beside.set_ylabel("final share of the gated pathway")
    beside.set_title(f"{len(table['seed'])} seeds, 95 % intervals", loc="left")
    beside.legend(loc="center right")
    _mode_legend(figure, table["strength"], equation=False)
    figure.suptitle("A feature that the open pathway cannot carry is learned by the gated one", x=0.01, ha="left")
    return figure


def bent_figure(had: Had) -> Figure:
    """Draw the share of the gated pathway in the squared output through training, for each kind of unit."""
    table = had["linear-bent"]["bent"]
    time = table["time"].to_numpy()
    colours = dict(zip(table["condition"].values, ("#4D4D4D", *TASK_COLOURS[1:]), strict=False))
    figure = new_figure(6.4, 3.0)
    axes = figure.subplots(1, len(table["units"]), sharey=True, squeeze=False)[0]
    for ax, kind in zip(axes, table["units"].values, strict=True):
        for row, (name, colour) in enumerate(colours.items()):
            look = (
                {"label": f"{name} gate", "zorder": 2} if row else {"label": "no gate", "ls": (0, (2, 2)), "zorder": 3}
            )
            band(ax, time, shares(table["size"].sel(units=kind, condition=name).to_numpy()), colour, **look)
            begin, end = GATES[name]
            if end > begin:
                ax.plot([begin, end], [-0.05, -0.05], color=colour, lw=4, solid_capstyle="butt", clip_on=False)
        ax.set_title(f"{kind} units", loc="left")
        ax.set_xlabel(_TIME)
        ax.set_xlim(time[0], time[-1])
        ax.set_ylim(-0.08, 1)
    axes[0].set_ylabel("share of the gated pathway")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.suptitle(
        f"Squared output of two pathways: means of {len(table['seed'])} seeds, 95 % intervals; bars: gate closed",
        x=0.01, ha="left",
    )  # fmt: skip
    return figure
