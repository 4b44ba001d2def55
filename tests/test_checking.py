"""One check of a protocol, before it is shown or reared: bad values, too few stimuli, and what is far too large."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from torch import Generator, Tensor, nn

from binocular.lab.session import Session
from binocular.networks.build import NETWORKS, build_network, network_class
from binocular.networks.options import weights_of
from binocular.protocols import EyeDeficit, library_names, load_protocol, parse_protocol
from binocular.protocols.arithmetic import evaluate
from binocular.report.showing import show_protocol
from binocular.runs import sizes
from binocular.runs.checking import check_protocol
from binocular.runs.notebook import rear
from binocular.runs.running import run_study
from binocular.runs.sizes import check_size, size_of
from binocular.stimuli.errors import BadInput, MissingData, shortened
from tests.console import assert_one_sentence, binocular
from tests.tiny import tiny, tiny_file


def permutation(classes: int) -> str:
    return f'conditions.normal.phases.0.deficits=[{{kind="label-permutation",n_classes={classes}}}]'


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["network.options.depht=3"], "network.options.depht: split-cnn has no such option; accepted: width, eyes"),
        (["network.kind=./my_networks.py:Net"], "such as my_networks:Net, run in its folder"),
        (["network.kind=my_networks:"], "such as my_networks:Class"),
        (["network.options.width=0"], "width must be at least 1, not 0"),
        (['network.options.width="wide"'], "network.options.width is 'wide', but must be a whole number"),
        (["network.options.width=1.5"], "network.options.width is 1.5, but must be a whole number"),
        (["network.options.n_classes=3"], "network.options.n_classes follows from the stimulus"),
        (["network.options.width=100000"], "network.options: a subject of"),
        (["network.options.width=100000000"], "network.options.width is 100000000, but must be 1000000 or less"),
        (
            ["network.kind=split-mlp", "network.options={depth=1000000}"],
            "network.options.depth is 1000000, but must be 1000 or less",
        ),
        (["network.kind=split-transformer", "network.options={width=30,attention_heads=4}"], "cannot be built"),
        (["stimulus.n_test=1"], "stimulus.n_test: 1 test stimuli are too few"),
        (["stimulus.n_test=3"], "accepted: 4 or more"),
        (["stimulus.n_train=2000000", "stimulus.size=256"], "stimulus: the stimuli of one seed take 1,0"),
        (["seeds=100000"], "seeds: 3 conditions x 100000 seeds are 300,000 subjects, more than 20,000"),
        (["seeds=100", "conditions.normal.phases.0.epochs=100000"], "conditions: the histories of"),
        (["seeds=6000", "probes.every=1"], "probes.every: "),
        (["probes.bootstrap=10000000"], "probes.bootstrap: 3 conditions x 1 seeds need"),
        (
            [permutation(16)],
            "normal.phases[0].deficits[0]: label-permutation: n_classes is 16, but must be 8",
        ),
        ([permutation(4)], "n_classes is 4, but must be 8"),
        (["probes.also=['odi', 'ody']"], "probes.also[1] is 'ody', but must be one of: source-variance, odi"),
        (["figures=['dominance']"], "figures[0] is 'dominance', but must be module:function"),
    ],
)
def test_what_would_fail_later_is_said_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: list[str], words: str
) -> None:
    monkeypatch.setattr(sizes, "free_memory", lambda device="cpu": 8 * 10**9)  # what is free changes while it is asked
    protocol = tiny(tmp_path, *settings)
    with pytest.raises(BadInput) as caught:
        check_protocol(protocol, "cpu")
    assert words in str(caught.value)
    with pytest.raises(BadInput) as again:
        run_study(protocol, tmp_path / "out", "cpu")
    assert str(again.value) == str(caught.value)
    assert not (tmp_path / "out").exists()


class NoNumbers(EyeDeficit):
    """Gives what is not a number."""

    def see(self, view: Tensor, generator: Generator) -> Tensor:
        return view / 0


class WritesIn(EyeDeficit):
    """Changes what it is given."""

    def see(self, view: Tensor, generator: Generator) -> Tensor:
        return view.mul_(0.5)


@pytest.mark.parametrize(("name", "words"), [("NoNumbers", "gives NaN or infinity"), ("WritesIn", "writes into its")])
def test_what_a_deficit_must_not_do_is_said_before(tmp_path: Path, name: str, words: str) -> None:
    protocol = tiny(tmp_path, f'conditions.normal.phases.0.deficits=[{{kind="{__name__}:{name}"}}]')
    where = r"conditions.normal.phases\[0\].deficits\[0\]"
    with pytest.raises(BadInput, match=rf"{where}: the deficit '{__name__}:{name}' {words}"):
        check_protocol(protocol, "cpu")


def test_a_module_that_ends_the_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ends_the_program.py").write_text("import sys\n\nsys.exit('usage: train.py')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BadInput, match="ends_the_program:Net, which cannot be imported: SystemExit: usage"):
        check_protocol(tiny(tmp_path, "network.kind=ends_the_program:Net"), "cpu")


@pytest.mark.parametrize("name", ["lines.png", "lines"])
def test_time_lines_are_drawn_to_svg(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=rf"--svg: .*{name} should end in \.svg"):
        show_protocol(tiny(tmp_path), tmp_path / name)


def test_sizes_are_counted_and_may_be_allowed(tmp_path: Path) -> None:
    size = size_of(tiny(tmp_path, "seeds=2", "probes.every=3"))
    # normal: 6 epochs, early: 2 + 2, late: 3 + 2 + 1; measured at 0, every 3 epochs and at ends of phases, or oftener.
    assert (size.subjects, size.epochs) == (6, 32)
    assert size.stimuli == (60 + 40) * 2 * 12 * 12 * 4
    assert size.measurements >= 2 * (3 + 4 + 4)
    assert size.presentations == 32 * 60 + size.measurements * 36
    large = tiny(tmp_path, "seeds=10000", "conditions.normal.phases.0.epochs=100000")
    check_size(large, allow_large=True)


def test_what_does_not_fit_into_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "free_memory", lambda device: 100_000)
    with pytest.raises(BadInput, match=r"stimulus: the stimuli of one seed takes 0\.0 GB, and 0\.0 GB are free here"):
        check_protocol(tiny(tmp_path), "cpu")
    check_protocol(tiny(tmp_path), "cpu", allow_large=True)


def test_only_what_can_be_said_is_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_file(tmp_path)
    monkeypatch.setattr(sizes, "MOST_STIMULI", 1000)
    for command in (
        "show tiny.toml",
        "show-stimulus tiny.toml --pairs 2",
        "check-network split-cnn --protocol tiny.toml",
    ):
        assert_one_sentence(binocular(*command.split(), cwd=tmp_path), "; --allow-large")
        assert binocular(*command.split(), "--allow-large", cwd=tmp_path).returncode == 0
    with pytest.raises(BadInput, match=r"more than 1,000$"):
        Session(tiny(tmp_path))
    with pytest.raises(BadInput, match=r"more than 1,000$"):
        rear("split-cnn", str(tmp_path / "tiny.toml"))


def test_every_protocol_of_the_library_passes_but_for_data_that_are_not_here() -> None:
    for name in library_names():
        protocol = load_protocol(name)
        check_size(protocol)
        if getattr(protocol.stimulus, "dataset", "photographs") == "photographs":
            check_protocol(protocol, "cpu")


def test_a_missing_set_of_images_is_no_mistake_of_the_protocol(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BINOCULAR_DATA", str(tmp_path))
    monkeypatch.setattr("binocular.stimuli.places._candidates", lambda source, path: [tmp_path])
    with pytest.raises(MissingData):
        check_protocol(load_protocol("kleinman-2023-fig4-paper"), "cpu")


@pytest.mark.parametrize("kind", sorted(NETWORKS.keys() - {"two-stream"}))
def test_weights_are_counted_without_making_them(kind: str) -> None:
    counted = weights_of(network_class(kind), (1, 16, 16), 8, {"width": 8})
    network = build_network(kind, {"width": 8}, (1, 16, 16), 8, seed=0)
    assert counted == sum(part.numel() for part in (*network.parameters(), *network.buffers()))


class BySize(nn.Module):
    """Made by names that say nothing."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(size, classes)


