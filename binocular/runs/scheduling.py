"""Rearing the nodes of a phase tree as their parents get ready, on the cores or the GPU of this machine."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import torch

from binocular.rearing.group import Diverged
from binocular.rearing.loop import rear
from binocular.rearing.plan import Plan
from binocular.rearing.tree import Node
from binocular.runs.packing import subjects_at_once
from binocular.runs.planning import StudyPlan, usable_cores
from binocular.stimuli.errors import BadInput, CannotRead, CannotWrite
from binocular.store.snapshots import node_path, read_node

__all__ = ["Queue", "cause_of", "drive", "epochs_left", "rear_group", "rear_here"]


class Queue:
    """Which nodes wait, are being reared, are done or cannot be done."""

    def __init__(self, study: StudyPlan, outstanding: Sequence[Node]) -> None:
        self._graph = study.tree.graph
        self._lockstep = study.plan.packing == "stacked"
        self._at_once = subjects_at_once(study.plan) if self._lockstep and outstanding else 1
        self.waiting = {node.identity: node for node in outstanding}
        self._undone = set(self.waiting)
        self.failed: dict[str, str] = {}

    def ready(self) -> list[list[Node]]:
        """Return groups of nodes that can be reared now, most urgent first."""
        nodes = [
            node
            for identity, node in self.waiting.items()
            if not any(parent in self._undone for parent in self._graph.predecessors(identity))
        ]
        if not self._lockstep:
            return [[node] for node in nodes]
        groups: dict[tuple[object, ...], list[Node]] = {}
        for node in nodes:
            learned = tuple(epoch.objective for epoch in node.epochs)
            groups.setdefault((node.start, node.stop, learned), []).append(node)
        most = self._at_once
        return [group[start : start + most] for group in groups.values() for start in range(0, len(group), most)]

    def take(self, group: list[Node]) -> None:
        """Note that nodes are being reared."""
        for node in group:
            del self.waiting[node.identity]

    def settle(self, group: list[Node], error: BaseException | None) -> None:
        """Note that nodes are done, or that they failed and nothing after them can be reared."""
        for node in group:
            # Subjects whose learning broke down do not take those with them that were reared beside them.
            spared = isinstance(error, Diverged) and node.identity not in error.causes
            if error is None or spared:
                self._undone.discard(node.identity)
                continue
            cause = error.causes[node.identity] if isinstance(error, Diverged) else cause_of(error)
            pending = [node.identity]
            while pending:
                identity = pending.pop()
                self.failed[identity] = cause
                self.waiting.pop(identity, None)
                pending.extend(self._graph.successors(identity))


def epochs_left(node: Node, folder: Path) -> int:
    """Return how many epochs of a node that is not done are to be reared.

    Parameters
    ----------
    node, folder
        The node, and the output folder, where an interrupted run may have left it half-reared.
    """
    record = read_node(node_path(folder, node.identity, done=False), state=False)
    return node.stop - (node.start if record is None else record.done)


def rear_here(
    study: StudyPlan, outstanding: Sequence[Node], folder: Path, on_epoch: Callable[[Node], None]
) -> dict[str, str]:
    """Rear nodes in threads of this process, one subject per core, or in lockstep groups.

    Parameters
    ----------
    study
        The plan.
    outstanding
        Nodes to rear, parents before children, most urgent first.
    folder
        Output folder.
    on_epoch
        Called from the threads after each epoch of each node.

    Returns
    -------
    dict of str to str
        For each node that could not be reared, by identity, the cause in one line. One node's failure does not stop
        the others.

    Raises
    ------
    KeyboardInterrupt
        After an interrupt, once the states of all nodes in work are saved.
    """
    plan, stop = study.plan, threading.Event()
    # Small convolutional networks run fastest with one subject per core and one thread per subject; then a subject's
    # arithmetic does not depend on how many cores there are, either.
    workers = usable_cores() if plan.one_thread_each else 1
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, "rearing")

    def submit(group: list[Node]) -> Future[None]:
        return pool.submit(rear_group, plan, group, folder, stop, on_epoch)

    try:
        return drive(Queue(study, outstanding), submit, workers)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(threads)


def rear_group(
    plan: Plan,
    group: list[Node],
    folder: Path,
    stop: threading.Event | None = None,
    on_epoch: Callable[[Node], None] | None = None,
) -> None:
    """Rear a group of nodes in this thread, with as many threads of torch as suit the plan.

    Parameters
    ----------
    plan, group, folder, stop, on_epoch
        As for `binocular.rearing.loop.rear`.
    """
    if plan.one_thread_each:
        torch.set_num_threads(1)
    rear(plan, group, folder, stop, on_epoch)


def drive(
    queue: Queue,
    submit: Callable[[list[Node]], Future[None]],
    most: int | None = None,
    on_done: Callable[[list[Node]], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> dict[str, str]:
    """Submit groups as they get ready, at most ``most`` at a time; return why nodes failed, by identity.

    Parameters
    ----------
    queue, submit
        What is to be reared, and what starts a group of it.
    most
        How many groups may run at once; None for any number.
    on_done
        Called with each group that is done.
    on_wait
        Called several times a second.

    Raises
    ------
    CannotRead, CannotWrite
        If the file of a node cannot be read or written: others would fail alike, or be reared for nothing.
    """
    running: dict[Future[None], list[Node]] = {}
    while queue.waiting or running:
        for group in queue.ready()[: None if most is None else most - len(running)]:
            queue.take(group)
            running[submit(group)] = group
        # A bounded wait, so that an interrupt from the keyboard is noticed soon.
        done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
        if on_wait is not None:
            on_wait()
        for future in done:
            group, error = running.pop(future), future.exception()
            if isinstance(error, (CannotRead, CannotWrite)):
                raise error
            queue.settle(group, error)
            if on_done is not None and error is None:
                on_done(group)
    return queue.failed


def cause_of(error: BaseException) -> str:
    """Return why a node could not be reared, in one line."""
    if isinstance(error, (BadInput, Diverged)):
        return str(error)
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(where[-1].filename).name}, line {where[-1].lineno})" if where else ""
    text = " ".join(str(error).split()) or "no further word"
    return f"{type(error).__name__}: {text}{place}"
