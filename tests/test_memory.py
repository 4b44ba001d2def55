"""Keeping freed memory changes nothing that is computed; what it saves is a benchmark."""

from __future__ import annotations

import subprocess
import sys

_SUM = """
import sys
import torch
from binocular.rearing.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory() in (True, False)
    assert keep_freed_memory() is keep_freed_memory()
print(sum(float(torch.arange(300_000.0).sqrt().sum()) for _ in range(5)))
"""


def test_the_same_is_computed_whether_the_c_library_complies_or_not():
    said = [
        subprocess.run([sys.executable, "-c", _SUM, how], check=True, capture_output=True).stdout
        for how in ("kept", "given back")
    ]
    assert said[0] == said[1] != b""
