"""Shared by all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"
for screen in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING", "MATPLOTLIBRC", "BINOCULAR_DEBUG"):
    os.environ.pop(screen, None)  # what the terminal around the tests is like does not matter

# How busy the machine is decides nothing, and neither does luck: every run tries the same examples, and
# --hypothesis-profile=search looks for new ones.
_HOWEVER_BUSY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}
settings.register_profile("search", **_HOWEVER_BUSY)
settings.register_profile("same", derandomize=True, **_HOWEVER_BUSY)
settings.load_profile("same")


def pytest_configure() -> None:
    """One torch thread per test worker: two workers share two cores."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def same_weights_in_every_run() -> None:
    """Seed torch's global generator, which draws the weights of a network that a test builds without a seed."""
    import torch

    torch.manual_seed(int(os.environ.get("BINOCULAR_TEST_SEED", "0")))


@pytest.fixture(autouse=True)
def every_word_is_said() -> None:
    """Undo what a command with ``--quiet`` left behind in this process."""
    import logging

    logging.getLogger("binocular").setLevel(logging.NOTSET)
