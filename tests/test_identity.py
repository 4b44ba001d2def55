"""What decides a result is part of its identity, what a network draws is drawn again, and files of others stay."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from binocular.networks.build import build_network
from binocular.networks.checking import check_reproducible, draws
from binocular.networks.mlp import SplitMLP
from binocular.runs.running import run_study
from binocular.stimuli.content import digest_of_files
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream
from binocular.store.node_index import NodeIndex
from tests.console import binocular
from tests.tiny import arrays, assert_same, tiny

SHAPE = (1, 12, 12)
SHORT = ["conditions.normal.phases.0.epochs=2", "conditions.late.phases.0.epochs=1", "probes.bootstrap=0"]


class Forgetful(SplitMLP):
    """Draws while it learns and while it is looked at."""

    def __init__(self, shape, n_classes, width=4):
        super().__init__(shape, n_classes, width, 1)
        self.trunk = nn.Sequential(nn.Dropout(0.3), *self.trunk)

    def forward(self, views):
        seen = super().forward(views)
        return seen if self.training else seen + 0 * torch.rand(())


class Lazy(SplitMLP):
    """Learns the size of its layers when it is first looked at."""

    def __init__(self, shape, n_classes, width=4):
        super().__init__(shape, n_classes, width, 1)
        self.left, self.right = (nn.Sequential(nn.Flatten(), nn.LazyLinear(width)) for _ in range(2))


class Numpy(SplitMLP):
    """Draws where nothing is seeded."""

    def forward(self, views):
        seen = super().forward(views)
        return seen + float(np.random.rand()) if self.training else seen  # noqa: NPY002 - what must be refused


class Counting(SplitMLP):
    """Changes in a way that no state holds."""

    calls = 0

    def forward(self, views):
        self.calls += self.training
        return super().forward(views) * (self.calls if self.training else 1)


def _of(cls: type) -> list[str]:
    return [f"network.kind='{__name__}:{cls.__name__}'", "network.options={width=4}", *SHORT]


@pytest.mark.parametrize("cls", [Forgetful, Lazy])
def test_what_a_network_draws_by_itself_is_drawn_again(tmp_path, cls):
    torch.manual_seed(1)
    first = run_study(tiny(tmp_path, *_of(cls)), tmp_path / "one", "cpu")
    torch.manual_seed(2)
    other = run_study(tiny(tmp_path, *_of(cls)), tmp_path / "other", "cpu")
    assert not first.failures
    assert_same(first.study, other.study)


def test_lazy_layers_draw_their_weights_from_the_stream_of_the_seed():
    def weights(seed: int) -> torch.Tensor:
        return build_network(f"{__name__}:Lazy", {}, SHAPE, 4, seed).get_parameter("left.1.weight").detach()

    assert torch.equal(weights(0), weights(0)) and not torch.equal(weights(0), weights(1))


def test_the_global_generator_is_a_stream_within_and_as_it_was_after():
    before = torch.get_rng_state()
    with global_stream(0, "one", 3):
        first = torch.rand(2)
    with global_stream(0, "one", 4):
        other = torch.rand(2)
    with global_stream(0, "one", 3):
        again = torch.rand(2)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("cls", "word"), [(Numpy, "numpy or random"), (Counting, "same state"), (Forgetful, ""), (Lazy, ""), (SplitMLP, "")]
)
def test_what_cannot_be_reared_again_is_refused(cls, word):
    name = f"{cls.__module__}:{cls.__name__}"
    complaints = check_reproducible(lambda: build_network(name, {"width": 4}, SHAPE, 4, 0), SHAPE)
    assert [word in text for text in complaints] == ([True] if word else [])


def test_whether_a_network_draws_is_seen():
    for cls, expected in ((Forgetful, True), (SplitMLP, False)):
        assert draws(cls(SHAPE, 4, 4), SHAPE) is expected


PROTOCOL = """
title = "Pictures"
seeds = 1
stimulus = { kind = "split-images", dataset = "folder", path = "pictures", size = 12 }
network = { kind = "split-mlp", options = { width = 4 } }
probes = { n_stimuli = 2, bootstrap = 0 }
conditions = [{ name = "normal", phases = [{ epochs = 1 }] }]
"""


def _pictures(folder: Path, bright: int) -> None:
    generator = np.random.default_rng(0)
    for number, name in enumerate(("cats", "dogs")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for picture in range(12):
            pixels = generator.integers(0, 60, (12, 12)) + bright * number
            Image.fromarray(pixels.astype("uint8")).save(folder / name / f"{picture}.png")


def test_other_pictures_are_other_subjects_and_it_is_said(tmp_path, caplog):
    from binocular import protocols

    (tmp_path / "p.toml").write_text(PROTOCOL)
    _pictures(tmp_path / "pictures", 100)
    protocol = protocols.load_protocol(tmp_path / "p.toml")
    run_study(protocol, tmp_path / "out", "cpu")
    assert run_study(protocol, tmp_path / "out", "cpu").reared == 0
    _pictures(tmp_path / "pictures", 180)
    assert run_study(protocol, tmp_path / "out", "cpu").reared == 1
    assert "the files of the stimuli" in caplog.text


def test_a_path_in_a_file_means_the_same_from_every_folder(tmp_path, monkeypatch):
    from binocular import protocols

    (tmp_path / "p.toml").write_text(PROTOCOL)
    for folder, bright in ((tmp_path, 100), (tmp_path / "elsewhere", 180)):
        _pictures(folder / "pictures", bright)
    monkeypatch.chdir(tmp_path / "elsewhere")
    protocol = protocols.load_protocol(Path("..") / "p.toml")
    assert Path(protocol.stimulus.path).resolve() == tmp_path / "pictures"
    assert protocol.stimulus.content()["files"] == digest_of_files(protocol.stimulus.files())


NETWORK = """
from binocular.networks.mlp import SplitMLP
class Net(SplitMLP):
    def forward(self, views):
        return super().forward(views)  # {factor}
