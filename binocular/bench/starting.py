"""How long the command line takes to answer, in a fresh process each time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

from binocular.bench.base import Measured, Suite

__all__ = ["help_seconds", "list_seconds", "show_seconds"]


def _command_seconds(arguments: list[str], suite: Suite) -> Measured:
    """Time a command as a process of its own, and beside it a Python that does nothing."""
    rounds = 3 if suite == "quick" else 10
    values, empty, held = [], [], []
    _process_seconds(["-m", "binocular", *arguments])  # so that files are read and compiled
    for _ in range(rounds):
        empty.append(_process_seconds(["-c", "pass"]))
        before = os.times()
        values.append(_process_seconds(["-m", "binocular", *arguments]))
        after = os.times()
        held.append(after.children_user + after.children_system - before.children_user - before.children_system)
    detail = {"empty_python_seconds": empty, "processor_seconds": held}
    return Measured(values, "none; a Python that does nothing is in the detail", detail)


help_seconds = partial(_command_seconds, ["--help"])
list_seconds = partial(_command_seconds, ["list"])
show_seconds = partial(_command_seconds, ["show", "monocular-deprivation"])


def _process_seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    spent = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return spent
