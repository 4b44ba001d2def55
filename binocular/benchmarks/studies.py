"""Where the time of a whole study goes, and what it takes of memory: real runs of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from binocular.benchmarks.base import Measured, Suite

__all__ = ["beside_rearing", "memory", "run_and_time"]

_PARTS = ("planning", "rearing", "writing", "drawing", "reporting")


def beside_rearing(suite: Suite) -> Measured:
    """Measure the share of the main experiment that is not rearing, with one seed of each condition."""
    seconds = run_and_time("monocular-deprivation", ["seeds=1"])
    whole = seconds["whole"]
    # Probes and tests are part of rearing in the program, and count as something else here.
    threads = seconds["learning"] + seconds["testing"] + seconds["probing"] + seconds["saving"]
    rearing = seconds["rearing"] * seconds["learning"] / threads
    seconds["starting"] = whole - sum(seconds[part] for part in _PARTS)
    return Measured([100 * (1 - rearing / whole)], "the whole run of the command", {"seconds": seconds})


def memory(suite: Suite) -> Measured:
    """Measure the peak of memory of studies with few and with many seeds; few scenes, but all states and records."""
    peaks = {}
    for seeds in (2, 10) if suite == "quick" else (2, 20):
        short = ["stimulus.n_train=20", "stimulus.n_test=20", "training.evaluate_every=60"]
        peaks[seeds] = run_and_time("monocular-deprivation", [f"seeds={seeds}", *short])["peak_mb"]
    detail = {"peak_mb_by_seeds": {str(seeds): peak for seeds, peak in peaks.items()}}
    return Measured([max(peaks.values())], "none", detail)


def run_and_time(protocol: str, settings: list[str], dask: str = "") -> dict[str, Any]:
    """Run a protocol in a fresh process and folder.

    Returns
    -------
    dict
        Seconds by purpose (see `binocular.stopwatch`), ``whole`` for the process from beginning to end, and
        ``peak_mb``, the most memory that it held (NaN where the system does not say).
    """
    with tempfile.TemporaryDirectory() as folder:
        timings = Path(folder) / "timings.json"
        command = [sys.executable, "-m", "binocular", "run", protocol, "--out", folder, "--quiet"]
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
    """Wait for a process and return its peak of memory in MB."""
    if not hasattr(os, "wait4"):
        process.wait()
        return float("nan")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
