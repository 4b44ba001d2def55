"""Kleinman et al. (2023), Fig. 8: an eye closed while the classes are learned, or while what is hidden is rebuilt.

Criteria, declared before anything was reared. A loss counts where its whole 95 % interval is at least 10 points of
stereopsis, about half of the published loss (17.8 to 21.6 points in another task); there is no critical period where it
is at most 5 points (published: 0.9), half of that. The loss falls with the onset where that of the earliest closure
exceeds that of the latest by at least 5 points. The units have turned to the fellow eye where their mean relative
source variance moves by at least 0.3, and have not where it moves by at most 0.15. Nothing could be lost that was never
learned: with the eyes open stereopsis must be at least 0.75. All differences are between subjects of the same seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binocular.papers.claims import Claim, Evidence, Finding
from binocular.papers.kleinman_2023.objectives_figures import (
    draw_controls,
    draw_onset,
    draw_transformer,
    draw_twins,
)
from binocular.papers.kleinman_2023.objectives_numbers import (
    KEY,
    REBUILDING,
    SUPERVISED,
    TRANSFORMER,
    loss,
    onset_share,
    onsets,
    stereopsis,
    turn,
)
from binocular.papers.kleinman_2023.tables import largest_onset_loss, onset_curve
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import judged, number_of, paired
from binocular.store.study import Study

__all__ = ["CLAIMS"]

LOSS = 10.0
"""Least points of stereopsis that count as lost."""
SAFE = 5.0
"""Most points that may be lost where there is no critical period."""
FADES = 5.0
"""Least points by which the loss of the earliest closure exceeds that of the latest."""
TURNED, STAYED = 0.3, 0.15
"""Least and most movement of the mean relative source variance towards the fellow eye."""
SEES = 0.75
"""Least stereopsis with the eyes open."""


def judge_onset(had: Mapping[str, Any]) -> Finding:
    """Judge the supervised curve of Fig. 8: loss of stereopsis by the onset of a closure of fixed length."""
    study = had[KEY]
    published, losses = onset_curve("supervised"), _losses(study, SUPERVISED)
    first, last = min(losses), max(losses)
    rows = [
        Evidence(
            "loss of stereopsis by the earliest closure, points", f"{published[0]:.1f} (Fig. 8)",
            number_of(list(losses[first].values())), at_least=LOSS, digits=1,
        ),
        Evidence(
            "earliest less latest closure, points", f"{published[0] - _nearest(published, study, last):.1f} (Fig. 8)",
            paired(losses[first], losses[last]), at_least=FADES, digits=1,
        ),
        _sees(study, SUPERVISED, "classes"),
    ]  # fmt: skip
    rows += _curve(study, SUPERVISED, "supervised", "classes")
    return judged("k23-4-onset", rows)


def judge_twins(had: Mapping[str, Any]) -> Finding:
    """Judge both curves of Fig. 8: the same closures while what is hidden is rebuilt, and in the supervised twin."""
    study = had[KEY]
    first = min(onsets(study))
    rows = _twins(study)
    rows += [
        Evidence(
            "earliest closure: units turn to the fellow eye by, classes", "",
            number_of(list(turn(study, SUPERVISED, first).values())), at_least=TURNED,
        ),
        Evidence(
            "earliest closure: units turn to the fellow eye by, rebuilding", "",
            number_of(list(turn(study, REBUILDING, first).values())), at_most=STAYED,
        ),
    ]  # fmt: skip
    return judged("k23-7-reconstruction", rows + _context(study))


def judge_transformer(had: Mapping[str, Any]) -> Finding:
    """Judge both curves of Fig. 8 for a two-eye transformer, by stereopsis alone."""
    study = had[TRANSFORMER]
    return judged("k23-7-transformer", _twins(study) + _context(study))


def _twins(study: Study) -> list[Evidence]:
    masked = "masked cross-view reconstruction"
    supervised, rebuilding = _losses(study, SUPERVISED), _losses(study, REBUILDING)
    first = min(supervised)
    rows = [
        Evidence(
            f"loss of stereopsis by a closure at {onset_share(study, onset):.2f} of rebuilding, points",
            f"at most {largest_onset_loss(masked):.1f} (Fig. 8)",
            number_of(list(lost.values())), at_most=SAFE, digits=1,
        )
        for onset, lost in rebuilding.items()
    ]  # fmt: skip
    rows += [
        Evidence(
            "earliest closure: loss while classes are learned less loss while rebuilding, points", "",
            paired(supervised[first], rebuilding[first]), at_least=LOSS, digits=1,
        ),
        _sees(study, REBUILDING, "rebuilding"),
        _sees(study, SUPERVISED, "classes"),
    ]  # fmt: skip
    return rows


def _context(study: Study) -> list[Evidence]:
    rows = _curve(study, SUPERVISED, "supervised", "classes")
    for prefix, name in ((SUPERVISED, "classes"), (REBUILDING, "rebuilding")):
        for onset in onsets(study):
            what = f"units turn to the fellow eye by, {name}, closed at {onset_share(study, onset):.2f}"
            rows.append(Evidence(what, "", number_of(list(turn(study, prefix, onset).values())), "context"))
    return rows


def judge_controls(had: Mapping[str, Any]) -> Finding:
    """Judge what protects: the objective, or only that the classes are learned after the closure."""
    study = had[KEY]
    first = min(onsets(study))
    late, open_eyes = stereopsis(study, "late-start"), stereopsis(study, REBUILDING)
    closed = stereopsis(study, f"{REBUILDING}-closed-{first}")
    hiding = Evidence(
        "loss by the earliest closure where classes are learned from pictures with hidden patches, points", "",
        number_of(list(loss(study, "hidden", f"hidden-closed-{first}").values())),
        "control", at_least=LOSS, digits=1,
    )  # fmt: skip
    rows = [
        Evidence(
            "loss by the earliest closure where classes are learned and what is hidden is rebuilt at once, points", "",
            number_of(list(loss(study, "both", f"both-closed-{first}").values())), at_most=SAFE, digits=1,
        ),
        Evidence(
            "loss by the earliest closure while classes are learned, with a fresh classifier after it, points", "",
            number_of(list(loss(study, "fresh-head", f"fresh-head-closed-{first}").values())),
            "control", at_least=LOSS, digits=1,
        ),
        hiding,
        Evidence(
            "what rebuilding with a closed eye is worth: stereopsis more than after a late start, points", "",
            paired(closed, late, 100), "control", at_least=0.0, digits=1,
        ),
        Evidence(
            "loss by a closure while classes are learned, after rebuilding with open eyes, points", "",
            number_of(list(loss(study, "rebuilding-longer", "rebuilding-then-closed").values())), "context", digits=1,
        ),
        Evidence(
            "loss by the earliest closure while classes are learned, points", "",
            number_of(list(loss(study, SUPERVISED, f"{SUPERVISED}-closed-{first}").values())), "context", digits=1,
        ),
        Evidence(
            "loss by the earliest closure while rebuilding, points", "",
            number_of(list(loss(study, REBUILDING, f"{REBUILDING}-closed-{first}").values())), "context", digits=1,
        ),
        Evidence("stereopsis after a late start", "", number_of(list(late.values())), "context"),
        Evidence("stereopsis after rebuilding, eyes open", "", number_of(list(open_eyes.values())), "context"),
        Evidence("stereopsis after rebuilding, closed from the start", "", number_of(list(closed.values())), "context"),
    ]  # fmt: skip
    reason = _HIDING_PROTECTS if hiding.verdict == "does not hold" else ""
    return judged("k23-7-control", rows, reason)


_HIDING_PROTECTS = (
    "Learning the classes from pictures whose patches are hidden afresh at each presentation protects without any "
    "rebuilding, so that rebuilding is not what is needed."
)


def _losses(study: Study, prefix: str) -> dict[int, dict[int, float]]:
    return {onset: loss(study, prefix, f"{prefix}-closed-{onset}") for onset in onsets(study)}


def _sees(study: Study, condition: str, name: str) -> Evidence:
    ours = number_of(list(stereopsis(study, condition).values()))
    return Evidence(f"stereopsis with the eyes open, {name}", "", ours, "control", at_least=SEES)


def _curve(study: Study, prefix: str, objective: str, name: str) -> list[Evidence]:
    published = onset_curve(objective)
    return [
        Evidence(
            f"loss of stereopsis, {name}, closed at {onset_share(study, onset):.2f}, points",
            f"{_nearest(published, study, onset):.1f} (Fig. 8, nearest onset)",
            number_of(list(lost.values())), "context", digits=1,
        )
        for onset, lost in _losses(study, prefix).items()
    ]  # fmt: skip


def _nearest(published: Mapping[float, float], study: Study, onset: int) -> float:
    share = onset_share(study, onset)
    return published[min(published, key=lambda at: abs(at - share))]


_LAB = StudyNeed(KEY, "kleinman-2023-fig8")
_LAB_TRANSFORMER = StudyNeed(TRANSFORMER, "kleinman-2023-fig8-transformer")
_NO_VIDEO = (
    "the published run is a multi-view video transformer on Kinetics-400, which neither ships here nor can be reared "
    "by this package"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-4-onset",
        "In a task that needs both eyes the same deficit costs the more the earlier it begins.",
        "Fig. 8, supervised",
        {"lab": (_LAB,)},
        judge_onset,
        draw_onset,
        absent={"paper": _NO_VIDEO},
    ),
    Claim(
        "k23-7-reconstruction",
        "Rearing by cross-eye reconstruction removes the critical period that supervised rearing has.",
        "Fig. 8",
        {"lab": (_LAB,)},
        judge_twins,
        draw_twins,
        absent={"paper": _NO_VIDEO},
    ),
    Claim(
        "k23-7-control",
        "What protects is the objective, and not that the classes are learned only after the deficit.",
        "no figure: a control that the paper does not report",
        {"lab": (_LAB,)},
        judge_controls,
        draw_controls,
        absent={"paper": _NO_VIDEO},
    ),
    Claim(
        "k23-7-transformer",
        "The same for a two-eye transformer: rebuilding what is hidden removes the cost of a closed eye.",
        "Fig. 8",
        {"lab": (_LAB_TRANSFORMER,)},
        judge_transformer,
        draw_transformer,
        absent={"paper": _NO_VIDEO},
    ),
)
