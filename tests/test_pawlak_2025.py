"""The claims of Pawlak 2025: verdicts follow the data, each control can kill, and what is reared fits."""

from __future__ import annotations

from typing import Any

import pytest

from binocular import protocols
from binocular.papers.pawlak_2025.figures import SCHEDULES, severity
from binocular.papers.pawlak_2025.main import CLAIMS
from tests.made_studies import Made, assert_draws, assert_verdict_follows, made_study

RISES = ("cyclic", "restarts", "renewed", "renewed-forgotten")


def schedules(falling: float, rising: float, severe: float, **changes: Made) -> dict[str, Any]:
    """Return a study with these losses, as shares of all answers: by a rate that falls, that rises, and by factor 8."""
    lost = {**dict.fromkeys(RISES, rising), "falling": falling, "constant": falling}
    made = {f"sharp-{name}": Made(accuracy=0.7) for name in SCHEDULES if name != "renewed"}
    made |= {f"blurred-{name}": Made(accuracy=0.7 - loss) for name, loss in lost.items()}
    made["sharp-long"] = Made(accuracy=0.7, epochs=60)
    for factor in (2, 4, 8):
        made[f"severity-{factor}"] = Made(accuracy=0.7 - severe * factor / 8, values={"factor": factor})
    changed = {name.replace("_", "-"): one for name, one in changes.items()}
    return {"schedules": made_study("schedules", {**made, **changed})}


HOLDS, REVERSED = schedules(0.08, 0.01, 0.08), schedules(-0.08, 0.05, -0.08)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_follow_the_data(claim):
    assert_verdict_follows(claim, HOLDS, REVERSED)


def test_figures_can_be_drawn(tmp_path):
    drawn = [claim for claim in CLAIMS if claim.draw is not None]
    assert [claim.id for claim in drawn] == ["p25-1-cyclic", "p25-3-severity"]
    for claim in drawn:
        assert_draws(claim, HOLDS, tmp_path)


def verdict(claim: str, studies: dict[str, Any]) -> str:
    return next(found for found in CLAIMS if found.id == claim).judge(studies).verdict


def test_each_control_can_kill_its_claim():
    for claim in ("p25-1-cyclic", "p25-2-renewed"):
        assert verdict(claim, schedules(0.0, 0.0, 0.0)) != "holds", "there is nothing to avert"
        older = schedules(0.08, 0.01, 0.08, sharp_long=Made(accuracy=0.6, epochs=60))
        assert verdict(claim, older) == "does not hold", "longer rearing alone does the damage"
        assert verdict(claim, schedules(0.08, 0.06, 0.08)) == "does not hold", "most of the loss is left"
    poor = schedules(0.08, 0.01, 0.08, sharp_cyclic=Made(accuracy=0.6), blurred_cyclic=Made(accuracy=0.59))
    assert verdict("p25-1-cyclic", poor) == "does not hold", "sharp subjects learn little with cycles"
    assert verdict("p25-3-severity", schedules(0.08, 0.01, 0.0)) != "holds"


def test_losses_by_severity_are_those_of_subjects_with_a_falling_rate():
    assert severity(HOLDS).mean("seed").values == pytest.approx([2, 4, 8], abs=0.6)


@pytest.mark.parametrize("name", ["pawlak-2025", "pawlak-2025-paper"])
def test_the_protocols_have_what_the_claims_compare(name):
    reared = {condition.name: condition for condition in protocols.load_protocol(name).conditions}
    assert set(reared) == {condition.name for condition in HOLDS["schedules"].conditions}
    total = {name: sum(phase.epochs for phase in condition.phases) for name, condition in reared.items()}
    assert total["sharp-long"] == total["blurred-falling"] == total["blurred-cyclic"] > total["sharp-falling"]
    assert [phase.clock for phase in reared["blurred-renewed"].phases] == [None, "phase"]
