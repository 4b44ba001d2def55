"""Depth, heads and controls after Kleinman et al. 2023: verdicts follow the data, and each control can kill."""

from __future__ import annotations

from typing import Any

import pytest

from binocular.papers.kleinman_2023.controls import CLAIMS
from binocular.papers.kleinman_2023.measures import CLOCKS, CLOSURES, DEPTHS
from binocular.papers.kleinman_2023.tables import published_depth
from tests.made_studies import Made, assert_draws, assert_verdict_follows, made_study

CLAIMS_BY_ID = {claim.id: claim for claim in CLAIMS}


def blur(early: float, late: float, **changes: Made) -> Any:
    made: dict[str, Made] = {"sharp-short": Made(epochs=20)}
    for clock in CLOCKS:
        made |= {f"sharp-{clock}": Made(), f"sharp-long-{clock}": Made(epochs=60)}
        made |= {f"early-{clock}": Made(early), f"late-{clock}": Made(late, epochs=60)}
    made |= {f"early-{name}": Made(early) for name in ("phase", "statistics-renewed", "momentum-forgotten")}
    made |= {"fellow-early": Made(-early), "sham-early": Made(twin="sharp-absolute")}
    return made_study("blur", {**made, **changes})


def closure(early: float, late: float, lost: float, **changes: Made) -> Any:
    made: dict[str, Made] = {"sham": Made(), "fellow-early": Made(-early, accuracy=0.9 - lost)}
    for normal, first, second in CLOSURES.values():
        made |= {normal: Made(accuracy=0.9), first: Made(early, accuracy=0.9 - lost)}
        made |= {second: Made(late, accuracy=0.9 - lost / 4)}
    long = ("early-long-recovery", "early-statistics-renewed", "early-momentum-forgotten")
    made |= {name: Made(early, accuracy=0.9 - lost) for name in long}
    return made_study("closure", {**made, **changes})


def heads(rise: float, **changes: Made) -> Any:
    made = {"normal": Made(epochs=20), "normal-long": Made()}
    made |= {name: Made(spread=0.3 + rise, accuracy=0.65) for name in ("paired", "as-released")}
    return made_study("heads", {**made, **changes})


def depth(lost: float, accuracy: float = 0.7) -> Any:
    made = {
        f"blurred-{end}": Made(accuracy=accuracy - lost * bool(end), values={"removal": end}, epochs=end + 20)
        for end in (0, 15, 30)
    }
    return made_study("depth", made)


def everything(sign: int) -> dict[str, Any]:
    """Return studies in which the claims hold (+1), or in which everything is the other way round (-1)."""
    lost = {1: 0.01, 2: 0.03, 3: 0.06}
    found: dict[str, Any] = {
        "blur-controls": blur(0.6 * sign, 0.2 * sign),
        "deprivation-controls": closure(0.6 * sign, 0.2 * sign, 0.3 * sign),
        "heads-per-eye": heads(0.5 if sign > 0 else -0.25),
        "heads-one": heads(0.5),
    }
    return found | {f"depth-{n}": depth(sign * lost[n]) for n in DEPTHS}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_follow_the_data(claim):
    assert_verdict_follows(claim, everything(1), everything(-1))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_figures_can_be_drawn(claim, tmp_path):
    assert_draws(claim, everything(1), tmp_path)


def verdict(name: str, **studies: Any) -> str:
    claim = next(claim for claim in CLAIMS if claim.id == name)
    return claim.judge({**everything(1), **{key.replace("_", "-"): study for key, study in studies.items()}}).verdict


BLUR_KILLERS = {
    "early-constant": Made(-0.3),
    "early-cyclic": Made(-0.3),
    "late-cyclic": Made(0.9, epochs=60),
    "late-constant": Made(0.9, epochs=60),
    "late-absolute": Made(0.9, epochs=60),
    "early-phase": Made(-0.3),
    "early-statistics-renewed": Made(-0.3),
    "early-momentum-forgotten": Made(-0.3),
    "fellow-early": Made(0.3),
    "sham-early": Made(0.3),
    "sharp-short": Made(0.9, spread=0.1, epochs=20),
}


@pytest.mark.parametrize("name", BLUR_KILLERS)
def test_each_control_of_the_blur_can_kill(name):
    assert verdict("k23-3-blur-controls", blur_controls=blur(0.6, 0.2, **{name: BLUR_KILLERS[name]})) == "does not hold"


CLOSURE_KILLERS = {
    "early-long-recovery": Made(0.0, accuracy=0.6),
    "early-constant-rate": Made(0.0, accuracy=0.6),
    "early-cyclic-rate": Made(0.6, accuracy=0.88),
    "late-phase-clock": Made(0.9, accuracy=0.85),
    "early-statistics-renewed": Made(0.0, accuracy=0.6),
    "early-momentum-forgotten": Made(0.0, accuracy=0.6),
    "fellow-early": Made(0.4, accuracy=0.6),
    "sham": Made(0.9, spread=0.1),
}


@pytest.mark.parametrize("name", CLOSURE_KILLERS)
def test_each_control_of_the_closure_can_kill(name):
    study = closure(0.6, 0.2, 0.3, **{name: CLOSURE_KILLERS[name]})
    assert verdict("k23-1-closure-controls", deprivation_controls=study) == "does not hold"


def test_other_controls_can_kill():
    assert verdict("k23-3-heads", heads_per_eye=heads(0.5, **{"as-released": Made(spread=0.1)})) == "does not hold"
    longer = heads(0.5, **{"normal-long": Made(spread=3.0)})
    assert verdict("k23-3-heads", heads_per_eye=longer) == "does not hold", "longer rearing alone does it"
    assert verdict("k23-6-depth", **{"depth-3": depth(0.06, 0.55)}) == "does not hold", "deep ones do not learn"
    assert verdict("k23-6-depth", **{"depth-1": depth(0.09)}) == "does not hold", "shallow ones lose more"


def test_published_depths_are_those_of_the_table():
    published = published_depth()
    assert tuple(published["blocks"].values) == DEPTHS
    assert published.sel(blocks=3, removal=280) == -1.21
    assert (published.sel(removal=0) == 0).all()


@pytest.mark.parametrize("scale", ["lab", "paper"])
def test_what_the_claims_need_is_there(scale):
    needs = {need.key: need.load() for claim in CLAIMS for need in claim.needs[scale]}
    assert [needs[f"depth-{n}"].network.options["blocks"] for n in DEPTHS] == list(DEPTHS)
    assert needs["depth-1"].training.clock == "constant"
    assert needs["heads-per-eye"].network.options["heads"] == "per-eye"
    assert needs["heads-one"].network.options["heads"] == "one"
    wanted = {"blur-controls": blur(1, 1), "deprivation-controls": closure(1, 1, 1), "heads-one": heads(1)}
    for key, study in wanted.items():
        assert {c.name for c in study.conditions} <= {c.name for c in needs[key].conditions}, key


def test_small_studies_are_looked_at_again_on_seeds_that_nobody_has_seen():
    looks = {claim.id: claim.looks.get("lab") for claim in CLAIMS}
    assert looks.pop("k23-1-closure-controls") is None, "five of its seeds decided it"
    for claim, declared in looks.items():
        assert declared is not None, claim
        known = {seed for need in CLAIMS_BY_ID[claim].needs["lab"] for seed in need.load().seed_list}
        assert known <= set(declared.pilots) and not known & set(declared.seeds(declared.after[-1]))
