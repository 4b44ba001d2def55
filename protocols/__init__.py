"""What is done to the eyes, and when: deficits, schedules and named experiments."""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "DEFICITS": "deficits",
    "Deficit": "deficits",
    "EyeDeficit": "deficits",
    "deficit_from": "deficits",
    "AgeScale": "training",
    "NetworkSpec": "training",
    "ProbePlan": "training",
    "Training": "training",
    "EpochConditions": "phases",
    "Phase": "phases",
    "ShrinkPerturb": "phases",
    "Until": "phases",
    "Condition": "schema",
    "Protocol": "schema",
    "ResolvedCondition": "schema",
    "Stretch": "schema",
    "library_names": "loading",
    "load_protocol": "loading",
    "protocol_from": "loading",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'protocols' has no attribute '{name}'")
    return getattr(importlib.import_module(f"protocols.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
