"""The README's Python and protocol do what it says, and the page of the controls what it says of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from binocular import protocols
from binocular.networks.build import NETWORKS, build_network
from binocular.networks.sites import resolve_site
from binocular.probes.recording import units_at
from binocular.protocols.deficits import DEFICITS
from binocular.protocols.phases import unroll
from binocular.stimuli.registry import STIMULI

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


def test_the_lines_of_python_give_a_histogram(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["stimulus.n_train=20", "stimulus.n_test=20", "network.options.width=2", "probes.every=30"]
    few = [*small, "probes.n_stimuli=4", "probes.bootstrap=0", "training.evaluate_every=30"]
    code = _block("python").replace('"closed-early"])', f'"closed-early"], {few})')
    assert "width=2" in code
    exec(code, names := {})
    table = [line.split() for line in capsys.readouterr().out.splitlines() if re.match(r"[1-7] ", line)]
    assert [row[0] for row in table] == list("1234567")
    for column in (1, 2):
        assert sum(float(row[column]) for row in table) == pytest.approx(1, abs=1e-3)
    assert (tmp_path / "dominance.png").is_file() and len(names["study"].units())


def test_the_protocol_loads(tmp_path):
    (tmp_path / "patch.toml").write_text(_block("toml"))
    protocol = protocols.load_protocol(str(tmp_path / "patch.toml"))
    assert [condition.name for condition in protocol.conditions] == ["deprived-2", "deprived-5", "deprived-10"]


def told() -> str:
    controls = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
    return " ".join((README + controls).split())


def test_the_histories_and_the_facts_are_those_of_the_result_file():
    found = json.loads((ROOT / "data" / "results" / "animal-histories.json").read_text(encoding="utf-8"))
    facts = [fact["first"] for fact in found["facts"] if fact["ours"] is not None]
    assert {one["subjects"] for one in found["conditions"]} == {5}
    assert f"goes through {len(found['conditions'])} rearing histories with five subjects each" in told()
    assert f"of {len(facts)} published facts {facts.count('holds')} hold at the first binocular cells" in told()


def test_what_is_said_of_the_main_experiment_is_what_its_protocol_does():
    protocol = protocols.load_protocol("monocular-deprivation")
    late = next(one for one in protocol.conditions if one.name == "deprived-late")
    rates = [epoch.learning_rate for epoch in unroll(late.phases, protocol.training) if epoch.deficits]
    assert f"A late closure meets a rate of {max(rates):.1g} and less" in told()
    assert f"closed for {len(rates)} epochs" in told() and f"within {late.phases[-1].epochs} epochs" in told()
    assert f"stays high for {protocol.training.learning_rate_hold} epochs" in told()
    stimulus = protocol.stimulus.sample()
    network = build_network(protocol.network.kind, protocol.network.options, stimulus.shape, stimulus.n_classes, 0)
    (units,) = units_at(network, stimulus.shape, [resolve_site(network, "first_binocular")]).values()
    assert f"({units.channels * len(units.places)} in a subject)" in told()


def test_a_restarted_rate_turns_the_cells_by_momentum_alone_as_is_told():
    kept = json.loads((ROOT / "data" / "results" / "deprivation-controls.json").read_text(encoding="utf-8"))
    found = {one["name"]: one for one in kept["conditions"]}
    for name in ("late-phase-clock-momentum-forgotten", "normal-phase-clock"):
        cells = found[name]["cells"]
        assert found[name]["n"] == 5 and 0.4 < cells["CBI"][1] < cells["CBI"][2] < 0.6 and cells["stereopsis"][1] > 0.9
    assert found["late-phase-clock"]["cells"]["CBI"][2] < 0.25
    assert "it is the optimiser's momentum that does it" in told()


def test_every_named_page_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).is_file(), target


def test_it_names_every_network_stimulus_and_deficit():
    text = " ".join(README.split())
    assert [kind for kind in (*NETWORKS, *STIMULI) if f"`{kind}`" not in text] == []
    assert [kind for kind in DEFICITS if kind.replace("-", " ") not in text.lower()] == []
