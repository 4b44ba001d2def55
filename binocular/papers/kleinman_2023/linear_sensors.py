"""Kleinman et al. 2023, claim 2: a deep linear network already has the early transient, a shallow one has not."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from binocular.linear.sensors import STRONG_SENSOR
from binocular.papers.claims import Claim, Had, context, control, test
from binocular.papers.computing import ComputedNeed
from binocular.papers.figures import band, new_figure
from binocular.papers.needs import both_scales
from binocular.papers.numbers import worst
from binocular.report.figures.style import TASK_COLOURS
from binocular.store.statistics import Interval, exact

__all__ = ["CLAIMS"]

_KEY = "linear-sensors"
_HELPED = ((0, 0), (0, 3), (4, 7))
"""Weights (task, sensor) of tasks that the strong sensor serves too."""


def _held_back(had: Had, depth: int, what: str, weights: tuple[tuple[int, int], ...] = _HELPED) -> xr.DataArray:
    """Return how far a removal holds back the weights of other sensors, ``[seed]``; depth 1 is the shallow network.

    That is the largest lag behind the intact network over the course of training, as a share of the weight's final
    value, mean over the weights.
    """
    weight = had[_KEY]["weights"]["weight"].sel(depth=depth)
    return _mean_lag(weight.sel(condition="intact") - weight.sel(condition=what), weights)


def _mean_lag(lag: xr.DataArray, weights: tuple[tuple[int, int], ...] = _HELPED) -> xr.DataArray:
    tasks, sensors = (xr.DataArray(list(at), dims="one") for at in zip(*weights, strict=True))
    return lag.isel(task=tasks, sensor=sensors).max("time").mean("one", skipna=False)


def _closed_form(had: Had, depth: int) -> str:
    found = had[_KEY]["weights"].sel(depth=depth)
    return f"closed form of Fig. 2: {abs(float(_mean_lag(found['exact_intact'] - found['exact_removed']))):.2f}"


def _left(had: Had, conditions: tuple[str, ...], strong: bool = True) -> Interval:
    """Return the largest error of any weight of the deep network in the end, with or without the strong sensor's."""
    found = had[_KEY]["weights"].sel(depth=2, condition=list(conditions))
    wrong = abs(found["weight"].isel(time=-1) - found["target"])
    return exact((wrong if strong else wrong.drop_isel(sensor=STRONG_SENSOR)).max(), wrong.sizes["seed"])


_ROWS = (
    test("deep, strong sensor removed throughout: largest lag of other sensors' weights in tasks that it serves",
         lambda had: _held_back(had, 2, "removed throughout"), at_least=0.25,
         published=lambda had: _closed_form(had, 2)),
    test("deep, strong sensor removed early (0 to 2.5 time constants): the same lag",
         lambda had: _held_back(had, 2, "removed early"), at_least=0.25),
    test("deep: largest error of any weight in the end, after an early or late removal or none",
         lambda had: _left(had, ("intact", "removed early", "removed late")), at_most=0.01, digits=4,
         published="Fig. 2 and text: the optimum is reached"),
    test("deep, removed throughout: largest error of the other sensors' weights in the end",
         lambda had: _left(had, ("removed throughout",), strong=False), at_most=0.01, digits=4),
    test("gradient descent against the closed form, deep: largest distance, of the strongest mode",
         lambda had: exact(had[_KEY]["weights"]["aligned_error"].sel(depth=2)), at_most=0.01, digits=4),
    test("gradient descent against the closed form, shallow: the same",
         lambda had: exact(had[_KEY]["weights"]["aligned_error"].sel(depth=1)), at_most=0.01, digits=4),
    control("shallow, strong sensor removed throughout: the same lag",
            lambda had: worst(_held_back(had, 1, "removed throughout")), at_most=1e-6,
            published=lambda had: _closed_form(had, 1)),
    control("deep, strong sensor removed late (6 to 8.5 time constants): the same lag",
            lambda had: _held_back(had, 2, "removed late"), at_most=0.01, digits=4),
    context("deep, a weak sensor (the eighth) removed early: the same lag, its own weight left out",
            lambda had: _held_back(had, 2, "weak sensor removed early", _HELPED[:2])),
)  # fmt: skip


_WEIGHTS = ((0, 2), (0, 0), (0, 3), (4, 7), (2, 1))
_DASHED = (0, (4, 2))


def draw_sensors(had: Had) -> Figure:
    """Draw weights of both networks with the sensor (solid) and without it (dashed): throughout, early and late.

    Lines are means over seeds, bands their 95 % intervals, dots the closed form; the removal is shaded.
    """
    found = had[_KEY]["weights"]
    time = found["time"].to_numpy()
    figure = new_figure(7.4, 4.9)
    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    windows = {"removed throughout": (0, 10), "removed early": (0, 2.5), "removed late": (6, 8.5)}
    for row, (depth, words) in zip(grid, ((2, "deep"), (1, "shallow")), strict=True):
        table = found.sel(depth=depth)
        for ax, (name, window) in zip(row, windows.items(), strict=True):
            ax.axvspan(*window, color="#4D4D4D", alpha=0.12, lw=0, zorder=0)
            for colour, (task, sensor) in zip(TASK_COLOURS, _WEIGHTS, strict=True):
                shown = (("intact", "exact_intact", "-"), (name, "exact_removed", _DASHED))
                for index, (condition, exact_, dashes) in enumerate(shown):
                    weight = table["weight"].sel(condition=condition)[:, :, task, sensor]
                    band(ax, time, weight, colour, ls=dashes)
                    if name == "removed throughout":
                        every = slice(2 * index, None, 5)
                        dots = table[exact_][every, task, sensor]
                        ax.plot(time[every], dots, ".", color=colour, ms=3, alpha=0.7)
            ax.set_xlim(time[0], time[-1])
            ax.set_title(f"{words}, {name}", loc="left")
        row[0].set_ylabel("weight")
    for ax in grid[1]:
        ax.set_xlabel("time (time constants)")
    colours = zip(TASK_COLOURS, _WEIGHTS, strict=True)
    handles = [
        Line2D([], [], color=c, label=f"sensor {sensor + 1} to task {task + 1}") for c, (task, sensor) in colours
    ]
    looks: dict[str, dict[str, Any]] = {
        "all sensors there": {},
        "sensor 3 removed (shaded)": {"ls": _DASHED},
        "closed form, from modes of 0.0001": {"ls": "", "marker": ".", "ms": 4},
    }
    handles += [Line2D([], [], color="#4D4D4D", label=label, **look) for label, look in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=2.2)
    title = f"means of {found.sizes['seed']} networks from small random weights, bands 95 % intervals"
    figure.suptitle(f"A strong sensor is taken away: {title}", x=0.01, ha="left")
    return figure


def _need(seeds: int) -> ComputedNeed:
    return ComputedNeed(
        _KEY, "Linear networks with a strong sensor removed", "binocular.papers.kleinman_2024.tables:strong_sensor",
        {"seeds": seeds, "learning_rate": 0.01}, minutes=0.1,
    )  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-2-linear",
        "A deep linear network goes through an early transient in which the loss of one strong sensor holds back what "
        "is learned from the others; a shallow network learns each sensor by itself. With one hidden layer the deep "
        "network reaches the optimum all the same.",
        "Fig. 2",
        both_scales((_need(20), _need(100))),
        _ROWS,
        draw_sensors,
        reason="With one hidden layer the lag is one of time and not of the end.",
        deviations=(
            "Beside the closed form of the paper, networks are trained by gradient descent from small random weights.",
        ),
    ),
)
