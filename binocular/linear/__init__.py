"""Deep linear networks of several pathways: exact theory, and gradient descent on many networks at once.

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.linear.cohort import Conditions, LinearCohort, Stretch
    from binocular.linear.modes import deep_mode, race, settled_race, shallow_mode
    from binocular.linear.plain import rear_alone
    from binocular.linear.starts import aligned_start, gaussian_start

__all__ = [
    "Conditions",
    "LinearCohort",
    "Stretch",
    "aligned_start",
    "deep_mode",
    "gaussian_start",
    "race",
    "rear_alone",
    "settled_race",
    "shallow_mode",
]

_HOME = {
    "Conditions": "cohort",
    "LinearCohort": "cohort",
    "Stretch": "cohort",
    "aligned_start": "starts",
    "deep_mode": "modes",
    "gaussian_start": "starts",
    "race": "modes",
    "rear_alone": "plain",
    "settled_race": "modes",
    "shallow_mode": "modes",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
