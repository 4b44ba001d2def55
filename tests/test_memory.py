"""Memory that tensors free stays with the process, so that a step finds its pages there."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_STEPS = """
import resource, sys
import torch
from binocular.rearing.memory import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def step():
    kept = [torch.ones(300_000) for _ in range(40)]  # 48 MB, as a small network's activations
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be told")
def test_a_step_finds_the_pages_of_the_step_before():
    faults = {
        how: float(subprocess.run([sys.executable, "-c", _STEPS, how], check=True, capture_output=True).stdout)
        for how in ("kept", "given back")
    }
    assert faults["kept"] < 100 < 1000 < faults["given back"]
