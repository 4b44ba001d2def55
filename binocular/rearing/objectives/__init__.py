"""Objectives of rearing: what a subject learns in a step, as a loss on its answer to a batch.

An objective says what a subject answers (`Objective.answer`), how good that is (`Objective.judge`), which parts of it
are left alone (`Objective.idle`) and what is done to a batch beforehand (`Objective.prepare`). One object serves a
cohort of any packing: it holds no weights and no state.
"""

from __future__ import annotations

from functools import lru_cache

from binocular.protocols import objectives as asked
from binocular.protocols.objectives import Objective as ObjectiveSpec
from binocular.stimuli.user_code import is_shipped

from .base import Learner, Objective
from .classification import Classification
from .decoder import build_decoder
from .own import Own, try_objective
from .reconstruction import Reconstruction

__all__ = [
    "Classification",
    "Learner",
    "Objective",
    "Reconstruction",
    "build_decoder",
    "objective_of",
    "try_objective",
]


@lru_cache(maxsize=64)
def objective_of(spec: ObjectiveSpec) -> Objective | None:
    """Return the objective that a protocol asks for, the same object for equal ones; None where nothing is learned."""
    if not is_shipped(type(spec)):
        return Own(spec)
    if isinstance(spec, asked.NoLearning):
        return None
    if isinstance(spec, asked.Reconstruction):
        return Reconstruction(spec)
    if isinstance(spec, asked.Classification):
        return Classification()
    raise TypeError(f"there is no objective for {type(spec).__name__}")
