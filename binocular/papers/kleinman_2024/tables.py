"""The computations behind the claims on linear networks, as tables for `binocular.papers.computing`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from binocular.linear import gating, sensors
from binocular.linear.completion import Completion, complete
from binocular.linear.modes import curvature
from binocular.linear.nonlinear import gated_outputs
from binocular.linear.storing import Table
from binocular.linear.tasks import HIERARCHY, SENSORS, modes_of
from binocular.store.schema import Field

__all__ = ["GATES", "LESIONS", "PORTRAITS", "bent", "completion", "gates", "portraits", "strong_sensor"]

_CONDITION = Field(("condition",), "string", "1", "condition")
_SEED = Field(("seed",), "int64", "1", "seed of the network")
_TIME = Field(("time",), "float64", "time constants", "time of gradient flow: steps times learning rate")
_MODE = Field(("mode",), "int64", "1", "mode of the task, from strong to weak")
_PATHWAY = Field(("pathway",), "string", "1", "pathway; b is the one that is gated")
_DEPTH = Field(("depth",), "int64", "1", "matrices per pathway")


def strong_sensor(seeds: int, learning_rate: float, start: float = 1e-4) -> dict[str, Table]:
    """Return weights through training with and without the strong sensor, deep and shallow.

    Parameters
    ----------
    seeds
        How many, from 0.
    learning_rate
        Of gradient descent.
    start
        Strength of each mode at the beginning.
    """
    depths = np.array([1, 2])
    tasks, columns = SENSORS.shape
    reared = [sensors.reared_weights(int(depth), range(seeds), learning_rate, start) for depth in depths]
    time = reared[0][0]
    fields = {
        "depth": _DEPTH,
        "condition": Field(("condition",), "string", "1", "what happens to a sensor"),
        "seed": _SEED,
        "time": _TIME,
        "task": Field(("task",), "int64", "1", "task, counted from 1"),
        "sensor": Field(("sensor",), "int64", "1", "sensor, counted from 1"),
        "weight": Field(
            ("depth", "condition", "seed", "time", "task", "sensor"), "float64", "1", "weight from sensor to task"
        ),
        "target": Field(("task", "sensor"), "float64", "1", "correlation of task with sensor"),
        "exact_intact": Field(("depth", "time", "task", "sensor"), "float64", "1", "closed form, all sensors there"),
        "exact_removed": Field(
            ("depth", "time", "task", "sensor"), "float64", "1", "closed form, the strong sensor never there"
        ),
        "aligned_error": Field(
            ("depth",), "float64", "1", "distance of gradient descent from the closed form, of the strongest mode"
        ),
    }  # fmt: skip
    values = {
        "depth": depths,
        "condition": list(sensors.COURSES),
        "seed": np.arange(seeds),
        "time": time,
        "task": np.arange(1, tasks + 1),
        "sensor": np.arange(1, columns + 1),
        "weight": np.stack([weights for _, weights in reared]),
        "target": SENSORS,
        "exact_intact": np.stack([sensors.exact_weights(int(depth), time, start) for depth in depths]),
        "exact_removed": np.stack(
            [sensors.exact_weights(int(depth), time, start, sensors.STRONG_SENSOR) for depth in depths]
        ),
        "aligned_error": np.array([sensors.aligned_error(int(depth), start, learning_rate / 10) for depth in depths]),
    }
    return {"weights": Table(fields, values)}


PORTRAITS: dict[str, tuple[float, float]] = {
    "sham": (0.0, 0.0),
    "early": (0.0, 0.015),
    "late": (0.1, 0.115),
    "half-way": (0.5, 0.515),
    "half-way, closed": (0.5, 0.515),
    "early, unlike": (0.0, 0.015),
    "quarter": (0.0, 0.0),
}
"""Conditions of Fig. 1 of Kleinman et al. 2024 and controls: from when to when pathway b is gated; the end is at 1.
``quarter`` is set for each depth to a quarter of the time in which half of the mode is learned without a gate."""


def portraits(depths: Sequence[int], seeds: int, fineness: float, strength: float = 10.0) -> dict[str, Table]:
    """Return how two pathways share one mode at several depths, by gradient descent and by the differential equation.

    The learning rate at each depth is ``fineness`` over the curvature at the end (`binocular.linear.modes.curvature`),
    and at most a thousandth, so that a step is equally fine at all depths.

    Parameters
    ----------
    depths
        Layers of a pathway.
    seeds
        How many, from 0.
    fineness
        Size of a step, see above.
    strength
        Of the mode.
    """
    target = np.zeros((2, 2))
    target[0, 0] = strength
    starts = gating.single_mode_starts(range(seeds))
    time = np.linspace(0, 1, 101)
    found, exact, quarters, rates = [], [], [], []
    for depth in depths:
        wanted = min(fineness / curvature(depth, strength, conserved=1.0), 0.001)
        rate = 1 / (np.ceil(1 / wanted / 200) * 200)
        rates.append(rate)
        half = gating.half_time(depth, strength, 0.0, conserved=1.0)
        quarters.append(round(half / 4 / rate) * rate)
        windows = {**PORTRAITS, "quarter": (0.0, quarters[-1])}
        at = np.round(time / rate).astype(int)
        contributions = gating.gated_contributions(
            depth, target, starts, range(seeds), windows, rate, at.tolist(), width=2, conserved=1.0,
            silenced=["half-way, closed"], correlation={"early, unlike": 0.0},
        )  # fmt: skip
        found.append(contributions[:, :, :, 0])
        solved = {name: window for name, window in windows.items() if name != "early, unlike"}
        exact.append(
            gating.exact_contributions(
                depth, np.array([strength]), starts, solved, time, conserved=1.0, silenced=["half-way, closed"]
            )[:, :, :, 0]
        )
    dims = ("depth", "condition", "seed", "time", "pathway")
    fields = {
        "depth": _DEPTH, "condition": _CONDITION, "seed": _SEED, "time": _TIME, "pathway": _PATHWAY,
        "solved": Field(("solved",), "string", "1", "condition for which the differential equation was solved"),
        "contribution": Field(dims, "float64", "1", "contribution of a pathway to the mode, by gradient descent"),
        "exact": Field(
            ("depth", "solved", "seed", "time", "pathway"), "float64", "1", "the same by the differential equation"
        ),
        "quarter": Field(("depth",), "float64", "time constants", "length of the gate of a quarter of the half-time"),
        "rate": Field(("depth",), "float64", "time constants", "learning rate"),
    }  # fmt: skip
    values = {
        "depth": np.array(depths),
        "condition": list(PORTRAITS),
        "seed": np.arange(seeds),
        "time": time,
        "pathway": ["a", "b"],
        "solved": [name for name in PORTRAITS if name != "early, unlike"],
        "contribution": np.stack(found),
        "exact": np.stack(exact),
        "quarter": np.array(quarters),
        "rate": np.array(rates),
    }
    return {"portraits": Table(fields, values)}


GATES: dict[str, tuple[float, float]] = {"sham": (0, 0), "early": (0, 1.5), "middle": (4, 5.5), "late": (7.5, 9)}
"""Gates of Fig. 2 of Kleinman et al. 2024: steps 0-150, 400-550 and 750-900 of 1000 at a learning rate of 0.01."""

LESIONS: dict[str, tuple[float, float]] = {
    "sham": (0, 0), "gate": (0, 2), "lesion": (0, 0), "gate and lesion": (0, 2),
}  # fmt: skip
"""Gate of Fig. 3: steps 0-200; with a lesion pathway a can never carry the second mode."""

LESIONED = 1
"""The lesioned mode, counted from 0."""


def gates(depths: Sequence[int], seeds: int, width: int, lesion_depth: int = 3) -> dict[str, Table]:
    """Return how two pathways share the modes of the hierarchy under gates and a lesion.

    Parameters
    ----------
    depths
        Layers of a pathway.
    seeds
        How many, from 0.
    width
        Units of a hidden layer.
    lesion_depth
        Depth at which there is a lesion too.
    """
    strengths = modes_of(HIERARCHY)[1]
    time = np.linspace(0, 10, 101)
    fine, coarse = 0.001, 0.01
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("contribution", "coarse", "exact", "stepped")}
    for depth in depths:
        starts = gating.hierarchy_starts(range(seeds), depth)
        for name, rate in (("contribution", fine), ("coarse", coarse)):
            at = np.round(time / rate).astype(int).tolist()
            rows[name].append(
                gating.gated_contributions(depth, HIERARCHY, starts, range(seeds), GATES, rate, at, width=width)
            )
        rows["exact"].append(gating.exact_contributions(depth, strengths, starts, GATES, time))
        rows["stepped"].append(gating.stepped_contributions(depth, strengths, starts, GATES, coarse, at))
    starts = gating.hierarchy_starts(range(seeds), lesion_depth)
    lesions = gating.gated_contributions(
        lesion_depth, HIERARCHY, starts, range(seeds), LESIONS, coarse, np.round(time / coarse).astype(int).tolist(),
        width=width, lesioned={"lesion": LESIONED, "gate and lesion": LESIONED},
    )  # fmt: skip
    scales = {
        "condition": _CONDITION, "seed": _SEED, "time": _TIME, "mode": _MODE, "pathway": _PATHWAY,
        "strength": Field(("mode",), "float64", "1", "singular value of the mode"),
    }  # fmt: skip
    common = {
        "seed": np.arange(seeds), "time": time, "mode": np.arange(1, 9), "pathway": ["a", "b"], "strength": strengths,
    }  # fmt: skip
    dims = ("depth", "condition", "seed", "time", "mode", "pathway")
    meanings = {
        "contribution": f"contribution of a pathway to a mode, by gradient descent at a learning rate of {fine}",
        "coarse": f"the same at the published learning rate of {coarse}",
        "exact": "the same by the differential equation",
        "stepped": f"the same by the differential equation in steps of {coarse}",
    }
    gate_fields = {"depth": _DEPTH, **scales, **{name: Field(dims, "float64", "1", m) for name, m in meanings.items()}}
    lesion_fields = {**scales, "contribution": Field(dims[1:], "float64", "1", meanings["coarse"])}
    gate_values = {
        "depth": np.array(depths), "condition": list(GATES), **common,
        **{name: np.stack(row) for name, row in rows.items()},
    }  # fmt: skip
    lesion_values = {"condition": list(LESIONS), **common, "contribution": lesions}
    return {"gates": Table(gate_fields, gate_values), "lesions": Table(lesion_fields, lesion_values)}


def bent(units: Sequence[str], depth: int, seeds: int, width: int) -> dict[str, Table]:
    """Return how two pathways with units that are not linear share the hierarchy under the same gates.

    Parameters
    ----------
    units
        Kinds of units, by name.
    depth
        Layers of a pathway.
    seeds
        How many, from 0.
    width
        Units of a hidden layer.
    """
    time, rate = np.linspace(0, 10, 101), 0.01
    at = np.round(time / rate).astype(int).tolist()
    done = [gated_outputs(name, depth, range(seeds), GATES, rate, at, width) for name in units]
    dims = ("units", "condition", "seed", "time")
    fields = {
        "units": Field(("units",), "string", "1", "what the units do"),
        "condition": _CONDITION, "seed": _SEED, "time": _TIME, "pathway": _PATHWAY,
        "size": Field((*dims, "pathway"), "float64", "1", "sum of squares of what a pathway puts out"),
        "error": Field(dims, "float64", "1", "half the squared error of the sum over pathways"),
    }  # fmt: skip
    values = {
        "units": list(units), "condition": list(GATES), "seed": np.arange(seeds), "time": time, "pathway": ["a", "b"],
        "size": np.stack([sizes for sizes, _ in done]), "error": np.stack([errors for _, errors in done]),
    }  # fmt: skip
    return {"bent": Table(fields, values)}


def completion(seeds: int, **settings: object) -> dict[str, Table]:
    """Return how well a second matrix is completed after a first task.

    Parameters
    ----------
    seeds
        Networks per duration of the first task.
    settings
        Fields of `binocular.linear.completion.Completion`.
    """
    settings["switches"] = tuple(settings["switches"])  # type: ignore[arg-type]
    plan = Completion(**settings)  # type: ignore[arg-type]
    done = complete(plan, range(seeds))
    fields = {
        "switch": Field(("switch",), "int64", "steps", "duration of the first task"),
        "seed": _SEED,
        "value": Field(("value",), "int64", "1", "singular value, from large to small"),
        "error": Field(
            ("switch", "seed"), "float64", "1", "mean squared error of all entries of the second matrix in the end"
        ),
        "seen_error": Field(("switch", "seed"), "float64", "1", "the same over the observed entries"),
        "strength": Field(("switch", "seed", "value"), "float64", "1", "singular values in the end"),
    }
    values = {
        "switch": np.array(plan.switches), "seed": np.arange(seeds),
        "value": np.arange(1, done.strengths.shape[-1] + 1),
        "error": done.error, "seen_error": done.seen_error, "strength": done.strengths,
    }  # fmt: skip
    return {"completion": Table(fields, values)}
