"""The claims on linear networks: small versions are judged, and results that say otherwise are judged otherwise."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from binocular.linear.completion import Completion
from binocular.papers.computing import ComputedNeed
from binocular.papers.kleinman_2023 import linear_sensors
from binocular.papers.kleinman_2024 import completion
from binocular.papers.kleinman_2024 import pathways as two_pathways
from binocular.papers.registry import paper_named

(K23_LINEAR,) = linear_sensors.CLAIMS
K24_COMPLETION = completion.CLAIMS
K24_PORTRAITS, K24_GATES = two_pathways.CLAIMS[:2], two_pathways.CLAIMS[2:]


def _smaller(need: ComputedNeed, folder: Path, **parameters) -> dict:
    small = ComputedNeed(need.key, need.title, need.home, {**need.parameters, **parameters})
    return {need.key: dict(small.obtain(folder, "cpu", True))}


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    (need,) = K23_LINEAR.needs["lab"]
    assert isinstance(need, ComputedNeed)
    return _smaller(need, tmp_path_factory.mktemp("sensors"), seeds=3)


def test_the_strong_sensor_holds_back_others_in_the_deep_network_alone(sensors):
    finding = K23_LINEAR.judge(sensors)
    assert finding.verdict == "holds"
    assert {row.role for row in finding.evidence} == {"test", "control", "context"}
    table = sensors["linear-sensors"]["weights"]
    swapped = {"weights": table.assign(weight=(table["weight"].dims, table["weight"].values[::-1]))}
    assert K23_LINEAR.judge({"linear-sensors": swapped}).verdict == "does not hold"
    assert K23_LINEAR.draw is not None
    figure = K23_LINEAR.draw(sensors)
    assert len(figure.axes) == 6


@pytest.fixture(scope="module")
def pathways(tmp_path_factory):
    portraits, gates = K24_GATES[0].needs["lab"]
    (bent,) = K24_GATES[-1].needs["lab"]
    folder = tmp_path_factory.mktemp("pathways")
    assert isinstance(portraits, ComputedNeed) and isinstance(gates, ComputedNeed) and isinstance(bent, ComputedNeed)
    return (
        _smaller(portraits, folder, seeds=3, fineness=0.2)
        | _smaller(gates, folder, seeds=4, width=8)
        | _smaller(bent, folder, seeds=4, width=8, units=["tanh"])
    )


def test_the_claims_on_pathways_are_judged_and_drawn(pathways):
    findings = {claim.id: claim.judge(pathways) for claim in (*K24_PORTRAITS, *K24_GATES)}
    rows = {id: {row.what: row.verdict for row in finding.evidence} for id, finding in findings.items()}
    assert [findings[id].verdict for id in ("k24-4-gates", "k24-5-competition", "k24-9-nonlinear")] == ["holds"] * 3
    late = {what: verdict for what, verdict in rows["k24-2-late"].items() if "late gate" in what}
    assert [verdict for _, verdict in sorted(late.items())].count("holds") == 3
    assert late["depth 2: late gate (steps 100-115 of 1000) less sham, share of the gated pathway"] == "does not hold"
    # Steps ten times as coarse as those of the claim are too coarse for the equation at depth 13, and fine at depth 1.
    by_depth = [verdict for what, verdict in rows["k24-3-equation"].items() if what.startswith("one mode")]
    assert by_depth[0] == "holds" and by_depth[-1] == "does not hold"
    tables = pathways["linear-portraits"]
    few = {**tables, "portraits": tables["portraits"].isel(depth=[0, -1])}  # the flow of an equation is slow to draw
    for claim in (*K24_PORTRAITS, *K24_GATES):
        if claim.draw is not None:
            assert claim.draw({**pathways, "linear-portraits": few}).axes


def test_pathways_that_do_not_compete_are_judged_so(pathways):
    table = pathways["linear-portraits"]["portraits"].copy(deep=True)
    table["contribution"].loc[{"condition": "early"}] = table["contribution"].sel(condition="early, unlike").values
    finding = K24_PORTRAITS[0].judge({**pathways, "linear-portraits": {"portraits": table}})
    assert finding.verdict == "does not hold"


def _completed(rises, seeds=4):
    """Tables of four durations in which the error rises from 0.1 by so much, with a little spread."""
    tables = {}
    for name, rise in rises.items():
        spread = 0.01 * np.linspace(-1, 1, seeds) * (rise > 0)
        error = 0.1 + np.array([0, 0.3, 0.6, 1])[:, None] * (rise + spread)
        by = ("switch", "seed")
        tables[f"linear-completion-{name}"] = {"completion": xr.Dataset(
            {"error": (by, error), "seen_error": (by, 0 * error), "strength": ((*by, "value"), np.ones((4, seeds, 3)))},
            {"switch": [0, 10, 30, 100], "seed": np.arange(seeds), "value": np.arange(1, 4)},
        )}  # fmt: skip
    return tables


@pytest.mark.parametrize(
    ("claim", "rises", "otherwise"),
    [
        (0, {"depth-1": 0, "depth-2": 0.5, "depth-3": 0.9, "sham": 0, "late": 0.9}, {"depth-1": 0.5}),
        (1, {"rank-1": 0.1, "rank-3": 0.5, "depth-3": 0.8, "rank-9": 1.0}, {"rank-9": 0.3}),
        (2, {"fewer-1": 0, "fewer-2": 0.2, "fewer-3": 0.6}, {"fewer-2": 0.9}),
    ],
)
def test_the_claims_on_completion_follow_the_errors(claim, rises, otherwise):
    claim = K24_COMPLETION[claim]
    assert {need.key for need in claim.needs["lab"]} == set(_completed(rises))
    assert claim.judge(_completed(rises)).verdict == "holds"
    assert claim.judge(_completed({**rises, **otherwise})).verdict == "does not hold"
    assert claim.draw is not None and len(claim.draw(_completed(rises)).axes) == 3


@pytest.mark.parametrize("paper", ["kleinman-2023", "kleinman-2024"])
def test_every_computation_is_described_for_both_scales(paper):
    for claim in paper_named(paper).claims():
        for scale in ("lab", "paper"):
            for need in claim.needs.get(scale, ()):
                if isinstance(need, ComputedNeed):
                    module, _, name = need.home.partition(":")
                    accepted = inspect.signature(getattr(import_module(module), name)).parameters
                    if need.home.endswith(":completion"):
                        accepted = {"seeds", *(field.name for field in fields(Completion))}
                    assert set(need.parameters) <= set(accepted)
                    assert json.loads(json.dumps(need.parameters)) == need.parameters
                    assert need.expected().startswith("about")
