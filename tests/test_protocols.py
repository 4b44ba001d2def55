"""Protocols: what each epoch is, what makes two epochs the same, and what is said about a wrong one."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from binocular.protocols import Phase, ProbePlan, Training, load_protocol, parse_protocol, protocol_from
from binocular.protocols.phases import EpochConditions, unroll
from binocular.stimuli.errors import BadInput

BLUR = {"kind": "blur", "eye": "right", "factor": 4}


def history(*phases: dict, **training: object) -> list[EpochConditions]:
    return unroll(tuple(Phase.model_validate(phase).resolved("right") for phase in phases), Training(**training))  # type: ignore[arg-type]


def identities(*phases: dict, **training: object) -> list[dict]:
    return [epoch.identity() for epoch in history(*phases, **training)]


def shared(first: list[dict], second: list[dict]) -> int:
    """Count the epochs at the beginning that two histories have in common."""
    return next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


# ------------------------------------------------------------------ epochs


def test_the_three_clocks() -> None:
    phases = ({"epochs": 2}, {"epochs": 2, "deficits": [BLUR]})
    rates = {
        clock: [
            epoch.learning_rate for epoch in history(*phases, learning_rate=0.1, learning_rate_decay=0.5, clock=clock)
        ]
        for clock in ("absolute", "phase", "constant")
    }
    assert rates["absolute"] == [0.1, 0.05, 0.025, 0.0125]
    assert rates["phase"] == [0.1, 0.05, 0.1, 0.05]
    assert rates["constant"] == [0.1, 0.1, 0.1, 0.1]


def test_the_cyclic_clock_goes_up_and_down_whatever_the_age() -> None:
    phases = ({"epochs": 4}, {"epochs": 5, "deficits": [BLUR]})
    rates = [
        epoch.learning_rate for epoch in history(*phases, learning_rate=0.1, clock="cyclic", cycle=4, cycle_floor=0.2)
    ]
    assert rates == pytest.approx([0.02, 0.06, 0.1, 0.06, 0.02, 0.06, 0.1, 0.06, 0.02])
    odd = [Training(clock="cyclic", learning_rate=1.0, cycle=3).rate(epoch) for epoch in range(30)]
    assert odd[:3] == odd[27:]
    assert min(odd) == pytest.approx(0.1)
    assert max(odd) <= 1.0
    for wrong in ("training.cycle=1", "training.cycle_floor=0.0", 'training.clock="cyclical"'):
        with pytest.raises(BadInput, match=wrong.split("=")[0]):
            load_protocol("monocular-deprivation", [wrong])


def test_histories_are_identified_as_before_there_were_more_clocks() -> None:
    # Taken from the version that knew three clocks: what was reared then is taken up now.
    known = {
        "strabismus": "f45016b29766abac",
        "kleinman-2023-fig6": "e3c4ec33c1d48d06",
    }
    rate = ["training.learning_rate=0.05", "training.learning_rate_decay=0.98", "training.learning_rate_hold=0"]
    squints = [
        f"conditions.{name}.phases[{index}].epochs={epochs}"
        for name in ("dissociated", "fixed-angle", "changing-angle")
        for index, epochs in enumerate((20, 30))
    ]
    since_shortened = {
        "strabismus": [*rate, *squints, "conditions.normal.phases[0].epochs=50"],
        "kleinman-2023-fig6": ["conditions.0.sweep={removal=[0,5,10,20,30]}"],
    }
    for name, expected in known.items():
        identities = [
            [epoch.identity() for epoch in condition.epoch_conditions()]
            for condition in load_protocol(name, since_shortened.get(name, ())).resolved_conditions()
        ]
        text = json.dumps(identities, sort_keys=True)
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == expected, name


def test_what_a_closed_lid_means_is_in_the_identity() -> None:
    # 'occlusion' once meant a lid that passed 5 % of contrast: what was reared so is not taken for a closed eye.
    text = 'title = "Lid"\nstimulus = { kind = "stereo-scenes" }\nconditions = [{ name = "closed", '
    text += 'phases = [{ epochs = 1, deficits = [{ kind = "occlusion" }] }] }]'
    (condition,) = parse_protocol(text).resolved_conditions()
    (deficit,) = condition.epoch_conditions()[0].identity()["deficits"]
    assert deficit["contrast"] == 0
    assert deficit["noise"] == 0.5


def test_a_phase_has_its_own_clock_and_rate() -> None:
    phases = ({"epochs": 2}, {"epochs": 2, "clock": "phase", "learning_rate": 0.3}, {"epochs": 1})
    rates = [epoch.learning_rate for epoch in history(*phases, learning_rate=0.1, learning_rate_decay=0.5)]
    assert rates == [0.1, 0.05, 0.3, 0.15, 0.1 * 0.5**4]


def test_the_published_confound_of_the_absolute_clock() -> None:
    # After 180 epochs of deficit, recovery starts at 0.4 % of the initial rate.
    training = Training(learning_rate=1.0, learning_rate_decay=0.97)
    assert 0.004 < training.rate(180, 180) < 0.0042
    assert training.rate(180, 180, "phase") == 1.0


def test_epochs_know_their_phase() -> None:
    epochs = history({"epochs": 2, "name": "a"}, {"epochs": 0, "name": "none"}, {"epochs": 1, "name": "b"})
    assert [(e.epoch, e.phase_index, e.phase_name, e.phase_start, e.phase_stop) for e in epochs] == [
        (0, 0, "a", True, 2),
        (1, 0, "a", False, 2),
        (2, 2, "b", True, 3),
    ]


def test_what_happens_at_a_boundary_happens_once() -> None:
    extras = {"optimiser_state": "reset", "batch_norm": "reset", "shrink_perturb": {"shrink": 0.5, "perturb": 0.1}}
    epochs = history({"epochs": 1}, {"epochs": 2, "freeze": "fellow", **extras})
    assert [e.optimiser_reset for e in epochs] == [False, True, False]
    assert [e.batch_norm_reset for e in epochs] == [False, True, False]
    assert [e.shrink_perturb is not None for e in epochs] == [False, True, False]
    assert [e.freeze for e in epochs] == [None, "left", "left"]


def test_a_ramp_gives_each_epoch_its_strength() -> None:
    ramp = {"kind": "blur", "eye": "right", "sigma": 4, "ramp": {"field": "sigma", "to": 0}}
    epochs = history({"epochs": 5, "deficits": [ramp]}, {"epochs": 1})
    assert [e.deficits[0].sigma for e in epochs[:5]] == [4, 3, 2, 1, 0]  # type: ignore[attr-defined]
    plain = identities({"epochs": 1, "deficits": [{"kind": "blur", "eye": "right", "sigma": 4}]})
    assert shared([e.identity() for e in epochs], plain) == 1


# ------------------------------------------------------------------ identity


def test_histories_that_begin_alike_share_their_beginning() -> None:
    late = identities({"epochs": 50, "name": "young"}, {"epochs": 10, "deficits": [BLUR]}, {"epochs": 30})
    assert shared(identities({"epochs": 90}), late) == 50
    assert shared(identities({"epochs": 20}, {"epochs": 70, "name": "other"}), identities({"epochs": 90})) == 90
    assert shared(identities({"epochs": 0, "deficits": [BLUR], "batch_norm": "reset"}, {"epochs": 9}), late) == 9


@pytest.mark.parametrize(
    "change",
    [
        {"deficits": [{**BLUR, "eye": "left"}]},
        {"deficits": [{**BLUR, "factor": 3}]},
        {"deficits": [{**BLUR, "share": 0.5}]},
        {"deficits": [BLUR, {"kind": "sham"}]},
        {"deficits": [{"kind": "penalisation", "eye": "right", "sigma": 2}]},
        {"learning_rate": 0.2},
        {"clock": "phase"},
        {"optimiser_state": "reset"},
        {"batch_norm": "reset"},
        {"freeze": "trunk"},
        {"shrink_perturb": {"shrink": 1, "perturb": 0}},
        {"until": {"metric": "stereopsis", "at_least": 0.9}},
    ],
)
def test_whatever_touches_the_weights_is_in_the_identity(change: dict) -> None:
    phase = {"epochs": 3, "deficits": [BLUR]}
    first, second = identities({"epochs": 2}, phase), identities({"epochs": 2}, {**phase, **change})
    assert shared(first, second) == 2


def test_names_and_defaults_are_not_in_the_identity() -> None:
    spelled = {**BLUR, "share": 1.0, "kind": "blur"}
    first = identities({"epochs": 3, "deficits": [BLUR]})
    second = identities(
        {"epochs": 3, "deficits": [spelled], "name": "cataract", "clock": "absolute", "learning_rate": 0.05}
    )
    assert first == second
    assert json.loads(json.dumps(first)) == first


def test_phases_that_may_end_early_are_shared_only_if_they_lead_to_the_same_epoch() -> None:
    until = {"until": {"metric": "stereopsis", "at_least": 0.9}}
    short, long = identities({"epochs": 5, **until}, {"epochs": 9}), identities({"epochs": 8, **until}, {"epochs": 9})
    assert shared(short, long) == 0
    assert shared(short, identities({"epochs": 5, "name": "x", **until}, {"epochs": 2})) == 7


# ------------------------------------------------------------------ the whole protocol


def test_it_is_written_out_and_loads_back_equal() -> None:
    protocol = load_protocol("monocular-deprivation", ["network.options.flag=true", "network.options.list=[1, 2.5]"])
    text = protocol.to_toml()
    again = parse_protocol(text)
    assert again == protocol
    assert again.to_toml() == text
    assert again.hash() == protocol.hash()
    assert len(protocol.hash()) == 16
    assert load_protocol("monocular-deprivation", ["training.momentum=0.8"]).hash() != protocol.hash()


def test_the_treated_eye_mirrors_the_protocol() -> None:
    extras = ["conditions.deprived-early.phases.1.freeze=fellow"]
    right = load_protocol("monocular-deprivation", extras).resolved_conditions()
    left = load_protocol("monocular-deprivation", [*extras, "treated_eye=left"]).resolved_conditions()
    for first, second in zip(right, left, strict=True):
        for one, other in zip(first.epoch_conditions(), second.epoch_conditions(), strict=True):
            text = json.dumps(one.identity()).replace("right", "R").replace("left", "right").replace("R", "left")
            assert json.loads(text) == other.identity()
    eyes = {d.eye for c in right for p in c.phases for d in p.deficits}  # type: ignore[attr-defined]
    assert eyes == {"right", "both"}


def test_time_line() -> None:
    lines = load_protocol("monocular-deprivation").timeline()
    early = lines["deprived-early"]
    assert [(s.start, s.stop, s.phase, s.sentence) for s in early] == [
        (0, early[0].stop, "deprivation", "right eye occluded"),
        (early[0].stop, early[1].stop, "recovery", "normal vision"),
    ]
    assert early[0].deficits[0]["kind"] == "occlusion"
    assert early[0].rate_start == 0.1
    assert early[0].rate_stop > early[1].rate_start > early[1].rate_stop


def test_seeds_and_checkpoints() -> None:
    assert load_protocol("monocular-deprivation", ["seeds=4"]).seed_list == (0, 1, 2, 3)
    assert load_protocol("monocular-deprivation", ["seeds=[7, 3]"]).seed_list == (7, 3)
    assert ProbePlan(every=10, epochs=(3, 99)).checkpoints(25, (5, 25)) == (0, 3, 5, 10, 20, 25)


def test_phases_without_a_name_are_called_after_their_deficits() -> None:
    assert Phase(epochs=1).name == "normal"
    assert Phase.model_validate({"epochs": 1, "deficits": [BLUR, BLUR, {"kind": "dark"}]}).name == "blur + dark"


# ------------------------------------------------------------------ wrong ones

GOOD = """
title = "t"
[stimulus]
kind = "stereo-scenes"
[[conditions]]
name = "md"
phases = [{ epochs = 5 }, { epochs = 2, deficits = [{ kind = "blur", factor = 4 }] }]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 5", "epochs = -5", "conditions.md.phases[0].epochs is -5, but must be 0 or more"),
        (
            "epochs = 5",
            'epochs = "5"',
            "conditions.md.phases[0].epochs is '5', but must be a whole number, without quot",
        ),
        ("epochs = 5", "epochs = 5.5", "conditions.md.phases[0].epochs is 5.5, but must be a whole number"),
        ("epochs = 5", "epochs = true", "conditions.md.phases[0].epochs is True, but must be a whole number"),
        ("epochs = 5", "epoch = 5", "conditions.md.phases[0].epoch is not a known key; did you mean 'epochs'?"),
        ("epochs = 5", "", "conditions.md.phases[0].epochs is missing; it gives: epochs the phase lasts"),
        ("epochs = 5", "epochs = 5, until = 3", "conditions.md.phases[0].until is 3, but must be a table"),
        ("factor = 4", "factor = 0", "conditions.md.phases[1].deficits[0].factor is 0, but must be 1 or more"),
        (
            "factor = 4",
            'factor = "1e-3"',
            "deficits[0].factor is '1e-3', but must be a number, without quotation marks",
        ),
        ("factor = 4", "factor = 4, eye = 'top'", "deficits[0].eye is 'top', but must be 'treated', 'fellow', 'left'"),
        ('"blur", factor = 4', '"dark", eye = "left"', "this deficit is not done to one eye alone"),
        ('"blur"', '"blurr"', "deficits[0].kind is 'blurr', but must be one of: blur, occlusion"),
        ('"stereo-scenes"', '"stereo-scene"', "did you mean 'stereo-scenes'?"),
        ('"stereo-scenes"', '"stereo-scenes"\nsiz = 3', "stimulus.siz is not a known key; did you mean 'size'?"),
        ('"stereo-scenes"', '"stereo-scenes"\nsize = "16"', "stimulus.size is '16', but must be"),
        ('"stereo-scenes"', '"stereo-scenes"\nsize = -1', "stimulus.size is -1, but must be 8 or more"),
        ('"stereo-scenes"', '"stereo-scenes"\nn_train = 3000000', "n_train is 3000000, but must be 2000000 or less"),
        (
            '"stereo-scenes"',
            '"stereo-scenes"\nnoise = -1',
            "stimulus.noise is -1, but must be 0 or more or a list in square brackets",
        ),
        ('"stereo-scenes"', '"stereo-scenes"\nnoise = [1, -1]', "mine.toml: stimulus.noise[1] is -1, but must be 0 or"),
        ('title = "t"', r'title = "a\u0000b"', "title holds the character '\\x00', but must be text that can be"),
        ('name = "md"', r'name = "md"|label = "\u001b[31m"', "conditions.md.label holds the character '\\x1b'"),
        ('name = "md"', r'name = "m\nd"', r"conditions.m\nd.name is 'm\nd', but must consist of lower-case letters"),
        ('name = "md"', 'name = "MD"', "conditions.MD.name is 'MD', but must consist of lower-case letters"),
        ('name = "md"', "name = 3", "conditions[0].name is 3, but must be text in quotation marks"),
        ('title = "t"', "", "title is missing"),
        ('title = "t"', 'title = "t"\nseed = 3', "seed is not a known key; did you mean 'seeds'?"),
        ('title = "t"', 'title = "t"\nseeds = 0', "seeds is 0, but must be the number of subjects"),
        ('title = "t"', 'title = "t"\ntraining = {learning_rate = "1e-3"}', "training.learning_rate is '1e-3'"),
        ('title = "t"', 'title = "t"\ntraining = {momentum = 1}', "training.momentum is 1, but must be less than 1"),
        ('title = "t"', 'title = "t"\ntraining = {clock = "fase"}', "did you mean 'phase'?"),
        ('title = "t"', 'title = "t"\nvalues = 3', "values is 3, but must be a table"),
        ('title = "t"', 'title = "t" x', "line 2"),
        ("[[conditions]]", "[conditions]", "conditions is {"),
        ("5 }, {", "5 } {", "line 7"),
    ],
)
def test_one_sentence_names_file_field_and_remedy(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as error:
        parse_protocol(GOOD.replace(old, new.replace("|", "\n")), "mine.toml")
    sentence = str(error.value)
    assert sentence.startswith("mine.toml")
    assert message in sentence
    assert "\n" not in sentence


def test_two_conditions_of_one_name() -> None:
    second = '[[conditions]]\nname = "md"\nphases = [{ epochs = 1 }]\n'
    with pytest.raises(BadInput, match=r"conditions\[1\].name is 'md' as in conditions\[0\]"):
        parse_protocol(GOOD + second)


def test_a_history_of_no_epochs() -> None:
    with pytest.raises(BadInput, match="last 0 epochs in all"):
        parse_protocol(GOOD.replace("epochs = 5", "epochs = 0").replace("epochs = 2", "epochs = 0"))


def test_names_and_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"did you mean 'monocular-deprivation'\?.*binocular list"):
        load_protocol("monoculr-deprivation")
    with pytest.raises(BadInput, match=r"no file .*nothing\.toml"):
        load_protocol(tmp_path / "nothing.toml")
    with pytest.raises(BadInput, match="the library has 'strabismus'"):
        load_protocol("strabismus.toml")
    (tmp_path / "my-experiment.toml").write_text("")
    with pytest.raises(BadInput, match=r"no file .*; did you mean '.*my-experiment\.toml'\?"):
        load_protocol(tmp_path / "my-experimet.toml")
    with pytest.raises(BadInput) as caught:
        load_protocol("treat-them.toml")
    assert "treatments" not in str(caught.value)
    with pytest.raises(BadInput, match="cannot be read"):
        load_protocol(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        load_protocol("nul\0.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: byte 0x89 is not UTF-8"),
        (b"title = 't'\n\xff", "line 2: byte 0xff is not UTF-8"),
        (b"a = [" + b"[" * 5000, "too deeply"),
        (b"a = " + b"1" * 5000, "not valid TOML"),
        (b"title = 't'\ntitle = 'u'", "a key is given twice (at line 2, the last one)"),
        (b"", "title is missing"),
        (b"\x00", "not valid TOML"),
        (b"x" * 5_000_000, "larger than 4 MB"),
    ],
)
def test_files_that_are_no_protocol(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        load_protocol(path)
    assert words in str(error.value)
    assert "bad.toml" in str(error.value)


def test_a_file_with_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_protocol(str(path)) == parse_protocol(GOOD)


def test_plain_data_and_text_give_the_same() -> None:
    assert protocol_from(tomllib.loads(GOOD)) == parse_protocol(GOOD)
