"""Keeping freed memory changes nothing that is computed; what it saves is a benchmark."""

from __future__ import annotations

import subprocess
import sys

import torch

_SUM = """
import torch
from binocular.rearing.memory import keep_freed_memory
assert keep_freed_memory() in (True, False)
assert keep_freed_memory() is keep_freed_memory()
print(sum(float(torch.arange(300_000.0).sqrt().sum()) for _ in range(5)))
"""


def test_the_same_is_computed_whether_the_c_library_complies_or_not():
    kept = subprocess.run([sys.executable, "-c", _SUM], check=True, capture_output=True, text=True).stdout
    assert float(kept) == sum(float(torch.arange(300_000.0).sqrt().sum()) for _ in range(5))
