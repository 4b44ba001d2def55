"""Running studies: sharing, resuming, failing, and being alone in a folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from binocular.networks.mlp import SplitMLP
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput, CannotWrite
from binocular.store.snapshots import read_node
from binocular.store.verification import verify_study
from tests.patience import PATIENCE_S, hear_ctrl_c
from tests.tiny import LONG, arrays, assert_same, tiny, tiny_file

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny study, reared without anything happening."""
    folder = tmp_path_factory.mktemp("tiny")
    return run_study(tiny(folder), folder / "out", "cpu").study


def copied(study: Path, folder: Path) -> Path:
    """Return a copy of a study with everything that lies beside it."""
    return Path(shutil.copytree(study.parent, folder)) / "study.h5"


def test_a_study_is_complete_sound_and_leaves_the_global_generators_alone(tmp_path):
    torch.manual_seed(7)
    np.random.seed(7)  # noqa: NPY002 - the global generator is what is watched
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    outcome = run_study(tiny(tmp_path), tmp_path / "out", "cpu")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert not outcome.failures and outcome.reared == 6 + 4 + 3
    assert verify_study(outcome.study) == []
    with h5py.File(outcome.study) as file:
        assert file.attrs["complete"] == 1
        subject = file["conditions/early/0"]
        assert subject["history/epoch"][()].tolist() == [1, 2, 3, 4]
        assert subject["history/phase"][()].tolist() == [0, 0, 1, 1]
        assert subject["probes/representation/epoch"][()].tolist() == [0, 2, 3, 4]
        assert np.isnan(subject["history/test_accuracy"][()]).tolist() == [True, False, False, False]
        rates = subject["history/learning_rate"][()]
        np.testing.assert_allclose(rates, 0.05 * 0.98 ** np.arange(4))


def test_a_second_run_rears_nothing_and_changes_nothing(tmp_path, whole, caplog):
    nodes = copied(whole, tmp_path / "out").with_name("nodes")
    node = next(nodes.glob("*.h5"))
    shutil.copy(node, node.with_suffix(".rearing.h5"))  # what a kill leaves between the last two steps of a node
    others = shutil.copy(node, nodes / f"{'0' * 24}.rearing.h5")  # what the stopped run of another protocol begins with
    second = run_study(tiny(tmp_path), tmp_path / "out", "cpu")
    assert (second.reared, second.found) == (0, 13)
    assert_same(whole, second.study)
    assert list(nodes.glob("*.rearing.h5")) == [others]
    assert f"{nodes} holds half-reared states of other studies (1, " in caplog.text


def test_a_subject_on_a_shared_branch_equals_the_one_reared_from_scratch(tmp_path, whole):
    text = tiny_file(tmp_path / "alone").read_text()
    head, *conditions = text.split("[[conditions]]")
    for name, block in zip(("normal", "early", "late"), conditions, strict=True):
        (tmp_path / "alone" / "tiny.toml").write_text(f"{head}[[conditions]]{block}")
        from binocular import protocols

        alone = protocols.load_protocol(str(tmp_path / "alone" / "tiny.toml"))
        run_study(alone, tmp_path / name, "cpu")
        assert_same(whole, tmp_path / name / "study.h5", f"conditions/{name}/")


def test_a_later_study_takes_up_what_an_earlier_one_reared(tmp_path, whole):
    copied(whole, tmp_path / "out")
    more = run_study(tiny(tmp_path, "seeds=2"), tmp_path / "out", "cpu")
    assert more.reared == more.found == 13
    assert len(list((tmp_path / "out").glob("study-*.h5"))) == 1, "the first study is kept under another name"


def test_a_history_cut_at_other_epochs_is_not_reared_again(tmp_path, whole):
    from binocular import protocols

    text = tiny_file(tmp_path).read_text()
    head, normal, _, _ = text.split("[[conditions]]")
    (tmp_path / "normal.toml").write_text(f"{head}[[conditions]]{normal}")
    only_normal = protocols.load_protocol(str(tmp_path / "normal.toml"))
    run_study(only_normal, tmp_path / "out", "cpu")
    # The early subject has 4 epochs and the late one 6, since no state was kept where it parts from the normal one.
    assert run_study(tiny(tmp_path), tmp_path / "out", "cpu").reared == 4 + 6
    for name in ("normal", "early", "late"):
        assert_same(whole, tmp_path / "out" / "study.h5", f"conditions/{name}/")
    again = run_study(only_normal, copied(whole, tmp_path / "whole").parent, "cpu")
    assert again.reared == 0, "shorter stretches are joined"
    assert_same(whole, again.study, "conditions/normal/")


