"""Two linear pathways that share what is learned: phase portraits, gates in time, lesions (Kleinman et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.report.figures.style import EYE_COLOURS, TASK_COLOURS, axes_or_new, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "bent_figure",
    "gates_figure",
    "late_figure",
    "lesions_figure",
    "modes_in_time",
    "phase_portrait",
    "portraits_figure",
]

_A, _B = EYE_COLOURS["left"], EYE_COLOURS["right"]
_MODE_COLOURS = (*TASK_COLOURS, "#7A7A7A")


def phase_portrait(
    contributions: np.ndarray, depth: int, strength: float, ax: Axes | None = None, *, conserved: float = 1.0
) -> Axes:
    """Draw how two pathways come to share a mode, over the flow of the undisturbed equation.

    Parameters
    ----------
    contributions
        ``[seed, time, 2]``; a line per seed, from the origin to the diagonal on which the error is zero.
    depth, conserved
        Of the flow; the constant ``q^2 - p^2``.
    strength
        Of the mode.
    ax
        Where to draw; a new figure by default.
    """
    from binocular.linear.modes import contribution

    ax = axes_or_new(ax)
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
    return ax


def _portraits(results: Mapping[str, Any], conditions: Mapping[str, str], title: str) -> Figure:
    from matplotlib.figure import Figure

    table = results["linear-portraits"]["portraits"]
    names, depths = list(table["condition"]), [int(depth) for depth in table["depth"]]
    shown = [depth for depth in depths if depth != 3]
    with style():
        figure = Figure((1.55 * len(shown) + 0.5, 1.62 * len(conditions) + 0.7), layout="constrained")
        grid = figure.subplots(len(conditions), len(shown), sharex=True, sharey=True, squeeze=False)
        for row, (name, label) in zip(grid, conditions.items(), strict=True):
            for ax, depth in zip(row, shown, strict=True):
                traces = table["contribution"][depths.index(depth), names.index(name)]
                phase_portrait(traces, depth, 10.0, ax)
                share = traces[:, -1, 1] / traces[:, -1].sum(-1)
                ax.annotate(
                    f"b: {share.mean():.2f}", (0.95, 0.93), xycoords="axes fraction", ha="right", va="top",
                    bbox={"fc": "white", "ec": "none", "pad": 1.0},
                )  # fmt: skip
            row[0].set_ylabel(f"{label}\npathway b", color=_B)
        for ax, depth in zip(grid[0], shown, strict=True):
            ax.set_title(f"depth {depth}")
        for ax in grid[-1]:
            ax.set_xlabel("pathway a", color=_A)
        figure.suptitle(f"{title}; b: mean share of the gated pathway in the end", x=0.01, ha="left")
    return figure


def portraits_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the portraits without a gate, with an early one, and with one matched to each depth's own speed."""
    conditions = {"sham": "no gate", "early": "early gate", "quarter": "gate of ¼ half-time"}
    return _portraits(results, conditions, "Contributions of two pathways to one mode")


def late_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the portraits of late gates."""
    conditions = {
        "late": "late gate (0.1)", "half-way": "gate half-way", "half-way, closed": "half-way, silent",
    }  # fmt: skip
    return _portraits(results, conditions, "Late gates")


def modes_in_time(
    time: np.ndarray,
    contributions: np.ndarray,
    ax: Axes | None = None,
    *,
    exact: np.ndarray | None = None,
    window: tuple[float, float] | None = None,
    modes: tuple[int, ...] = (0, 1, 2, 4),
) -> Axes:
    """Draw the contributions of both pathways to modes through training.

    Parameters
    ----------
    time
        ``[time]``.
    contributions
        ``[time, mode, 2]`` of one network, drawn as crosses (pathway a) and circles (pathway b).
    ax
        Where to draw; a new figure by default.
    exact
        The same by the differential equation; lines, solid for pathway a and dashed for b.
    window
        From when to when pathway b is gated; shaded in its colour.
    modes
        Which to draw, counted from 0.
    """
    ax = axes_or_new(ax)
    if window is not None and window[1] > window[0]:
        ax.axvspan(*window, color=_B, alpha=0.13, lw=0, zorder=0)
    every = slice(None, None, 4)
    for colour, mode in zip(_MODE_COLOURS, modes, strict=False):
        for pathway, (marker, dashes) in enumerate((("x", "-"), ("o", (0, (3, 2))))):
            ax.plot(
                time[every], contributions[every, mode, pathway], marker, color=colour, ms=3.2, mfc="none", mew=0.8,
                ls="" if exact is not None else dashes, lw=0.9,
            )  # fmt: skip
            if exact is not None:
                ax.plot(time, exact[:, mode, pathway], color=colour, ls=dashes, lw=0.9)
    ax.set_xlim(time[0], time[-1])
    ax.set_xlabel("time (steps × learning rate)")
    return ax


def _mode_handles(modes: tuple[int, ...], strengths: np.ndarray, equation: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    grey: dict[str, Any] = {"color": "#4D4D4D"}
    handles = [
        Line2D([], [], color=colour, label=f"mode {mode + 1} (strength {strengths[mode]:.2f})")
        for colour, mode in zip(_MODE_COLOURS, modes, strict=False)
    ]
    handles += [
        Line2D([], [], **grey, ls="", marker="x", ms=4, label="pathway a, gradient descent"),
        Line2D([], [], **grey, ls="", marker="o", mfc="none", ms=4, label="pathway b (gated), gradient descent"),
    ]
    if equation:
        handles += [
            Line2D([], [], **grey, label="a, differential equation"),
            Line2D([], [], **grey, ls=(0, (3, 2)), label="b, differential equation"),
        ]
    return handles


def gates_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the modes of the hierarchy under an early, a middle and a late gate, deep and shallow."""
    from matplotlib.figure import Figure

    from binocular.papers.kleinman_2024.tables import GATES

    table = results["linear-gates"]["gates"]
    names, depths = list(table["condition"]), [int(depth) for depth in table["depth"]]
    modes = (0, 1, 2, 4)
    with style():
        figure = Figure((7.4, 4.6), layout="constrained")
        grid = figure.subplots(2, 3, sharex=True, sharey=True)
        for row, depth in zip(grid, (4, 1), strict=True):
            for ax, name in zip(row, ("early", "middle", "late"), strict=True):
                which = depths.index(depth), names.index(name), 0
                modes_in_time(
                    table["time"], table["contribution"][which], ax, exact=table["exact"][which], window=GATES[name],
                    modes=modes,
                )  # fmt: skip
                ax.set_title(f"depth {depth}, {name} gate", loc="left")
                if depth == 4:
                    ax.set_xlabel("")
            row[0].set_ylabel("contribution")
        figure.legend(
            handles=_mode_handles(modes, table["strength"], True), loc="outside lower center", ncols=3, handlelength=2
        )
        figure.suptitle("Contributions of two pathways to the modes of the hierarchy, seed 0", x=0.01, ha="left")
    return figure


