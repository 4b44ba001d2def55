"""Measuring a finished study again: what is found lies in the study, verified, and is kept by later runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from binocular.probes.registry import PROBES, probe_from, probe_type
from binocular.report.tables import headline_cells, list_probes
from binocular.runs.measuring import measure_study
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store import schema
from binocular.store.measures import measure_path
from binocular.store.opening import open_study
from binocular.store.sealing import seal
from binocular.store.snapshots import node_path, prune_node, read_node
from binocular.store.study import load_study
from binocular.store.tables import attributes_checksum, plain_attributes
from binocular.store.verification import verify_study
from tests.console import assert_one_sentence, binocular
from tests.tiny import arrays, tiny

QUICK = {
    "source-variance": ("n_stimuli=6", "bootstrap=5"),
    "odi": ("n_stimuli=6", "resamplings=20", "frequencies=[1, 2]"),
    "disparity": ("repeats=3", "permutations=19", "orientations=[0]", "frequencies=[1]", "phases=4"),
    "acuity": ("frequencies=[1, 2]", "contrasts=[0.4, 1]", "n_train=8", "n_test=8", "resamplings=5"),
    "stereoacuity": ("disparities=[1, 2]", "n_train=8", "n_test=8", "resamplings=5"),
    "stereo-threshold": ("n_scenes=8", "correlations=[0.2, 0.5, 1]", "disparities=[0.25, 0.5, 1]"),
    "one-eye": ("n_stimuli=20", "folds=2"),
    "usable-information": ("n_stimuli=20", "folds=2", "penalties=[100]"),
    "fisher": ("n_stimuli=4",),
    "weights": (),
    "plasticity": ("n_stimuli=20", "directions=4"),
    "receptive-fields": ("n_stimuli=20",),
}
TWO_AREAS = "probes.sites=['first_binocular', 'representation']"


@pytest.fixture(scope="module")
def reared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reared")
    run_study(tiny(folder, TWO_AREAS), folder / "out", device="cpu", keep="all")
    return folder


@pytest.fixture
def study(reared, tmp_path):
    shutil.copytree(reared / "out", tmp_path / "out")
    return tmp_path / "out"


def test_every_probe_has_a_quick_setting():
    assert set(QUICK) == set(PROBES)
    for name in PROBES:
        assert probe_type(name).name == name and probe_type(name).about


@pytest.mark.parametrize("name", QUICK)
def test_a_probe_goes_through_the_file_and_back(study, name):
    before = arrays(study / "study.h5")
    measure_study(study, probe_from(name, QUICK[name]))
    assert verify_study(study) == []
    after = arrays(study / "study.h5")
    for key, values in before.items():
        np.testing.assert_array_equal(after[key], values, err_msg=f"{key} was changed by measuring")
    measured = load_study(study)
    for condition, epochs in {"normal": [0, 2, 3, 6], "early": [0, 2, 4], "late": [0, 2, 3, 6]}.items():
        subject = next(c for c in measured.conditions if c.name == condition).subjects[0]
        ((_, site), record) = next(iter(subject.measures.items()))
        assert set(record.epoch) <= set(epochs) and {epochs[0], epochs[-1]} <= set(record.epoch)
        assert set(record.values) == set(probe_type(name).columns)
        cells = headline_cells(measured.conditions[0], probe_type(name), site, -1)
        assert cells and all(cell.n <= 1 for cell in cells.values())
    with open_study(study, group=f"/conditions/late/0/measures/{name}/{site}") as table:
        assert "epoch" in table.coords
        for column, about in probe_type(name).columns.items():
            assert table[column].dims == about.dims
            assert table[column].attrs["units"] == about.units
            assert table[column].attrs["long_name"] == about.long_name
    with h5py.File(study / "study.h5") as file:
        settings = json.loads(str(file[f"conditions/normal/0/measures/{name}/{site}"].attrs["settings"]))
    assert settings == probe_from(name, QUICK[name]).model_dump(mode="json")


def test_measuring_again_gives_the_same_and_other_measures_stay(study):
    odi = probe_from("odi", QUICK["odi"])
    measure_study(study, odi)
    once = arrays(study / "study.h5")
    measure_study(study, probe_from("weights"))
    measure_study(study, probe_from("odi", [*QUICK["odi"], "units=map"]))
    measure_study(study, odi, sites=["trunk.0"], when="end")
    again = arrays(study / "study.h5")
    assert set(once) < set(again)
    for key, values in once.items():
        np.testing.assert_array_equal(again[key], values, err_msg=key)
    sites = {key.split("/")[5] for key in again if "measures/odi" in key}
    assert sites == {"first_binocular", "first_binocular.map", "trunk.0"}
    assert again["conditions/normal/0/measures/odi/trunk.0/epoch"].tolist() == [0, 6]


def test_rearing_again_in_the_folder_keeps_the_measures(study, reared):
    measure_study(study, probe_from("odi", QUICK["odi"]))
    once = arrays(study / "study.h5")
    outcome = run_study(tiny(reared, TWO_AREAS), study, device="cpu")
    assert outcome.reared == 0
    again = arrays(study / "study.h5")
    assert set(again) == set(once)
    for key, values in once.items():
        np.testing.assert_array_equal(again[key], values, err_msg=key)
    # Another study with some of the same subjects takes theirs.
    run_study(tiny(reared, TWO_AREAS, "conditions.late.phases.2.epochs=2"), study, device="cpu")
    measured = {c.name: bool(c.subjects[0].measures) for c in load_study(study).conditions}
    assert measured == {"normal": True, "early": True, "late": False}
    assert verify_study(study) == []


def test_the_index_lies_beside_rsv_where_there_is_a_snapshot(study):
    measure_study(study, probe_from("odi", QUICK["odi"]))
    subject = load_study(study).conditions[0].subjects[0]
    record, site = subject.measures["odi", "first_binocular"], subject.sites["first_binocular"]
    for epoch, values in zip(site.epoch, site.values["odi"], strict=True):
        there = np.flatnonzero(record.epoch == epoch)
        expected = record.values["odi"][there[0]] if len(there) else np.full(len(values), np.nan)
        np.testing.assert_array_equal(values, expected)
    # RSV of the snapshot is that of rearing: the same network and the same stimuli, on a grid of n_stimuli.
    np.testing.assert_allclose(record.values["rsv"][-1], site.values["rsv"][-1], atol=1e-5)


def test_a_fault_in_a_measure_is_found(study):
    measure_study(study, probe_from("odi", QUICK["odi"]))
    path = study / "study.h5"

    def faults(change):
        broken = study / "broken.h5"
        shutil.copy(path, broken)
        with h5py.File(broken, "r+") as file:
            change(file["conditions/normal/0"])
        seal(broken)
        return " ".join(verify_study(broken))

    assert faults(lambda group: None) == ""
    assert "checksum" in faults(lambda group: group["measures/odi/first_binocular/odi"].__setitem__((0, 0), 0.123))
    assert "odi is not what measures/odi/first_binocular gives" in faults(
        lambda group: group["probes/first_binocular/odi"].__setitem__((0, 0), 0.123)
    )
    assert "altered" in faults(lambda g: g["measures/odi/first_binocular"].attrs.__setitem__("settings", "{}"))
    assert "response is missing" in faults(lambda g: g["measures/odi/first_binocular"].__delitem__("response"))


def test_snapshots_that_are_gone_are_told_in_a_sentence(study):
    before = (study / "study.h5").read_bytes()
    subject = next(c for c in load_study(study).conditions if c.name == "late").subjects[0]
    end = node_path(study, subject.subject_id)
    record = read_node(end)
    assert record is not None
    prune_node(node_path(study, record.parent))
    with pytest.raises(BadInput, match=r"--keep.*--when end"):
        measure_study(study, probe_from("weights"))
    measure_study(study, probe_from("weights"), when="end")
    assert load_study(study).conditions[2].subjects[0].measures["weights", "network"].epoch.tolist() == [0, 6]
    (study / "study.h5").write_bytes(before)
    end.unlink()
    with pytest.raises(BadInput, match=f"{subject.subject_id}.*condition late, seed 0.*missing"):
        measure_study(study, probe_from("weights"), when="end")
    assert (study / "study.h5").read_bytes() == before


def test_a_damaged_measure_is_told(study, reared):
    measure_study(study, probe_from("weights"))
    subject = load_study(study).conditions[0].subjects[0]
    path = measure_path(study, subject.subject_id, "weights")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match=r"damaged.*measure again"):
        run_study(tiny(reared, TWO_AREAS), study, device="cpu")


@pytest.mark.parametrize(
    ("name", "request_", "words"),
    [
        ("sonar", {}, ("--probe is 'sonar', but must be one of: ", "odi")),
        ("odi", {"set": "colour=1"}, ("probe odi.colour", "frequencies")),
        ("odi", {"set": "contrast=2"}, ("probe odi.contrast", "must be 1 or less")),
        ("odi", {"set": "a.b=2"}, ("fields in fields", "orientations")),
        ("acuity", {"set": "contrasts=[1, 0.4]"}, ("contrasts must be positive and rise",)),
        ("acuity", {"set": "acuity_contrast=0.3"}, ("acuity_contrast 0.3 is not one of contrasts",)),
        ("odi", {"set": "frequencies=[99]"}, ("99", "cycles/image")),
        ("odi", {"sites": ["trunk.99"]}, ("no site 'trunk.99'", "representation", "trunk.1")),
        ("odi", {"when": "never"}, ("--when", "branches, end")),
        ("odi", {"device": "abacus"}, ("--device", "cpu")),
    ],
)
def test_bad_requests_are_told_in_a_sentence(reared, name, request_, words):
    options = {key: value for key, value in request_.items() if key != "set"}
    before = (reared / "out" / "study.h5").read_bytes()
    with pytest.raises(BadInput) as told:
        measure_study(reared / "out", probe_from(name, [request_["set"]] if "set" in request_ else []), **options)
    for word in words:
        assert word in str(told.value)
    assert "\n" not in str(told.value) and (reared / "out" / "study.h5").read_bytes() == before


def test_the_command_line_measures(study):
    done = binocular("measure", "out", "--probe", "weights", cwd=study.parent)
    assert done.returncode == 0, done.stderr
    assert "untrained" in done.stdout and "norm, left" in done.stdout
    assert Path(study / "measures").is_dir()
    assert_one_sentence(binocular("measure", "out", cwd=study.parent), "--probe", "--list")


def test_probes_and_their_settings_are_listed(capsys):
    list_probes()
    listed = capsys.readouterr().out
    assert all(name in listed for name in PROBES)
    list_probes("acuity")
    listed = capsys.readouterr().out
    assert "criterion" in listed and "0.75" in listed


def test_a_probe_taken_at_checkpoints_finds_what_it_finds_later(tmp_path):
    also = ("probes.also=['odi']", "probes.sites=['first_binocular', 'trunk.1.rectify1.pooled']")
    path = run_study(tiny(tmp_path, *also), tmp_path / "out", device="cpu", keep="all").study
    assert verify_study(path) == []
    reared = load_study(path).condition("late").subjects[0]
    assert set(reared.measures) == {("odi", "first_binocular"), ("odi", "trunk.1.rectify1.pooled")}
    for site, record in reared.sites.items():
        at_checkpoint = reared.measures["odi", site]
        np.testing.assert_array_equal(at_checkpoint.epoch, record.epoch)
        np.testing.assert_array_equal(at_checkpoint.values["odi"], record.values["odi"])
        assert at_checkpoint.units == record.units and at_checkpoint.values["eye"].tolist() == ["left", "right"]
    measure_study(path, "odi", sites=["first_binocular"])
    later = load_study(path).condition("late").subjects[0].measures["odi", "first_binocular"]
    before = reared.measures["odi", "first_binocular"]
    rows = [before.epoch.tolist().index(epoch) for epoch in later.epoch]
    assert later.settings == before.settings and later.units == before.units
    for name in ("odi", "response", "orientation_tuning"):
        np.testing.assert_allclose(later.values[name], before.values[name][rows], atol=1e-4, err_msg=name)


def test_a_study_of_version_1_can_be_measured(tmp_path):
    """What version 1 calls ``trunk.0`` is pooled; the study is written anew as version 2 and says so."""
    sites = "probes.sites=['representation', 'trunk.0.pooled', 'representation.map']"
    path = run_study(tiny(tmp_path, sites), tmp_path / "out", device="cpu").study
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = "binocular/1"
        file.attrs["attributes_checksum"] = attributes_checksum(plain_attributes(file))
        for condition in file["conditions"].values():
            for subject in condition.values():
                for part in ("probes", "dominance"):
                    subject.move(f"{part}/trunk.0.pooled", f"{part}/trunk.0")
                for site in subject["probes"].values():
                    for name in (*schema.SITE_ATTRIBUTES, "attributes_checksum"):
                        del site.attrs[name]
        file["summary/dominance"].move("trunk.0.pooled", "trunk.0")
        for site in file["summary/dominance"].values():
            del site["n_units"], site["n_silent"]
    seal(path)
    assert verify_study(path) == []
    assert load_study(path).default_site == "representation"
    measure_study(path, "weights")
    assert verify_study(path) == []
    units = {site: record.units for site, record in load_study(path).conditions[0].subjects[0].sites.items()}
    assert {site: (about.kind, about.module) for site, about in units.items() if about is not None} == {
        "representation": ("pooled", "trunk"),
        "representation.map": ("map", "trunk"),
        "trunk.0.pooled": ("pooled", "trunk.0"),
    }
