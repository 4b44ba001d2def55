"""Results in a notebook: tables of pandas, short texts, and a subject reared in one line."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
import torch

from binocular.dominance import groups_of
from binocular.networks.build import build_network
from binocular.runs.notebook import rear
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.study import Study, load_study
from tests.strangers import Concatenating, Side
from tests.tiny import tiny


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("tables")
    sites = "probes.sites=['first_binocular', 'representation', 'representation.map']"
    return load_study(run_study(tiny(folder, "seeds=2", sites), folder / "out", "cpu").study)


def test_units_are_rows_with_all_that_is_known_of_them(study):
    units = study.units()
    assert list(units.columns[:5]) == ["condition", "seed", "area", "epoch", "unit"]
    assert set(units["area"]) == {"first_binocular", "representation", "representation.map"}
    subject = study.condition("early").subjects[1]
    record = subject.sites["first_binocular"]
    assert record.units is not None
    of = units[(units.condition == "early") & (units.seed == 1) & (units.area == "first_binocular")]
    last = of[of.epoch == 4].sort_values("unit")
    np.testing.assert_array_equal(last["rsv"], record.values["rsv"][-1])
    assert set(last["kind"]) == {"cell"} and last["channel"].max() == record.units.channels - 1
    assert list(zip(last["row"], last["column"], strict=True))[: len(record.units.places)] == record.units.places
    expected = groups_of(record.values["rsv"][-1])
    found = last["group"].value_counts()
    assert [found.get(group, 0) for group in range(1, 8)] == expected.tolist()
    assert "row" not in study.units("representation")


def test_groups_and_history_agree_with_the_study(study):
    groups = study.groups("first_binocular")
    shares = groups[(groups.condition == "normal") & (groups.epoch == 6)].pivot(
        index="seed", columns="group", values="share"
    )
    np.testing.assert_allclose(shares.to_numpy(), study.condition("normal").shares("first_binocular"))
    history = study.history()
    assert len(history) == 2 * (6 + 4 + 6)
    assert {"condition", "seed", "epoch", "test_accuracy", "stereopsis"} <= set(history.columns)
    with pytest.raises(BadInput, match="no area 'retina'; accepted are first_binocular, "):
        study.units("retina")


def test_texts_of_a_study_are_short(study):
    assert repr(study) == (
        "<Study 'Tiny': subjects normal (2), early (2), late (2); areas first_binocular, representation, "
        "representation.map>"
    )
    assert repr(study.conditions[0]) == "<Condition 'normal': seeds 0, 1>"
    assert len(repr(study.conditions[0].subjects[0])) < 200


def test_a_network_is_reared_in_one_line(tmp_path, capsys):
    made = Side((1, 12, 12), 8)
    with torch.no_grad():
        made.trunk[0].bias.fill_(-1e3)  # type: ignore[index]
    ways = [("split-cnn", ["network.options.width=2"]), (Concatenating, []), (made, [])]
    for network, own in ways:
        found = rear(network, tiny(tmp_path), "normal", ["conditions.normal.phases.0.epochs=1", *own], seed=3)
        assert "1 of 1 subject-epochs" in capsys.readouterr().out
        assert [c.name for c in found.conditions] == ["normal"] and found.conditions[0].subjects[0].seed == 3
        assert isinstance(found.groups(), pandas.DataFrame) and "first_binocular" in found.sites
    untrained = found.units("first_binocular").query("epoch == 0")
    assert untrained["group"].isna().all(), "the network itself is reared, with the weights that it has"
    assert isinstance(build_network("tests.strangers:Side", {}, (3, 16, 16), 4, 0), Side), "its class stays what it is"
    with pytest.raises(BadInput, match="no condition 'closed'; accepted: normal, early, late"):
        rear("split-cnn", tiny(tmp_path), "closed")


def test_other_weights_of_a_network_are_other_subjects_in_a_folder_that_is_kept(tmp_path):
    short = ["conditions.normal.phases.0.epochs=1"]
    kept = ((tmp_path / "one", 7), (tmp_path / "one", 8), (tmp_path / "other", 8))
    networks = [build_network("split-cnn", {"width": 2}, (1, 12, 12), 8, seed) for _, seed in kept]
    reared = [
        rear(network, tiny(tmp_path), "normal", short, folder=folder)
        for network, (folder, _) in zip(networks, kept, strict=True)
    ]
    losses = [study.history()["train_loss"][0] for study in reared]
    assert losses[0] != losses[1] == losses[2]
