"""Kleinman et al. (2023), Fig. 8, with the deficit that it has: frames that do not belong together.

The published arms differ in more than the objective. While classes are learned the deficit lasts 20 of 120 epochs at a
rate of 0.01; while hidden patches are rebuilt it lasts 200 of 800 at 0.0001. So what protects may be the objective, or
how small a dose of learning the deficit was. Here both objectives go with both doses and both rates.

Criteria, declared before anything was reared, are those of `kleinman_2023.objectives`: a loss counts where its whole
interval is at least 10 points, there is none where it is at most 5, and with frames that belong together the task must
be learned (0.75 of motion; guessing gives 0.25). All differences are between subjects of the same seed.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from binocular.papers.claims import Claim, Had, Scale, context, control, test
from binocular.papers.figures import AROUND, labelled_rows, new_figure
from binocular.papers.kleinman_2023.objectives import LOSS, NO_VIDEO, SAFE, SEES
from binocular.papers.kleinman_2023.tables import MASKED, onset_curve
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import accuracy, lost
from binocular.report.figures.style import title_panel

__all__ = ["CLAIMS"]

KEY, TASK = "frames", "motion"
ARMS = ("classes", "rebuilding")
RATES = {"fast": "larger rate", "slow": "smaller rate"}
DOSES = {5: "a sixth", 8: "a quarter"}
"""Epochs of the deficit, and their share of the epochs before the last ones."""
_LOOKS: dict[Scale, Looks] = {"lab": Looks((5, 10), pilots=(100,))}


def _lost(had: Had, arm: str, rate: str, dose: int) -> xr.DataArray:
    return lost(had[KEY], f"{arm}-{rate}", f"{arm}-{rate}-frames-{dose}", TASK)


def _late(had: Had) -> xr.DataArray:
    return lost(had[KEY], "classes-fast", "classes-fast-late", TASK)


ROWS = (
    test("loss of motion by unrelated frames while classes are learned, dose and rate as published, points",
         lambda had: _lost(had, "classes", "fast", 5), at_least=LOSS, digits=1,
         published=lambda had: f"{float(onset_curve('supervised')[0]):.1f} (Fig. 8)"),
    test("the same while hidden patches are rebuilt, dose and rate as published, points",
         lambda had: _lost(had, "rebuilding", "slow", 8), at_most=SAFE, digits=1,
         published=lambda had: f"at most {float(onset_curve(MASKED).max()):.1f} (Fig. 8)"),
    *(control(f"classes less rebuilding at the same dose and rate: {share} of the epochs, {words}, points",
              lambda had, at=(rate, dose): _lost(had, "classes", *at) - _lost(had, "rebuilding", *at), at_least=LOSS,
              digits=1)
      for rate, words in RATES.items() for dose, share in DOSES.items()),
    *(control(f"motion with frames that belong together, {arm}, {words}",
              lambda had, arm=arm, rate=rate: accuracy(had[KEY], f"{arm}-{rate}", TASK) / 100,
              at_least=SEES) for arm in ARMS for rate, words in RATES.items()),
    *(context(f"loss while {arm}, {share} of the epochs, {words}, points",
              lambda had, arm=arm, rate=rate, dose=dose: _lost(had, arm, rate, dose), digits=1)
      for arm in ARMS for rate, words in RATES.items() for dose, share in DOSES.items()),
    context("loss by the same deficit just before the last epochs, classes, points", _late, digits=1),
)  # fmt: skip


def draw_frames(had: Had) -> Figure:
    """Draw what the deficit costs with each objective, dose and rate, and what is learned without it."""
    figure = new_figure(7.6, 3.4)
    axes = figure.subplots(1, 2)
    cells = [(arm, rate, dose) for rate in RATES for dose in DOSES for arm in ARMS]
    labels = [f"{arm}, {DOSES[dose]}, {RATES[rate]}" for arm, rate, dose in cells]
    losses = [_lost(had, *cell) for cell in cells]
    labelled_rows(axes[:1], [*labels, "classes, late"], {"loss of motion (points)": [*losses, _late(had)]},
                  {"reference": 0})  # fmt: skip
    whole = [(arm, rate) for rate in RATES for arm in ARMS]
    seen = [accuracy(had[KEY], f"{arm}-{rate}", TASK) for arm, rate in whole]
    labelled_rows(axes[1:], [f"{arm}, {RATES[rate]}" for arm, rate in whole], {"motion (%)": seen},
                  {"limits": (0, 100), "reference": 25})  # fmt: skip
    title_panel(axes[0], "What unrelated frames cost", AROUND)
    title_panel(axes[1], "Frames that belong together", "dotted: guessing")
    return figure


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-8-frames",
        "Frames that do not belong together cost motion, which takes both, while the classes are learned, and nothing "
        "while hidden patches are rebuilt, at equal dose and rate.",
        "Fig. 8, with its own deficit",
        {"lab": (StudyNeed(KEY, "kleinman-2023-frames"),)},
        ROWS,
        draw_frames,
        absent=NO_VIDEO,
        looks=_LOOKS,
    ),
)
