"""From studies of depth, heads and controls to findings; the criteria are those of `kleinman_2023_controls`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from binocular.compare.reading import read_table, shipped_folder
from binocular.papers.claims import Evidence, Finding, Role
from binocular.papers.kleinman_2023.tables import bias_of, histograms, monocularity_of
from binocular.papers.kleinman_2023.units import BALANCE, MAP, POOLED, SHIFT, by_removal, clean_bias
from binocular.papers.numbers import accuracies, by_seed, condition_of, judged, mean_of
from binocular.papers.settled import combined, losses, settled
from binocular.store.study import Study

__all__ = [
    "CLOCKS",
    "CLOSURES",
    "DEPTHS",
    "judge_blur",
    "judge_closure",
    "judge_depth",
    "judge_heads",
    "lost_by_depth",
    "published_depth",
    "shift",
]

DEPTHS = (1, 2, 3)
CLOCKS = {"absolute": "falling", "constant": "constant", "cyclic": "cyclic"}
"""Clocks of the learning rate under which there is an early and a late deficit: as in the protocols, and in words."""
CLOSURES = {
    "falling": ("normal", "early", "late"),
    "constant": ("normal-constant-rate", "early-constant-rate", "late-constant-rate"),
    "cyclic": ("normal-cyclic-rate", "early-cyclic-rate", "late-cyclic-rate"),
    "begun anew": ("normal", "early-phase-clock", "late-phase-clock"),
}
"""Conditions of the closure: without, early and late, by what the learning rate does."""
EXACT = 0.001
_MEMORY = {
    "statistics-renewed": "running averages forgotten at its end",
    "momentum-forgotten": "momentum forgotten at its end",
}


def shift(study: Study, without: str, having: str, site: str = POOLED) -> dict[int, float]:
    """Return by how much a deficit moves the units to the clean eye: the change of that eye's bias, by seed."""
    with_deficit, sharp = (clean_bias(condition_of(study, name), site) for name in (having, without))
    return combined([(1, with_deficit), (-1, sharp)])


def _row(
    what: str, values: Mapping[int, float], role: Role = "control", least: float = 0.0, said: str = ""
) -> Evidence:
    return Evidence(what, said, mean_of(values), role, at_least=least)


def _same(what: str, values: Mapping[int, float]) -> Evidence:
    return Evidence(what, "", mean_of(values), "control", -EXACT, EXACT, digits=3)


def _opposite(what: str, values: Mapping[int, float]) -> Evidence:
    return Evidence(what, "", mean_of(values), "control", at_most=0.0)


def judge_blur(had: Mapping[str, Any]) -> Finding:
    """Judge the controls of Fig. 4."""
    study = had["blur-controls"]
    published = histograms("blur")
    said = f"{bias_of(published[max(published)]) - bias_of(published[0]):+.2f} (Fig. 4)"
    early = {
        (clock, site): shift(study, f"sharp-{clock}", f"early-{clock}", site)
        for clock in CLOCKS
        for site in (MAP, POOLED)
    }
    late = {clock: shift(study, f"sharp-long-{clock}", f"late-{clock}", MAP) for clock in CLOCKS}
    rows = [
        _row(
            "shift of the clean eye's bias, sharp subjects reared as long, units by place",
            early["absolute", MAP],
            "test",
            SHIFT,
            said,
        ),
        _row(
            "early shift less that of the same blur later",
            combined([(1, early["absolute", MAP]), (-1, late["absolute"])]),
            "test",
        ),
        _row("the early shift in pooled units", early["absolute", POOLED]),
    ]
    for clock in ("constant", "cyclic"):
        rows += [
            _row(f"early shift at a {CLOCKS[clock]} learning rate", early[clock, MAP]),
            _row(
                f"early shift less the late one at a {CLOCKS[clock]} learning rate",
                combined([(1, early[clock, MAP]), (-1, late[clock])]),
            ),
        ]
    rows.append(
        _row("early shift, learning rate begun anew at its end", shift(study, "sharp-absolute", "early-phase", MAP))
    )
    rows += [
        _row(f"early shift, {words}", shift(study, "sharp-absolute", f"early-{name}", MAP))
        for name, words in _MEMORY.items()
    ]
    sharp = clean_bias(condition_of(study, "sharp-absolute"), MAP)
    short = clean_bias(condition_of(study, "sharp-short"), MAP)
    rows += [
        _opposite("shift when the other eye is blurred early", shift(study, "sharp-absolute", "fellow-early", MAP)),
        _same("shift by a sham blur", shift(study, "sharp-absolute", "sham-early", MAP)),
        Evidence("clean eye's bias of sharp subjects reared as long", "", mean_of(sharp), "control", *BALANCE),
        Evidence("the same, reared as long as recovery only", "", mean_of(short), "control", *BALANCE),
    ]
    rows += [
        Evidence(f"late shift, {words} learning rate", "", mean_of(late[clock]), "context")
        for clock, words in CLOCKS.items()
    ]
    return judged("k23-3-blur-controls", rows)