def test_treating_the_left_eye_is_another_history(tmp_path, whole):
    left = run_study(tiny(tmp_path, "treated_eye='left'"), tmp_path / "left", "cpu")
    one, other = arrays(whole), arrays(left.study)
    name = "conditions/{}/0/probes/representation/rsv"
    np.testing.assert_array_equal(one[name.format("normal")], other[name.format("normal")])
    assert not np.array_equal(one[name.format("early")], other[name.format("early")])


@pytest.mark.parametrize("damage", ["truncated", "flipped", "gone"])
def test_a_damaged_node_is_reared_again(tmp_path, damage, whole):
    hurt = copied(whole, tmp_path / "hurt")
    node = sorted((tmp_path / "hurt" / "nodes").glob("*.h5"))[0]
    content = bytearray(node.read_bytes())
    if damage == "truncated":
        node.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        node.write_bytes(content)
    else:
        node.unlink()
    mended = run_study(tiny(tmp_path), tmp_path / "hurt", "cpu")
    assert mended.reared > 0
    assert_same(whole, hurt)


def test_a_failing_subject_is_named_and_does_not_stop_the_others(tmp_path):
    protocol = tiny(tmp_path, "conditions.early.phases.0.learning_rate=1e30")
    outcome = run_study(protocol, tmp_path / "out", "cpu")
    assert list(outcome.failures) == [("early", 0)]
    assert "not a number" in outcome.failures["early", 0]
    with h5py.File(outcome.study) as file:
        assert file.attrs["complete"] == 0
        assert set(file["conditions/normal"]) == {"0"}
    assert verify_study(outcome.study) == [] or all("complete" in c for c in verify_study(outcome.study))


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("network.kind='no-such'", "split-cnn"),
        ("network.kind='nowhere:Class'", "cannot be imported"),
        ("network.options.wdth=3", "accepted: width"),
        ("network.options.width=0", "at least 1"),
        ("probes.sites=['trunk', 'trunk.99']", r"probes.sites\[1\]: .*accepted: first_binocular, .* representation"),
        ("conditions.early.phases.1.until={metric='smell', at_least=0.5}", "accepted: test_accuracy"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_reared(tmp_path, setting, word):
    with pytest.raises(BadInput, match=word):
        run_study(tiny(tmp_path, setting), tmp_path / "out", "cpu")
    assert not (tmp_path / "out" / "nodes").exists()


def test_a_phase_can_end_by_criterion(tmp_path):
    protocol = tiny(tmp_path, "conditions.early.phases.0.until={metric='test_accuracy', at_least=0.0}")
    outcome = run_study(protocol, tmp_path / "out", "cpu")
    history = arrays(outcome.study)["conditions/early/0/history/epoch"]
    assert history.tolist() == [1, 3, 4], "the second epoch of the first phase is skipped"


HELD = """
import itertools, os, signal, sys, time
from binocular.runs import progress
from binocular.start import main

class Held:
    # After some epochs the run meets its signal, or waits until somebody lets it go on.
    def start(self, epochs, done): self.epochs = itertools.count(1)
    def close(self): pass
    def epoch(self, node):
        now = next(self.epochs)  # of this thread: others count too
        if now == 14 and number:
            os.kill(os.getpid(), number)
            time.sleep(1)  # the main thread takes it up meanwhile
        elif now == 14:
            print("held", flush=True)
            sys.stdin.read()

number = int(sys.argv.pop(1))
held = Held()
progress.progress_for = lambda quiet: held
main()
"""


def _start(folder: Path, settings: Sequence[str], number: int = 0) -> subprocess.Popen[bytes]:
    """Start a run that gets a signal in its middle, or that waits there for its standard input to end."""
    command = [sys.executable, "-c", HELD, str(int(number)), "run", str(folder / "tiny.toml")]
    command += ["--out", str(folder / "out"), "--quiet"]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_ctrl_c,
    )


