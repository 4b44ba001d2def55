"""Opening studies with the ordinary libraries, and what is said of files that are none."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from binocular.stimuli.errors import BadInput
from binocular.store.opening import open_study
from binocular.store.schema import VERSION
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_tree

TWO = ("normal", "deprived-early")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("opening") / "study.h5"
    write_study(path, invented_header((0, 10), TWO), invented_conditions((0, 10), TWO), invented_tree())
    return path


@pytest.mark.parametrize("folder", [False, True])
def test_a_study_opens_with_named_dimensions(study: Path, folder: bool):
    with open_study(study.parent if folder else study) as tree:
        assert list(tree["conditions"].children) == list(TWO)
        assert list(tree["conditions/normal"].children) == ["0", "10"]
        probes = tree["conditions/normal/10/probes/representation"]
        assert probes["rsv"].dims == ("checkpoint", "unit")
        assert list(probes["epoch"].values) == [0, 3, 6, 9, 12]
        assert "epoch" in probes.coords
        groups = tree["conditions/normal/10/dominance/representation/groups"]
        assert groups.sel(group=slice(2, 6)).dims == ("checkpoint", "group")
        assert tree["summary/vision/stereopsis"].sel(condition="deprived-early") < 0.8
        assert tree.attrs["treated_eye"] == "right"


def test_xarray_finds_the_format_by_itself(study: Path):
    import xarray

    with xarray.open_datatree(study) as tree:
        assert tree["tree/seconds"].dims == ("node",)


def damaged(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 64]) + whole[middle + 1 :]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda whole: whole[: len(whole) // 2], "cut off"),
        (lambda whole: whole[:20], "cannot be read"),
        (lambda whole: b"", "not an HDF5 file"),
        (lambda whole: b"PK\x03\x04" + whole, "not an HDF5 file"),
        (lambda whole: pickle.dumps({"a": 1}), "not an HDF5 file"),
        (damaged, "is damaged"),
    ],
)
def test_files_that_are_no_study(study: Path, tmp_path: Path, spoil, message: str):
    path = tmp_path / "other.h5"
    path.write_bytes(spoil(study.read_bytes()))
    with pytest.raises(BadInput, match=message) as found:
        open_study(path)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (f"binocular/{VERSION + 1}", "update binocular"),
        ("binocular/0", "unknown schema"),
        ("other/1", "not a study"),
        (3, "not a study"),
    ],
)
def test_other_schemas(tmp_path: Path, schema: object, message: str):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = schema
    with pytest.raises(BadInput, match=message):
        open_study(path)


def test_foreign_hdf5_and_a_missing_file(tmp_path: Path):
    with pytest.raises(BadInput, match="does not exist"):
        open_study(tmp_path / "study.h5")
    with pytest.raises(BadInput, match=re.escape(str(tmp_path / "study.h5"))):
        open_study(tmp_path)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(BadInput, match="attribute 'schema'"):
        open_study(tmp_path / "foreign.h5")


def test_a_study_that_another_program_rewrote_still_opens(study: Path, tmp_path: Path):
    path = tmp_path / "study.h5"
    path.write_bytes(study.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = "read with care"
    with open_study(path) as tree:
        assert tree.attrs["note"] == "read with care"


def test_a_part_can_be_opened_alone(study: Path):
    with open_study(study, group="/summary") as summary:
        assert summary["dominance/representation/cbi"].dims == ("row",)
        assert set(summary.children) == {"dominance", "vision"}
    with pytest.raises(BadInput, match="nowhere"):
        open_study(study, group="/nowhere")
