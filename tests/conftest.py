"""Shared by all tests."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_configure() -> None:
    """One torch thread per test worker: two workers share two cores."""
    import torch

    torch.set_num_threads(1)
