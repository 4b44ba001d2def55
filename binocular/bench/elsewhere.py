"""Timing work in processes of its own, so that neither way of doing it changes the other's memory or interpreter."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Task", "elsewhere"]

Task = tuple[Callable[..., Callable[[], object]], tuple[Any, ...]]
"""A function of a module, and its arguments; called in the process, it returns what is to be timed."""


@contextmanager
def elsewhere(tasks: Sequence[Task], threads: int = 1) -> Iterator[Callable[[], float]]:
    """Start a process per task; within, a call does each task once, all at the same time.

    Parameters
    ----------
    tasks
        What each process does.
    threads
        Threads of torch in each process.

    Yields
    ------
    Callable
        Waits until every task is done once and returns the CPU seconds that they took together.
    """
    context = multiprocessing.get_context("spawn")
    lines: list[Connection] = []
    processes = []
    try:
        for task in tasks:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, task, threads))
            process.start()
            there.close()
            processes.append(process)
            lines.append(here)
        for line in lines:
            line.recv()  # set up

        def once() -> float:
            for line in lines:
                line.send("once")
            return sum(line.recv() for line in lines)

        yield once
    finally:
        for line in lines:
            line.close()
        for process in processes:
            process.join()


def _serve(line: Connection, task: Task, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    make, arguments = task
    work = make(*arguments)
    try:
        line.send(0.0)
        while True:
            line.recv()
            before = time.process_time()
            work()
            line.send(time.process_time() - before)
    except (EOFError, BrokenPipeError):  # no more is asked for
        return
