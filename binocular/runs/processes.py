"""Rearing in several processes of this machine, one per core.

Threads of one process take turns in the interpreter. On two cores of an AMD EPYC, two processes rear 1.1 times as many
convolutional and 1.5 times as many fully connected subjects in the same time (docs/speed.md); starting one takes about
two seconds, which a short study does not earn back.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binocular.rearing.loop import Stopped
from binocular.rearing.plan import Plan
from binocular.rearing.stopwatch import add_spent, spent_so_far
from binocular.rearing.tree import Node
from binocular.runs.planning import StudyPlan, usable_cores
from binocular.runs.scheduling import Queue, cause_of, drive, rear_group, rear_here
from binocular.stimuli.errors import BadInput, CannotRead, CannotWrite, in_short, warn

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Event

__all__ = ["rear_in_processes", "worth_processes"]

_LEAST = 100_000
"""Presentations from which on processes are started: about 15 s of rearing on two cores."""

_ABRUPT = "a process that reared it was killed, perhaps for want of memory; the same command goes on from there"


def worth_processes(study: StudyPlan, outstanding: Sequence[Node]) -> bool:
    """Say whether what is to be reared is enough, and divisible, to start processes for it.

    Parameters
    ----------
    study, outstanding
        The plan, and the nodes to rear.
    """
    if not study.plan.one_thread_each or len(outstanding) < 2 or usable_cores() < 2:
        return False
    shown = len(study.plan.stimuli(outstanding[0].seed).labels["train"])
    return shown * sum(node.stop - node.start for node in outstanding) >= _LEAST


def rear_in_processes(
    study: StudyPlan, outstanding: Sequence[Node], folder: Path, on_epoch: Callable[[Node], None]
) -> dict[str, str]:
    """Rear nodes in processes of this machine, one subject and one thread each; see `rear_here`.

    The processes end with the one that started them, however that ends. They begin by importing its main module, so
    that a script which calls this needs the usual ``if __name__ == "__main__":``.

    Parameters
    ----------
    study, outstanding, folder, on_epoch
        As for `rear_here`.
    """
    context = multiprocessing.get_context("spawn")
    nodes = {node.identity: node for node in outstanding}
    workers = min(usable_cores(), len(outstanding))
    try:
        stop, epochs = context.Event(), context.SimpleQueue()
        pool = ProcessPoolExecutor(workers, context, _begin, (stop, epochs))
    except (OSError, NotImplementedError, ImportError) as error:  # no semaphores, as where /dev/shm cannot be written
        warn(f"processes have nothing to wait for each other by here ({in_short(error)}); subjects are reared in one")
        return rear_here(study, outstanding, folder, on_epoch)
    ended = threading.Event()

    def listen() -> None:
        # A process that is killed while it writes leaves the queue locked for writing, so that only reading is safe.
        while not (ended.is_set() and epochs.empty()):
            if epochs.empty():
                time.sleep(0.02)
            elif (identity := epochs.get()) in nodes:
                on_epoch(nodes[identity])

    def submit(group: list[Node]) -> Future[None]:
        answer: Future[None] = Future()

        def settle(done: Future[dict[str, float]]) -> None:
            if done.cancelled():  # an interrupt: nobody waits for it any more
                return
            error = done.exception()
            if error is None:
                add_spent(done.result())
                answer.set_result(None)
            else:
                answer.set_exception(BadInput(_ABRUPT) if isinstance(error, BrokenProcessPool) else error)

        try:
            pool.submit(_rear, study.plan, group, folder).add_done_callback(settle)
        except BrokenProcessPool:
            answer.set_exception(BadInput(_ABRUPT))
        return answer

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        return drive(Queue(study, outstanding), submit, workers)
    finally:
        stop.set()
        try:
            pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:  # a second one: whoever takes the folder next must not find anybody at work in it
            for process in multiprocessing.active_children():
                process.kill()
                process.join()
            raise
        ended.set()
        listener.join(timeout=5)


_shared: dict[str, Any] = {}


def _begin(stop: Event, epochs: SimpleQueue[str]) -> None:
    """Set a new process up: an interrupt reaches it by way of the one that started it, and so does that one's end.

    SIGTERM ends it: that is how the pool ends the others when one was killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _shared.update(stop=stop, epochs=epochs)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _rear(plan: Plan, group: list[Node], folder: Path) -> dict[str, float]:
    """Rear a group here; return the seconds that it took, by purpose."""
    before = spent_so_far()
    try:
        rear_group(plan, group, folder, _shared["stop"], lambda node: _shared["epochs"].put(node.identity))
    except (CannotRead, CannotWrite, Stopped):
        raise
    except Exception as error:
        raise BadInput(cause_of(error)) from None  # the place in the code does not survive the way back
    return {purpose: seconds - before.get(purpose, 0.0) for purpose, seconds in spent_so_far().items()}
