"""Rearing in several processes: the same numbers, and no process outlives the one that started it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from binocular.rearing.stopwatch import spent_so_far
from binocular.runs import processes
from binocular.runs.planning import plan_study
from binocular.runs.processes import worth_processes
from binocular.runs.running import run_study
from tests.patience import PATIENCE_S, hear_ctrl_c, wait_until
from tests.tiny import assert_same, tiny, tiny_file

SLOW = ["conditions.normal.phases.0.epochs=30", "conditions.late.phases.0.epochs=30"]

RUN = """
import sys
from binocular.runs import processes
from binocular.runs.running import run_study
from tests.tiny import tiny
from pathlib import Path
if __name__ == "__main__":
    processes._LEAST = 0
    processes.usable_cores = lambda: 2
    try:
        protocol, folder = tiny(Path(sys.argv[1]), *sys.argv[2:]), Path(sys.argv[1]) / "out"
        outcome = run_study(protocol, folder, "cpu", processes=True)
        print(*outcome.failures.values(), sep="\\n", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(processes, "_LEAST", 0)
    monkeypatch.setattr(processes, "usable_cores", lambda: 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return run_study(tiny(folder, *SLOW), folder / "out", "cpu").study


def _started(folder: Path, *settings: str) -> subprocess.Popen[bytes]:
    script = tiny_file(folder).parent / "run.py"
    script.write_text(RUN)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with (folder / "err").open("wb") as said:
        command = [sys.executable, str(script), str(folder), *settings]
        return subprocess.Popen(command, env=environment, start_new_session=True, stderr=said, preexec_fn=hear_ctrl_c)


def _in_group(group: int) -> list[int]:
    """Return the processes of a group that still run."""
    found = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(pid) for pid, its_group, state in rows if int(its_group) == group and not state.startswith("Z")]


def _is_rearing(folder: Path) -> bool:
    """Say whether a first node is done, so that something is there to take up; files half written begin with a dot."""
    return any((folder / "out" / "nodes").glob("[!.]*.h5"))


def test_only_a_long_study_of_many_subjects_is_worth_them(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "usable_cores", lambda: 2)
    study = plan_study(tiny(tmp_path), "cpu")
    assert not worth_processes(study, study.tree.nodes())
    study = plan_study(tiny(tmp_path, "conditions.normal.phases.0.epochs=2000"), "cpu")
    assert worth_processes(study, study.tree.nodes())
    assert not worth_processes(study, study.tree.nodes()[:1])
    monkeypatch.setattr(processes, "usable_cores", lambda: 1)
    assert not worth_processes(study, study.tree.nodes())


def test_the_same_numbers_as_in_threads_and_every_epoch_is_told_of(tmp_path, always):
    class Told:
        epochs = 0

        def start(self, epochs, done):
            self.all = epochs

        def epoch(self, node):
            self.epochs += 1

        def close(self):
            pass

    told, before = Told(), spent_so_far().get("learning", 0.0)
    threads = run_study(tiny(tmp_path), tmp_path / "threads", "cpu")
    between = spent_so_far()["learning"]
    several = run_study(tiny(tmp_path), tmp_path / "several", "cpu", told, processes=True)
    assert_same(threads.study, several.study)
    assert told.epochs == told.all == several.reared
    assert before < between < spent_so_far()["learning"]


def test_without_semaphores_it_is_reared_in_threads(tmp_path, always, monkeypatch, caplog):
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", none)
    assert run_study(tiny(tmp_path), tmp_path / "out", "cpu", processes=True).reared > 0
    assert "subjects are reared in one" in caplog.text


def test_what_fails_in_a_process_is_said_as_in_a_thread(tmp_path, always, monkeypatch):
    network = tmp_path / "broken_network.py"
    network.write_text(
        "from binocular.networks.cnn import SplitCNN\n"
        "class Broken(SplitCNN):\n"
        "    def forward(self, views, head=None):\n"
        "        if self.training and len(views) > 2:\n"
        "            raise ValueError('no such luck')\n"
        "        return super().forward(views, head)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    protocol = tiny(tmp_path, "network.kind='broken_network:Broken'")
    here = run_study(protocol, tmp_path / "here", "cpu").failures
    there = run_study(protocol, tmp_path / "there", "cpu", processes=True).failures
    assert there == here and len(here) == 3
    assert all("no such luck" in cause and "broken_network.py, line" in cause for cause in there.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_or_killed_it_leaves_no_process_and_resumes_to_the_same_end(tmp_path, number, always, whole):
    run = _started(tmp_path, *SLOW)
    wait_until(lambda: _is_rearing(tmp_path), run)
    if number is signal.SIGINT:
        os.killpg(run.pid, number)  # as from the keyboard: every process of the group gets it
    else:
        os.kill(run.pid, number)
    assert run.wait(PATIENCE_S) == (130 if number is signal.SIGINT else -number)
    wait_until(lambda: not _in_group(run.pid))
    if number is signal.SIGINT:
        assert (tmp_path / "err").read_text() == ""
    resumed = run_study(tiny(tmp_path, *SLOW), tmp_path / "out", "cpu")
    assert resumed.found > 0
    assert_same(whole, resumed.study)


def test_a_second_interrupt_leaves_no_process_either(tmp_path, always, monkeypatch):
    def interrupted(queue, submit, workers):
        submit(queue.ready()[0])
        assert multiprocessing.active_children()
        raise KeyboardInterrupt

    def again(self, wait=True, cancel_futures=False):
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "drive", interrupted)
    monkeypatch.setattr(processes.ProcessPoolExecutor, "shutdown", again)
    with pytest.raises(KeyboardInterrupt):
        run_study(tiny(tmp_path), tmp_path / "out", "cpu", processes=True)
    assert not multiprocessing.active_children()


def test_a_killed_process_costs_its_subjects_and_the_same_run_goes_on(tmp_path, always, whole):
    run = _started(tmp_path, *SLOW)
    wait_until(lambda: _is_rearing(tmp_path), run)
    children = [pid for pid in _in_group(run.pid) if pid != run.pid]
    rearing = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(rearing[0], signal.SIGKILL)
    assert run.wait(PATIENCE_S) == 0
    assert processes._ABRUPT in (tmp_path / "err").read_text()
    again = run_study(tiny(tmp_path, *SLOW), tmp_path / "out", "cpu")
    assert not again.failures
    assert_same(whole, again.study)