"""


def test_code_of_a_file_runs_only_when_it_is_named_and_counts(tmp_path):
    def run_here(*arguments: str) -> CompletedProcess[str]:
        return binocular(*arguments, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))

    (tmp_path / "my_networks.py").write_text(NETWORK.format(factor=1))
    text = PROTOCOL.replace("split-mlp", "my_networks:Net")
    (tmp_path / "p.toml").write_text(text)
    _pictures(tmp_path / "pictures", 100)
    refused = run_here("run", "p.toml", "--out", "out")
    assert refused.returncode == 2 and "my_networks:Net" in refused.stderr and "--trust-code" in refused.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "__pycache__").exists()
    first = run_here("run", "p.toml", "--out", "out", "--trust-code")
    assert first.returncode == 0, first.stderr
    measured = run_here("measure", "out", "--probe", "weights")
    assert measured.returncode == 2 and "--trust-code" in measured.stderr
    (tmp_path / "my_networks.py").write_text(NETWORK.format(factor=1.0001))
    second = run_here("run", "p.toml", "--out", "out", "--set", "network.kind=my_networks:Net")
    assert second.returncode == 0 and "the code of the network" in second.stderr, second.stderr
    with h5py.File(tmp_path / "out" / "study.h5") as file:
        about = json.loads(file["conditions/normal/0"].attrs["attributes"])
        assert about["reared"]["command"].endswith("my_networks:Net")


def test_a_node_of_another_name_is_not_taken_for_the_one_it_stands_for(tmp_path):
    both = tiny(tmp_path, "seeds=2", *SHORT)
    kept = arrays(run_study(both, tmp_path / "out", "cpu").study)
    index = NodeIndex(tmp_path / "out")
    roots = {entry.seed: entry.identity for entry in index.entries() if entry.start == 0}
    nodes = tmp_path / "out" / "nodes"
    (nodes / f"{roots[0]}.h5").write_bytes((nodes / f"{roots[1]}.h5").read_bytes())
    again = run_study(both, tmp_path / "out", "cpu")
    assert again.reared > 0
    for name, values in arrays(again.study).items():
        np.testing.assert_array_equal(values, kept[name], err_msg=name)


def test_provenance_is_of_the_rearing_and_survives_a_run_that_rears_nothing(tmp_path):
    def about(path: Path) -> dict[str, object]:
        with h5py.File(path) as file:
            return {name: file.attrs[name] for name in ("created", "finished", "command", "versions", "device")}

    first = run_study(tiny(tmp_path, *SHORT), tmp_path / "out", "cpu", command="first")
    kept = about(first.study)
    with h5py.File(first.study, "r+") as file:
        file.attrs["note"] = "mine"
    again = run_study(tiny(tmp_path, *SHORT), tmp_path / "out", "cpu", command="second")
    assert about(again.study) == kept and kept["command"] == "first"
    with h5py.File(again.study) as file:
        assert file.attrs["note"] == "mine" and file.attrs["assembled"]


def test_files_of_others_stay_and_are_answered_before_the_start(tmp_path):
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.tex").write_text("mine")
    with pytest.raises(BadInput, match=r"chapter\.tex, which binocular did not write"):
        run_study(tiny(tmp_path, *SHORT), foreign, "cpu")
    assert [path.name for path in foreign.iterdir()] == ["chapter.tex"]
    out = tmp_path / "out"
    run_study(tiny(tmp_path, *SHORT), out, "cpu")
    mine = [out / "nodes" / "mine.h5", out / "data.csv.partial", out / "nodes" / f"{'0' * 24}.h5"]
    for path in mine:
        path.write_text("mine")
    assert run_study(tiny(tmp_path, *SHORT), out, "cpu").reared == 0
    with pytest.raises(BadInput, match="not written by binocular"):
        run_study(tiny(tmp_path, *SHORT), out, "cpu", fresh=True)
    assert all(path.read_text() == "mine" for path in mine)
    for path in mine:
        path.unlink()
    assert run_study(tiny(tmp_path, *SHORT), out, "cpu", fresh=True).reared > 0


def test_another_study_in_a_folder_is_announced_and_takes_its_figures_along(tmp_path, caplog):
    from binocular.report.figures import draw_all

    out = tmp_path / "out"
    first = run_study(tiny(tmp_path, *SHORT), out, "cpu")
    drawn = draw_all(first.study, out / "figures", ["dominance"])
    run_study(tiny(tmp_path, "training.momentum=0.5", *SHORT), out, "cpu")
    assert "training.momentum" in caplog.text and not any(path.exists() for path in drawn)
    aside = next(out.glob("figures-*"))
    assert sorted(path.name for path in aside.iterdir()) == sorted(path.name for path in drawn)
    assert (out / f"study-{aside.name.removeprefix('figures-')}.h5").is_file()


def test_a_subject_that_overflows_at_the_end_does_not_take_the_others_with_it(tmp_path):
    settings = ["conditions.early.phases.1.learning_rate=1e38", "training.momentum=0", "stimulus.n_train=20"]
    outcome = run_study(
        tiny(tmp_path, *SHORT, *settings, "conditions.early.phases.1.epochs=1"), tmp_path / "out", "cpu"
    )
    assert list(outcome.failures) == [("early", 0)]
    with h5py.File(outcome.study) as file:
        assert set(file["conditions/normal"]) == {"0"}
