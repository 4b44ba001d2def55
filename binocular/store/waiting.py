"""Telling the person who waits for something that is not rearing: nothing for two seconds, then how far it is."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import Any, Self

__all__ = ["Waiting"]

_SILENT_SECONDS, _EVERY_SECONDS = 2.0, 5.0


class Waiting:
    """A bar on a terminal, a plain line every few seconds elsewhere, on standard error; a context manager.

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
                with contextlib.suppress(OSError, ValueError):  # a closed or full stream decides nothing
                    print(f"{self._what}: {done} of {total} subjects{left}", file=self._stream, flush=True)

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(file=self._stream), transient=True)
            self._task = self._bar.add_task(self._what, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
