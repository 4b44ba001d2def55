"""What closes the period: cells, predictions that leave a cell out, verdicts both ways, and the whole in miniature."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from binocular.networks.build import build_network
from binocular.papers.what_closes.cells import FIRST, LAST, PREDICTORS, RATES, SHOWN, skill, table
from binocular.papers.what_closes.main import CLAIMS
from binocular.probes.plasticity import Plasticity, distance
from binocular.probes.weights import PARTS
from binocular.protocols import load_protocol
from binocular.runs.running import run_study
from binocular.store.records import MeasureRecord, SiteRecord, SubjectRecord
from binocular.store.study import Condition, Study, load_study

OPENING, END, SEEDS = 10, 50, range(2)
LOSS = {"scenes": 1.0, "noise": 0.5, "none": 0.05, "few": 0.02, "bright": 0.3}
FALL = {"falling": 0.3, "constant": -0.1, "cyclic": -0.15, "restarted": 0.0}


def subject(name: str, seed: int, turns: tuple[float, float], loss: float, rate: float) -> SubjectRecord:
    draw = np.random.default_rng([seed, *name.encode()])
    epochs = np.array([0, OPENING, END])
    rsv = np.stack([np.full(30, mean + 0.004 * draw.standard_normal()) for mean in (0.0, *turns)])
    site = SiteRecord(epochs, {"rsv": rsv}, np.zeros(3, int))
    parts, position = np.ones((3, 4)), np.zeros((3, 4, 2))
    position[1:] = 1 + draw.random()
    measures = {
        ("plasticity", "network"): MeasureRecord(
            epochs, {"loss": np.full(3, loss), "gradient_norm": parts * draw.random(), "position": position}
        ),
        ("fisher", "network"): MeasureRecord(epochs, {"fisher_trace": parts * (0.1 + draw.random())}),
    }
    phases = [{"name": "closure", "start": 0, "stop": OPENING}, {"name": "recovery", "start": OPENING, "stop": END}]
    history = {"epoch": np.arange(1.0, END + 1), "learning_rate": np.full(END, rate)}
    return SubjectRecord(name, seed, name, phases, history, {FIRST: site, LAST: site}, measures=measures)


def study(shown: str, left: Any) -> Study:
    conditions = []
    for rate in RATES:
        turns = {"normal": (0.0, 0.0), "closed": (0.8, 0.8 * left(shown, rate))}
        for group, turn in turns.items():
            name, lasting = f"{group}-{rate}", 0.1 + 0.3 * FALL[rate]
            of = tuple(subject(name, seed, turn, LOSS[shown], lasting) for seed in SEEDS)
            conditions.append(Condition(name, name, of, {"rate": rate}, "right"))
    return Study({"title": shown, "treated_eye": "right"}, tuple(conditions))


def made(left: Any) -> dict[str, Study]:
    return {shown: study(shown, left) for shown in SHOWN}


def forgotten(left: float) -> Study:
    """Return the control in which the rate is begun anew and momentum forgotten."""
    whole = study("scenes", lambda *_: left)
    renamed = {f"{group}-restarted": f"{group}-forgotten" for group in ("normal", "closed")}
    kept = [replace(c, name=renamed[c.name]) for c in whole.conditions if c.name in renamed]
    return replace(whole, conditions=tuple(kept))


def by_loss(shown: str, rate: str) -> float:
    return 0.5 - 0.2 * np.log10(LOSS[shown]) + 0.05 * FALL[rate]


def by_rate(shown: str, rate: str) -> float:
    return 0.5 + FALL[rate]


def test_a_share_is_what_is_left_of_the_turn_beside_normal_subjects():
    cells = table(made(by_loss))
    assert cells.sizes == {"cell": len(SHOWN) * len(RATES), "seed": len(SEEDS)}
    at = (cells["shown"] == "none") & (cells["rate"] == "falling")
    np.testing.assert_allclose(cells["left"][at], by_loss("none", "falling"), atol=0.03)
    np.testing.assert_allclose(cells["loss"][at], np.log10(0.05))
    assert np.isnan(table(made(lambda *_: 0.5) | {"bright": unturned()})["left"][-4:]).all(), "nothing had turned"


def unturned() -> Study:
    flat = study("bright", by_loss)
    still = [replace(c, subjects=flat.conditions[0].subjects) for c in flat.conditions]
    return replace(flat, conditions=tuple(still))


def test_a_cell_is_predicted_from_all_the_others():
    draw = np.random.default_rng(0)
    x, noise = draw.standard_normal(12), 0.3 * draw.standard_normal(12)
    cells = xr.Dataset(
        {name: (("cell", "seed"), value[:, None]) for name, value in {"left": 2 * x + noise, "x": x}.items()},
        {"seed": [7]},
    )
    wanted = cells["left"].to_numpy()[:, 0]
    errors, plain = [], []
    for at in range(12):
        slope, offset = np.polyfit(np.delete(x, at), np.delete(wanted, at), 1)
        errors.append(wanted[at] - (slope * x[at] + offset))
        plain.append(wanted[at] - np.delete(wanted, at).mean())
    assert skill(cells, ["x"]).item() == pytest.approx(1 - np.square(errors).sum() / np.square(plain).sum())
    assert skill(cells.assign(x=cells["x"] * 0 + draw.standard_normal((12, 1))), ["x"]).item() < 0.4
    assert np.isnan(skill(cells.isel(cell=slice(2)), ["x"]).item())


def invented_cells(left: np.ndarray, x: np.ndarray, **names: list[str]) -> xr.Dataset:
    values = {name: (("cell", "seed"), value[:, None]) for name, value in {"left": left, "x": x}.items()}
    return xr.Dataset(values, {"seed": [7], **{name: ("cell", value) for name, value in names.items()}})


def test_what_only_tells_groups_apart_has_no_skill_among_their_cells():
    draw = np.random.default_rng(1)
    shown, groups = ["few"] * 6 + ["scenes"] * 6, np.repeat([1.0, 0.0], 6)
    noise = draw.standard_normal((2, 12))
    apart = invented_cells(groups + 0.1 * noise[0], groups + 0.1 * noise[1], shown=shown)
    assert skill(apart, ["x"]).item() > 0.8 and skill(apart, ["shown"]).item() > 0.8
    assert skill(apart, ["x"], ["shown"]).item() < 0.1
    within = invented_cells(3 * groups + 2 * noise[0], noise[0], shown=shown)
    assert skill(within, ["x"], ["shown"]).item() == pytest.approx(1), "a line for each group, of one slope"
    assert skill(invented_cells(groups, noise[0], shown=shown), ["shown"]).item() == pytest.approx(1)


def test_cells_of_one_history_can_be_left_out_together():
    draw = np.random.default_rng(2)
    x, left = draw.standard_normal((2, 6))
    twice = invented_cells(np.repeat(left, 2), np.repeat(x, 2), history=[name for name in "abcdef" for _ in range(2)])
    others = [np.arange(6) != at for at in range(6)]
    lines = [np.polyval(np.polyfit(x[other], left[other], 1), x[at]) for at, other in enumerate(others)]
    plain = [left[other].mean() for other in others]
    wanted = 1 - np.square(left - lines).sum() / np.square(left - plain).sum()
    assert skill(twice, ["x"], left_out="history").item() == pytest.approx(wanted)
    assert skill(twice, ["x"]).item() > wanted, "the twin has told"
    cells = table(made(by_loss))
    assert len(set(cells["history"].to_numpy())) == len(SHOWN) * (len(RATES) - 1)


def test_verdicts_follow_the_data():
    judges = {claim.id: claim for claim in CLAIMS}
    loss, rate = made(by_loss), made(by_rate)
    assert judges["closes-by-loss"].judge(loss).verdict == "holds"
    assert judges["closes-by-loss"].judge(rate).verdict == "does not hold"
    assert judges["closes-rate"].judge(rate).verdict == "holds"
    assert judges["closes-rate"].judge(made(lambda shown, rate: 0.5 - FALL[rate])).verdict == "does not hold"
    assert judges["closes-repetition"].judge(loss).verdict == "holds"
    fewer = made(lambda shown, rate: 0.5 + 0.1 * np.log10(LOSS[shown]))
    assert judges["closes-repetition"].judge(fewer).verdict == "does not hold"
    assert {f"closes-by-{name}" for name in PREDICTORS} <= set(judges)


def test_a_reopening_that_is_momentums_doing_is_none():
    claim = next(claim for claim in CLAIMS if claim.id == "closes-restart")
    rate = made(by_rate)
    assert claim.judge({**rate, "forgotten": forgotten(0.5)}).verdict == "holds"
    found = claim.judge({**rate, "forgotten": forgotten(0.95)})
    assert found.verdict == "does not hold", "with momentum forgotten as much is left as at a falling rate"
    assert {row.verdict for row in found.evidence if row.role == "test"} == {"holds"}


def test_the_control_of_momentum_is_the_restarted_rate_but_for_momentum():
    whole, control = (load_protocol(f"what-closes-{name}") for name in ("the-period", "momentum"))
    assert control.stimulus == whole.stimulus and control.training == whole.training and control.seeds == whole.seeds
    epochs = {c.name: c.epoch_conditions() for p in (whole, control) for c in p.resolved_conditions()}
    for group in ("normal", "closed"):
        here, there = epochs[f"{group}-forgotten"], epochs[f"{group}-restarted"]
        assert [e.learning_rate for e in here] == [e.learning_rate for e in there]
        assert here[:10] == there[:10] and here[10] != there[10]


def test_figures_are_drawn():
    from binocular.report.figures.saving import picture
    from binocular.report.figures.style import style

    drawn = [claim for claim in CLAIMS if claim.draw is not None]
    assert {claim.id for claim in drawn} == {"closes-rate", "closes-by-loss"}
    with style():
        for claim in drawn:
            figure = claim.draw(made(by_loss))
            assert len(picture(figure, "png")) > 10_000
            upright = [sum(one.get_segments()[0][:, 1].std() > 0 for one in ax.collections) for ax in figure.axes]
            several = len(SHOWN) * len(RATES) if claim.id == "closes-by-loss" else len(SHOWN)
            assert set(upright) == {several}, "no mean without its interval"


def test_the_cells_differ_in_what_they_say_and_in_nothing_else():
    protocols = {key: load_protocol("what-closes-the-period", settings) for key, (_, settings) in SHOWN.items()}
    steps = {p.stimulus.n_train / p.training.batch_size for p in protocols.values()}  # type: ignore[attr-defined]
    assert len(steps) == 1, "an epoch has as many steps everywhere"
    assert len({p.hash() for p in protocols.values()}) == len(SHOWN)
    names = {condition.name for condition in protocols["scenes"].conditions}
    assert names == {f"{group}-{rate}" for group in ("normal", "closed") for rate in RATES}


def test_the_whole_in_miniature(tmp_path):
    small = [
        "seeds=1", "values.closure=1", "values.recovery=1", "stimulus.n_train=40", "stimulus.n_test=20",
        "network.options.width=2", "probes.n_stimuli=4", "training.batch_size=20", "training.learning_rate_hold=1",
    ]  # fmt: skip
    protocol = load_protocol("what-closes-the-period", [*SHOWN["none"][1], *small])
    outcome = run_study(protocol, tmp_path / "none", "cpu")
    assert not outcome.failures
    had = {"none": load_study(outcome.study)}
    cells = table(had)
    assert cells.sizes == {"cell": 4, "seed": 1} and np.isfinite(cells["turn"]).all()
    for name in ("loss", "gradient", "fisher", "moved", "rate_left"):
        assert np.isfinite(cells[name]).all(), name
    falling, restarted = (cells.isel(cell=cells["rate"] == rate) for rate in ("falling", "restarted"))
    np.testing.assert_array_equal(falling["loss"], restarted["loss"], err_msg="they part at the opening")
    assert (falling["rate_left"].to_numpy() < restarted["rate_left"].to_numpy()).all()


def test_what_drives_a_network_is_its_loss_and_gradient():
    stimulus = load_protocol("what-closes-the-period", ["stimulus.n_train=40", "stimulus.n_test=20"]).stimulus.build(3)
    network = build_network("split-cnn", {"width": 2}, stimulus.shape, stimulus.n_classes, 3).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    probe = Plasticity(n_stimuli=40, batch=16, directions=400)
    found, again = (probe.measure(network, stimulus, 3) for _ in range(2))
    assert all(np.array_equal(found[name], again[name]) for name in found), "the same at every checkpoint"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    whole = Plasticity(n_stimuli=40, batch=40, directions=400).measure(network, stimulus, 3)
    assert whole["loss"] > 0 and (whole["gradient_norm"] > 0).all()
    assert all(value.grad is None for value in network.parameters())
    step = 0.01
    with torch.no_grad():
        for value in network.left.parameters():
            value += step
    moved = distance(probe.measure(network, stimulus, 3)["position"], found["position"])
    size = sum(value.numel() for value in network.left.parameters()) ** 0.5 * step
    assert moved[list(PARTS).index("left")] == pytest.approx(size, rel=0.15)
    assert moved[list(PARTS).index("right")] == 0


def test_the_gradient_is_that_of_the_loss():
    stimulus = load_protocol("what-closes-the-period", ["stimulus.n_train=20", 'stimulus.fresh="none"']).stimulus.build(
        1
    )
    network = build_network("split-cnn", {"width": 2}, stimulus.shape, stimulus.n_classes, 1).eval()
    found = Plasticity(n_stimuli=20, batch=7).measure(network, stimulus, 1)
    views = stimulus.views("train", torch.arange(20), None)
    loss = torch.nn.functional.cross_entropy(network(views), stimulus.labels["train"])
    loss.backward()
    right = sum(value.grad.square().sum().item() for value in network.right.parameters()) ** 0.5
    assert float(found["loss"]) == pytest.approx(loss.item(), rel=1e-5)
    assert found["gradient_norm"][list(PARTS).index("right")] == pytest.approx(right, rel=1e-4)
