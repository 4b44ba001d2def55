"""What is done to the eyes, and when: deficits, schedules and named experiments. Loading a protocol needs no torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from protocols.deficits import DEFICITS, Deficit, EyeDeficit, deficit_from
    from protocols.loading import library_names, load_protocol, parse_protocol, protocol_from
    from protocols.phases import EpochConditions, Phase, ShrinkPerturb, Until
    from protocols.schema import Condition, Protocol, ResolvedCondition, Stretch
    from protocols.training import AgeScale, NetworkSpec, ProbePlan, Training

__all__ = [
    "DEFICITS",
    "AgeScale",
    "Condition",
    "Deficit",
    "EpochConditions",
    "EyeDeficit",
    "NetworkSpec",
    "Phase",
    "ProbePlan",
    "Protocol",
    "ResolvedCondition",
    "ShrinkPerturb",
    "Stretch",
    "Training",
    "Until",
    "deficit_from",
    "library_names",
    "load_protocol",
    "parse_protocol",
    "protocol_from",
]

_HOME = {
    "DEFICITS": "deficits",
    "AgeScale": "training",
    "Condition": "schema",
    "Deficit": "deficits",
    "EpochConditions": "phases",
    "EyeDeficit": "deficits",
    "NetworkSpec": "training",
    "Phase": "phases",
    "ProbePlan": "training",
    "Protocol": "schema",
    "ResolvedCondition": "schema",
    "ShrinkPerturb": "phases",
    "Stretch": "schema",
    "Training": "training",
    "Until": "phases",
    "deficit_from": "deficits",
    "library_names": "loading",
    "load_protocol": "loading",
    "parse_protocol": "loading",
    "protocol_from": "loading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
