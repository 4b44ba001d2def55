"""A protocol that takes its setting from another, and conditions from several."""

from __future__ import annotations

from pathlib import Path

import pytest

from binocular.protocols import load_protocol, parse_protocol
from binocular.stimuli.errors import BadInput

BASE = """
title = "Base"
treated_eye = "left"
values = { long = 3 }
stimulus = { kind = "stereo-scenes", size = 16, noise = 0.3 }
network = { kind = "split-cnn", options = { width = 2 } }
training = { learning_rate = 0.1, batch_size = 20 }
conditions = [{ name = "normal", phases = [{ epochs = 2 }] }]
"""
MINE = """
title = "Mine"
base = "base.toml"
training = { batch_size = 40 }
conditions = [{ name = "closed", phases = [{ epochs = "= long", deficits = [{ kind = "occlusion" }] }] }]
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_setting_comes_from_the_base_and_the_conditions_do_not(tmp_path: Path) -> None:
    mine = load_protocol(written(tmp_path, base=BASE, mine=MINE) / "mine.toml")
    base = load_protocol(tmp_path / "base.toml")
    assert (mine.title, mine.treated_eye) == ("Mine", "left")
    assert (mine.stimulus, mine.network) == (base.stimulus, base.network)
    assert (mine.training.learning_rate, mine.training.batch_size) == (0.1, 40)
    assert [(c.name, c.epochs) for c in mine.conditions] == [("closed", 3)]
    # What is stored is complete, and an override comes last.
    assert parse_protocol(mine.to_toml()) == mine
    assert load_protocol(tmp_path / "mine.toml", ["stimulus.noise=0.4"]).stimulus.noise == 0.4  # type: ignore[attr-defined]


def test_the_histories_are_those_of_the_protocols_that_are_included(tmp_path: Path) -> None:
    other = BASE.replace('"Base"', '"Other"').replace("long = 3", "long = 5")
    other += "\n[[conditions]]\nname = 'swept-{n}'\nsweep = { n = [1, 2] }\nphases = [{ epochs = '= n * long' }]\n"
    other = other.replace('conditions = [{ name = "normal", phases = [{ epochs = 2 }] }]\n', "")
    other += "[[conditions]]\nname = 'normal'\nphases = [{ epochs = 2 }]\n"
    both = 'base = "base.toml"\ninclude = ["other.toml"]\ntitle = "Both"\n'
    both += 'conditions = [{ name = "normal", phases = [{ epochs = 2 }] }]\n'
    found = load_protocol(written(tmp_path, base=BASE, other=other, both=both) / "both.toml")
    assert [(c.name, c.epochs) for c in found.conditions] == [("normal", 2), ("swept-1", 5), ("swept-2", 10)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"base": MINE}, "leads back to itself"),
        ({"mine": MINE.replace("base.toml", "besa.toml")}, "besa.toml"),
        ({"mine": MINE.replace("base.toml", "monocular-deprivatio")}, "did you mean 'monocular-deprivation'"),
        ({"mine": MINE.replace('"base.toml"', "3")}, "base is 3"),
        ({"mine": MINE.replace("base =", "include =")}, r"include is 'base.toml'"),
        ({"mine": 'include = ["base.toml"]\n' + MINE}, "training differs"),
        (
            {
                "mine": 'include = ["base.toml"]\nbase = "base.toml"\ntitle = "M"\n'
                'conditions = [{ name = "normal", phases = [{ epochs = 3 }] }]'
            },
            "condition 'normal' of other phases",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_named(tmp_path: Path, change: dict[str, str], words: str) -> None:
    written(tmp_path, **{"base": BASE, "mine": MINE, **change})
    with pytest.raises(BadInput, match=words):
        load_protocol(tmp_path / "mine.toml")


def test_a_text_without_a_folder_names_protocols_of_the_library_only() -> None:
    with pytest.raises(BadInput, match=r"there is no protocol named '/etc/passwd'"):
        parse_protocol('base = "/etc/passwd"')
    with pytest.raises(BadInput, match="accepted is a name of 'binocular list'"):
        parse_protocol('base = "base.toml"')


def test_the_histories_after_animals_are_reared_in_the_setting_of_the_main_experiment() -> None:
    main, histories = load_protocol("monocular-deprivation"), load_protocol("animal-histories")
    for part in ("stimulus", "network", "training", "treated_eye"):
        assert getattr(histories, part) == getattr(main, part)
    assert len(histories.conditions) > 30
