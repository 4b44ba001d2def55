"""Kleinman et al. (2023), Fig. 8: an eye closed while the classes are learned, or while what is hidden is rebuilt.

Criteria, declared before anything was reared. A loss counts where its whole 95 % interval is at least 10 points of
stereopsis, about half of the published loss (17.8 to 21.6 points in another task); there is no critical period where it
is at most 5 points (published: 0.9), half of that. The loss falls with the onset where that of the earliest closure
exceeds that of the latest by at least 5 points. The units have turned to the fellow eye where their mean relative
source variance moves by at least 0.3, and have not where it moves by at most 0.15. Nothing could be lost that was never
learned: with the eyes open stereopsis must be at least 0.75. All differences are between subjects of the same seed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.figures import AROUND, SUBJECTS, labelled_rows, new_figure, points_and_line, published_line, zero
from binocular.papers.kleinman_2023.tables import MASKED, onset_curve
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import accuracy, dominance, lost, swept, total
from binocular.report.figures.style import TASK_COLOURS, title_panel
from binocular.store.statistics import interval, verdict_of
from binocular.store.study import Study

__all__ = [
    "CLAIMS",
    "LOSS",
    "NO_VIDEO",
    "REBUILDING",
    "SAFE",
    "SEES",
    "SUPERVISED",
    "TRANSFORMER",
    "TRANSFORMER_LOOKS",
    "TRANSFORMER_STUDY",
    "epochs_of_rebuilding",
    "losses",
    "turns",
]

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
KEY, SAME, TRANSFORMER = "fig8", "same-patches", "fig8-transformer"
"""Keys of the studies among what the claims need."""
SUPERVISED, REBUILDING = "classes", "rebuilding"
"""The twins: conditions with the eyes open, and the beginnings of the names of those with a closure."""


def epochs_of_rebuilding(study: Study) -> int:
    """Return the epochs in which the twins' objectives differ, the first ones of a study of the twins."""
    return int(study.settings["values"]["first"])


def _shares(study: Study, values: xr.DataArray) -> xr.DataArray:
    """Give onsets as shares of the epochs in which the twins' objectives differ."""
    return values.assign_coords(onset=values["onset"] / epochs_of_rebuilding(study)).transpose("onset", "seed")


def losses(study: Study, prefix: str) -> xr.DataArray:
    """Return the points of stereopsis that a closure costs, by its onset as a share, ``[onset, seed]``.

    Parameters
    ----------
    study, prefix
        Of `KEY` or `TRANSFORMER`, and which of the twins: `SUPERVISED` or `REBUILDING`.
    """
    closed = accuracy(study, f"{prefix}-closed-*", "stereopsis", "onset")
    return _shares(study, accuracy(study, prefix, "stereopsis") - closed)


def turns(study: Study, prefix: str) -> xr.DataArray:
    """Return how far a closure moves the mean relative source variance towards the fellow eye, ``[onset, seed]``.

    Parameters
    ----------
    study, prefix
        As for `losses`.
    """
    return _shares(study, _turned(study, prefix, f"{prefix}-closed-*"))


def _turned(study: Study, normal: str, closed: str) -> xr.DataArray:
    towards = 1.0 if study.fellow_eye == "left" else -1.0
    return towards * (dominance(study, closed, "mean_rsv", value="onset") - dominance(study, normal, "mean_rsv"))


def _stereopsis(study: Study, name: str) -> xr.DataArray:
    """Return the accuracy at telling near from far at the end of rearing, 0 to 1; guessing gives 0.5."""
    return accuracy(study, name, "stereopsis") / 100


def _earliest(study: Study, objective: str) -> str:
    """Return the name of the condition with the earliest closure, by that of the condition with the eyes open."""
    return f"{objective}-closed-{min(swept(study, f'{SUPERVISED}-closed', 'onset'))}"


def _published(had: Had, key: str) -> xr.DataArray:
    """Return the published loss at the onset that is nearest to each of ours, the earlier of two, ``[onset]``."""
    curve, ours = onset_curve("supervised"), losses(had[key], SUPERVISED)["onset"].values
    return curve[np.abs(np.subtract.outer(ours, curve["onset"].values)).argmin(1)]


def _curve(key: str) -> Row:
    def published(had: Had) -> dict[float, str]:
        found = zip(losses(had[key], SUPERVISED)["onset"].values, _published(had, key).values, strict=True)
        return {at: f"{loss:.1f} (Fig. 8, nearest onset)" for at, loss in found}

    return context("loss of stereopsis, classes, closed at {onset:.2f}, points",
                   lambda had: losses(had[key], SUPERVISED), digits=1, published=published)  # fmt: skip


