"""Where the time of a run goes: seconds by purpose, added up over threads and rearing processes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from binocular.store.sealing import atomic_write

__all__ = ["add_spent", "spent_so_far", "timed", "write_timings"]

_lock = threading.Lock()
_seconds: dict[str, float] = {}


@contextmanager
def timed(purpose: str) -> Iterator[None]:
    """Add the time within to a purpose; with several threads their times add up."""
    began = time.perf_counter()
    try:
        yield
    finally:
        add_spent({purpose: time.perf_counter() - began})


def add_spent(seconds: Mapping[str, float]) -> None:
    """Add seconds by purpose, such as another process has measured them."""
    with _lock:
        for purpose, spent in seconds.items():
            _seconds[purpose] = _seconds.get(purpose, 0.0) + spent


def spent_so_far() -> dict[str, float]:
    """Return the seconds spent on each purpose since the process began."""
    with _lock:
        return dict(_seconds)


def write_timings(path: Path) -> None:
    """Write `spent_so_far` as JSON.

    ``planning``, ``rearing``, ``writing``, ``drawing`` and ``reporting`` follow one another; ``learning``, ``testing``,
    ``probing`` and ``saving`` lie within rearing and are summed over its threads or processes.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    with atomic_write(path) as temporary:
        seconds = {name: round(value, 4) for name, value in spent_so_far().items()}
        temporary.write_text(json.dumps(seconds, indent=1) + "\n")
