"""The command line from another folder, with good and bad input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from binocular.store.provenance import versions
from tests.console import ROOT, assert_one_sentence, binocular
from tests.tiny import ONE_AREA, TOML, tiny_file


def in_a_process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "binocular", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_run_plot_verify_from_another_folder(tmp_path):
    tiny_file(tmp_path, ONE_AREA)
    done = in_a_process("run", "tiny.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "subject-epochs" in done.stderr, "without a terminal progress comes as plain lines"
    for condition in ("normal", "early", "late"):
        assert condition in done.stdout
    study = tmp_path / "results" / "tiny"
    assert {p.name for p in study.iterdir()} >= {"study.h5", "report.html", "figures"}
    assert "results/tiny/study.h5" in done.stdout
    written = sorted(p.name for p in (study / "figures").iterdir())
    assert any(name.endswith(".png") for name in written) and any(name.endswith(".svg") for name in written)
    for path in (study / "figures").iterdir():
        path.unlink()
    assert binocular("plot", "results/tiny", cwd=tmp_path).returncode == 0
    assert sorted(p.name for p in (study / "figures").iterdir()) == written
    assert binocular("verify", "results/tiny/study.h5", cwd=tmp_path).returncode == 0
    content = bytearray((study / "study.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (study / "study.h5").write_bytes(content)
    assert in_a_process("verify", "results/tiny", cwd=tmp_path).returncode == 1


def test_quiet_prints_nothing(tmp_path):
    tiny_file(tmp_path, ONE_AREA)
    done = binocular("run", "tiny.toml", "--quiet", "--seeds", "1", "--out", "here", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "here" / "study.h5").is_file()


def test_versions_are_those_that_results_note(tmp_path):
    said = binocular("--version", cwd=tmp_path)
    assert said.returncode == 0
    assert said.stdout == ", ".join(f"{name} {version}" for name, version in versions().items()) + "\n"


def test_list_and_show(tmp_path):
    listed = binocular("list", cwd=tmp_path)
    assert listed.returncode == 0
    for name in ("monocular-deprivation", "deprivation-duration", "strabismus"):
        assert name in listed.stdout
    tiny_file(tmp_path)
    shown = binocular("show", "tiny.toml", "--svg", "tree.svg", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "13 subject-epochs (16 without sharing" in " ".join(shown.stdout.split())
    assert (tmp_path / "tree.svg").read_text().startswith("<?xml")


def test_show_refuses_what_run_refuses(tmp_path):
    tiny_file(tmp_path)
    shown, reared = (
        binocular(command, "tiny.toml", "--set", "network.options.depht=3", cwd=tmp_path) for command in ("show", "run")
    )
    assert_one_sentence(shown, "binocular: tiny.toml: network.options.depht", "width, eyes")
    assert shown.stderr == reared.stderr
    assert not (tmp_path / "results").exists()


def test_what_is_wrong_with_stimuli_names_the_protocol(tmp_path):
    large = ("--set", "stimulus.size=256", "--set", "stimulus.n_train=2000000")
    done = binocular("show-stimulus", "strabismus", *large, cwd=tmp_path)
    assert_one_sentence(done, "binocular: strabismus.toml: stimulus: the stimuli of one seed take")


def test_papers_are_listed_without_naming_one(tmp_path):
    listed = binocular("reproduce", "--list", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "kleinman-2024: " in listed.stdout and "achille-2019: " in listed.stdout
    assert_one_sentence(binocular("reproduce", cwd=tmp_path), "kleinman-2023", "--list")


def test_help_needs_nothing_heavy(tmp_path):
    heavy = {"torch", "numpy", "pydantic", "matplotlib", "h5py"}
    code = f"import sys, binocular.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == 0
    assert "Usage" in in_a_process("--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("batch_size", "bach_size", ("tiny.toml", "training", "bach_size", "batch_size")),
        ("epochs = 6", "epochs = -6", ("tiny.toml", "normal", "epochs", "0")),
        ("epochs = 6", 'epochs = "six"', ("tiny.toml", "epochs")),
        ('"occlusion"', '"oclusion"', ("tiny.toml", "occlusion")),
        ('eye = "treated"', 'eye = "third"', ("tiny.toml", "eye")),
        ("size = 12", "size = 3", ("tiny.toml", "size")),
        ("stereo-scenes", "stereo-scene", ("tiny.toml", "stereo-scenes")),
        ('title = "Tiny"', "title = ", ("tiny.toml",)),
        ("width = 2", "wdth = 2", ("wdth", "width")),
        ("every = 3", "every = 0", ("tiny.toml", "probes", "every")),
    ],
)
def test_a_bad_protocol_ends_with_one_sentence(tmp_path, old, new, words):
    assert old in TOML
    tiny_file(tmp_path, TOML.replace(old, new, 1))
    assert_one_sentence(binocular("run", "tiny.toml", cwd=tmp_path), *words)
    assert not list(tmp_path.glob("results/**/*.h5"))


def test_other_bad_input_ends_with_one_sentence(tmp_path):
    tiny_file(tmp_path)
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    (tmp_path / "not.h5").write_text("not a study")
    assert_one_sentence(binocular("run", "monocular-deprivaton", cwd=tmp_path), "monocular-deprivation")
    assert_one_sentence(in_a_process("run", "binary.toml", cwd=tmp_path), "binary.toml")
    assert_one_sentence(binocular("run", "nowhere.toml", cwd=tmp_path), "nowhere.toml")
    assert_one_sentence(binocular("run", "tiny.toml", "--set", "training.lrate=1", cwd=tmp_path), "training.lrate")
    assert_one_sentence(binocular("run", "tiny.toml", "--device", "tpu", cwd=tmp_path), "auto, cpu, cuda")
    assert_one_sentence(binocular("run", "tiny.toml", "--out", "tiny.toml/x", cwd=tmp_path), "--out")
    assert_one_sentence(binocular("plot", "nowhere", cwd=tmp_path), "nowhere")
    assert_one_sentence(binocular("plot", "not.h5", cwd=tmp_path), "not.h5")
    assert_one_sentence(binocular("show-stimulus", "tiny.toml", "--out", "sheet.xyz", cwd=tmp_path), ".png")
    assert_one_sentence(binocular("show-stimulus", "tiny.toml", "--condition", "erly", cwd=tmp_path), "early")
    assert_one_sentence(binocular("check-network", "nowhere:Net", cwd=tmp_path), "nowhere")
    assert binocular("verify", "not.h5", cwd=tmp_path).returncode in (1, 2)


def test_show_stimulus_draws(tmp_path):
    tiny_file(tmp_path)
    done = binocular("show-stimulus", "tiny.toml", "--condition", "early", "--pairs", "4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "stimulus.png").read_bytes().startswith(b"\x89PNG")


FRIEND = """
from torch import nn
class Net(nn.Module):
    def __init__(self, shape, n_classes, hidden: int = 8):
        super().__init__()
        pixels = shape[0] * shape[1] * shape[2]
        self.left = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden))
        self.right = nn.Sequential(nn.Flatten(), nn.Linear(pixels, {right}))
        self.trunk = nn.Sequential(nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.head = nn.Linear(hidden, n_classes)
    def forward(self, views):
        return self.head(self.trunk(self.left(views[:, 0]) + self.right(views[:, 1])))
"""


def test_a_friends_network(tmp_path):
    tiny_file(tmp_path, ONE_AREA)
    (tmp_path / "friend.py").write_text(FRIEND.replace("{right}", "hidden"))
    (tmp_path / "foe.py").write_text(FRIEND.replace("{right}", "hidden + 1"))
    rest = ("--protocol", "tiny.toml", "--set", "network.options={}")
    fits = binocular("check-network", "friend:Net", *rest, cwd=tmp_path)
    assert fits.returncode == 0 and re.search(r"\d+ weights", fits.stdout), fits.stderr
    done = binocular("check-network", "foe:Net", *rest, cwd=tmp_path)
    assert_one_sentence(done, "left gives", "right")
    settings = ["--set", "network.kind=friend:Net", "--set", "network.options={hidden=5}"]
    reared = binocular("run", "tiny.toml", "--quiet", *settings, cwd=tmp_path)
    assert reared.returncode == 0, reared.stderr
