"""The claims on linear networks: small versions are judged, and results that say otherwise are judged otherwise."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from binocular.reproduction.computing import ComputedNeed
from binocular.reproduction.linear_sensors import K23_LINEAR


def _smaller(need: ComputedNeed, folder: Path, **parameters) -> dict:
    small = ComputedNeed(need.key, need.title, need.home, {**need.parameters, **parameters})
    return {need.key: {name: dict(table) for name, table in small.obtain(folder, "cpu", True).items()}}


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    (need,) = K23_LINEAR.needs["lab"]
    assert isinstance(need, ComputedNeed)
    return _smaller(need, tmp_path_factory.mktemp("sensors"), seeds=3)


def test_the_strong_sensor_holds_back_others_in_the_deep_network_alone(sensors):
    finding = K23_LINEAR.judge(sensors)
    assert finding.verdict == "holds"
    assert {row.role for row in finding.evidence} == {"test", "control", "context"}
    swapped = copy.copy(sensors)
    table = dict(sensors["linear-sensors"]["weights"])
    table["weight"] = table["weight"][::-1]
    swapped["linear-sensors"] = {"weights": table}
    assert K23_LINEAR.judge(swapped).verdict == "does not hold"
    assert K23_LINEAR.draw is not None
    figure = K23_LINEAR.draw(sensors)
    assert len(figure.axes) == 6
