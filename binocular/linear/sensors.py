"""A strong sensor is taken away, and the weights of the others are watched (Kleinman et al. 2023, Fig. 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from binocular.linear.cohort import Conditions, LinearCohort, Stretch
from binocular.linear.modes import deep_mode, shallow_mode
from binocular.linear.starts import aligned_start, gaussian_start
from binocular.linear.tasks import SENSORS, STRONG_SENSOR, modes_of

__all__ = ["COURSES", "aligned_error", "exact_weights", "reared_weights"]

COURSES: dict[str, tuple[int | None, float, float]] = {
    "intact": (None, 0.0, 0.0),
    "removed throughout": (STRONG_SENSOR, 0.0, 10.0),
    "removed early": (STRONG_SENSOR, 0.0, 2.5),
    "removed late": (STRONG_SENSOR, 6.0, 8.5),
    "weak sensor removed early": (7, 0.0, 2.5),
}
"""Sensor that is removed, and from when to when, in units of the time constant; training lasts for 10 of them."""


def exact_weights(depth: int, time: np.ndarray, start: float, removed: int | None = None) -> np.ndarray:
    """Return all weights by the closed form, ``[time, task, sensor]``.

    Parameters
    ----------
    depth
        1 for a shallow network, 2 for one hidden layer.
    time
        In units of the time constant, ``[time]``.
    start
        Strength of every mode at time 0.
    removed
        A sensor that is never there; its weights are zero.
    """
    kept = [sensor for sensor in range(SENSORS.shape[1]) if sensor != removed]
    outputs, strengths, inputs = modes_of(SENSORS[:, kept])
    grown = (shallow_mode, deep_mode)[depth - 1](strengths, start, np.asarray(time)[:, None])
    weights = np.zeros((len(time), *SENSORS.shape))
    weights[:, :, kept] = np.einsum("om,tm,im->toi", outputs, grown, inputs)
    return weights


def aligned_error(depth: int, start: float, learning_rate: float) -> float:
    """Return the largest distance of gradient descent from the closed form, relative to the strongest mode.

    The network starts in its modes; its course is followed for 10 time constants, intact.

    Parameters
    ----------
    depth
        Layers, at least 1.
    start
        Strength of each mode in the network at the beginning.
    learning_rate
        Of gradient descent.
    """
    outputs, strengths, inputs = (torch.from_numpy(part) for part in modes_of(SENSORS))
    p = torch.full((1, 1, depth, len(strengths)), start ** (1 / depth), dtype=torch.float64)
    steps = round(10 / learning_rate)
    at = np.unique(np.linspace(0, steps, 201).astype(int))
    cohort = LinearCohort(aligned_start(p, outputs, inputs, 8, [0]), learning_rate)
    found = cohort.follow([Stretch(steps, Conditions(torch.from_numpy(SENSORS)[None]))], at.tolist())[:, 0, 0].numpy()
    wrong = np.abs(found - exact_weights(depth, at * learning_rate, start))
    return float(wrong.max() / strengths.max())


def reared_weights(
    depth: int, seeds: Sequence[int], learning_rate: float, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """Train networks from small random weights through every course.

    Parameters
    ----------
    depth
        1 or 2 matrices.
    seeds
        Of the initial weights, the same in all courses.
    learning_rate
        Step, in units of the time constant.
    start
        Strength of the modes of the closed form to compare with. The weights of the deep network have the spread
        ``sqrt(2 start / width)``, with which the part of a random start that grows is that strong on average; those of
        the shallow one have the spread ``start``.

    Returns
    -------
    time, weights
        In units of the time constant, ``[time]``, about a hundred; and ``[course, seed, time, task, sensor]``.
    """
    (tasks, sensors), width = SENSORS.shape, 16
    sizes = [sensors, *[width] * (depth - 1), tasks]
    layers = gaussian_start(sizes, 1, float(np.sqrt(2 * start / width)) if depth > 1 else start, seeds)
    at = np.unique(np.round(np.linspace(0, 10, 101) / learning_rate).astype(int))
    target = torch.from_numpy(SENSORS).expand(len(seeds), tasks, sensors)
    found = []
    for removed, start, stop in COURSES.values():
        there = torch.ones(1, 1, 1, sensors, dtype=torch.float64)
        if removed is not None:
            there[..., removed] = 0
        course = [
            Stretch(round(start / learning_rate), Conditions(target)),
            Stretch(round(stop / learning_rate), Conditions(target, passes=there)),
            Stretch(int(at[-1]), Conditions(target)),
        ]
        found.append(LinearCohort(layers, learning_rate).follow(course, at.tolist())[:, :, 0].transpose(0, 1).numpy())
    return at * learning_rate, np.stack(found)
