"""Studies in memory whose numbers are chosen, for the tests of claims. Nothing here is a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from binocular.papers.claims import Claim
from binocular.report.figures.style import style
from binocular.store.records import MeasureRecord, SiteRecord, SubjectRecord
from binocular.store.study import Condition, Study

__all__ = ["Made", "assert_draws", "assert_verdict_follows", "made_study"]

UNITS = 80


@dataclass(frozen=True)
class Made:
    """What the subjects of a condition come to.

    Attributes
    ----------
    rsv, spread
        Mean and s.d. of relative source variance over units at the end; before rearing the mean is 0.
    accuracy
        Settled accuracy, stereopsis and motion, 0 to 1.
    values
        Swept values of the condition.
    deficit
        Epochs of the deficit, half open, or None.
    epochs
        Length of rearing.
    twin
        Name of a condition whose subjects these are copies of, bit for bit.
    fisher
        Trace of the Fisher information of all weights by epoch; nothing for no measure.
    """

    rsv: float = 0.0
    spread: float = 0.3
    accuracy: float = 0.7
    values: Mapping[str, Any] = field(default_factory=dict)
    deficit: tuple[int, int] | None = None
    epochs: int = 40
    twin: str = ""
    fisher: Mapping[int, float] = field(default_factory=dict)


def made_study(title: str, conditions: Mapping[str, Made], seeds: int = 5) -> Study:
    """Return a study with these conditions."""
    found = tuple(
        Condition(name, name, tuple(_subject(name, made, seed) for seed in range(seeds)), made.values, "right")
        for name, made in conditions.items()
    )
    return Study({"title": title, "treated_eye": "right"}, found)


def _subject(name: str, made: Made, seed: int) -> SubjectRecord:
    draw = np.random.default_rng([seed, *(made.twin or name).encode()])
    units = draw.standard_normal((2, UNITS))
    rsv = np.clip(np.array([[0.0], [made.rsv]]) + made.spread * units, -1, 1)
    sites = {
        site: SiteRecord(np.array([0, made.epochs]), {"rsv": rsv}, np.zeros(2, int))
        for site in ("representation", "representation.map", "first_binocular")
    }
    epoch = np.arange(1.0, made.epochs + 1)
    tested = np.where(epoch % 2 == 0, made.accuracy + 0.004 * draw.standard_normal(len(epoch)), np.nan)
    # Early tests are far from the settled ones: whoever averages over all of them is found out.
    tested = np.where(epoch <= made.epochs - 10, tested - 0.3, tested)
    history = {"epoch": epoch, "test_accuracy": tested, "stereopsis": tested, "motion": tested}
    cuts = (0, *(made.deficit or ()), made.epochs)
    phases = [
        {"name": "x", "start": a, "stop": b, "deficits": [{"kind": "blur"}] if (a, b) == made.deficit else []}
        for a, b in pairwise(cuts)
        if a < b
    ]
    measures = {}
    if made.fisher:
        noise = np.exp(0.02 * draw.standard_normal((len(made.fisher), 1)))
        parts = np.array([[trace, 0.0, 0.0, 0.0] for trace in made.fisher.values()]) * noise
        epochs = np.array(list(made.fisher))
        measures["fisher", "network"] = MeasureRecord(epochs, {"fisher_trace": parts})
    return SubjectRecord(name, seed, f"{name}-{seed}", phases, history, sites, measures=measures)


def assert_verdict_follows(claim: Claim, true: Mapping[str, Study], reversed_: Mapping[str, Study]) -> None:
    """Assert that a claim holds in studies made so, does not in the reverse, and needs the same at both scales."""
    holds, flipped = claim.judge(true), claim.judge(reversed_)
    assert holds.verdict == "holds", [(row.what, row.ours, row.verdict) for row in holds.evidence]
    assert flipped.verdict == "does not hold"
    assert holds.claim == flipped.claim == claim.id
    assert {need.key for need in claim.needs["lab"]} == {need.key for need in claim.needs["paper"]}


def assert_draws(claim: Claim, studies: Mapping[str, Study], folder: Path) -> None:
    """Assert that a claim's figure can be drawn and written."""
    assert claim.draw is not None
    with style():
        figure = claim.draw(studies)
        assert isinstance(figure, Figure)
        figure.savefig(folder / "figure.png", dpi=50)
