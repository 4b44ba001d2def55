"""Claim 7 of Kleinman et al. 2023: verdicts follow the data and flip with them, and the figures show every subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from binocular import protocols
from binocular.papers.kleinman_2023.objectives import CLAIMS, losses, turns
from binocular.papers.kleinman_2023.tables import onset_curve
from binocular.store.records import SiteRecord, SubjectRecord
from binocular.store.study import Condition, Study

PROTOCOL = protocols.load_protocol("kleinman-2023-fig8")
SAME = protocols.load_protocol("kleinman-2023-same-patches")
# Stereopsis lost and turn of the units by condition, where the paper is right; eyes open: 0.9 and no turn.
RIGHT = {
    "classes-closed-0": (0.3, 0.7),
    "classes-closed-10": (0.15, 0.5),
    "classes-closed-20": (0.05, 0.3),
    "fresh-head-closed-0": (0.3, 0.7),
    "hidden-closed-0": (0.3, 0.5),
    "late-start": (0.25, 0.0),
    "rebuilding-then-closed": (0.1, 0.3),
}


def invented(treated: str = "right", **changes: tuple[float, float]) -> Study:
    """Return a study with every condition of both protocols."""
    effects = {**RIGHT, **{name.replace("_", "-"): value for name, value in changes.items()}}
    conditions = []
    for condition in (*PROTOCOL.resolved_conditions(), *SAME.resolved_conditions()):
        lost, turned = effects.get(condition.name, (0.0, 0.0))
        turned = turned if treated == "right" else -turned
        subjects = []
        for seed in range(5):
            draw = np.random.default_rng([seed, *condition.name.encode()])
            rsv = np.clip(np.array([[0.0], [turned]]) + 0.1 * draw.standard_normal((2, 40)), -1, 1)
            sites = {"representation": SiteRecord(np.array([0, 50]), {"rsv": rsv}, np.zeros(2, int))}
            history = {"stereopsis": np.array([0.9 - lost + 0.005 * draw.standard_normal()])}
            subjects.append(SubjectRecord(condition.name, seed, f"{condition.name}-{seed}", [], history, sites))
        conditions.append(Condition(condition.name, condition.label, tuple(subjects), condition.values, treated))
    attributes = {"title": "invented", "treated_eye": treated, "protocol": PROTOCOL.to_toml()}
    return Study(attributes, tuple(conditions))


TWINS = {"k23-7-reconstruction", "k23-7-transformer"}


def had(study: Study) -> dict[str, Study]:
    return {"fig8": study, "fig8-transformer": study, "same-patches": study}


def verdicts(study: Study) -> dict[str, str]:
    return {claim.id: claim.judge(had(study)).verdict for claim in CLAIMS}


def test_published_curves_come_from_the_table():
    curve = onset_curve("supervised").to_series()
    assert curve.to_dict() == {0: 17.8, 0.2: 21.6, 0.4: 10.9, 0.6: 4.1, 0.8: 0.7, 1.0: 1.1}
    assert onset_curve("masked cross-view reconstruction").max() == 0.87


def test_half_way_between_two_published_onsets_the_earlier_one_is_told():
    study = invented()  # of its onsets 0, 10 and 20, 10 is half of the transformer's 20 epochs
    protocol = protocols.load_protocol("kleinman-2023-fig8-transformer").to_toml()
    study = replace(study, attributes={**study.attributes, "protocol": protocol})
    claim = next(claim for claim in CLAIMS if claim.id == "k23-7-transformer")
    told = {row.what: row.published for row in claim.judge(had(study)).evidence}
    assert told["loss of stereopsis, classes, closed at 0.50, points"] == "10.9 (Fig. 8, nearest onset)"


@pytest.mark.parametrize("treated", ["right", "left"])
def test_where_the_paper_is_right_the_claims_hold(treated):
    study = invented(treated)
    assert set(verdicts(study).values()) == {"holds"}
    assert losses(study, "classes")["onset"].values == pytest.approx([0, 1 / 3, 2 / 3])
    assert float(losses(study, "classes")[0].mean()) == pytest.approx(30, abs=1)
    assert float(turns(study, "classes")[0].mean()) == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "falls"),
    [
        ({"classes_closed_0": (0.02, 0.7)}, {"k23-4-onset"} | TWINS),
        ({"classes_closed_20": (0.3, 0.7)}, {"k23-4-onset"}),
        ({"classes_closed_0": (0.3, 0.0)}, {"k23-7-reconstruction"}),
        ({"rebuilding_closed_20": (0.2, 0.0)}, TWINS),
        ({"rebuilding_closed_0": (0.0, 0.5)}, {"k23-7-reconstruction"}),
        ({"both_closed_0": (0.2, 0.0)}, {"k23-7-control"}),
        ({"hidden_closed_0": (0.0, 0.0)}, {"k23-7-control"}),
        ({"same_closed": (0.3, 0.7)}, {"k23-7-control"}),
        ({"fresh_head_closed_0": (0.0, 0.0)}, {"k23-7-control"}),
        ({"late_start": (-0.05, 0.0)}, {"k23-7-control"}),
        # Nothing is lost where nothing was learned, which proves nothing.
        ({"rebuilding": (0.35, 0.0), "rebuilding_closed_0": (0.35, 0.0), "rebuilding_closed_10": (0.35, 0.0),
          "rebuilding_closed_20": (0.35, 0.0)}, TWINS | {"k23-7-control"}),
    ],
)  # fmt: skip
def test_each_effect_can_refute_its_claim(changes, falls):
    found = verdicts(invented(**changes))
    assert {claim for claim, verdict in found.items() if verdict == "does not hold"} == falls


def test_where_hiding_alone_protects_the_finding_says_so():
    judge = next(claim.judge for claim in CLAIMS if claim.id == "k23-7-control")
    assert "without any rebuilding" in judge(had(invented(hidden_closed_0=(0.0, 0.0)))).reason
    assert judge(had(invented())).reason == ""


def test_one_subject_decides_nothing():
    study = invented()
    alone = Study(
        study.attributes,
        tuple(Condition(c.name, c.label, c.subjects[:1], c.values, c.treated_eye) for c in study.conditions),
    )
    assert set(verdicts(alone).values()) == {"undecided"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_figures_are_drawn(claim, tmp_path):
    figure = claim.draw(had(invented()))
    figure.savefig(tmp_path / "figure.png")
    lines = [line for ax in figure.axes for line in ax.lines if len(line.get_xdata()) > 2]
    assert lines or claim.id == "k23-7-control"
    assert all(ax.get_xlabel() for ax in figure.axes)


def test_the_paper_scale_says_why_it_cannot_be_run():
    assert all("Kinetics" in claim.absent["paper"] for claim in CLAIMS)


def test_the_protocol_gives_twins_the_same_closures():
    conditions = {c.name: c for c in PROTOCOL.resolved_conditions()}
    for onset in (0, 10, 20):
        supervised, rebuilding = (
            conditions[f"{name}-closed-{onset}"].epoch_conditions() for name in ("classes", "rebuilding")
        )
        assert [e.deficits for e in supervised] == [e.deficits for e in rebuilding]
        assert [e.learning_rate for e in supervised] == [e.learning_rate for e in rebuilding]
        assert [i for i, e in enumerate(supervised) if e.deficits] == list(range(onset, onset + 10))
        assert {e.objective.kind for e in rebuilding[:30]} == {"reconstruction"}
        assert {e.objective.kind for e in [*rebuilding[30:], *supervised]} == {"classification"}
