"""Kleinman et al. (2023), Fig. 8: an eye closed while the classes are learned, or while what is hidden is rebuilt.

Criteria, declared before anything was reared. A loss counts where its whole 95 % interval is at least 10 points of
stereopsis, about half of the published loss (17.8 to 21.6 points in another task); there is no critical period where it
is at most 5 points (published: 0.9), half of that. The loss falls with the onset where that of the earliest closure
exceeds that of the latest by at least 5 points. The units have turned to the fellow eye where their mean relative
source variance moves by at least 0.3, and have not where it moves by at most 0.15. Nothing could be lost that was never
learned: with the eyes open stereopsis must be at least 0.75. All differences are between subjects of the same seed.
"""

from __future__ import annotations

import xarray as xr

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.kleinman_2023 import objectives_figures as figures
from binocular.papers.kleinman_2023.measures import (
    KEY,
    REBUILDING,
    SAME,
    SUPERVISED,
    TRANSFORMER,
    earliest,
    losses,
    stereopsis,
    turns,
)
from binocular.papers.kleinman_2023.tables import largest_onset_loss, onset_curve
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import lost
from binocular.store.statistics import interval, verdict_of

__all__ = ["CLAIMS", "LOSS", "NO_VIDEO", "SAFE", "SEES", "TRANSFORMER_LOOKS", "TRANSFORMER_STUDY"]

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


def _published(had: Had, key: str) -> dict[float, float]:
    """Return the published loss at the onset that is nearest to each of ours, by ours."""
    curve = onset_curve("supervised")
    onsets = losses(had[key], SUPERVISED)["onset"].values
    return {at: curve[min(curve, key=lambda known: abs(known - at))] for at in onsets}


def _earliest_less_latest(had: Had) -> str:
    return f"{onset_curve('supervised')[0] - list(_published(had, KEY).values())[-1]:.1f} (Fig. 8)"


def _curve(key: str) -> Row:
    def published(had: Had) -> dict[float, str]:
        return {at: f"{loss:.1f} (Fig. 8, nearest onset)" for at, loss in _published(had, key).items()}

    return context("loss of stereopsis, classes, closed at {onset:.2f}, points",
                   lambda had: losses(had[key], SUPERVISED), digits=1, published=published)  # fmt: skip


def _sees(key: str, name: str) -> Row:
    return control(f"stereopsis with the eyes open, {name}", lambda had: stereopsis(had[key], name), at_least=SEES)


ONSET = (
    test("loss of stereopsis by the earliest closure, points", lambda had: losses(had[KEY], SUPERVISED)[0],
         at_least=LOSS, digits=1, published=lambda had: f"{onset_curve('supervised')[0]:.1f} (Fig. 8)"),
    test("earliest less latest closure, points",
         lambda had: losses(had[KEY], SUPERVISED)[0] - losses(had[KEY], SUPERVISED)[-1], at_least=FADES, digits=1,
         published=_earliest_less_latest),
    _sees(KEY, SUPERVISED),
    _curve(KEY),
)  # fmt: skip


def _twins(key: str) -> tuple[Row, ...]:
    """Return what both curves of Fig. 8 must do: closures while what is hidden is rebuilt, and the supervised twin."""
    masked = "masked cross-view reconstruction"
    return (
        test("loss of stereopsis by a closure at {onset:.2f} of rebuilding, points",
             lambda had: losses(had[key], REBUILDING), at_most=SAFE, digits=1,
             published=lambda had: dict.fromkeys(
                 losses(had[key], REBUILDING)["onset"].values, f"at most {largest_onset_loss(masked):.1f} (Fig. 8)")),
        test("earliest closure: loss while classes are learned less loss while rebuilding, points",
             lambda had: losses(had[key], SUPERVISED)[0] - losses(had[key], REBUILDING)[0], at_least=LOSS, digits=1),
        _sees(key, REBUILDING),
        _sees(key, SUPERVISED),
        _curve(key),
        *(context(f"units turn to the fellow eye by, {prefix}, closed at {{onset:.2f}}",
                  lambda had, prefix=prefix: turns(had[key], prefix)) for prefix in (SUPERVISED, REBUILDING)),
    )  # fmt: skip


RECONSTRUCTION = (
    *_twins(KEY),
    test("earliest closure: units turn to the fellow eye by, classes",
         lambda had: turns(had[KEY], SUPERVISED)[0], at_least=TURNED),
    test("earliest closure: units turn to the fellow eye by, rebuilding",
         lambda had: turns(had[KEY], REBUILDING)[0], at_most=STAYED),
)  # fmt: skip


