"""What is measured on subjects after Pawlak (2025), and its figures: losses by schedule and by severity."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from binocular.papers.claims import Had
from binocular.papers.figures import AROUND, labelled_rows, new_figure, points_and_line, zero
from binocular.papers.numbers import lost, settled
from binocular.report.figures.style import title_panel

__all__ = ["SCHEDULES", "draw_schedules", "draw_severity", "loss", "severity"]

SCHEDULES = {
    "falling": "a rate that falls",
    "constant": "a constant rate",
    "renewed": "a rate begun anew after the blur",
    "cyclic": "a cyclic rate",
    "restarts": "cosine restarts",
}
"""Schedules of the learning rate by the words in the names of the conditions."""


def loss(had: Had, schedule: str) -> xr.DataArray:
    """Return the points of settled accuracy that the blur costs with a schedule, ``[seed]``.

    Parameters
    ----------
    had, schedule
        The study, and a name of `SCHEDULES`, or one of the conditions behind it; who never was blurred has the same.
    """
    without = "falling" if schedule.startswith("renewed") else schedule  # without a blur there is nothing to begin anew
    return lost(had["schedules"], f"sharp-{without}", f"blurred-{schedule}")


def severity(had: Had) -> xr.DataArray:
    """Return the points that a blur costs by its factor, ``[factor, seed]``, with a rate that falls."""
    return -(settled(had["schedules"], "severity-*", "factor") - settled(had["schedules"], "sharp-falling"))


def draw_schedules(had: Had) -> Figure:
    """Draw what the blur costs with each schedule, and what sharp subjects come to with it."""
    figure = new_figure(6.8, 2.8)
    axes = figure.subplots(1, 2)
    labelled_rows(axes[:1], list(SCHEDULES.values()),
                  {"accuracy lost (points)": [loss(had, name) for name in SCHEDULES]}, {"reference": 0})  # fmt: skip
    title_panel(axes[0], "What the blur costs", AROUND)
    sharp = [name for name in SCHEDULES if name != "renewed"]
    labelled_rows(axes[1:], [SCHEDULES[name] for name in sharp],
                  {"accuracy (%)": [settled(had["schedules"], f"sharp-{name}") for name in sharp]}, {})  # fmt: skip
    title_panel(axes[1], "Never blurred", "reared as long as the others after the blur,\nwith each schedule")
    return figure


def draw_severity(had: Had) -> Figure:
    """Draw what a blur costs by its factor."""
    found = severity(had)
    figure = new_figure(3.4, 2.8)
    ax = figure.subplots()
    points_and_line(ax, found, "ours", "#000000", x=range(found.sizes["factor"]))
    ax.set_xticks(range(found.sizes["factor"]), [str(factor) for factor in found["factor"].values])
    zero(ax)
    ax.set_xlabel("factor of the blur")
    ax.set_ylabel("accuracy lost (points)")
    title_panel(ax, "A rate that falls", "means with 95 % intervals")
    return figure
