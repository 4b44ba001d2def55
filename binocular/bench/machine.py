"""The machine that benchmarks ran on: what it is, what it can do at best, and what else it was doing."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from pathlib import Path
from typing import Any

__all__ = ["describe_machine", "has_fast_bfloat16", "matrix_rate"]


def describe_machine() -> dict[str, Any]:
    """Return the machine's CPU, cores, memory, GPU and present load, JSON-able."""
    import torch

    from binocular.runs.planning import usable_cores

    gpu = None
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        gpu = {"name": properties.name, "memory_gb": round(properties.total_memory / 1e9, 1)}
    return {
        "processor": _of_processor("model name") or platform.processor() or platform.machine(),
        "cores": usable_cores(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "fast_bfloat16": has_fast_bfloat16(),
        "gpu": gpu,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _of_processor(*names: str) -> str:
    """Return what Linux says of the CPU under the first of these names, or nothing."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(names):
                return line.partition(":")[2].strip()
    return ""


def has_fast_bfloat16() -> bool:
    """Say whether the CPU multiplies in bfloat16 itself (AVX-512 BF16, AMX or ARM's BF16)."""
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(_of_processor("flags", "Features").split()))


def matrix_rate(precision: str = "float32", device: str = "cpu") -> float:
    """Measure the rate of a large matrix product, the most that a network's arithmetic can reach.

    Parameters
    ----------
    precision
        ``"float32"`` or ``"bfloat16"``.
    device
        ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    float
        1e9 floating-point operations per second, the best of all repetitions in half a second.
    """
    import torch

    from binocular.bench.base import seconds_of

    size = 4096 if device == "cuda" else 512  # a product of 512 is done before a busy machine turns to something else
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    generator = torch.Generator(device="cpu").manual_seed(0)
    left, right = (torch.randn(size, size, generator=generator).to(device, dtype) for _ in range(2))
    best, until = 0.0, time.perf_counter() + 0.5
    while best == 0.0 or time.perf_counter() < until:
        best = max(best, 2e-9 * size**3 / seconds_of(lambda: left @ right)[0])
    return best


def _memory_bytes() -> int:
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0
