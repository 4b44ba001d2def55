"""Exports hold what the study holds, to the last bit, one observation a row."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import TextIO

import h5py
import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.stimuli.errors import BadInput
from binocular.store import exports
from binocular.store.exports import export_csv
from binocular.store.schema import HISTORY, MEASURES, PROBES, Field
from binocular.store.tables import write_attributes, write_table
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_tree

KEYS = {
    "study": ("title",),
    "subjects": ("condition", "seed"),
    "phases": ("condition", "seed", "phase"),
    "history": ("condition", "seed", "epoch"),
    "units": ("condition", "seed", "site", "epoch", "unit"),
    "dominance": ("condition", "seed", "site", "epoch"),
    "groups": ("condition", "seed", "site", "epoch", "group"),
    "summary": ("condition", "site", "epoch", "measure", "group"),
    "tree": ("identity",),
    "failures": ("condition", "seed"),
    "gratings.unit": ("condition", "seed", "site", "epoch", "unit"),
    "gratings.unit.orientation": ("condition", "seed", "site", "epoch", "unit", "orientation"),
}
Rows = list[dict[str, str]]


def read(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(rows: Rows, column: str) -> np.ndarray:
    return np.array([float(row[column] or "nan") for row in rows])


def of(rows: Rows, **key: object) -> Rows:
    return [row for row in rows if all(row[name] == str(value) for name, value in key.items())]


def same(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_array_equal(one, np.asarray(other, np.float64).ravel(), strict=True)


@pytest.fixture(scope="module")
def study_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a study with silent units, two sites, tests not given, a failure, and what a later probe measured."""
    path = tmp_path_factory.mktemp("exported") / "study.h5"
    two = ("normal", "deprived-early")
    header = invented_header((0, 1, 2), two)
    subjects = invented_conditions((0, 1), two, map_site=True, units=8)
    write_study(path, header, subjects, invented_tree(), {("normal", 2): "out of memory, and more"})
    with h5py.File(path, "r+") as file:
        fields = {
            **{name: PROBES[name] for name in ("checkpoint", "epoch", "unit")},
            "orientation": Field(("orientation",), "float64", "degree", "orientation"),
            "odi": Field(("checkpoint", "unit"), "float64", "1", "dominance by gratings", missing="allowed"),
            "tuning": Field(("checkpoint", "unit", "orientation"), "float64", "response", "tuning"),
        }
        rng = np.random.default_rng(0)
        odi = rng.uniform(-1, 1, (2, 3))
        odi[1, 2] = np.nan
        columns = {
            "checkpoint": [0, 1],
            "epoch": [0, 12],
            "unit": [0, 1, 2],
            "orientation": [0.0, 45.0, 90.0, 135.0],
            "odi": odi,
            "tuning": rng.random((2, 3, 4)),
        }
        group = file.create_group("conditions/normal/1/measures/gratings/representation")
        write_table(group, fields, columns)
        write_attributes(group, {"settings": "{}", "versions": "{}", "columns": json.dumps(list(fields))})
    return path


@pytest.fixture(scope="module")
def folder(study_path: Path) -> Path:
    folder = study_path.parent / "export"
    written = export_csv(study_path, folder)
    assert sorted(written) == sorted(folder.iterdir())
    return folder


def test_the_tables_are_tidy_and_explained(folder: Path):
    explained = read(folder, "columns")
    assert {row["table"] for row in explained} == set(KEYS)
    assert {path.stem for path in folder.glob("*.csv")} == {*KEYS, "columns"}
    for name, key in KEYS.items():
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            names = next(csv.reader(file))
        about = [row for row in explained if row["table"] == name]
        assert [row["column"] for row in about] == names
        assert all(row["units"] and row["meaning"] and row["row"] for row in about)
        rows = read(folder, name)
        assert rows
        assert not [k for k, n in Counter(tuple(row[part] for part in key) for row in rows).items() if n > 1]
        for row in about:
            empty = [cells for cells in rows if cells[row["column"]] == ""]
            assert row["empty"] or not empty, (name, row["column"])
    units = {row["column"]: row["units"] for row in explained if row["table"] == "units"}
    assert units["sv_left"] == PROBES["sv_left"].units and units["epoch"] == "epoch"


