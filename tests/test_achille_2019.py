"""The claims of Achille et al. 2019: verdicts follow the data, each control can kill, and what is reared fits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from binocular import protocols
from binocular.papers.achille_2019.main import CLAIMS
from binocular.papers.achille_2019.measures import published_accuracy, sensitivity, windows
from binocular.papers.numbers import costs, settled
from tests.made_studies import Made, assert_draws, assert_verdict_follows, made_study

EPOCHS = (0, 1, 2, 4, 8, 16, 24, 32, 40, 52)
ONSETS = (0, 4, 8, 16, 24, 32)


def removal(lost: float, **changes: Made) -> Any:
    made = {
        f"blurred-{end}": Made(accuracy=0.7 - lost * end / 30, values={"removal": end}, epochs=end + 20)
        for end in (0, 5, 10, 20, 30)
    }
    made["sharp-long"] = Made(accuracy=0.7, epochs=50)
    for end in (0, 30):
        made[f"constant-{end}"] = Made(accuracy=0.7 - lost * end / 30, values={"removal": end}, epochs=end + 20)
    return made_study("removal", {**made, **changes})


def window(lost: dict[int, float]) -> Any:
    made = {
        f"blurred-at-{at}": Made(accuracy=0.7 - loss, values={"onset": at}, deficit=(at, at + 8), epochs=52)
        for at, loss in lost.items()
    }
    return made_study("window", {"normal": Made(accuracy=0.7, epochs=52), **made})


def controls(blur: float, harmless: float, noise: float, **changes: Made) -> Any:
    lost = {"blurred": blur, "upside-down": harmless, "permuted": harmless, "noise": noise}
    made = {name: Made(accuracy=0.7 - loss) for name, loss in lost.items()}
    made |= {"normal": Made(epochs=20), "normal-long": Made(), "sham": Made(twin="normal-long")}
    return made_study("controls", {**made, **changes})


def fisher(trace: dict[int, float]) -> Any:
    made = {f"reared-{end}": Made(fisher={0: trace[0], end: trace[end]}, epochs=end) for end in list(trace)[1:]}
    return made_study("fisher", made)


RISES = dict(zip(EPOCHS, (1.0, 4.0, 16.0, 40.0, 30.0, 20.0, 12.0, 8.0, 6.0, 5.0), strict=True))
FADES = dict(zip(ONSETS, (0.08, 0.09, 0.07, 0.04, 0.02, 0.005), strict=True))


def everything(sign: int) -> dict[str, Any]:
    """Return studies in which the claims hold (+1), or in which everything is the other way round (-1)."""
    if sign > 0:
        one = {"removal": removal(0.1), "window": window(FADES), "controls": controls(0.1, 0.005, 0.05)}
        one["fisher"] = fisher(RISES)
    else:
        late = dict(zip(ONSETS, reversed(FADES.values()), strict=True))
        falls = {epoch: 1 / trace for epoch, trace in RISES.items()}
        one = {"removal": removal(-0.1), "window": window(late), "controls": controls(0.01, 0.1, -0.05)}
        one["fisher"] = fisher(falls)
    return {f"{name}-{eyes}": study for name, study in one.items() for eyes in ("one", "two")}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_follow_the_data(claim):
    assert_verdict_follows(claim, everything(1), everything(-1))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_figures_can_be_drawn(claim, tmp_path):
    assert_draws(claim, everything(1), tmp_path)


def test_no_effect_at_all_is_not_a_critical_period():
    flat = {
        "removal-one": removal(0.0), "window-one": window(dict.fromkeys(ONSETS, 0.0)),
        "controls-one": controls(0.0, 0.0, 0.0), "fisher-one": fisher(dict.fromkeys(EPOCHS, 1.0)),
    }  # fmt: skip
    for claim in CLAIMS[:-1]:
        assert claim.judge(flat).verdict != "holds", claim.id


def verdict(name: str, **studies: Any) -> str:
    claim = next(claim for claim in CLAIMS if claim.id == name)
    return claim.judge({**everything(1), **{key.replace("_", "-"): study for key, study in studies.items()}}).verdict


def test_each_control_can_kill_its_claim():
    longer = removal(0.1, **{"sharp-long": Made(accuracy=0.6, epochs=50)})
    assert verdict("a19-1-removal", removal_one=longer) == "does not hold", "longer rearing alone does the damage"
    annealed = removal(0.1, **{"constant-30": Made(accuracy=0.75, values={"removal": 30}, epochs=50)})
    assert verdict("a19-1-removal", removal_one=annealed) == "does not hold", "the learning rate does the damage"
    sham = controls(0.1, 0.0, 0.05, sham=Made(accuracy=0.69))
    assert verdict("a19-3-harmless", controls_one=sham) == "does not hold", "the procedure does the damage"
    flipped = controls(0.1, 0.0, 0.05, **{"upside-down": Made(accuracy=0.62)})
    assert verdict("a19-3-harmless", controls_one=flipped) == "does not hold", "images upside down do damage"
    steady = {epoch: max(trace, 40.0) if epoch > 2 else trace for epoch, trace in RISES.items()}
    assert verdict("a19-5-fisher", fisher_one=fisher(steady)) == "does not hold", "information never falls"


def test_accuracy_is_averaged_over_the_end_of_rearing_only():
    assert float(settled(removal(0.1), "blurred-10").mean()) == pytest.approx(66.67, abs=0.3)
    assert float(costs(removal(0.1)).sel(removal=10).mean()) == pytest.approx(3.33, abs=0.4)


def test_sensitivity_is_set_against_the_information_during_the_window():
    by_onset, length = windows(window(FADES))
    assert (by_onset["onset"].values.tolist(), length) == (list(ONSETS), 8)
    traces = {0: 1.0, 8: 100.0, 52: 100.0}
    found = sensitivity(window(FADES), fisher(traces)).sel(seed=0)
    information, loss = found["information"].values, found["loss"].values
    # log10 of the trace rises from 0 to 2 along a straight line, then stays: the mean over epochs 0-8 is 1.
    assert information[0] == pytest.approx(1.0, abs=0.02)
    assert information[1:] == pytest.approx([1.72, 2, 2, 2, 2], abs=0.06)
    assert loss[0] == pytest.approx(8, abs=1.0)


def test_published_accuracy_is_that_of_the_table():
    assert published_accuracy()[0] == 93.4
    assert published_accuracy()[-1] == 81.3
    assert all(later <= earlier for earlier, later in pairwise(published_accuracy().values))


@pytest.mark.parametrize("scale", ["lab", "paper"])
def test_what_the_claims_need_is_there(scale):
    names = {"removal": "blurred-0", "window": "normal", "controls": "sham", "fisher": "reared-1"}
    needs = {need.key: need for claim in CLAIMS for need in claim.needs[scale]}
    assert len(needs) == 8
    for key, need in needs.items():
        protocol = need.load()
        assert isinstance(protocol, protocols.Protocol)
        assert names[key.split("-")[0]] in [condition.name for condition in protocol.conditions]
        assert protocol.network.options.get("eyes", 2) == {"one": 1, "two": 2}[key.split("-")[1]]
        assert need.graphics_card is (scale == "paper")
        assert bool(need.measures) is key.startswith("fisher")
