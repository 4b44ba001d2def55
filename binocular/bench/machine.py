"""The machine that benchmarks ran on: what it is, what it can do at best, and what else it was doing."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from pathlib import Path
from typing import Any

__all__ = ["describe_machine", "has_fast_bfloat16", "matrix_rate", "processor_name"]


def describe_machine() -> dict[str, Any]:
    """Return the machine's CPU, cores, memory, GPU and present load, JSON-able."""
    import torch

    from binocular.runs.planning import usable_cores

    gpu = None
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        gpu = {"name": properties.name, "memory_gb": round(properties.total_memory / 1e9, 1)}
    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "fast_bfloat16": has_fast_bfloat16(),
        "gpu": gpu,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def processor_name() -> str:
    """Return the CPU's name as the system gives it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def has_fast_bfloat16() -> bool:
    """Say whether the CPU multiplies in bfloat16 itself (AVX-512 BF16, AMX or ARM's BF16)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(line.split()))
    return False


def matrix_rate(precision: str = "float32", device: str = "cpu", size: int = 512, seconds: float = 0.5) -> float:
    """Measure the rate of a large matrix product, the most that a network's arithmetic can reach.

    Parameters
    ----------
    precision
        ``"float32"`` or ``"bfloat16"``.
    device
        ``"cpu"`` or ``"cuda"``.
    size
        Rows and columns; a product of 512 is done before a busy machine turns to something else.
    seconds
        How long to measure.

    Returns
    -------
    float
        1e9 floating-point operations per second, the best of all repetitions.
    """
    import torch

    from binocular.bench.base import seconds_of

    size *= 8 if device == "cuda" else 1
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    generator = torch.Generator(device="cpu").manual_seed(0)
    left, right = (torch.randn(size, size, generator=generator).to(device, dtype) for _ in range(2))
    best, until = 0.0, time.perf_counter() + seconds
    while best == 0.0 or time.perf_counter() < until:
        best = max(best, 2e-9 * size**3 / seconds_of(lambda: left @ right)[0])
    return best


def _memory_bytes() -> int:
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0