def test_every_number_of_a_subject_comes_back_to_the_last_bit(study_path: Path, folder: Path):
    history, units, dominance, groups = (read(folder, name) for name in ("history", "units", "dominance", "groups"))
    with h5py.File(study_path) as file:
        for condition, subjects in file["conditions"].items():
            for seed, subject in subjects.items():
                key = {"condition": condition, "seed": seed}
                rows = of(history, **key)
                assert set(HISTORY) | {"outline", "stereopsis"} <= set(rows[0])
                for name, values in subject["history"].items():
                    same(numbers(rows, name), values[()])
                for site, probes in subject["probes"].items():
                    rows = of(units, site=site, **key)
                    checkpoints, n = probes["rsv"].shape
                    assert len(rows) == checkpoints * n
                    same(numbers(rows, "epoch"), np.repeat(probes["epoch"][()], n))
                    for name in ("rsv", "rsv_se", "sv_left", "sv_right", "interaction"):
                        same(numbers(rows, name), probes[name][()])
                    assert any(row["rsv"] == "" and row["group"] == "" for row in rows), "silent units stay"
                    stored = subject[f"dominance/{site}"]
                    rows = of(dominance, site=site, **key)
                    for name in ("epoch", *MEASURES):
                        same(numbers(rows, name), stored[name][()])
                    same(numbers(rows, "n_silent"), probes["n_silent"][()])
                    same(numbers(of(groups, site=site, **key), "units"), stored["groups"][()])


def test_the_group_of_each_unit_gives_the_histogram(folder: Path):
    counted = Counter(
        (row["condition"], row["seed"], row["site"], row["epoch"], row["group"])
        for row in read(folder, "units")
        if row["group"]
    )
    histogram = {
        (row["condition"], row["seed"], row["site"], row["epoch"], row["group"]): int(row["units"])
        for row in read(folder, "groups")
    }
    assert {key: n for key, n in histogram.items() if n} == counted


def test_the_summary_comes_back(study_path: Path, folder: Path):
    rows = read(folder, "summary")
    parts = {"mean": "", "low": "_low", "high": "_high", "n": "_n"}
    with h5py.File(study_path) as file:
        stored = file["summary/dominance/representation"]
        vision = file["summary/vision"]
        for column, ending in parts.items():
            for measure in (*MEASURES, "group_share"):
                same(
                    numbers(of(rows, site="representation", measure=measure), column), stored[f"{measure}{ending}"][()]
                )
            for measure in ("test_accuracy", "stereopsis"):
                same(numbers(of(rows, site="", measure=measure), column), vision[f"{measure}{ending}"][()])


def test_other_tables(study_path: Path, folder: Path):
    phases = of(read(folder, "phases"), condition="deprived-early", seed=0)
    assert [(row["start"], row["stop"], row["eye"], row["deficits"]) for row in phases] == [
        ("0", "4", "right", "occlusion"),
        ("4", "12", "", ""),
    ]
    assert [row["subject_id"] for row in read(folder, "subjects")] == [
        f"{condition}-{seed}-0123456789abcdef" for condition in ("normal", "deprived-early") for seed in (0, 1)
    ]
    assert [row["cause"] for row in read(folder, "failures")] == ["out of memory, and more"]
    assert [(row["parent"], row["stop"], row["seconds"]) for row in read(folder, "tree")] == [
        ("", "4", "1.5"),
        ("aa", "12", "3.0"),
    ]
    assert read(folder, "study")[0]["seeds"] == "0 1 2"
    with h5py.File(study_path) as file:
        assert (folder / "protocol.toml").read_text(encoding="utf-8") == file.attrs["protocol"]


