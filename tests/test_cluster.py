"""Rearing on a real Dask cluster, with workers that die."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from binocular.runs import cluster
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.snapshots import NodeRecord, node_path
from tests.patience import wait_until
from tests.tiny import assert_same, tiny

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
# What Dask's own sockets and event loops leave behind at the end is not what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


def test_two_workers_rear_the_same_study_as_one_process_even_if_one_is_lost(tmp_path, monkeypatch):
    import psutil

    protocol = tiny(tmp_path, "conditions.normal.phases.0.epochs=20", "seeds=2")
    killed: list[int] = []

    def kill_one_worker() -> None:
        nodes = tmp_path / "there" / "nodes"
        wait_until(lambda: list(nodes.glob("*.h5")))
        for child in psutil.Process().children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()) and child.pid != os.getpid():
                os.kill(child.pid, signal.SIGKILL)
                killed.append(child.pid)
                return

    killer = threading.Thread(target=kill_one_worker)
    killer.start()
    there = run_study(protocol, tmp_path / "there", "cpu", dask="2")
    killer.join()
    assert killed and not there.failures
    here = run_study(protocol, tmp_path / "here", "cpu")
    assert_same(here.study, there.study)


@pytest.mark.parametrize(
    ("where", "lost", "words"),
    [
        ("tcp://there:1", True, "the scheduler at tcp://there:1 was lost; .* the same command goes on"),
        ("1", False, "the workers died and do not come back, .* the same command goes on"),
    ],
)
def test_a_cluster_that_is_lost_is_said(tmp_path, monkeypatch, caplog, where: str, lost: bool, words: str):
    future = Future()
    if lost:
        future.cancel()
        future.set_running_or_notify_cancel()
    here = SimpleNamespace(scheduler=SimpleNamespace(workers={}))
    client = SimpleNamespace(cluster=None if "://" in where else here, nthreads=dict)
    client.get_executor = lambda pure: SimpleNamespace(submit=lambda *_: future)
    monkeypatch.setattr(cluster, "_client", lambda where: nullcontext(client))
    monkeypatch.setattr(cluster, "_MISSED", 0.0)
    with pytest.raises(BadInput, match=f"^--dask: {words}"):
        run_study(tiny(tmp_path), tmp_path / "out", "cpu", dask=where)
    assert ("no worker has come to the scheduler at tcp://there:1 yet" in caplog.text) == lost


def test_epochs_that_an_earlier_run_reared_are_not_told_again(tmp_path, monkeypatch):
    def done(*_: object) -> Future:
        future = Future()
        future.set_result(None)
        return future

    executor = SimpleNamespace(submit=done)
    client = SimpleNamespace(cluster=None, nthreads=lambda: {"worker": 1}, get_executor=lambda pure: executor)
    monkeypatch.setattr(cluster, "_client", lambda where: nullcontext(client))
    study, told = plan_study(tiny(tmp_path), "cpu"), []
    first, *_ = nodes = study.tree.nodes()
    begun = NodeRecord(first.identity, first.parent, first.seed, first.start, first.stop, "", first.start + 1)
    begun.write(node_path(tmp_path, first.identity, done=False))
    cluster.rear_on_dask(study, nodes, tmp_path, told.append, "tcp://there:1")
    assert len(told) == sum(node.stop - node.start for node in nodes) - 1


@pytest.mark.parametrize("where", ["some", "0", "²", "999999", "tcp://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_said(tmp_path, where, monkeypatch):
    monkeypatch.setattr(cluster, "_WAIT", "1s")
    with pytest.raises(BadInput, match="--dask"):
        run_study(tiny(tmp_path), tmp_path / "out", "cpu", dask=where)
    assert "://" in where or not (tmp_path / "out").exists()
