"""When, with what and where something was made: what stands beside results so that they can be told apart later."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["device_name", "now", "origin", "spanning", "usable_cores", "versions"]


def now() -> str:
    """Return the time as ISO 8601 with time zone, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("binocular-lab", "torch", "numpy", "h5py", "scikit-image"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def versions() -> dict[str, str]:
    """Return the versions of the software that decides results."""
    return dict(_versions())


def usable_cores() -> int:
    """Return the number of CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_name(device: str) -> str:
    """Return what ``"cpu"`` or ``"cuda"`` is on this machine, in words."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{_processor()}, {usable_cores()} cores"


@cache
def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def origin(device: str, command: str) -> dict[str, Any]:
    """Return ``began``, ``finished`` (empty until the end), ``versions``, ``device`` and ``command`` of what begins.

    Parameters
    ----------
    device, command
        ``cpu`` or ``cuda``, and the command line, or how it was called from Python.
    """
    return {
        "began": now(),
        "finished": "",
        "versions": versions(),
        "device": device_name(device),
        "command": command,
    }


def spanning(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the provenance of what was made in several parts: that of the last one, begun when the first one was."""
    told = [part for part in parts if part]
    if not told:
        return {}
    last = max(told, key=lambda part: str(part.get("finished", "")))
    return {**last, "began": min(str(part.get("began", "")) for part in told)}
