"""Kleinman et al. (2023), Fig. 14: units of the masked transformer that tell of one view only, with no deficit at all.

In the paper relative source variance is bimodal after masked pre-training of subjects that never had a deficit, and
stays so when the classes are learned. Criteria, declared before the study was looked at for them: Sarle's coefficient,
(skewness^2 + 1) / kurtosis with the corrections for small samples, lies above that of an even distribution (5/9) by its
whole interval; and because a lopsided hump has a high coefficient too, the histogram of seven groups has a valley: the
lower one of its two sides' highest groups stands above the middle group. Both must have come by rearing: the untrained
network is the null. All numbers are of subjects whose eyes were never disturbed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from binocular.compare.histogram_figures import oriented_histogram
from binocular.dominance import group_shares, groups_of
from binocular.papers.claims import Claim, Had, context, control, test
from binocular.papers.figures import new_figure
from binocular.papers.kleinman_2023.measures import POOLED, monocular
from binocular.papers.kleinman_2023.objectives import (
    NO_VIDEO,
    REBUILDING,
    SUPERVISED,
    TRANSFORMER,
    TRANSFORMER_LOOKS,
    TRANSFORMER_STUDY,
    epochs_of_rebuilding,
)
from binocular.papers.numbers import over
from binocular.report.figures.style import title_panel
from binocular.store.records import SubjectRecord
from binocular.store.statistics import interval
from binocular.store.study import Study

__all__ = ["CLAIMS", "EVEN", "bimodality", "valley"]

EVEN = 5 / 9
"""Sarle's coefficient of an even distribution; below it a distribution has one hump."""


def bimodality(rsv: np.ndarray) -> float:
    """Return Sarle's bimodality coefficient of units, 0 to 1; NaN for fewer than four or where all are alike.

    ``rsv`` is relative source variance, ``[unit]``, NaN for silent ones.
    """
    from scipy.stats import kurtosis, skew

    values = rsv[np.isfinite(rsv)].astype(np.float64)
    n = len(values)
    if n < 4 or np.ptp(values) == 0:
        return float("nan")
    skewness, excess = skew(values, bias=False), kurtosis(values, bias=False)
    return float((skewness**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


def valley(rsv: np.ndarray) -> float:
    """Return by how much the lower of the two sides' highest groups stands above the middle group, -1 to 1."""
    shares = group_shares(groups_of(rsv))
    return float(min(shares[:3].max(), shares[4:].max()) - shares[3])


def _rsv(subject: SubjectRecord, when: int) -> np.ndarray:
    found = subject.sites[POOLED]
    return found.values["rsv"][list(found.epoch).index(when)]


def _end(study: Study) -> int:
    return int(study.condition(REBUILDING).subjects[0].sites[POOLED].epoch[-1])


def _units(had: Had, when: str, of: Callable[[np.ndarray], float], arm: str = REBUILDING) -> xr.DataArray:
    """Return a number of each subject's units before rearing, after rebuilding or at the end, ``[seed]``."""
    study = had[TRANSFORMER]
    epoch = {"before": 0, "rebuilt": epochs_of_rebuilding(study), "end": _end(study)}[when]
    return over(study, arm, lambda _, subject: of(_rsv(subject, epoch)))


def _outer(rsv: np.ndarray) -> float:
    shares = group_shares(groups_of(rsv))
    return float(shares[0] + shares[6])


_BIMODAL = "bimodal (Fig. 14)"
ROWS = (
    test("bimodality coefficient of the units after rebuilding", lambda had: _units(had, "rebuilt", bimodality),
         at_least=EVEN, published=_BIMODAL),
    test("the same after learning the classes", lambda had: _units(had, "end", bimodality),
         at_least=EVEN, published=_BIMODAL),
    test("lower of the two sides' highest groups less the middle group, after rebuilding",
         lambda had: _units(had, "rebuilt", valley), at_least=0.0, published=_BIMODAL),
    control("coefficient after rebuilding less before rearing",
            lambda had: _units(had, "rebuilt", bimodality) - _units(had, "before", bimodality), at_least=0.0),
    context("coefficient before rearing", lambda had: _units(had, "before", bimodality)),
    context("coefficient of the twin that only learned the classes",
            lambda had: _units(had, "end", bimodality, SUPERVISED)),
    context("share of units in groups 1 and 7 before rearing", lambda had: _units(had, "before", _outer)),
    context("the same after rebuilding", lambda had: _units(had, "rebuilt", _outer)),
    context("the same after learning the classes", lambda had: _units(had, "end", _outer)),
    context("monocularity index after learning the classes",
            lambda had: monocular(had[TRANSFORMER], REBUILDING, POOLED)),
)  # fmt: skip


def draw_groups(had: Had) -> Figure:
    """Draw the histograms of the units before rearing, after rebuilding and at the end."""
    study = had[TRANSFORMER]
    condition, rebuilt = study.condition(REBUILDING), epochs_of_rebuilding(study)
    moments = {0: "before rearing", rebuilt: "after rebuilding", _end(study): "after learning the classes"}
    figure = new_figure(7.4, 2.6)
    axes = figure.subplots(1, len(moments), sharey=True)
    epochs, step = list(condition.subjects[0].sites[POOLED].epoch), 1 if condition.treated_eye == "right" else -1
    shown = [interval(condition.shares(POOLED, epochs.index(when))[:, ::step]) for when in moments]
    top = float(np.clip(110 * max(np.nanmax(each.high) for each in shown), 40, 100))
    for ax, found, (when, words) in zip(axes, shown, moments.items(), strict=True):
        oriented_histogram(
            found.mean, ax, low=found.low, high=found.high, deprived_eye=condition.treated_eye, first="other", top=top
        )
        title_panel(ax, words, f"epoch {when}, eyes never disturbed")
    axes[0].set_ylabel("share of units (%)")
    return figure


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-14-bimodal",
        "Units of a masked transformer tell of one view or of the other with no deficit at all, and still do when the "
        "classes have been learned.",
        "Fig. 14",
        {"lab": (TRANSFORMER_STUDY,)},
        ROWS,
        draw_groups,
        reason="If it holds, rebuilding does not balance the eyes within a unit, however it protects them.",
        absent=NO_VIDEO,
        looks={"lab": TRANSFORMER_LOOKS},
    ),
)