def test_a_network_that_is_made_otherwise_hears_how(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("made_otherwise")
    module.Net = BySize  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_otherwise", module)
    with pytest.raises(
        BadInput, match=r"takes size, classes; a network is made as Class\(shape, n_classes.*\$channels"
    ):
        build_network("made_otherwise:Net", {}, (1, 16, 16), 8, seed=0)


def pictures(root: Path, n: int) -> str:
    for name, level in (("cats", 40), ("dogs", 190)):
        (root / name).mkdir(parents=True)
        for number in range(n):
            Image.fromarray(np.full((16, 16), level + number, np.uint8)).save(root / name / f"{number}.png")
    return f"""
title = "Pictures"
seeds = 1
stimulus = {{ kind = "split-images", dataset = "folder", path = "{root.as_posix()}", size = 16 }}
network = {{ options = {{ width = 2 }} }}
probes = {{ n_stimuli = 4, bootstrap = 0 }}
conditions = [{{ name = "normal", phases = [{{ epochs = 1 }}] }}]
"""


def test_too_few_pictures_are_said_before(tmp_path: Path) -> None:
    protocol = parse_protocol(pictures(tmp_path / "few", 2))
    with pytest.raises(BadInput, match=r"stimulus\.n_test: 2 test stimuli are too few"):
        run_study(protocol, tmp_path / "out", "cpu")
    assert not (tmp_path / "out").exists()
    (note,) = check_protocol(parse_protocol(pictures(tmp_path / "more", 5)), "cpu").notes
    assert note == "4 test stimuli give a grid of 2 x 2 pairs in place of the 4 x 4 of probes.n_stimuli"


def test_small_bombs_in_a_protocol(tmp_path: Path) -> None:
    assert evaluate("max(3)", {}) == 3
    assert evaluate("min(4, 2.5)", {}) == 2.5
    for setting, words in (
        ("stimulus.disparity=1000000000", "disparity 1000000000 must be less than size 12"),
        ("seeds=[0,9223372036854775808]", "seeds[1] is 9223372036854775808, but must be from 0 to"),
        ("seeds=[-1]", "seeds[0] is -1"),
    ):
        with pytest.raises(BadInput) as caught:
            tiny(tmp_path, setting)
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    ["training.clock=", "seeds=", "stimulus.texture=", "conditions.normal.", "training.", "network.kind=", "title.x="],
)
def test_very_long_values_are_shortened(tmp_path: Path, setting: str) -> None:
    for long in ("x" * 100_000, "x " * 50_000):
        with pytest.raises(BadInput) as caught:
            check_protocol(tiny(tmp_path, f"{setting}{long}=1" if setting.endswith(".") else setting + long), "cpu")
        assert len(str(caught.value)) < 4000


def test_a_message_is_one_line_whatever_a_file_is_called() -> None:
    assert str(BadInput("a\nb\x1b[2J\u2028.png cannot be read")) == r"a\nb\x1b[2J\u2028.png cannot be read"


def test_what_is_not_long_is_not_shortened() -> None:
    assert shortened("a file named 'x' and a field") == "a file named 'x' and a field"
    assert "(99880 more characters)" in shortened("x" * 100_000)