def judge_closure(had: Mapping[str, Any]) -> Finding:
    """Judge the controls of an early closure of one eye."""
    study = had["deprivation-controls"]
    rows: list[Evidence] = []
    for rate, (normal, early, late) in CLOSURES.items():
        role: Role = "test" if rate == "falling" else "control"
        shifts, stereo = (
            [_change(study, normal, name, what) for name in (early, late)] for what in ("bias", "stereopsis")
        )
        rows += [
            _row(f"shift of the open eye's bias by an early closure, learning rate {rate}", shifts[0], role, SHIFT),
            _row(
                f"early shift less the late one, learning rate {rate}",
                combined([(1, shifts[0]), (-1, shifts[1])]),
                role,
            ),
            _row(
                f"stereopsis lost early less that lost late, points, learning rate {rate}",
                combined([(1, stereo[0]), (-1, stereo[1])]),
                role,
            ),
        ]
    rows += [
        _row(
            "shift by an early closure after 110 epochs of recovery",
            _change(study, "normal", "early-long-recovery", "bias"),
            "test",
            SHIFT,
        ),
        *[
            _row(f"shift by an early closure, {words}", _change(study, "normal", f"early-{name}", "bias"), least=SHIFT)
            for name, words in _MEMORY.items()
        ],
        _opposite("shift when the other eye is closed early", _change(study, "normal", "fellow-early", "bias")),
        Evidence(
            "open eye's bias after a sham closure",
            "",
            mean_of(clean_bias(condition_of(study, "sham"), POOLED)),
            "control",
            *BALANCE,
        ),
        Evidence(
            "open eye's bias before rearing",
            "",
            mean_of(clean_bias(condition_of(study, "normal"), POOLED, "untrained")),
            "control",
            *BALANCE,
        ),
    ]
    return judged("k23-1-closure-controls", rows)


def _change(study: Study, normal: str, having: str, what: str) -> dict[int, float]:
    """Return the shift of the open eye's bias, or the points of stereopsis lost, by seed."""
    if what == "bias":
        return shift(study, normal, having)
    before, after = (accuracies(condition_of(study, name), "stereopsis") for name in (normal, having))
    return combined([(100, before), (-100, after)])


