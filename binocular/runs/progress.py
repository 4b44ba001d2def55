"""Telling the person who waits: a bar on a terminal, a plain line every few seconds elsewhere, or nothing."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from binocular.rearing.tree import Node

__all__ = ["Bar", "Lines", "Waiting", "progress_for"]

_SILENT_SECONDS, _EVERY_SECONDS = 2.0, 5.0


def _say(stream: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # a closed or full stream decides nothing
        print(text, file=stream, flush=True)


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
        _say(self._stream, f"rearing {epochs} subject-epochs{taken_up}")

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
            _say(self._stream, f"{self._done} of {self._total} subject-epochs, {spent:.0f} s, about {left:.0f} s left")

    def close(self) -> None:
        """Nothing to put away."""


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


class Waiting:
    """What is not rearing: nothing for two seconds, then how far it is, on standard error; a context manager.

    A bar on a terminal, a plain line every few seconds elsewhere.

    Parameters
    ----------
    what
        What is done with subjects, in words, such as ``"measuring"``.
    """

    def __init__(self, what: str) -> None:
        self._what, self._stream = what, sys.stderr
        self._lock = threading.Lock()
        self._began = self._told = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, done: int, total: int) -> None:
        """So many of so many are done; called from any thread."""
        with self._lock:
            now = time.monotonic()
            if now - self._began < _SILENT_SECONDS or done >= total:
                return
            if self._stream.isatty():
                self._draw(done, total)
            elif now - self._told >= _EVERY_SECONDS or self._told == self._began:
                self._told = now
                left = f", about {(now - self._began) / done * (total - done):.0f} s left" if done else ""
                _say(self._stream, f"{self._what}: {done} of {total} subjects{left}")

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(file=self._stream), transient=True)
            self._task = self._bar.add_task(self._what, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
