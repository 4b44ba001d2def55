"""Where the time of a whole study goes, and what it takes of memory: real runs of the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from binocular.bench.base import Measured, Suite

__all__ = ["beside_rearing", "memory", "page_faults", "run_and_time"]

_STEPS = """
import resource, sys
import torch
from binocular.rearing.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    keep_freed_memory()
def step():
    kept = [torch.ones(300_000) for _ in range(40)]  # 48 MB, as a small network's activations
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""
_PARTS = ("planning", "rearing", "writing", "drawing", "reporting")


def beside_rearing(suite: Suite) -> Measured:
    """Measure the share of the main experiment that is not rearing, and what it takes of memory."""
    seconds = run_and_time("monocular-deprivation", [])
    whole, peak = seconds["whole"], seconds.pop("peak_mb")
    # Within rearing: a share of it by what its threads or processes did. Tests of accuracy follow learning.
    spent = {name: seconds[name] for name in ("learning", "testing", "probing", "saving")}
    share = {name: 100 * seconds["rearing"] / whole * value / sum(spent.values()) for name, value in spent.items()}
    seconds["starting"] = whole - sum(seconds[part] for part in _PARTS)
    detail = {"seconds": seconds, "peak_mb": peak, "all_but_learning_percent": 100 - share["learning"]}
    return Measured([100 - share["learning"] - share["testing"]], "the whole run of the command", detail)


def memory(suite: Suite) -> Measured:
    """Measure the peak of memory of studies with few and with many seeds; few scenes, but all states and records."""
    peaks = {}
    for seeds in (2, 10) if suite == "quick" else (2, 20):
        short = ["stimulus.n_train=20", "stimulus.n_test=20", "training.evaluate_every=60"]
        peaks[seeds] = run_and_time("monocular-deprivation", [f"seeds={seeds}", *short])["peak_mb"]
    detail = {"peak_mb_by_seeds": {str(seeds): peak for seeds, peak in peaks.items()}}
    return Measured([max(peaks.values())], "none", detail)


def page_faults(suite: Suite) -> Measured:
    """Count page faults of a step whose tensors stay with the process, and of one that gives them back."""
    faults = {}
    for how in ("kept", "given back"):
        done = subprocess.run([sys.executable, "-c", _STEPS, how], check=True, capture_output=True, text=True)
        faults[how] = float(done.stdout)
    return Measured([faults["kept"]], "a step that gives its memory back, in the detail", {"faults": faults})


def run_and_time(protocol: str, settings: list[str], dask: str = "") -> dict[str, Any]:
    """Run a protocol in a fresh process and folder.

    Returns
    -------
    dict
        Seconds by purpose (see `binocular.rearing.stopwatch`), ``whole`` for the process from beginning to end, and
        ``peak_mb``, the most memory that it and its rearing processes held (NaN where the system does not say).
    """
    with tempfile.TemporaryDirectory() as folder:
        timings = Path(folder) / "timings.json"
        command = [sys.executable, "-m", "binocular", "run", protocol, "--out", str(Path(folder) / "study"), "--quiet"]
        command += ["--timings", str(timings), *(["--dask", dask] if dask else [])]
        command += [word for setting in settings for word in ("--set", setting)]
        began = time.perf_counter()
        with (Path(folder) / "log").open("w+") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            peak = _wait(process)
            whole = time.perf_counter() - began
            if process.returncode:
                log.seek(0)
                raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {log.read()[-300:]}")
        return json.loads(timings.read_text()) | {"whole": whole, "peak_mb": peak}


def _wait(process: subprocess.Popen[Any]) -> float:
    """Wait for a process and return the most memory that it and its children held at a time, in MB."""
    peak = float("nan")
    while process.poll() is None:
        held = _held_mb(process.pid)
        peak = held if not peak >= held else peak
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.25)
    return peak


def _held_mb(pid: int) -> float:
    """Return the memory of a process and its children in MB, what they share counted once; NaN where Linux is not."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = next(float(row.split()[1]) / 1e3 for row in rows if row.startswith("Pss:"))
        children = {child for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)}
    except (OSError, StopIteration):
        return float("nan")
    return own + sum(held for child in children if (held := _held_mb(child)) >= 0)


def _children(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except OSError:  # the thread has ended meanwhile
        return []
