"""The computations behind the claims on linear networks, as tables for `binocular.papers.computing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
_PATHWAYS = (_PATHWAY, ["a", "b"])


def _float(*dims: str, is_: str, unit: str = "1") -> Field:
    return Field(dims, "float64", unit, is_)


def _table(**columns: tuple[Field, Any]) -> Table:
    """Return a table from what each of its data sets is and its values."""
    return Table(
        {name: field for name, (field, _) in columns.items()},
        {name: values if field.kind == "string" else np.asarray(values) for name, (field, values) in columns.items()},
    )


def strong_sensor(seeds: int, learning_rate: float) -> dict[str, Table]:
    """Return weights through training with and without the strong sensor, deep and shallow.

    Parameters
    ----------
    seeds, learning_rate
        How many networks, from 0, and of gradient descent.
    """
    start = 1e-4  # strength of each mode at the beginning
    depths = (1, 2)
    reared = [sensors.reared_weights(depth, range(seeds), learning_rate, start) for depth in depths]
    time = reared[0][0]
    exact = "closed form, all sensors there", "closed form, the strong sensor never there"
    intact, removed = (
        [sensors.exact_weights(depth, time, start, sensor) for depth in depths]
        for sensor in (None, sensors.STRONG_SENSOR)
    )
    aligned = [sensors.aligned_error(depth, start, learning_rate / 10) for depth in depths]
    weights = ("task", "sensor")
    return {"weights": _table(
        depth=(_DEPTH, depths),
        condition=(Field(("condition",), "string", "1", "what happens to a sensor"), list(sensors.COURSES)),
        seed=(_SEED, range(seeds)),
        time=(_TIME, time),
        task=(Field(("task",), "int64", "1", "task, counted from 1"), np.arange(1, SENSORS.shape[0] + 1)),
        sensor=(Field(("sensor",), "int64", "1", "sensor, counted from 1"), np.arange(1, SENSORS.shape[1] + 1)),
        weight=(_float("depth", "condition", "seed", "time", *weights, is_="weight from sensor to task"),
                [found for _, found in reared]),
        target=(_float(*weights, is_="correlation of task with sensor"), SENSORS),
        exact_intact=(_float("depth", "time", *weights, is_=exact[0]), intact),
        exact_removed=(_float("depth", "time", *weights, is_=exact[1]), removed),
        aligned_error=(_float("depth", is_="distance of gradient descent from the closed form, of the strongest mode"),
                       aligned),
    )}  # fmt: skip


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


def portraits(depths: Sequence[int], seeds: int, fineness: float) -> dict[str, Table]:
    """Return how two pathways share one mode at several depths, by gradient descent and by the differential equation.

    The learning rate at each depth is ``fineness`` over the curvature at the end (`binocular.linear.modes.curvature`),
    and at most a thousandth, so that a step is equally fine at all depths.

    Parameters
    ----------
    depths, seeds
        Layers of a pathway, and how many networks, from 0.
    fineness
        Size of a step, see above.
    """
    strength = 10.0  # of the mode
    target = np.zeros((2, 2))
    target[0, 0] = strength
    starts = gating.single_mode_starts(range(seeds))
    time = np.linspace(0, 1, 101)
    solved = [name for name in PORTRAITS if name != "early, unlike"]
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
        exact.append(gating.exact_contributions(
            depth, np.array([strength]), starts, {name: windows[name] for name in solved}, time, conserved=1.0,
            silenced=["half-way, closed"],
        )[:, :, :, 0])  # fmt: skip
    course = ("seed", "time", "pathway")
    return {"portraits": _table(
        depth=(_DEPTH, depths), condition=(_CONDITION, list(PORTRAITS)), seed=(_SEED, range(seeds)), time=(_TIME, time),
        pathway=_PATHWAYS,
        solved=(Field(("solved",), "string", "1", "condition for which the differential equation was solved"), solved),
        contribution=(_float("depth", "condition", *course,
                             is_="contribution of a pathway to the mode, by gradient descent"), found),
        exact=(_float("depth", "solved", *course, is_="the same by the differential equation"), exact),
        quarter=(_float("depth", is_="length of the gate of a quarter of the half-time", unit="time constants"),
                 quarters),
        rate=(_float("depth", is_="learning rate", unit="time constants"), rates),
    )}  # fmt: skip


GATES: dict[str, tuple[float, float]] = {"sham": (0, 0), "early": (0, 1.5), "middle": (4, 5.5), "late": (7.5, 9)}
"""Gates of Fig. 2 of Kleinman et al. 2024: steps 0-150, 400-550 and 750-900 of 1000 at a learning rate of 0.01."""

LESIONS: dict[str, tuple[float, float]] = {
    "sham": (0, 0), "gate": (0, 2), "lesion": (0, 0), "gate and lesion": (0, 2),
}  # fmt: skip
"""Gate of Fig. 3: steps 0-200; with a lesion pathway a can never carry the second mode."""

LESIONED = 1
"""The lesioned mode, counted from 0."""


def gates(depths: Sequence[int], seeds: int, width: int) -> dict[str, Table]:
    """Return how two pathways share the modes of the hierarchy under gates and a lesion.

    Parameters
    ----------
    depths, seeds, width
        Layers of a pathway, how many networks, from 0, and units of a hidden layer.
    """
    lesion_depth = 3
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
    common = {
        "seed": (_SEED, range(seeds)), "time": (_TIME, time), "mode": (_MODE, range(1, 9)), "pathway": _PATHWAYS,
        "strength": (_float("mode", is_="singular value of the mode"), strengths),
    }  # fmt: skip
    dims = ("condition", "seed", "time", "mode", "pathway")
    meanings = {
        "contribution": f"contribution of a pathway to a mode, by gradient descent at a learning rate of {fine}",
        "coarse": f"the same at the published learning rate of {coarse}",
        "exact": "the same by the differential equation",
        "stepped": f"the same by the differential equation in steps of {coarse}",
    }
    courses = {name: (_float("depth", *dims, is_=meaning), rows[name]) for name, meaning in meanings.items()}
    return {
        "gates": _table(depth=(_DEPTH, depths), condition=(_CONDITION, list(GATES)), **common, **courses),
        "lesions": _table(
            condition=(_CONDITION, list(LESIONS)), **common,
            contribution=(_float(*dims, is_=meanings["coarse"]), lesions),
        ),
    }  # fmt: skip


def bent(units: Sequence[str], depth: int, seeds: int, width: int) -> dict[str, Table]:
    """Return how two pathways with units that are not linear share the hierarchy under the same gates.

    Parameters
    ----------
    units
        Kinds of units, by name.
    depth, seeds, width
        Layers of a pathway, how many networks, from 0, and units of a hidden layer.
    """
    time, rate = np.linspace(0, 10, 101), 0.01
    at = np.round(time / rate).astype(int).tolist()
    done = [gated_outputs(name, depth, range(seeds), GATES, rate, at, width) for name in units]
    sizes, errors = zip(*done, strict=True)
    dims = ("units", "condition", "seed", "time")
    return {"bent": _table(
        units=(Field(("units",), "string", "1", "what the units do"), list(units)),
        condition=(_CONDITION, list(GATES)), seed=(_SEED, range(seeds)), time=(_TIME, time), pathway=_PATHWAYS,
        size=(_float(*dims, "pathway", is_="sum of squares of what a pathway puts out"), sizes),
        error=(_float(*dims, is_="half the squared error of the sum over pathways"), errors),
    )}  # fmt: skip


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
    values = np.arange(1, done.strengths.shape[-1] + 1)
    return {"completion": _table(
        switch=(Field(("switch",), "int64", "steps", "duration of the first task"), plan.switches),
        seed=(_SEED, range(seeds)),
        value=(Field(("value",), "int64", "1", "singular value, from large to small"), values),
        error=(_float("switch", "seed", is_="mean squared error of all entries of the second matrix in the end"),
               done.error),
        seen_error=(_float("switch", "seed", is_="the same over the observed entries"), done.seen_error),
        strength=(_float("switch", "seed", "value", is_="singular values in the end"), done.strengths),
    )}  # fmt: skip
