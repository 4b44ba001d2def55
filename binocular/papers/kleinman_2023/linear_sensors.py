"""Kleinman et al. 2023, claim 2: a deep linear network already has the early transient, a shallow one has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.claims import Claim, Evidence, Finding
from binocular.papers.computing import ComputedNeed
from binocular.papers.numbers import exact, judged, number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["K23_LINEAR", "held_back"]

_KEY = "linear-sensors"
_HELPED = ((0, 0), (0, 3), (4, 7))
"""Weights (task, sensor) of tasks that the strong sensor serves too."""


def held_back(weights: np.ndarray, condition: np.ndarray, what: str) -> np.ndarray:
    """Return how far a removal holds back the other sensors' weights, per network.

    Parameters
    ----------
    weights
        ``[condition, seed, time, task, sensor]``.
    condition
        Names, with ``"intact"`` among them.
    what
        The condition of the removal.

    Returns
    -------
    numpy.ndarray
        Largest lag behind the intact network over the course of training, as a share of the weight's final value,
        mean over the weights of tasks that the strong sensor serves too, ``[seed]``.
    """
    names = list(condition)
    lag = weights[names.index("intact")] - weights[names.index(what)]
    return np.stack([lag[:, :, task, sensor].max(1) for task, sensor in _HELPED]).mean(0)


def _judge(results: Mapping[str, Any]) -> Finding:
    found = results[_KEY]["weights"]
    names = found["condition"]
    shallow, deep = found["weight"]
    lag = found["exact_intact"] - found["exact_removed"]
    closed = [abs(float(np.mean([lag[i, :, t, s].max() for t, s in _HELPED]))) for i in (0, 1)]
    others = np.delete(deep, 2, axis=-1)
    target = np.delete(found["target"], 2, axis=-1)
    wrong = np.abs(deep[:, :, -1] - found["target"])
    restored = [list(names).index(name) for name in ("intact", "removed early", "removed late")]
    gone = list(names).index("removed throughout")
    rows = [
        Evidence(
            "deep, strong sensor removed throughout: largest lag of other sensors' weights in tasks that it serves",
            f"closed form of Fig. 2: {closed[1]:.2f}", number_of(held_back(deep, names, "removed throughout")),
            at_least=0.25,
        ),
        Evidence(
            "deep, strong sensor removed early (0 to 2.5 time constants): the same lag", "",
            number_of(held_back(deep, names, "removed early")), at_least=0.25,
        ),
        Evidence(
            "deep: largest error of any weight in the end, after an early or late removal or none",
            "Fig. 2 and text: the optimum is reached", exact(wrong[restored].max(), deep.shape[1]), at_most=0.01,
            digits=4,
        ),
        Evidence(
            "deep, removed throughout: largest error of the other sensors' weights in the end", "",
            exact(np.abs(others[gone, :, -1] - target).max(), deep.shape[1]), at_most=0.01, digits=4,
        ),
        Evidence(
            "gradient descent against the closed form, deep: largest distance, of the strongest mode", "",
            exact(found["aligned_error"][1]), at_most=0.01, digits=4,
        ),
        Evidence(
            "gradient descent against the closed form, shallow: the same", "",
            exact(found["aligned_error"][0]), at_most=0.01, digits=4,
        ),
        Evidence(
            "shallow, strong sensor removed throughout: the same lag", f"closed form of Fig. 2: {closed[0]:.2f}",
            exact(held_back(shallow, names, "removed throughout").max(), shallow.shape[1]), "control", at_most=1e-6,
        ),
        Evidence(
            "deep, strong sensor removed late (6 to 8.5 time constants): the same lag", "",
            number_of(held_back(deep, names, "removed late")), "control", at_most=0.01, digits=4,
        ),
        Evidence(
            "deep, a weak sensor (the eighth) removed early: the same lag, its own weight left out", "",
            number_of(_weak_lag(deep, names)), "context",
        ),
    ]  # fmt: skip
    return judged(
        "k23-2-linear", rows,
        "With one hidden layer the lag is one of time and not of the end.",
        ["Beside the closed form of the paper, networks are trained by gradient descent from small random weights."],
    )  # fmt: skip


def _weak_lag(weights: np.ndarray, condition: np.ndarray) -> np.ndarray:
    names = list(condition)
    lag = weights[names.index("intact")] - weights[names.index("weak sensor removed early")]
    return np.stack([lag[:, :, task, sensor].max(1) for task, sensor in _HELPED[:2]]).mean(0)


def _draw(results: Mapping[str, Any]) -> Figure:
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
    judge=_judge,
    draw=_draw,
)
"""Claim 2 of Kleinman et al. 2023."""