def _sees(key: str, name: str) -> Row:
    return control(f"stereopsis with the eyes open, {name}", lambda had: _stereopsis(had[key], name), at_least=SEES)


ONSET = (
    test("loss of stereopsis by the earliest closure, points", lambda had: losses(had[KEY], SUPERVISED)[0],
         at_least=LOSS, digits=1, published=lambda had: f"{float(onset_curve('supervised')[0]):.1f} (Fig. 8)"),
    test("earliest less latest closure, points",
         lambda had: -total(losses(had[KEY], SUPERVISED)), at_least=FADES, digits=1,
         published=lambda had: f"{-float(total(_published(had, KEY))):.1f} (Fig. 8)"),
    _sees(KEY, SUPERVISED),
    _curve(KEY),
)  # fmt: skip


def _twins(key: str) -> tuple[Row, ...]:
    """Return what both curves of Fig. 8 must do: closures while what is hidden is rebuilt, and the supervised twin."""
    return (
        test("loss of stereopsis by a closure at {onset:.2f} of rebuilding, points",
             lambda had: losses(had[key], REBUILDING), at_most=SAFE, digits=1,
             published=lambda had: dict.fromkeys(losses(had[key], REBUILDING)["onset"].values,
                                                 f"at most {float(onset_curve(MASKED).max()):.1f} (Fig. 8)")),
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
    return _stereopsis(had[KEY], _earliest(had[KEY], REBUILDING))


def _first_loss(had: Had, objective: str) -> xr.DataArray:
    """Return the points of stereopsis that the earliest closure costs under an objective."""
    return lost(had[KEY], objective, _earliest(had[KEY], objective), "stereopsis")


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
            lambda had: 100 * (_closed(had) - _stereopsis(had[KEY], "late-start")), at_least=0.0, digits=1),
    context("loss by a closure while classes are learned, after rebuilding with open eyes, points",
            lambda had: lost(had[KEY], "rebuilding-longer", "rebuilding-then-closed", "stereopsis"), digits=1),
    *(context(f"units turn to the fellow eye by, earliest closure, {words}",
              lambda had, name=name: _turned(had[KEY], name, _earliest(had[KEY], name)))
      for name, words in {"both": "classes and rebuilding at once", "fresh-head": "classes, then a fresh classifier",
                          "hidden": "classes from pictures with hidden patches"}.items()),
    context("units turn to the fellow eye by, closure while classes are learned, after rebuilding with open eyes",
            lambda had: _turned(had[KEY], "rebuilding-longer", "rebuilding-then-closed")),
    context("loss by the earliest closure while classes are learned, points",
            lambda had: losses(had[KEY], SUPERVISED)[0], digits=1),
    context("loss by the earliest closure while rebuilding, points",
            lambda had: losses(had[KEY], REBUILDING)[0], digits=1),
    context("stereopsis after a late start", lambda had: _stereopsis(had[KEY], "late-start")),
    context("stereopsis after rebuilding, eyes open", lambda had: _stereopsis(had[KEY], REBUILDING)),
    context("stereopsis after rebuilding, closed from the start", _closed),
    context("stereopsis after rebuilding the same patches, eyes open", lambda had: _stereopsis(had[SAME], "same")),
)  # fmt: skip


def _what_hiding_does(had: Had) -> str:
    if verdict_of(interval(_first_loss(had, "hidden")), at_least=LOSS) != "does not hold":
        return ""
    return (
        "Learning the classes from pictures whose patches are hidden afresh at each presentation protects without any "
        "rebuilding, so that rebuilding is not what is needed."
    )


_LOOKS = {
    SUPERVISED: ("learning the classes", TASK_COLOURS[0], "o"),
    REBUILDING: ("rebuilding what is hidden", TASK_COLOURS[1], "s"),
}


def draw_onset(had: Had) -> Figure:
    """Draw the supervised curve of Fig. 8 and ours."""
    figure = new_figure(6.4, 3.0)
    axes = figure.subplots(1, 2, sharey=True)
    _curves(figure, axes, had[KEY], (SUPERVISED,))
    return figure


def draw_twins(study: Study) -> Figure:
    """Draw both curves of Fig. 8, ours for stereopsis, and how far the units turn to the fellow eye."""
    figure = new_figure(9.0, 3.2)
    axes = figure.subplots(1, 3)
    axes[1].sharey(axes[0])
    for step, prefix in enumerate((SUPERVISED, REBUILDING)):
        _line(axes[2], turns(study, prefix), prefix, step)
    zero(axes[2])
    axes[2].set_ylabel("turn to the fellow eye (mean RSV)")
    title_panel(axes[2], "ours: units", "means with 95 % intervals, and subjects")
    _curves(figure, axes, study, (SUPERVISED, REBUILDING))
    return figure


