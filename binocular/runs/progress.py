"""Telling the person who waits: a bar on a terminal, a plain line every few seconds elsewhere, or nothing."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TextIO

from binocular.rearing.tree import Node

__all__ = ["Bar", "Lines", "progress_for"]

_EVERY_SECONDS = 5.0


class Lines:
    """A plain line every few seconds, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._total = self._done = self._found = 0
        self._began = self._told = time.monotonic()

    def start(self, epochs: int, done: int) -> None:
        """Rearing begins; see `binocular.runs.running.Progress`."""
        self._total, self._done, self._found = epochs, done, done
        self._began = self._told = time.monotonic()
        taken_up = f", {done} of them found done" if done else ""
        self._say(f"rearing {epochs} subject-epochs{taken_up}")

    def epoch(self, node: Node) -> None:
        """One epoch is done."""
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if now - self._told < _EVERY_SECONDS and self._done < self._total:
                return
            self._told = now
            spent = now - self._began
            left = spent / (self._done - self._found) * (self._total - self._done)
            self._say(f"{self._done} of {self._total} subject-epochs, {spent:.0f} s, about {left:.0f} s left")

    def close(self) -> None:
        """Nothing to put away."""

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed or full stream decides nothing
            print(text, file=self._stream, flush=True)


class Bar:
    """A progress bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("subject-epochs"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("rearing", total=None)

    def start(self, epochs: int, done: int) -> None:
        """Rearing begins; see `binocular.runs.running.Progress`."""
        self._bar.start()
        self._bar.reset(self._task, total=epochs, completed=done)

    def epoch(self, node: Node) -> None:
        """One epoch is done."""
        self._bar.advance(self._task)

    def close(self) -> None:
        """Give the terminal back."""
        self._bar.stop()


def progress_for(quiet: bool) -> Bar | Lines | None:
    """Choose what suits standard error."""
    if quiet:
        return None
    return Bar() if sys.stderr.isatty() else Lines(sys.stderr)
