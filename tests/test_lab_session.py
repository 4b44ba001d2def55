"""The lab without a page: controls act, are recorded, and repeat exactly."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import binocular.lab as lab_package
from binocular.lab import Controls, EyeControls, Session
from binocular.lab.animals import Done, animal_beside, animals
from binocular.lab.fields import receptive_fields, strongest_units
from binocular.lab.saving import save_study
from binocular.networks.mlp import SplitMLP
from binocular.protocols import Protocol, load_protocol, parse_protocol
from binocular.report.figures.style import EYE_COLOURS, TASK_COLOURS
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.study import load_study
from binocular.store.verification import verify_study
from tests.patience import wait_until
from tests.tiny import assert_same

TINY = ("stimulus.n_train=60", "stimulus.n_test=40", "stimulus.size=12", "network.options.width=2")
CLOSED = Controls(right=EyeControls(closed=True))


def tiny() -> Protocol:
    return load_protocol("teaching-lab", [*TINY, "training.batch_size=20", "probes.n_stimuli=6"])


@pytest.fixture
def session():
    messages: list[dict] = []
    session = Session(tiny(), seed=3, listen=messages.append)
    session.messages = messages
    yield session
    session.close()


def ages(session: Session) -> list[int]:
    return [message["frame"]["age"] for message in session.messages if message["type"] == "frame"]


def test_a_saved_protocol_repeats_the_subjects_bit_for_bit(session, tmp_path):
    session.step(2).result()
    session.set_controls(CLOSED)
    session.step(3).result()
    session.set_controls(Controls(left=EyeControls(blur=1.5, contrast=0.4), right=EyeControls(noise=0.7), prism=-3))
    session.step(2).result()
    session.littermate()
    session.step(2).result()
    session.set_controls(Controls(left=EyeControls(closed=True), right=EyeControls(closed=True)))
    session.step(1).result()

    toml = session.saved_protocol().result().to_toml()
    kept = session.save_study(tmp_path / "kept").result()
    assert verify_study(kept) == []
    reared = run_study(parse_protocol(toml), tmp_path / "reared", "cpu")
    assert reared.reared == 7 + 1 and not reared.failures  # the first two epochs are common to both
    assert_same(kept, reared.study)

    study = load_study(kept)
    assert [condition.name for condition in study.conditions] == ["subject", "littermate"]
    phases = study.conditions[0].subjects[0].phases
    assert [(phase["start"], phase["stop"]) for phase in phases] == [(0, 2), (2, 5), (5, 7)]
    assert [deficit["kind"] for deficit in phases[2]["deficits"]] == ["contrast-loss", "blur", "noise", "misalignment"]
    shown = [message["frame"] for message in session.messages if message["type"] == "frame"]
    for area in ("first_binocular", "representation"):
        rsv = study.conditions[0].subjects[0].sites[area].values["rsv"]
        np.testing.assert_allclose(shown[6]["areas"][area]["rsv"], rsv[7][~np.isnan(rsv[7])], atol=5e-4)


def test_saving_does_not_rear_again(session, tmp_path, monkeypatch):
    session.step(1).result()
    session.set_controls(CLOSED)
    session.step(1).result()
    session.littermate()
    session.step(2).result()
    monkeypatch.setattr("binocular.runs.scheduling.rear_group", lambda *_: pytest.fail("reared again"))
    assert save_study(session.protocol, list(session._subjects.values()), tmp_path).is_file()


def test_a_control_takes_effect_at_the_next_epoch_and_is_recorded(session):
    session.step(1).result()
    session.set_controls(CLOSED).result()
    assert [stretch.stop for stretch in session._subjects["subject"].track.stretches] == [1]
    session.step(1).result()
    stretches = session._subjects["subject"].track.stretches
    assert [(stretch.start, stretch.stop) for stretch in stretches] == [(0, 1), (1, 2)]
    assert stretches[1].message()["eye"] == "right"
    closed = stretches[1].pictures[:, 1]  # noise of its own, and nothing of the scenes
    assert abs(np.std(closed) - 0.5) < 0.1 < np.ptp(stretches[1].pictures[:, 0])
    first, second = (message["stretch"] for message in session.messages if message["type"] == "frame")
    assert first["pictures"] is not None and second["text"] == "right eye occluded"


def test_an_experiment_works_the_controls_and_ends_by_itself(session):
    session.experiments["closed-early"] = [CLOSED] * 2 + [Controls()]
    session.experiment("closed-early").result()
    wait_until(lambda: 3 in ages(session) and session.messages[-1].get("playing") is False)
    track = session._subjects["subject"].track
    assert [(s.start, s.stop, s.text) for s in track.stretches] == [
        (0, 2, "right eye occluded"),
        (2, 3, "both eyes open"),
    ]
    assert track.label == "right eye closed early"


def test_the_same_seed_gives_the_same_subject_and_another_seed_another(session):
    session.step(2).result()
    first = session._subjects["subject"].track.frames[-1].rsv["first_binocular"]
    session.restart().result()
    session.step(2).result()
    np.testing.assert_array_equal(session._subjects["subject"].track.frames[-1].rsv["first_binocular"], first)
    session.restart(seed=4).result()
    session.step(2).result()
    assert not np.array_equal(session._subjects["subject"].track.frames[-1].rsv["first_binocular"], first)


def test_playing_goes_on_until_paused_and_a_speed_holds_it_back(session):
    session.set_speed(0.3)
    began = time.monotonic()
    session.play()
    wait_until(lambda: len(ages(session)) >= 3)
    assert time.monotonic() - began >= 2 * 0.3  # the third epoch begins when two have lasted
    session.pause().result()
    grown = session._subjects["subject"].age
    threading.Event().wait(0.4)
    assert session._subjects["subject"].age == grown == ages(session)[-1]


def test_what_cannot_be_is_refused_in_one_sentence(session):
    for wrong, named in (
        ({"left": {"blur": 9.0}}, "left.blur"),
        ({"prism": 1.5}, "prism"),
        ({"lid": True}, "lid"),
        ({"right": {"closed": "yes"}}, "right.closed"),
    ):
        with pytest.raises(BadInput, match=named):
            Controls.checked(wrong)
    with pytest.raises(BadInput, match="accepted: normal"):
        session.experiment("nap")
    with pytest.raises(BadInput, match="accepted: 0 to 10"):
        session.set_speed(-1)
    with pytest.raises(BadInput, match="seed"):
        session.restart(-1)
    with pytest.raises(BadInput, match="accepted: subject"):
        session.choose("cat").result()
    with pytest.raises(BadInput, match="nothing has been reared yet"):
        session.saved_protocol().result()
    with pytest.raises(BadInput, match="accepted: absolute, constant"):
        Session(load_protocol("teaching-lab", ["training.clock=phase"]))


def test_every_experiment_of_the_library_can_be_set_at_the_desk():
    for condition in load_protocol("teaching-lab").resolved_conditions():
        for epoch in condition.epoch_conditions():
            assert Controls.of(epoch.deficits).deficits() == epoch.deficits
    strabismus = load_protocol("strabismus").resolved_conditions()[1].epoch_conditions()[0]
    with pytest.raises(BadInput, match="cannot do this"):
        Controls.of(strabismus.deficits)


def test_the_receptive_field_of_a_linear_unit_is_its_filter():
    network = SplitMLP((1, 4, 4), 3, width=5, depth=1)
    mixing = network.trunk[1].weight
    with torch.no_grad():
        for pathway in (network.left[1], network.right[1]):
            pathway.bias.fill_(20.0)  # far above the threshold, where the rectified unit is linear
    views = torch.randn(50, 2, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    fields = receptive_fields(network.eval(), views, [0, 3], 1)
    for place, unit in enumerate((0, 3)):
        for eye, pathway in enumerate((network.left[1], network.right[1])):
            expected = (mixing[unit] @ pathway.weight).detach()
            np.testing.assert_allclose(fields[place, eye].ravel(), expected, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        mixing[2] *= 50
    assert strongest_units(network, views, 1, 1) == [2]


PAGE = Path(lab_package.__file__).parent / "page"


def test_the_page_has_the_eyes_in_the_colours_of_the_figures():
    for name in ("charts.js", "lab.css", "icon.svg"):
        text = (PAGE / name).read_text()
        assert EYE_COLOURS["left"] in text and EYE_COLOURS["right"] in text
    assert TASK_COLOURS[1] in (PAGE / "charts.js").read_text()


def test_the_page_has_a_word_for_each_experiment_and_fetches_nothing_from_elsewhere():
    words = (PAGE / "words.js").read_text()
    for condition in load_protocol("teaching-lab").conditions:
        assert f'"{condition.name}":' in words
    for file in PAGE.iterdir():
        elsewhere = set(re.findall(r"https?://[^\s\"']+", file.read_text())) - {"http://www.w3.org/2000/svg"}
        assert not elsewhere, file


def test_a_fault_while_rearing_is_told_and_the_lab_stays_alive(session, monkeypatch):
    monkeypatch.setattr(session._subjects["subject"], "rear", lambda controls: 1 / 0)
    session.play().result()
    wait_until(lambda: any(message["type"] == "trouble" for message in session.messages))
    assert session.hello().result()["status"]["playing"] is False


def test_a_subject_whose_learning_broke_down_says_so_and_can_be_restarted(session, tmp_path, monkeypatch):
    session.step(1).result()

    def diverge(group: object, epoch: int) -> None:
        raise FloatingPointError("the loss is not a number")

    monkeypatch.setattr("binocular.rearing.stepwise.rear_epoch", diverge)
    session.step(2).result()
    told = [message["text"] for message in session.messages if message["type"] == "trouble"]
    assert len(told) == 2 and all("restart the subject" in text for text in told)
    assert [phase.epochs for phase in session.saved_protocol().result().conditions[0].phases] == [1]
    with pytest.raises(BadInput, match="restart it first"):
        session.save_study(tmp_path).result()
    monkeypatch.undo()
    session.restart().result()
    session.step(1).result()
    assert session.save_study(tmp_path / "again").result().is_file()


def test_the_animal_beside_is_the_one_to_which_the_same_was_done():
    known = animals()
    assert sum(known["monkey_md_2wk"]["shares"]) == pytest.approx(1, abs=1e-3)
    assert len(known["monkey_md_2wk"]["shares"]) == 7 and len(known["normal"]["shares"]) == 3

    def beside(*history: tuple[int, int, Controls]) -> tuple[str, str] | None:
        found = animal_beside([Done(start, stop, controls.deficits()) for start, stop, controls in history], 20)
        return None if found is None else (found["key"], found["deprived"])

    left, both = Controls(left=EyeControls(closed=True)), Controls(left=CLOSED.right, right=CLOSED.right)
    seeing = Controls()
    assert beside() == beside((0, 9, seeing)) == ("normal", "right")
    assert beside((0, 5, CLOSED)) == ("monkey_md_2wk", "right")
    assert beside((0, 5, left), (5, 6, seeing)) == ("monkey_md_2wk", "left")
    assert beside((0, 5, CLOSED), (5, 10, seeing)) == ("kitten_md60_open", "right")
    assert beside((0, 20, seeing), (20, 25, CLOSED), (25, 60, seeing)) == ("monkey_md_6yr", "right")
    assert beside((0, 5, both), (5, 9, seeing)) == ("both eyes closed", "right")
    assert beside((0, 5, left), (5, 9, CLOSED)) == ("kitten_md45_reverse", "left")
    assert beside((0, 5, Controls(prism=3))) is None
    assert beside((0, 5, Controls(right=EyeControls(blur=2)))) is None
    assert beside((0, 5, CLOSED), (5, 9, seeing), (9, 12, left)) is None