def _closed(had: Had) -> xr.DataArray:
    """Return stereopsis after rebuilding with an eye closed from the start, 0 to 1."""
    return stereopsis(had[KEY], earliest(had[KEY], REBUILDING))


def _first_loss(had: Had, objective: str) -> xr.DataArray:
    """Return the points of stereopsis that the earliest closure costs under an objective."""
    return lost(had[KEY], objective, earliest(had[KEY], objective), "stereopsis")


CONTROL = (
    test("loss by the earliest closure where classes are learned and what is hidden is rebuilt at once, points",
         lambda had: _first_loss(had, "both"), at_most=SAFE, digits=1),
    control("loss by the earliest closure while classes are learned, with a fresh classifier after it, points",
            lambda had: _first_loss(had, "fresh-head"), at_least=LOSS, digits=1),
    control("loss by the earliest closure where classes are learned from pictures with hidden patches, points",
            lambda had: _first_loss(had, "hidden"), at_least=LOSS, digits=1),
    control("loss by the earliest closure where of a picture the same patches are rebuilt every time, points",
            lambda had: lost(had[SAME], "same", "same-closed", "stereopsis"), at_most=SAFE, digits=1),
    control("what rebuilding with a closed eye is worth: stereopsis more than after a late start, points",
            lambda had: 100 * (_closed(had) - stereopsis(had[KEY], "late-start")), at_least=0.0, digits=1),
    context("loss by a closure while classes are learned, after rebuilding with open eyes, points",
            lambda had: lost(had[KEY], "rebuilding-longer", "rebuilding-then-closed", "stereopsis"), digits=1),
    context("loss by the earliest closure while classes are learned, points",
            lambda had: losses(had[KEY], SUPERVISED)[0], digits=1),
    context("loss by the earliest closure while rebuilding, points",
            lambda had: losses(had[KEY], REBUILDING)[0], digits=1),
    context("stereopsis after a late start", lambda had: stereopsis(had[KEY], "late-start")),
    context("stereopsis after rebuilding, eyes open", lambda had: stereopsis(had[KEY], REBUILDING)),
    context("stereopsis after rebuilding, closed from the start", _closed),
    context("stereopsis after rebuilding the same patches, eyes open", lambda had: stereopsis(had[SAME], "same")),
)  # fmt: skip


def _what_hiding_does(had: Had) -> str:
    if verdict_of(interval(_first_loss(had, "hidden")), at_least=LOSS) != "does not hold":
        return ""
    return (
        "Learning the classes from pictures whose patches are hidden afresh at each presentation protects without any "
        "rebuilding, so that rebuilding is not what is needed."
    )


_LAB = StudyNeed(KEY, "kleinman-2023-fig8")
TRANSFORMER_STUDY = StudyNeed(TRANSFORMER, "kleinman-2023-fig8-transformer")
"""The two-eye transformer, with and without a closure."""
_SAME = StudyNeed(SAME, "kleinman-2023-same-patches")
TRANSFORMER_LOOKS = Looks((5, 10))
"""When the transformer is looked at: a seed of it takes minutes, and what three (0 to 2) did was known by then."""
NO_VIDEO: dict[Scale, str] = {
    "paper": "the published run is a multi-view video transformer on Kinetics-400, which neither ships here nor "
    "can be reared by this package"
}

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-4-onset",
        "In a task that needs both eyes the same deficit costs the more the earlier it begins.",
        "Fig. 8, supervised",
        {"lab": (_LAB,)},
        ONSET,
        figures.draw_onset,
        absent=NO_VIDEO,
    ),
    Claim(
        "k23-7-reconstruction",
        "Rearing by cross-eye reconstruction removes the critical period that supervised rearing has.",
        "Fig. 8",
        {"lab": (_LAB,)},
        RECONSTRUCTION,
        lambda had: figures.draw_twins(had[KEY]),
        absent=NO_VIDEO,
    ),
    Claim(
        "k23-7-control",
        "What protects is the objective, and not that the classes are learned only after the deficit.",
        "no figure: a control that the paper does not report",
        {"lab": (_LAB, _SAME)},
        CONTROL,
        figures.draw_controls,
        reason=_what_hiding_does,
        absent=NO_VIDEO,
    ),
    Claim(
        "k23-7-transformer",
        "The same for a two-eye transformer: rebuilding what is hidden removes the cost of a closed eye.",
        "Fig. 8",
        {"lab": (TRANSFORMER_STUDY,)},
        _twins(TRANSFORMER),
        lambda had: figures.draw_twins(had[TRANSFORMER]),
        absent=NO_VIDEO,
        looks={"lab": TRANSFORMER_LOOKS},
    ),
)
