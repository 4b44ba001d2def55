"""Losses and turns by the onset of a closure, from the study of objectives (kleinman-2023-fig8)."""

from __future__ import annotations

import tomllib

from binocular.papers.numbers import accuracies, by_seed, condition_of
from binocular.store.study import Study

__all__ = ["KEY", "REBUILDING", "SUPERVISED", "TRANSFORMER", "loss", "onset_share", "onsets", "stereopsis", "turn"]

KEY, TRANSFORMER = "fig8", "fig8-transformer"
"""The studies' keys among what the claims need."""
SUPERVISED, REBUILDING = "classes", "rebuilding"
"""The twins: conditions with the eyes open, and the beginnings of the names of those with a closure."""


def onsets(study: Study) -> list[int]:
    """Return the epochs in which the closures begin, earliest first."""
    return sorted(int(c.values["onset"]) for c in study.reared if c.name.startswith(f"{SUPERVISED}-closed-"))


def onset_share(study: Study, onset: int) -> float:
    """Return an onset as a share of the epochs in which the twins' objectives differ."""
    return onset / float(tomllib.loads(str(study.attributes["protocol"]))["values"]["first"])


def stereopsis(study: Study, condition: str) -> dict[int, float]:
    """Return the accuracy at telling near from far at the end of rearing, by seed, 0 to 1; guessing gives 0.5."""
    return accuracies(condition_of(study, condition), "stereopsis")


def loss(study: Study, normal: str, closed: str) -> dict[int, float]:
    """Return the points of stereopsis that a closure costs, by seed."""
    before, after = stereopsis(study, normal), stereopsis(study, closed)
    return {seed: 100 * (before[seed] - after[seed]) for seed in sorted(before.keys() & after.keys())}


def turn(study: Study, prefix: str, onset: int) -> dict[int, float]:
    """Return how far a closure moves the mean relative source variance towards the fellow eye, by seed."""
    towards = 1.0 if study.fellow_eye == "left" else -1.0
    normal = by_seed(condition_of(study, prefix), "mean_rsv")
    closed = by_seed(condition_of(study, f"{prefix}-closed-{onset}"), "mean_rsv")
    return {seed: towards * (closed[seed] - normal[seed]) for seed in sorted(normal.keys() & closed.keys())}
