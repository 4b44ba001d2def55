"""Waiting for what another process does, however busy the machine is; only a process that ended is not waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

__all__ = ["PATIENCE_S", "hear_ctrl_c", "wait_until"]

PATIENCE_S = float(os.environ.get("BINOCULAR_TEST_PATIENCE", "600"))
"""So long that a test which needs it says that something hangs, and not that the machine is slow."""


def wait_until(condition: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait until a condition holds; a process that was to bring it about must still run."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert process is None or process.poll() is None, "the process ended before"
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def hear_ctrl_c() -> None:
    """Undo, in a process that begins, what it inherits in the background of a shell: that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
