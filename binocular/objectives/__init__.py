"""Objectives of rearing: what a subject learns in a step, as a loss on its answer to a batch.

An objective says what a subject answers (`Objective.answer`), how good that is (`Objective.judge`), which parts of it
are left alone (`Objective.idle`) and what is done to a batch beforehand (`Objective.prepare`). One object serves a
cohort of any packing: it holds no weights and no state.
"""

from __future__ import annotations

from .base import Learner, Objective
from .classification import Classification

__all__ = ["Classification", "Learner", "Objective"]