def judge_heads(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 6 in networks with a head for each eye and one for both."""
    study, one = had["heads-per-eye"], had["heads-one"]
    published = histograms("dissociation")
    said = f"{monocularity_of(published[max(published)]) - monocularity_of(published[0]):+.2f} (Fig. 6)"
    bias = clean_bias(condition_of(study, "paired"), MAP)
    rows = [
        _row(
            "rise of the monocularity index, a head for each eye, units by place",
            _rise(study, "paired", MAP),
            "test",
            SHIFT,
            said,
        ),
        Evidence(
            "clean eye's bias after it",
            f"{bias_of(published[max(published)]):.2f} (Fig. 6)",
            mean_of(bias),
            "test",
            *BALANCE,
        ),
        _row(
            "rise of the index, heads drawn apart from labels as in the released code", _rise(study, "as-released", MAP)
        ),
        _row(
            "rise of the index compared with undisturbed subjects reared as long",
            _rise(study, "paired", MAP, "normal-long"),
        ),
        _row("rise of the index in pooled units, which have no place", _rise(study, "paired", POOLED)),
        Evidence("rise of the index with one head throughout", "", mean_of(_rise(one, "paired", MAP)), "context"),
        Evidence("the same, pooled units", "", mean_of(_rise(one, "paired", POOLED)), "context"),
        Evidence("accuracy lost with a head for each eye, points", "", mean_of(_lost(study)), "context", digits=1),
        Evidence("accuracy lost with one head throughout, points", "", mean_of(_lost(one)), "context", digits=1),
    ]
    return judged("k23-3-heads", rows)


def _rise(study: Study, having: str, site: str, without: str = "normal") -> dict[int, float]:
    after, before = (by_seed(condition_of(study, name), "mi", site) for name in (having, without))
    return combined([(1, after), (-1, before)])


def _lost(study: Study) -> dict[int, float]:
    return losses(condition_of(study, "normal"), condition_of(study, "paired"))


@cache
def published_depth() -> Mapping[int, Mapping[int, float]]:
    """Return published points of accuracy relative to no blur, by blocks and by the end of the blur (Fig. 5 centre)."""
    found: dict[int, dict[int, float]] = {}
    for line in read_table(shipped_folder() / "kleinman_depth.csv"):
        found.setdefault(line.row.blocks_per_pathway, {})[line.row.removal_epoch] = line.row.relative_accuracy_points
    return found


def lost_by_depth(study: Study) -> dict[int, dict[int, float]]:
    """Return points of accuracy that a blur costs, by its end and by seed."""
    conditions = by_removal(study, "blurred")
    return {end: losses(conditions[0], condition) for end, condition in conditions.items()}


def judge_depth(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 5 centre: loss of accuracy by the number of blocks in a pathway."""
    published = {
        depth: -sum(points for end, points in curve.items() if end) / (len(curve) - 1)
        for depth, curve in published_depth().items()
    }
    lost, sharp = {}, {}
    for depth in DEPTHS:
        study = had[f"depth-{depth}"]
        by_end = {end: values for end, values in lost_by_depth(study).items() if end}
        lost[depth] = combined([(1 / len(by_end), values) for values in by_end.values()])
        sharp[depth] = settled(by_removal(study, "blurred")[0])
    shallow, deep = DEPTHS[0], DEPTHS[-1]
    rows = [
        Evidence(
            f"accuracy lost by blurs, {deep} blocks in a pathway, points",
            f"{published[deep]:.2f} (Fig. 5)",
            mean_of(lost[deep]),
            at_least=0,
            digits=1,
        ),
        Evidence(
            f"further loss with {deep} blocks compared with {shallow}, points",
            f"{published[deep] - published[shallow]:.2f} (Fig. 5)",
            mean_of(combined([(1, lost[deep]), (-1, lost[shallow])])),
            at_least=0,
            digits=1,
        ),
        Evidence(
            f"accuracy without a blur, {deep} blocks less {shallow}, points",
            "",
            mean_of(combined([(1, sharp[deep]), (-1, sharp[shallow])])),
            "control",
            at_least=-5,
            digits=1,
        ),
    ]
    for depth in DEPTHS:
        conditions = by_removal(had[f"depth-{depth}"], "blurred")
        bias = {end: clean_bias(conditions[end], POOLED) for end in (0, max(conditions))}
        blocks = f"{depth} block{'s' if depth > 1 else ''}"
        rows += [
            Evidence(
                f"accuracy lost by blurs, {blocks}, points",
                f"{published[depth]:.2f}",
                mean_of(lost[depth]),
                "context",
                digits=1,
            ),
            Evidence(f"accuracy without a blur, {blocks}, %", "", mean_of(sharp[depth]), "context", digits=1),
            Evidence(
                f"shift of the clean eye's bias by the longest blur, {blocks}, pooled units",
                "",
                mean_of(combined([(1, bias[max(conditions)]), (-1, bias[0])])),
                "context",
            ),
        ]
    return judged("k23-6-depth", rows)
