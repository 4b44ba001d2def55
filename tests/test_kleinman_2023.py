"""The claims of Kleinman et al. 2023: numbers from the tables, verdicts that follow the data and flip with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from binocular.networks.build import build_network
from binocular.papers.claims import Evidence
from binocular.papers.kleinman_2023.main import CLAIMS
from binocular.papers.kleinman_2023.measures import FIRST, MAP, POOLED
from binocular.papers.kleinman_2023.tables import (
    accuracy_curve,
    bias_of,
    histograms,
    monocularity_of,
    onset_curve,
    usable_information,
)
from binocular.papers.published import nearest_removal
from binocular.probes import adapted, probe_views, response_grid, source_variance
from binocular.protocols import load_protocol
from binocular.store.records import MeasureRecord, SiteRecord, SubjectRecord
from binocular.store.study import Condition, Study

SEEDS = range(5)
UNITS = 60


def test_published_numbers_come_from_the_tables():
    blur, dissociation = histograms("blur"), histograms("dissociation")
    assert [round(bias_of(blur[at]), 2) for at in (0, 40, 180)] == [0.46, 0.74, 0.87]
    assert [round(monocularity_of(dissociation[at]), 2) for at in (0, 40, 180)] == [0.44, 0.60, 0.83]
    assert all(abs(bias_of(record) - 0.5) < 0.03 for record in dissociation.values())
    assert blur[180].shares[6] > 0.4 > blur[180].shares[0], "group 7 is the clean eye's, whatever the figure's sign"
    assert accuracy_curve("blur", figure="Fig. 5 left").sel(removal=180) == 91.12
    assert accuracy_curve("dissociation", "mean of 4 runs")[0] == 93.94
    constant = accuracy_curve("blur", "constant learning rate 5e-4", "Fig. 15")
    assert list(constant.to_series().items()) == [(0, 88.7), (40, 88.0), (80, 87.1), (120, 86.6)]
    assert [usable_information(eyes).sel(removal=180) for eyes in ("both", "left", "right")] == [2.84, 2.66, 2.18]
    assert onset_curve("supervised").max() == 21.6
    assert [nearest_removal(at, 30, blur) for at in (0, 7, 20, 30)] == [0, 40, 120, 180]


def subject(condition: str, seed: int, rsv: dict[int, float], spread: float, **history: float) -> SubjectRecord:
    """Return a subject whose units have a mean RSV at each checkpoint, alike at both kinds of units."""
    draw = np.random.default_rng([seed, *condition.encode()])
    sites = {}
    for site in (POOLED, MAP, FIRST):
        values = np.stack([np.clip(mean + spread * draw.standard_normal(UNITS), -1, 1) for mean in rsv.values()])
        sites[site] = SiteRecord(np.array(list(rsv)), {"rsv": values}, np.zeros(len(rsv), int))
    columns = {name: np.array([value + 0.003 * draw.standard_normal()]) for name, value in history.items()}
    end = max(rsv)
    phases = [{"name": "all", "start": 0, "stop": end, "deficits": [], "description": ""}]
    return SubjectRecord(condition, seed, f"{condition}-{seed}", phases, columns, sites)


def study(title: str, make: dict[str, tuple[int, Callable[[str, int], SubjectRecord]]]) -> Study:
    conditions = tuple(
        Condition(name, name, tuple(of(name, seed) for seed in SEEDS), {"removal": removal}, "right")
        for name, (removal, of) in make.items()
    )
    return Study({"title": title, "treated_eye": "right"}, conditions)


def blurred(prefix: str, shift: float, loss: float, spread: float = 0.25, polarised: float = 0.0) -> Any:
    """Return conditions whose units move to the left eye and whose accuracy falls with the length of the deficit."""

    def of(removal: int) -> Callable[[str, int], SubjectRecord]:
        share = removal / 30
        accuracy = 0.8 - loss * share

        def make(name: str, seed: int) -> SubjectRecord:
            rsv = {0: 0.0, removal or 10: shift * min(1.4 * share, 1.0), removal + 20: shift * share}
            width = spread + polarised * share
            return subject(name, seed, rsv, width, test_accuracy=accuracy, stereopsis=accuracy)

        return make

    return {f"{prefix}-{removal}": (removal, of(removal)) for removal in (0, 7, 20, 30)}


def told(made: Study, clean: float, treated: float) -> Study:
    """Add usable information that changes with the length of the deficit."""

    def of(condition: Condition, one: SubjectRecord) -> SubjectRecord:
        share, draw = condition.values["removal"] / 30, np.random.default_rng(one.seed)
        bits = np.array([[2.0 + clean * share, 2.0 + treated * share, 2.5]]) + 0.01 * draw.standard_normal((1, 3))
        values = {"seeing": np.array(["left", "right", "both"], dtype=object), "information": bits}
        return replace(one, measures={("usable-information", POOLED): MeasureRecord(np.array([50]), values)})

    conditions = [replace(c, subjects=tuple(of(c, one) for one in c.subjects)) for c in made.conditions]
    return replace(made, conditions=tuple(conditions))


def everything(sign: float) -> dict[str, Any]:
    """Return studies in which the claims hold (+1), or in which all effects go the other way (-1)."""
    shift, loss = 0.7 * sign, 0.02
    polarised = blurred("dissociated", 0.0, loss, 0.45, 0.4 * sign)
    fig15 = {
        name: made
        for clock in ("absolute", "phase", "constant")
        for name, made in blurred(clock, shift, 0.02 * sign).items()
    }

    def stereo(accuracy: float) -> tuple[int, Callable[[str, int], SubjectRecord]]:
        return 0, lambda name, seed: subject(name, seed, {0: 0.0, 30: 0.0}, 0.3, stereopsis=accuracy, test_accuracy=0.5)

    closed = {f"closed-{at}": made for at, made in zip((0, 10), blurred("x", shift, loss).values(), strict=False)}
    closed = {name: (int(name.split("-")[1]), make) for name, (_, make) in closed.items()}
    return {
        "fig4": study("Fig. 4", blurred("blurred", shift, loss)),
        "fig5": study(
            "Fig. 5", {**blurred("blurred", shift, 0.02 if sign > 0 else 0.2), **blurred("dissociated", 0, loss)}
        ),
        "fig6": study("Fig. 6", polarised),
        "fig6-whole": study("Whole", {name: polarised[name] for name in ("dissociated-0", "dissociated-30")}),
        "fig9": told(study("Fig. 9", blurred("blurred", shift, loss)), 0.05 * sign, -0.5 * sign),
        "fig15": study("Fig. 15", fig15),
        "closure": study("Closure", closed),
        "stereo": study("Stereo", {"normal": stereo(0.94), "deprived-early": stereo(0.75 - 0.2 * sign)}),
    }


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts_follow_the_data(claim):
    holds, flipped = claim.judge(everything(1.0)), claim.judge(everything(-1.0))
    assert holds.verdict == "holds", [(row.what, row.ours, row.verdict) for row in holds.evidence]
    assert flipped.verdict == "does not hold", [(row.what, row.ours, row.verdict) for row in flipped.evidence]
    assert holds.claim == claim.id
    assert any(row.published for row in holds.evidence) or claim.id == "k23-5-training"  # no table has its numbers
    assert all(row.role != "test" or row.ours.n == len(SEEDS) for row in holds.evidence)
    assert set(claim.needs) == {"lab", "paper"}
    assert {need.key for need in claim.needs["lab"]} == {need.key for need in claim.needs["paper"]}


def rows_of(found: Any, role: str) -> list[Evidence]:
    return [row for row in found.evidence if row.role == role]


def test_a_control_kills_a_claim():
    had, judges = everything(1.0), {claim.id: claim.judge for claim in CLAIMS}
    unbalanced = blurred("blurred", 0.7, 0.02)
    unbalanced["blurred-0"] = (0, lambda name, seed: subject(name, seed, {0: 0.8, 10: 0.8, 20: -0.8}, 0.1))
    found = judges["k23-3-blur"]({**had, "fig4": study("Fig. 4", unbalanced)})
    assert found.verdict == "does not hold"
    assert [row.verdict for row in rows_of(found, "test")] == ["holds"] * 3
    flat = blurred("dissociated", 0.0, 0.02, 0.9, -0.3)
    whole = study("Whole", {name: flat[name] for name in ("dissociated-0", "dissociated-30")})
    found = judges["k23-3-dissociation"]({**had, "fig6-whole": whole})
    assert found.verdict == "does not hold", "polarisation that is gone with the split is the split's"
    assert [row.verdict for row in rows_of(found, "test")] == ["holds"] * 2


def test_figures_are_drawn_and_needs_can_be_planned(tmp_path):
    from binocular.report.figures.saving import picture
    from binocular.report.figures.style import style

    had = everything(1.0)
    for claim in CLAIMS:
        assert claim.draw is not None
        with style():
            figure = claim.draw(had)
        (tmp_path / f"{claim.id}.png").write_bytes(picture(figure, "png"))
        for scale in ("lab", "paper"):
            for need in claim.needs[scale]:
                assert need.load().title  # type: ignore[attr-defined]
    lab = {need.key: need.load().seeds for claim in CLAIMS for need in claim.needs["lab"]}  # type: ignore[attr-defined]
    assert set(lab.values()) == {len(SEEDS)}


def test_untrained_networks_lean_to_the_side_at_which_strides_begin():
    protocol = load_protocol(
        "kleinman-2023-fig4",
        ["stimulus.dataset=photographs", "stimulus.size=24", "stimulus.n_train=100", "stimulus.n_test=50"],
    )
    leans = []
    for seed in range(4):
        stimulus = protocol.stimulus.build(seed)
        network = build_network("split-cnn", {"width": 8}, stimulus.shape, stimulus.n_classes, seed)
        network = adapted(network, stimulus, seed)
        left, right = probe_views(stimulus, 16, seed)
        row = []
        for views in ((left, right), (left.flip(-1), right.flip(-1))):
            grid = response_grid(network, *views, ("representation",), "map").popitem()[1]
            row.append(float(np.nanmean(source_variance(grid).rsv)))
        leans.append(row)
    plain, mirrored = np.mean(leans, axis=0)
    assert plain > 0 > mirrored