@pytest.fixture(scope="module")
def whole_long(tmp_path_factory) -> Path:
    """Return the uninterrupted study that killed ones are compared with."""
    folder = tmp_path_factory.mktemp("whole")
    return run_study(tiny(folder, *LONG), folder / "out", "cpu").study


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_is_taken_up_and_ends_the_same(tmp_path, kill, whole_long):
    tiny_file(tmp_path)
    process = _start(tmp_path, LONG, kill)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (-9 if kill == signal.SIGKILL else 130), said
    if kill != signal.SIGKILL:
        assert b"takes it up" in said
    assert not (tmp_path / "out" / "study.h5").exists()
    protocol = tiny(tmp_path, *LONG)
    resumed = run_study(protocol, tmp_path / "out", "cpu")
    assert 0 < resumed.reared < resumed.reared + resumed.found
    assert_same(whole_long, resumed.study)


def test_two_runs_on_one_folder_the_second_is_refused(tmp_path):
    tiny_file(tmp_path)
    process = _start(tmp_path, LONG)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        with pytest.raises(BadInput, match=f"in use by process {process.pid}"):
            run_study(tiny(tmp_path), tmp_path / "out", "cpu")
    finally:
        process.kill()
        process.communicate()


def test_states_can_be_pruned_and_what_needs_them_is_reared_again(tmp_path, whole):
    pruned = run_study(tiny(tmp_path), tmp_path / "pruned", "cpu", keep="ends")
    assert_same(whole, pruned.study)
    sizes = [sum(p.stat().st_size for p in (s.parent / "nodes").iterdir()) for s in (whole, pruned.study)]
    assert sizes[1] < sizes[0]
    assert run_study(tiny(tmp_path), tmp_path / "pruned", "cpu", keep="ends").reared == 0
    # A condition that parts from a pruned state makes that stretch, and nothing else, be reared again.
    longer = run_study(tiny(tmp_path, "conditions.late.phases.2.epochs=2"), tmp_path / "pruned", "cpu")
    assert longer.reared == 3 + 4


class Greedy(SplitMLP):
    """Asks for more memory than any machine has as soon as an eye is closed."""

    def forward(self, views):
        if self.training and bool((views[:, 1] == 0).all()):
            torch.empty(2**60)
        return super().forward(views)


def test_a_subject_that_runs_out_of_memory_does_not_stop_the_others(tmp_path):
    settings = ["network.kind='tests.test_running:Greedy'", "network.options={width=4}", "training.packing='loop'"]
    settings += ["conditions.early.phases.0.deficits.0.noise=0"]
    outcome = run_study(tiny(tmp_path, *settings), tmp_path / "out", "cpu")
    assert list(outcome.failures) == [("early", 0)]
    assert "memory" in outcome.failures["early", 0]


@pytest.fixture(scope="module")
def whole_wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the study whose first attempt finds the disk full."""
    folder = tmp_path_factory.mktemp("wide")
    return run_study(tiny(folder, "network.options.width=4"), folder / "out", "cpu").study


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("kilobytes", [64, 300, 450])
def test_a_full_disk_loses_nothing(tmp_path, kilobytes, monkeypatch, whole_wide):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets nobody mount a small disk")
    try:
        # The estimate made before the start would refuse; the disk can fill up after it.
        monkeypatch.setattr("binocular.runs.running._check_disk", lambda *_: None)
        with pytest.raises(CannotWrite, match="the disk is full"):
            run_study(tiny(tmp_path, "network.options.width=4"), small / "out", "cpu")
        assert not (small / "out" / "study.h5").exists(), (
            "nothing else is reared for nothing, and no subject is at fault"
        )
        for path in (small / "out" / "nodes").glob("*.h5"):
            assert read_node(path) is not None, "what is there is whole"
        assert not list(small.rglob("*.partial"))
        subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
        monkeypatch.undo()
        resumed = run_study(tiny(tmp_path, "network.options.width=4"), small / "out", "cpu")
        assert_same(whole_wide, resumed.study)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_disk_that_is_too_small_is_refused_before_the_start(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(BadInput, match="MB free and the study needs about"):
        run_study(tiny(tmp_path), tmp_path / "out", "cpu")