def lesions_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the gate with and without the lesion of a mode in the open pathway, and the shares in the end."""
    from matplotlib.figure import Figure

    from binocular.papers.kleinman_2024.tables import LESIONS
    from binocular.store.statistics import interval

    table = results["linear-gates"]["lesions"]
    names = list(table["condition"])
    modes = (0, 1, 2, 4)
    with style():
        figure = Figure((7.4, 2.9), layout="constrained")
        axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        for ax, name in zip(axes[:2], ("gate", "gate and lesion"), strict=True):
            modes_in_time(
                table["time"], table["contribution"][names.index(name), 0], ax, window=LESIONS[name], modes=modes
            )
            ax.set_title(name + (" of mode 2 in a" if "lesion" in name else " without lesion"), loc="left")
            ax.set_ylabel("contribution")
        for offset, name, colour in ((-0.15, "gate", "#7A7A7A"), (0.15, "gate and lesion", "#AA4499")):
            ends = table["contribution"][names.index(name), :, -1]
            found = interval(ends[..., 1] / ends.sum(-1))
            at = table["mode"] + offset
            axes[2].errorbar(
                at, found.mean, [found.mean - found.low, found.high - found.mean], color=colour, fmt="o", ms=3.5,
                label=name,
            )  # fmt: skip
        axes[2].axhline(0.5, color="#333333", lw=0.6, ls=":")
        axes[2].set_ylim(-0.03, 1.05)
        axes[2].set_xlabel("mode")
        axes[2].set_ylabel("final share of the gated pathway")
        axes[2].set_title(f"{len(table['seed'])} seeds, 95 % intervals", loc="left")
        axes[2].legend(loc="center right")
        figure.legend(
            handles=_mode_handles(modes, table["strength"], False), loc="outside lower center", ncols=3, handlelength=2
        )
        figure.suptitle("A feature that the open pathway cannot carry is learned by the gated one", x=0.01, ha="left")
    return figure


def bent_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the share of the gated pathway in the squared output through training, for each kind of unit."""
    from matplotlib.figure import Figure

    from binocular.papers.kleinman_2024.tables import GATES
    from binocular.store.statistics import interval

    table = results["linear-bent"]["bent"]
    names = list(table["condition"])
    colours = dict(zip(names, ("#4D4D4D", *TASK_COLOURS[1:]), strict=False))
    with style():
        figure = Figure((6.4, 3.0), layout="constrained")
        axes = figure.subplots(1, len(table["units"]), sharey=True, squeeze=False)[0]
        for ax, kind, size in zip(axes, table["units"], table["size"], strict=True):
            for row, (name, colour) in enumerate(colours.items()):
                found = interval(size[row, ..., 1] / size[row].sum(-1))
                ax.plot(
                    table["time"], found.mean, color=colour, label=f"{name} gate" if row else "no gate",
                    ls="-" if row else (0, (2, 2)), zorder=2 if row else 3,
                )  # fmt: skip
                ax.fill_between(table["time"], found.low, found.high, color=colour, alpha=0.2, lw=0)
                begin, end = GATES[name]
                if end > begin:
                    ax.plot([begin, end], [-0.05, -0.05], color=colour, lw=4, solid_capstyle="butt", clip_on=False)
            ax.set_title(f"{kind} units", loc="left")
            ax.set_xlabel("time (steps × learning rate)")
            ax.set_xlim(table["time"][0], table["time"][-1])
            ax.set_ylim(-0.08, 1)
        axes[0].set_ylabel("share of the gated pathway")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        figure.suptitle(
            f"Squared output of two pathways: means of {len(table['seed'])} seeds, 95 % intervals; bars: gate closed",
            x=0.01, ha="left",
        )  # fmt: skip
    return figure
