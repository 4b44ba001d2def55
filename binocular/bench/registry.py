"""The benchmarks, one line each."""

from __future__ import annotations

from binocular.bench.base import Case
from binocular.stimuli.errors import BadInput

__all__ = ["CASES", "case_named"]

CASES: tuple[Case, ...] = (
    Case("start-help", "starting:help_seconds", "binocular --help, in a fresh process", "s", "at most", 0.3),
    Case("start-list", "starting:list_seconds", "binocular list, in a fresh process", "s", "at most", 1.0),
    Case("start-show", "starting:show_seconds", "binocular show monocular-deprivation", "s", "at most", 1.0),
    Case("sharing", "sharing:epochs", "epochs asked for over epochs reared, main experiment", "x", "at least", None),
    Case("views", "published:views", "views of the published task from tensors, over one by one", "x", "at least", 4),
    Case("published", "published:throughput", "Split-ResNet-18 step, over the plain step", "x", "at least", 3),
    Case("published-gpu", "published:throughput_on_gpu", "the same on a GPU", "x", "at least", 8),
    Case("alone", "cohorts:alone", "a single subject, over a plain loop, one core", "x", "at least", 1),
    Case("cohort-cnn", "cohorts:cnn", "split-cnn: largest cohort, over one at a time", "x", "at least", 2),
    Case("cohort-cnn-gpu", "cohorts:cnn_on_gpu", "split-cnn on a GPU: largest cohort", "x", "at least", 20),
    Case("cohort-mlp", "cohorts:mlp", "split-mlp: largest cohort, over one at a time", "x", "at least", 3),
    Case("cohort-linear", "cohorts:linear", "linear networks: largest cohort, over one at a time", "x", "at least", 30),
    Case("probing", "probing:share_of_rearing", "an RSV checkpoint, of the ten epochs before it", "%", "at most", 10),
)
"""All cases, in the order in which they are measured and shown."""


def case_named(name: str) -> Case:
    """Return a case by its name.

    Raises
    ------
    BadInput
        If there is none of that name.
    """
    named = {case.name: case for case in CASES}
    if name not in named:
        raise BadInput(f"--case: there is no case '{name}'; accepted: {', '.join(named)}")
    return named[name]
