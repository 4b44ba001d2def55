"""Kleinman et al. 2023, claim 2: a deep linear network already has the early transient, a shallow one has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from binocular.linear.sensors import STRONG_SENSOR
from binocular.papers.claims import Claim, Had, context, control, test
from binocular.papers.computing import ComputedNeed
from binocular.papers.numbers import worst
from binocular.store.statistics import Interval, exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["K23_LINEAR", "held_back"]

_KEY = "linear-sensors"
_HELPED = ((0, 0), (0, 3), (4, 7))
"""Weights (task, sensor) of tasks that the strong sensor serves too."""


def held_back(had: Had, depth: int, what: str, weights: tuple[tuple[int, int], ...] = _HELPED) -> xr.DataArray:
    """Return how far a removal holds back the other sensors' weights, per network.

    Parameters
    ----------
    had
        With the table of `binocular.papers.kleinman_2024.tables.strong_sensor`.
    depth
        1 for the shallow network, 2 for the deep one.
    what
        The condition of the removal.
    weights
        Which, by task and sensor.

    Returns
    -------
    xarray.DataArray
        Largest lag behind the intact network over the course of training, as a share of the weight's final value,
        mean over the weights, ``[seed]``.
    """
    found = had[_KEY]["weights"]
    names, weight = list(found["condition"]), found["weight"][depth - 1]
    lag = weight[names.index("intact")] - weight[names.index(what)]
    return xr.DataArray(np.stack([lag[:, :, task, sensor].max(1) for task, sensor in weights]).mean(0), dims="seed")


def _closed_form(had: Had, depth: int) -> str:
    found = had[_KEY]["weights"]
    lag = (found["exact_intact"] - found["exact_removed"])[depth - 1]
    return f"closed form of Fig. 2: {abs(float(np.mean([lag[:, t, s].max() for t, s in _HELPED]))):.2f}"


def _left(had: Had, conditions: tuple[str, ...], strong: bool = True) -> Interval:
    """Return the largest error of any weight of the deep network in the end, with or without the strong sensor's."""
    found = had[_KEY]["weights"]
    names, deep = list(found["condition"]), found["weight"][1]
    kept = np.arange(deep.shape[-1]) != (-1 if strong else STRONG_SENSOR)
    wrong = np.abs(deep[:, :, -1] - found["target"])[[names.index(name) for name in conditions]]
    return exact(wrong[..., kept].max(), deep.shape[1])


_ROWS = (
    test("deep, strong sensor removed throughout: largest lag of other sensors' weights in tasks that it serves",
         lambda had: held_back(had, 2, "removed throughout"), at_least=0.25,
         published=lambda had: _closed_form(had, 2)),
    test("deep, strong sensor removed early (0 to 2.5 time constants): the same lag",
         lambda had: held_back(had, 2, "removed early"), at_least=0.25),
    test("deep: largest error of any weight in the end, after an early or late removal or none",
         lambda had: _left(had, ("intact", "removed early", "removed late")), at_most=0.01, digits=4,
         published="Fig. 2 and text: the optimum is reached"),
    test("deep, removed throughout: largest error of the other sensors' weights in the end",
         lambda had: _left(had, ("removed throughout",), strong=False), at_most=0.01, digits=4),
    test("gradient descent against the closed form, deep: largest distance, of the strongest mode",
         lambda had: exact(had[_KEY]["weights"]["aligned_error"][1]), at_most=0.01, digits=4),
    test("gradient descent against the closed form, shallow: the same",
         lambda had: exact(had[_KEY]["weights"]["aligned_error"][0]), at_most=0.01, digits=4),
    control("shallow, strong sensor removed throughout: the same lag",
            lambda had: worst(held_back(had, 1, "removed throughout")), at_most=1e-6,
            published=lambda had: _closed_form(had, 1)),
    control("deep, strong sensor removed late (6 to 8.5 time constants): the same lag",
            lambda had: held_back(had, 2, "removed late"), at_most=0.01, digits=4),
    context("deep, a weak sensor (the eighth) removed early: the same lag, its own weight left out",
            lambda had: held_back(had, 2, "weak sensor removed early", _HELPED[:2])),
)  # fmt: skip


def _draw(results: Had) -> Figure:
    from binocular.papers.kleinman_2023.sensor_figures import sensors_figure

    return sensors_figure(results[_KEY]["weights"])


def _need(seeds: int) -> ComputedNeed:
    return ComputedNeed(
        _KEY, "Linear networks with a strong sensor removed", "binocular.papers.kleinman_2024.tables:strong_sensor",
        {"seeds": seeds, "learning_rate": 0.01}, minutes=0.1,
    )  # fmt: skip


K23_LINEAR = Claim(
    id="k23-2-linear",
    statement="A deep linear network goes through an early transient in which the loss of one strong sensor holds back "
    "what is learned from the others; a shallow network learns each sensor by itself. With one hidden layer the deep "
    "network reaches the optimum all the same.",
    source="Fig. 2",
    needs={"lab": (_need(20),), "paper": (_need(100),)},
    rows=_ROWS,
    draw=_draw,
    reason="With one hidden layer the lag is one of time and not of the end.",
    deviations=(
        "Beside the closed form of the paper, networks are trained by gradient descent from small random weights.",
    ),
)
"""Claim 2 of Kleinman et al. 2023."""
