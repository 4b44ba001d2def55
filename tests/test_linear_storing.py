"""Computations on disk: taken up when they are the same, made again when they are not or are damaged."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from binocular.linear.storing import Table, read_results, stored_parameters, write_results
from binocular.papers.computing import ComputedNeed
from binocular.stimuli.errors import BadInput
from binocular.store.schema import Field

CALLS: list[float] = []


def squares(n: int, factor: float) -> dict[str, Table]:
    CALLS.append(factor)
    fields = {
        "time": Field(("time",), "float64", "1", "time"),
        "value": Field(("time",), "float64", "1", "square"),
    }
    time = np.arange(n, dtype=np.float64)
    return {"squares": Table(fields, {"time": time, "value": factor * time**2})}


def _need(**parameters) -> ComputedNeed:
    return ComputedNeed("some-squares", "Squares", f"{__name__}:squares", {"n": 4, "factor": 1.0, **parameters})


def test_a_finished_computation_is_taken_up_and_a_changed_one_redone(tmp_path: Path, capsys):
    CALLS.clear()
    first = _need().obtain(tmp_path, "auto", False)
    assert "Squares" in capsys.readouterr().err
    assert first["squares"]["value"].values.tolist() == [0, 1, 4, 9]
    again = _need().obtain(tmp_path, "cpu", False)
    assert np.array_equal(again["squares"]["value"], first["squares"]["value"])
    assert CALLS == [1.0] and capsys.readouterr().err == ""
    changed = _need(factor=2.0).obtain(tmp_path, "auto", True)
    assert changed["squares"]["value"].values.tolist() == [0, 2, 8, 18]
    assert CALLS == [1.0, 2.0]
    ComputedNeed("some-squares", "Squares", f"{__name__}:squares", {"n": 4, "factor": 2.0}, version=2).obtain(
        tmp_path, "auto", True
    )
    assert len(CALLS) == 3


def test_a_damaged_file_is_made_again(tmp_path: Path):
    CALLS.clear()
    _need().obtain(tmp_path, "auto", True)
    path = tmp_path / "some-squares" / "results.h5"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert stored_parameters(path) is None
    with pytest.raises(BadInput, match="not a whole file"):
        read_results(path)
    assert _need().obtain(tmp_path, "auto", True)["squares"]["value"].values.tolist() == [0, 1, 4, 9]
    assert len(CALLS) == 2


def test_the_file_says_what_is_in_it(tmp_path: Path):
    _need().obtain(tmp_path, "auto", True)
    with h5py.File(tmp_path / "some-squares" / "results.h5") as file:
        value = file["squares/value"]
        assert value.attrs["units"] == "1" and value.attrs["long_name"] == "square"
        assert value.dims[0].keys() == ["time"]
        assert file.attrs["title"] == "Squares"


def test_numbers_that_are_not_finite_are_never_stored(tmp_path: Path):
    table = squares(3, float("nan"))
    with pytest.raises(ValueError, match="value"):
        write_results(tmp_path / "x.h5", "x", {}, table)
    assert list(tmp_path.iterdir()) == []