def test_what_a_later_probe_found_has_its_dimensions_as_columns(study_path: Path, folder: Path):
    odi, tuning = read(folder, "gratings.unit"), read(folder, "gratings.unit.orientation")
    with h5py.File(study_path) as file:
        stored = file["conditions/normal/1/measures/gratings/representation"]
        same(numbers(odi, "odi"), stored["odi"][()])
        same(numbers(tuning, "tuning"), stored["tuning"][()])
    assert odi[-1] == {
        **{"condition": "normal", "seed": "1", "site": "representation"},
        **{"epoch": "12", "unit": "2", "odi": ""},
    }
    assert [row["orientation"] for row in tuning[:4]] == ["0.0", "45.0", "90.0", "135.0"]
    assert of(tuning, epoch=12, unit=1, orientation="90.0")[0]["tuning"] == tuning[-6]["tuning"]


def test_swept_values_are_columns(tmp_path: Path):
    from binocular.store.writing import ConditionHeader

    conditions = [
        ConditionHeader("normal", "", {}),
        ConditionHeader("deprived-early", "", {"onset": 0, "strength": 0.5, "eye": "right", "lid": True}),
    ]
    subjects = invented_conditions((0,), ("normal", "deprived-early"))
    write_study(tmp_path / "study.h5", invented_header((0,), conditions=conditions), subjects)
    export_csv(tmp_path, tmp_path / "export")
    normal, deprived = read(tmp_path / "export", "subjects")
    swept = ("swept_onset", "swept_strength", "swept_eye", "swept_lid")
    assert [normal[name] for name in swept] == [""] * 4
    assert [deprived[name] for name in swept] == ["0", "0.5", "right", "true"]
    assert read(tmp_path / "export", "failures") == []


@settings(max_examples=30)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.text(st.characters(codec="utf-8")))
def test_any_number_and_any_text_reads_back(tmp_path_factory: pytest.TempPathFactory, values: list[float], text: str):
    path = tmp_path_factory.mktemp("cells") / "cells.csv"
    frame = pandas.DataFrame({"number": np.array(values, np.float64)}).assign(text=text)
    with path.open("w", encoding="utf-8", newline="") as file:
        exports._append(file, frame, dict.fromkeys(("number", "text")), header=True)
    with path.open(newline="", encoding="utf-8") as file:
        back = list(csv.DictReader(file))
    assert [float(row["number"]) for row in back] == values
    assert all(row["text"] == text for row in back)


def test_a_failed_export_leaves_the_old_file(study_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    export_csv(study_path, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "_append", full)
    with pytest.raises(BadInput, match="disk is full"):
        export_csv(study_path, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_no_table_is_replaced_where_the_last_bytes_of_one_do_not_fit(study_path: Path, tmp_path: Path, monkeypatch):
    tables, append = export_csv(study_path, tmp_path), exports._append
    for path in tables:
        path.write_text("old")

    def full(file: TextIO, *rest: object, **options: object) -> None:
        append(file, *rest, **options)  # type: ignore[arg-type]
        if "table" in rest[0]:  # type: ignore[operator]
            with open("/dev/full", "wb") as device:  # noqa: PTH123
                os.dup2(device.fileno(), file.fileno())

    monkeypatch.setattr(exports, "_append", full)
    with pytest.raises(BadInput, match="disk is full"):
        export_csv(study_path, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {path.name: "old" for path in tables}


def test_what_is_no_study_is_one_sentence(tmp_path: Path):
    with pytest.raises(BadInput, match="does not exist"):
        export_csv(tmp_path, tmp_path / "export")
    write_study(tmp_path / "study.h5", invented_header((0,), ("normal",)), invented_conditions((0,), ("normal",)))
    with h5py.File(tmp_path / "study.h5", "r+") as file:
        del file["conditions/normal/0/dominance/representation/cbi"]
    with pytest.raises(BadInput, match=r"cbi.*binocular verify"):
        export_csv(tmp_path, tmp_path / "export")


def test_a_study_without_subjects_gives_empty_tables(tmp_path: Path):
    write_study(tmp_path / "study.h5", invented_header(), [])
    export_csv(tmp_path, tmp_path / "export")
    assert read(tmp_path / "export", "units") == [] and len(read(tmp_path / "export", "study")) == 1