def _line(ax: Axes, values: xr.DataArray, prefix: str, step: int) -> None:
    label, colour, marker = _LOOKS[prefix]
    at = values["onset"].to_numpy() + (step - 0.5) * 0.012
    points_and_line(ax, values, label, colour, marker, at)
    ax.plot(at + 0.025, values, mec=colour, **SUBJECTS)


def _curves(figure: Figure, axes: Any, study: Study, prefixes: tuple[str, ...]) -> None:
    """Draw published curves on the left and ours beside them, and label every panel."""
    for step, prefix in enumerate(prefixes):
        _, colour, marker = _LOOKS[prefix]
        curve = onset_curve("supervised" if prefix == SUPERVISED else MASKED)
        published_line(axes[0], curve, "", colour, marker)
        _line(axes[1], losses(study, prefix), prefix, step)
    title_panel(axes[0], "published (Fig. 8)", "video, two frames; digitised")
    title_panel(axes[1], "ours: stereopsis", "means with 95 % intervals, and subjects")
    axes[0].set_ylabel("loss of accuracy (points)")
    axes[1].set_ylabel("loss of stereopsis (points)")
    for ax in axes:
        ax.set_xlabel("onset of the deficit (share)")
        ax.set_xlim(-0.05, 1.05)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "1/4", "1/2", "3/4", "1"])
    for ax in axes[:2]:
        zero(ax)
    figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower center", ncols=2)


def draw_controls(had: Had) -> Figure:
    """Draw the losses of stereopsis under each objective and control, and stereopsis with open eyes and without."""
    study = had[KEY]
    objectives = {
        "classes": SUPERVISED,
        "classes, then a fresh\nclassifier": "fresh-head",
        "classes, pictures with\nhidden patches": "hidden",
        "classes and\nrebuilding at once": "both",
        "rebuilding": REBUILDING,
    }
    pairs = {words: (study, name, _earliest(study, name)) for words, name in objectives.items()}
    pairs["rebuilding, always\nthe same patches"] = (had[SAME], "same", "same-closed")
    pairs["rebuilding first, closed\nwhile classes are learned"] = (
        study, "rebuilding-longer", "rebuilding-then-closed"
    )  # fmt: skip
    figure = new_figure(8.6, 3.3)
    axes = figure.subplots(1, 3, sharey=True)
    chance = {"limits": (45, 100), "reference": 50}
    columns = {
        "loss of stereopsis (points)": [lost(*pair, "stereopsis") for pair in pairs.values()],
        "stereopsis (%)": [accuracy(of, name, "stereopsis") for of, name, _ in pairs.values()],
        "stereopsis in the end (%)": [accuracy(of, name, "stereopsis") for of, _, name in pairs.values()],
    }
    labelled_rows(axes, list(pairs), columns, {"reference": 0}, chance, chance)
    late = interval(accuracy(study, "late-start", "stereopsis"))
    axes[2].axvspan(late.low, late.high, color="#DDDDDD", lw=0, zorder=-2)
    title_panel(axes[0], "What a closure costs", AROUND)
    title_panel(axes[1], "Both eyes open", "dotted: guessing")
    title_panel(axes[2], "One eye closed for a time", "band: both open, begun late")
    return figure


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

_here_only = partial(Claim, absent=NO_VIDEO)

CLAIMS: tuple[Claim, ...] = (
    _here_only(
        "k23-4-onset",
        "In a task that needs both eyes the same deficit costs the more the earlier it begins.",
        "Fig. 8, supervised",
        {"lab": (_LAB,)},
        ONSET,
        draw_onset,
    ),
    _here_only(
        "k23-7-reconstruction",
        "Rearing by cross-eye reconstruction removes the critical period that supervised rearing has.",
        "Fig. 8",
        {"lab": (_LAB,)},
        RECONSTRUCTION,
        lambda had: draw_twins(had[KEY]),
    ),
    _here_only(
        "k23-7-control",
        "What protects is the objective, and not that the classes are learned only after the deficit.",
        "no figure: a control that the paper does not report",
        {"lab": (_LAB, _SAME)},
        CONTROL,
        draw_controls,
        reason=_what_hiding_does,
    ),
    _here_only(
        "k23-7-transformer",
        "The same for a two-eye transformer: rebuilding what is hidden removes the cost of a closed eye.",
        "Fig. 8",
        {"lab": (TRANSFORMER_STUDY,)},
        _twins(TRANSFORMER),
        lambda had: draw_twins(had[TRANSFORMER]),
        looks={"lab": TRANSFORMER_LOOKS},
    ),
)
