"""What is done to the eyes, and when: deficits, schedules and named experiments. Loading a protocol needs no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.protocols.deficits import DEFICITS, Deficit, EyeDeficit, deficit_from
    from binocular.protocols.loading import library_names, load_protocol, parse_protocol, protocol_from
    from binocular.protocols.objectives import OBJECTIVES, Objective
    from binocular.protocols.phases import EpochConditions, Phase, ShrinkPerturb, Until
    from binocular.protocols.schema import Condition, Protocol, ResolvedCondition, Stretch
    from binocular.protocols.training import AgeScale, NetworkSpec, ProbePlan, Training

__all__ = [
    "DEFICITS",
    "OBJECTIVES",
    "AgeScale",
    "Condition",
    "Deficit",
    "EpochConditions",
    "EyeDeficit",
    "NetworkSpec",
    "Objective",
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
    "OBJECTIVES": "objectives",
    "AgeScale": "training",
    "Condition": "schema",
    "Deficit": "deficits",
    "EpochConditions": "phases",
    "EyeDeficit": "deficits",
    "NetworkSpec": "training",
    "Objective": "objectives",
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

__getattr__, __dir__ = lazily(__name__, _HOME)
