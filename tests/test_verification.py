"""Verification finds what was damaged, altered or left out, and never falls over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.stimuli.errors import BadInput
from binocular.store import schema, vetting
from binocular.store.sealing import SEAL_BYTES, seal
from binocular.store.tables import attributes_checksum, checksum, plain_attributes
from binocular.store.verification import verify_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_tree

TWO = ("normal", "deprived-early")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verification") / "study.h5"
    write_study(path, invented_header((0, 1), TWO), invented_conditions((0, 1), TWO), invented_tree())
    return path


def test_a_sound_study(study: Path):
    assert verify_study(study) == []
    assert verify_study(study.parent) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"finished": "", "seeds": ()},
        {"treated_eye": "left"},
        {"seeds": (0, 1, 2)},
        {"conditions": ()},
        {"protocol": "", "versions": {}},
    ],
)
def test_other_sound_studies(tmp_path: Path, changes: dict):
    path = tmp_path / "study.h5"
    write_study(path, invented_header(**changes), invented_conditions((0, 1), TWO, tasks=()))
    assert verify_study(path) == []
    write_study(path, invented_header(**changes), [], failures={("normal", 0): "no memory"})
    assert verify_study(path) == []


def test_a_study_whose_units_are_all_silent(tmp_path: Path):
    subjects = invented_conditions((0,), TWO)
    for subject in subjects:
        values = subject.sites["representation"].values
        for name in ("rsv", "rsv_se", "interaction"):
            values[name][:] = np.nan
        subject.sites["representation"].n_silent[:] = values["rsv"].shape[1]
    write_study(tmp_path / "study.h5", invented_header((0,), TWO), subjects)
    assert verify_study(tmp_path / "study.h5") == []


def test_no_file(tmp_path: Path):
    with pytest.raises(BadInput, match="does not exist"):
        verify_study(tmp_path)


@settings(max_examples=60)
@given(data=st.data())
def test_any_flipped_byte_is_found(study: Path, tmp_path: Path, data):
    whole = study.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    spoilt = bytearray(whole)
    spoilt[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "spoilt.h5"
    path.write_bytes(spoilt)
    assert verify_study(path, inside=False)


@settings(max_examples=30)
@given(data=st.data())
def test_any_cut_is_found(study: Path, tmp_path: Path, data):
    whole = study.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert verify_study(path, inside=False)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_is_damaged_inside_is_told_or_at_least_survived(study: Path, tmp_path: Path, share: float):
    whole = study.read_bytes()
    at = int(share * len(whole))
    path = tmp_path / "spoilt.h5"
    path.write_bytes(whole[:at] + b"\xa5" * 40 + whole[at + 40 :])
    found = verify_study(path)
    assert "seal does not match" in found[0]
    assert len(found) > 1


def test_a_reader_that_dies_is_a_sentence(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "cut.h5"
    path.write_bytes(study.read_bytes()[:-SEAL_BYTES])
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    vetting._dismiss()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(dying))
        assert "HDF5 failed" in verify_study(path)[1]
    assert len(verify_study(path)) == 1, "the next reader is a new one"


def test_foreign_files(tmp_path: Path):
    path = tmp_path / "study.h5"
    path.write_text("not this")
    assert "not an HDF5 file" in verify_study(path)[0]
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = "binocular/99"
    assert any("update binocular" in line for line in verify_study(path))
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
    assert any("not a study" in line for line in verify_study(path))


SUBJECT = "conditions/deprived-early/1"
DOMINANCE = f"{SUBJECT}/dominance/representation"


def put(name: str, change: Callable[[np.ndarray], np.ndarray], honest: bool = True) -> Callable[[h5py.File], None]:
    """Alter a dataset; with a new checksum, as someone would who knows how the file is made."""

    def alter(file: h5py.File) -> None:
        dataset = file[name]
        dataset[...] = change(dataset[()])
        if honest:
            dataset.attrs["checksum"] = checksum(dataset[()])

    return alter


def attribute(name: str, key: str, value: object) -> Callable[[h5py.File], None]:
    def alter(file: h5py.File) -> None:
        group = file[name]
        group.attrs[key] = value
        if "attributes_checksum" in group.attrs:
            group.attrs["attributes_checksum"] = attributes_checksum(plain_attributes(group))

    return alter


def drop(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def poke(values: np.ndarray, value: float) -> np.ndarray:
    values.flat[3] = value
    return values


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (put(f"{SUBJECT}/history/train_loss", lambda x: x * 1.01, honest=False), "train_loss: its values were altered"),
        (put(f"{SUBJECT}/probes/representation/rsv", lambda x: poke(x, 0.1234)), "rsv is not"),
        (put(f"{SUBJECT}/probes/representation/rsv", lambda x: poke(x, 1.5)), "at most 1 is allowed"),
        (put(f"{SUBJECT}/probes/representation/sv_left", lambda x: poke(x, -1)), "at least 0"),
        (put(f"{SUBJECT}/probes/representation/n_silent", lambda x: x + 1), "n_silent is not the number"),
        (put(f"{SUBJECT}/probes/representation/interaction", lambda x: poke(x, np.nan)), "should be missing"),
        (put(f"{SUBJECT}/probes/representation/epoch", lambda x: x[::-1].copy()), "epoch should rise"),
        (put(f"{SUBJECT}/history/epoch", lambda x: x + 1), "should count 1, 2, 3"),
        (put(f"{SUBJECT}/history/phase", lambda x: x + 9), "names a phase"),
        (put(f"{SUBJECT}/history/test_accuracy", lambda x: poke(x, np.inf)), "infinite"),
        (put(f"{DOMINANCE}/groups", lambda x: x + 1), "do not add up"),
        (put(f"{DOMINANCE}/cbi", lambda x: x * 0.5 + 0.1), "cbi is not what rsv gives"),
        (put(f"{DOMINANCE}/epoch", lambda x: x + 1), "its checkpoints are not those"),
        (put("summary/dominance/representation/cbi_low", lambda x: x - 0.1), "cbi_low is not what the subjects give"),
        (put("summary/vision/stereopsis", lambda x: x * 0.99), "stereopsis is not what the subjects give"),
        (put("tree/stop", lambda x: x * 0), "ends before it begins"),
        (attribute("/", "treated_eye", "left"), "cbi is not what rsv gives"),
        (attribute("/", "treated_eye", "both"), "treated_eye should be"),
        (attribute("/", "sign_convention", "-1 left eye only"), "sign_convention should be"),
        (attribute("/", "complete", 7), "complete should be"),
        (attribute("/", "seeds", [0, 1, 2]), "has no seed 2"),
        (attribute("/", "created", "yesterday"), "not a date"),
        (attribute("/", "protocol", "a = "), "not TOML"),
        (attribute("/", "versions", "{"), "not JSON"),
        (attribute(SUBJECT, "seed", 5), "its seed is 5"),
        (attribute(f"{SUBJECT}/history/train_loss", "units", "bit"), "its units are 'bit'"),
        (attribute(f"{SUBJECT}/history/train_loss", "long_name", "loss"), "long_name"),
        (lambda file: file.attrs.modify("title", "another"), "attributes were altered"),
        (drop(f"{SUBJECT}/probes/representation/sv_left"), "sv_left is missing"),
        (drop(f"{SUBJECT}/history"), "history is missing"),
        (drop(f"{DOMINANCE}"), "dominance/representation is missing"),
        (drop(f"{SUBJECT}/probes/representation"), "there are no probes of that site"),
        (drop("summary/vision"), "summary/vision is missing"),
        (drop("conditions"), "conditions is missing"),
        (drop(SUBJECT), "is not what the subjects give"),
        (lambda file: file.attrs.__delitem__("command"), "the attribute command is missing"),
        (lambda file: file.create_group("extra"), "extra is not part of the format"),
        (lambda file: file[SUBJECT].create_dataset("history/extra", data=np.zeros(12)), "extra"),
    ],
)
def test_alterations_are_found_even_under_a_new_seal(study: Path, tmp_path: Path, alter, message: str):
    path = tmp_path / "altered.h5"
    path.write_bytes(study.read_bytes())
    with h5py.File(path, "r+") as file:
        alter(file)
    assert "no seal" in verify_study(path, inside=False)[0]
    seal(path)
    found = verify_study(path)
    assert any(message in line for line in found), found


def test_a_missing_scale_is_found(study: Path, tmp_path: Path):
    path = tmp_path / "altered.h5"
    path.write_bytes(study.read_bytes())
    with h5py.File(path, "r+") as file:
        dataset = file[f"{SUBJECT}/history/train_loss"]
        dataset.dims[0].detach_scale(file[f"{SUBJECT}/history/epoch"])
    seal(path)
    assert any("dimension scale epoch" in line for line in verify_study(path))


def test_every_field_says_what_it_is():
    tables = (schema.HISTORY, schema.PROBES, schema.DOMINANCE, schema.SUMMARY_DOMINANCE, schema.SUMMARY_VISION)
    for table in (*tables, schema.TREE, schema.FAILURES):
        for name, field in table.items():
            assert field.units and field.long_name, name
            assert all(dim in table for dim in field.dims), name
