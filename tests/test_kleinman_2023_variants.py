"""The blur in other settings, and units of one view with no deficit: verdicts follow the data and flip with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from binocular import protocols
from binocular.papers.kleinman_2023 import transformer_units
from binocular.papers.kleinman_2023.transformer_units import EVEN, bimodality, valley
from binocular.papers.kleinman_2023.variants import CLAIMS, RATES, RESNET, WIDTHS
from binocular.store.records import SiteRecord, SubjectRecord
from binocular.store.study import Condition, Study
from tests.made_studies import Made, assert_draws, made_study


def blurred(title: str, shift: float, loss: float) -> Study:
    """Return a study whose units move to the left eye, and whose accuracy falls, with the length of the blur."""
    return made_study(
        title,
        {
            f"blurred-{end}": Made(
                shift * end / 20, accuracy=0.8 - loss * end / 20, values={"removal": end}, epochs=end + 20
            )
            for end in (0, 7, 20)
        },
    )


def everything(sign: float) -> dict[str, Any]:
    """Return studies in which the claims hold (+1), or in which all effects go the other way (-1)."""
    loss = {"narrow": 0.08, "wide": 0.03}
    made = {key: blurred(key, 0.7 * sign, sign * loss.get(key, 0.02)) for key in (*WIDTHS, *RATES)}
    return {**made, RESNET: blurred("resnet", 0.7 * sign, 0.02)}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_follow_the_data(claim, tmp_path):
    holds, flipped = claim.judge(everything(1.0)), claim.judge(everything(-1.0))
    assert holds.verdict == "holds", [(row.what, row.ours, row.verdict) for row in holds.evidence]
    assert flipped.verdict == "does not hold"
    assert_draws(claim, everything(1.0), tmp_path)


def test_wider_views_that_lose_more_kill_the_claim():
    claim = next(claim for claim in CLAIMS if claim.id == "k23-11-widths")
    swapped = everything(1.0)
    swapped["narrow"], swapped["wide"] = swapped["wide"], swapped["narrow"]
    found = claim.judge(swapped)
    assert found.verdict == "does not hold"
    assert [row.verdict for row in found.evidence if row.role == "test"] == ["holds", "holds", "does not hold"]
    assert [row.published for row in found.evidence][:3] == ["5.0 (Fig. 11)", "1.8 (Fig. 12)", "3.2 (Figs 11 and 12)"]


def test_each_study_differs_from_the_one_of_fig_4_in_what_it_says():
    needs = {need.key: need.load() for claim in CLAIMS for need in claim.needs["lab"]}  # type: ignore[attr-defined]
    paper = {need.key: need.load() for claim in CLAIMS for need in claim.needs.get("paper", ())}  # type: ignore[attr-defined]
    fig4, published = (protocols.load_protocol(f"kleinman-2023-fig4{scale}") for scale in ("", "-paper"))
    assert {key: needs[key].stimulus.columns for key in WIDTHS} == {"narrow": 12, "wide": 16}
    assert {key: paper[key].stimulus.columns for key in WIDTHS} == {"narrow": 14, "wide": 18}
    assert {key: needs[key].training.learning_rate for key in RATES} == RATES
    assert needs[RESNET].network.kind == published.network.kind == "split-resnet-18"
    assert needs[RESNET].stimulus == fig4.stimulus and needs[RESNET].training == fig4.training
    for claim in CLAIMS:
        assert min(claim.looks["lab"].seeds(40)) >= 240, "seeds from 200 belong to the study that is varied"


PROTOCOL = protocols.load_protocol("kleinman-2023-fig8-transformer")
Draw = Callable[[np.random.Generator], np.ndarray]


def one_hump(draw: np.random.Generator) -> np.ndarray:
    return np.clip(0.3 * draw.standard_normal(2000), -1, 1)


def two_humps(draw: np.random.Generator) -> np.ndarray:
    return np.clip(np.where(draw.random(2000) < 0.5, -0.8, 0.8) + 0.1 * draw.standard_normal(2000), -1, 1)


def lopsided(draw: np.random.Generator) -> np.ndarray:
    return np.clip(1 - draw.exponential(0.5, 2000), -1, 1)


def reared(before: Draw, rebuilt: Draw, end: Draw) -> dict[str, Study]:
    """Return a study of the transformer whose units are these before rearing, after rebuilding and at the end."""
    conditions = []
    for name in ("classes", "rebuilding"):
        subjects = []
        for seed in range(5):
            draw = np.random.default_rng([seed, *name.encode()])
            rsv = np.stack([of(draw) for of in (before, before, rebuilt, end, end)])
            sites = {"representation": SiteRecord(np.array([0, 10, 20, 30, 40]), {"rsv": rsv}, np.zeros(5, int))}
            subjects.append(SubjectRecord(name, seed, f"{name}-{seed}", [], {}, sites))
        conditions.append(Condition(name, name, tuple(subjects), {}, "right"))
    attributes = {"title": "invented", "treated_eye": "right", "protocol": PROTOCOL.to_toml()}
    return {"fig8-transformer": Study(attributes, tuple(conditions))}


def test_two_humps_are_told_from_one_and_from_a_lopsided_one():
    draw = np.random.default_rng(0)
    assert bimodality(two_humps(draw)) > 0.8 > EVEN > bimodality(one_hump(draw))
    assert bimodality(draw.uniform(-1, 1, 100_000)) == pytest.approx(EVEN, abs=0.01)
    assert bimodality(lopsided(draw)) > EVEN and valley(lopsided(draw)) < 0 < valley(two_humps(draw))
    assert np.isnan(bimodality(np.full(9, 0.5)))
    silent = np.concatenate([two_humps(draw), np.full(50, np.nan)])
    assert bimodality(silent) > 0.8


@pytest.mark.parametrize(
    ("moments", "verdict"),
    [
        ((one_hump, two_humps, two_humps), "holds"),
        ((one_hump, one_hump, two_humps), "does not hold"),
        ((one_hump, two_humps, one_hump), "does not hold"),
        ((two_humps, two_humps, two_humps), "undecided"),
        ((one_hump, lopsided, two_humps), "does not hold"),
    ],
)
def test_bimodality_must_come_by_rearing_and_stay(moments, verdict, tmp_path):
    (claim,) = transformer_units.CLAIMS
    assert claim.judge(reared(*moments)).verdict == verdict
    assert_draws(claim, reared(*moments), tmp_path)
