"""Subjects and studies on disk: nothing lost, the same bytes, whole or not at all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from binocular.stimuli.errors import BadInput
from binocular.store import schema
from binocular.store.records import SubjectRecord
from binocular.store.snapshots import NodeRecord, read_node
from binocular.store.study import load_study
from binocular.store.verification import verify_study
from binocular.store.writing import ConditionHeader, write_study
from tests.synthetic import invented_conditions, invented_header, invented_subject, invented_tree


def assert_same_subject(one: SubjectRecord, two: SubjectRecord) -> None:
    assert (one.condition, one.seed, one.subject_id) == (two.condition, two.seed, two.subject_id)
    assert (one.phases, one.attributes) == (two.phases, two.attributes)
    assert set(one.history) == set(two.history)
    for name in one.history:
        np.testing.assert_array_equal(one.history[name], two.history[name], strict=True)
    assert set(one.sites) == set(two.sites)
    for name, site in one.sites.items():
        np.testing.assert_array_equal(site.epoch, two.sites[name].epoch)
        np.testing.assert_array_equal(site.n_silent, two.sites[name].n_silent)
        assert set(site.values) == set(two.sites[name].values)
        for key, values in site.values.items():
            np.testing.assert_array_equal(values, two.sites[name].values[key], strict=True)


@pytest.mark.parametrize("epochs", [0, 1, 12])
def test_a_subject_comes_back_as_it_was(tmp_path: Path, epochs: int):
    subject = invented_subject("deprived", 7, epochs=max(epochs, 1), map_site=True)
    if epochs == 0:
        subject.history = {name: column[:0] for name, column in subject.history.items()}
    path = tmp_path / "folder" / "study.h5"
    write_study(path, invented_header((7,), ("deprived",)), [subject])
    assert_same_subject(load_study(path).conditions[0].subjects[0], subject)
    assert [entry.name for entry in path.parent.iterdir()] == ["study.h5"]


def test_the_same_records_give_the_same_bytes(tmp_path: Path):
    subjects = invented_conditions(seeds=(0, 1), epochs=16)
    header = invented_header(seeds=(0, 1))
    write_study(tmp_path / "all.h5", header, subjects, invented_tree())
    write_study(tmp_path / "one-by-one.h5", header, iter(subjects), invented_tree(), size=1 << 20)
    assert (tmp_path / "all.h5").read_bytes() == (tmp_path / "one-by-one.h5").read_bytes()


def test_the_layout_is_that_of_the_contract(tmp_path: Path):
    path = tmp_path / "study.h5"
    write_study(path, invented_header(), invented_conditions(map_site=True), invented_tree())
    with h5py.File(path) as study:
        assert set(schema.ROOT_ATTRIBUTES) <= set(study.attrs)
        assert study.attrs["schema"] == "binocular/2"
        assert study.attrs["sign_convention"] == "+1 left eye only, -1 right eye only"
        assert study.attrs["complete"] == 1
        assert json.loads(study.attrs["versions"])["torch"] == "2.6.0"
        assert list(study["conditions"]) == ["normal", "deprived-early", "deprived-late", "both-eyes"]
        subject = study["conditions/deprived-early/2"]
        assert subject.attrs["seed"] == 2
        assert [phase["name"] for phase in json.loads(subject.attrs["phases"])] == ["lid closed", "after"]
        assert subject["history/stereopsis"].dims[0][0].name.endswith("history/epoch")
        rsv = subject["probes/representation.map/rsv"]
        assert [rsv.dims[axis].keys() for axis in (0, 1)] == [["checkpoint"], ["unit"]]
        groups = subject["dominance/representation/groups"]
        assert groups.shape == (len(subject["probes/representation/epoch"]), 7)
        total = groups[()].sum(1) + subject["probes/representation/n_silent"][()]
        np.testing.assert_array_equal(total, subject["probes/representation/rsv"].shape[1])
        assert set(study["summary"]) == {"dominance", "vision"}
        np.testing.assert_array_equal(study["tree/seconds"], [1.5, 3.0])

        missing = []
        study.visititems(
            lambda name, item: (
                missing.append(name)
                if isinstance(item, h5py.Dataset) and not {"units", "long_name", "checksum"} <= set(item.attrs)
                else None
            )
        )
        assert missing == []


def test_bias_follows_the_treated_eye_and_groups_do_not(tmp_path: Path):
    found = {}
    for eye in ("right", "left"):
        path = tmp_path / f"{eye}.h5"
        write_study(path, invented_header((0,), treated_eye=eye), invented_conditions((0,)))
        with h5py.File(path) as study:
            table = study["conditions/deprived-early/0/dominance/representation"]
            found[eye] = (table["cbi"][-1], table["groups"][-1])
    assert found["right"][0] < 0.3
    assert found["right"][0] + found["left"][0] == pytest.approx(1)
    np.testing.assert_array_equal(found["right"][1], found["left"][1])


def test_a_study_with_a_missing_or_failed_subject_is_incomplete(tmp_path: Path):
    path = tmp_path / "study.h5"
    subjects = invented_conditions()
    write_study(path, invented_header(), subjects[:-1], failures={("both-eyes", 2): "loss became infinite"})
    with h5py.File(path) as study:
        assert study.attrs["complete"] == 0
        assert study["failures/cause"].asstr()[0] == "loss became infinite"
    write_study(path, invented_header(), subjects[:3])
    with h5py.File(path) as study:
        assert study.attrs["complete"] == 0
        assert len(study["conditions"]) == 4


def test_a_study_without_any_subject_can_be_written(tmp_path: Path):
    write_study(tmp_path / "study.h5", invented_header(), [])
    with h5py.File(tmp_path / "study.h5") as study:
        assert study.attrs["complete"] == 0


def test_a_long_protocol_fits(tmp_path: Path):
    text = "# " + "é" * 200_000
    write_study(tmp_path / "study.h5", invented_header((0,), protocol=text), invented_conditions((0,)))
    with h5py.File(tmp_path / "study.h5") as study:
        assert study.attrs["protocol"] == text


def test_large_studies_are_built_on_disk_with_equal_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import binocular.store.tables

    subjects = invented_conditions((0,))
    write_study(tmp_path / "memory.h5", invented_header((0,)), subjects)
    monkeypatch.setattr(binocular.store.tables, "_IN_MEMORY", -1)
    write_study(tmp_path / "disk.h5", invented_header((0,)), subjects)
    with h5py.File(tmp_path / "memory.h5") as one, h5py.File(tmp_path / "disk.h5") as two:
        name = "conditions/normal/0/probes/representation/rsv"
        assert one[name].attrs["checksum"] == two[name].attrs["checksum"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.history.pop("train_loss"), "train_loss is missing"),
        (lambda s: s.history.update({"no good": s.history["train_loss"]}), "no good"),
        (lambda s: s.history.update(test_accuracy=s.history["test_accuracy"] + 1), "at most 1"),
        (lambda s: s.history.update(outline=s.history["outline"][:-1]), "has shape"),
        (lambda s: s.sites["representation"].values["sv_left"].__setitem__((1, 3), np.nan), "NaN"),
        (lambda s: s.sites["representation"].values.update(odd=np.zeros((5, 32))), "odd is not in the schema"),
    ],
)
def test_records_that_break_the_schema_never_reach_the_disk(tmp_path: Path, spoil, message: str):
    subject = invented_subject()
    spoil(subject)
    with pytest.raises(ValueError, match=message):
        write_study(tmp_path / "study.h5", invented_header(), [subject])
    assert [entry.name for entry in tmp_path.iterdir()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_when_no_more_can_be_written_the_old_study_stands(tmp_path: Path):
    import resource

    path = tmp_path / "study.h5"
    write_study(path, invented_header((0,)), [])
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(BadInput, match=r"cannot write .*study\.h5: the file is too large"):
            write_study(path, invented_header((0,)), invented_conditions((0,)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.h5"]


def test_subjects_that_do_not_belong_are_refused(tmp_path: Path):
    header = invented_header(conditions=[ConditionHeader("normal")])
    with pytest.raises(ValueError, match="no condition 'other'"):
        write_study(tmp_path / "study.h5", header, [invented_subject("other")])
    with pytest.raises(ValueError, match="seed 0 twice"):
        write_study(tmp_path / "study.h5", header, [invented_subject(), invented_subject()])
    assert [entry.name for entry in tmp_path.iterdir()] == []


def test_a_subject_that_cannot_be_stored_does_not_take_the_study_with_it(tmp_path: Path):
    good, bad = invented_conditions(seeds=(0, 1))[:2]
    bad.sites["representation"].values["sv_left"][-1, 0] = np.inf
    path, failures = tmp_path / "study.h5", {}
    write_study(path, invented_header((0, 1), (good.condition,)), [good, bad], failures=failures)
    assert list(failures) == [(bad.condition, bad.seed)] and "infinite" in failures[bad.condition, bad.seed]
    study = load_study(path)
    assert [subject.seed for subject in study.conditions[0].subjects] == [good.seed] and not study.complete
    assert study.failures == failures and verify_study(path) == []


def test_what_a_user_added_to_a_study_survives_when_it_is_put_together_again(tmp_path: Path):
    path, subjects = tmp_path / "study.h5", invented_conditions()
    write_study(path, invented_header(), subjects)
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "read with care"
        file["conditions"][subjects[0].condition].attrs["cohort"] = 3
    write_study(path, invented_header(), subjects)
    with h5py.File(path) as file:
        assert file.attrs["note"] == "read with care"
        assert file["conditions"][subjects[0].condition].attrs["cohort"] == 3
    assert verify_study(path) == []


def test_arrays_go_through_a_node_as_they_are(tmp_path: Path):
    state = {"größe.weight": torch.arange(6.0).reshape(2, 3), "batches": torch.tensor(7), "none": torch.zeros(0, 4)}
    column = {"epoch": np.array([3]), "eye": np.array([[b"left", b"right"]]), "seen": np.array([[True, False]])}
    record = NodeRecord("a" * 24, "", 0, 0, 3, "{}", 3, state=state, history={"epoch": np.arange(3)[::-1]})
    record.probes = {"trunk.0": column, "odi/first_binocular": {"odi": np.arange(6.0).reshape(2, 3).T}}
    path = tmp_path / f"{record.identity}.h5"
    record.write(path)
    whole, measured = read_node(path), read_node(path, state=False)
    assert whole is not None and measured is not None and not measured.state
    assert {name: value.dtype for name, value in whole.state.items()} == {n: v.dtype for n, v in state.items()}
    assert all(torch.equal(value, state[name]) for name, value in whole.state.items())
    for found in (whole, measured):
        np.testing.assert_array_equal(found.history["epoch"], record.history["epoch"], strict=True)
        assert set(found.probes) == set(record.probes)
        for site, columns in record.probes.items():
            for name, values in columns.items():
                np.testing.assert_array_equal(found.probes[site][name], values, strict=True)
