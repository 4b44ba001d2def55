"""Pawlak (2025): a learning rate that rises again averts what an early deficit costs; severe deficits cost more.

Criteria, declared before the subjects that decide were reared. Losses are in points of accuracy, averaged over the
tests of the last 10 epochs, between subjects of the same seed and the same schedule of the learning rate, without the
blur ('trained from scratch') and with it. There is something to avert where the whole interval of the loss at a falling
rate lies above nothing, also beside sharp subjects reared as long. A schedule averts it ('almost closes the gap', Fig.
1a) where it takes away a part of that loss and less than half is left. A schedule under which sharp subjects learn
little would close the gap as well; so they may lose at most 3 points by it. The paper's abstract and the caption of
Fig. 1 give no numbers, and none was read off its figures.

Warm starts, learning from a part of the pictures first, are in the paper and not among the claims: no deficit here
withholds pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import xarray as xr

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed, both_scales
from binocular.papers.numbers import lost, settled, total
from binocular.papers.pawlak_2025.figures import SCHEDULES, draw_schedules, draw_severity, loss, severity

__all__ = ["CLAIMS", "LOOKS"]

LOOKS: dict[Scale, Looks] = {"lab": Looks(first=500, pilots=(100, 101, 102))}
WORST = 3.0
"""Points that sharp subjects may lose by a schedule."""


def _averts(had: Had, schedule: str) -> xr.DataArray:
    """Return the points that the blur costs less with a schedule than with a rate that falls."""
    return loss(had, "falling") - loss(had, schedule)


_SOMETHING = (
    control("accuracy lost by the blur at a falling rate, points", lambda had: loss(had, "falling"), at_least=0,
            digits=1, published="present (Fig. 1a)"),
    control("the same beside sharp subjects reared as long, points",
            lambda had: lost(had["schedules"], "sharp-long", "blurred-falling"), at_least=0, digits=1),
)  # fmt: skip
"""There is something to avert."""


def _averted(schedule: str, source: str) -> tuple[Row, ...]:
    words = SCHEDULES[schedule]
    return (
        test(f"less lost by the blur with {words} than with one that falls, points",
             lambda had: _averts(had, schedule), at_least=0, digits=1, published=f"most ({source})"),
        test(f"loss with {words} beyond half of that with one that falls, points",
             lambda had: loss(had, schedule) - 0.5 * loss(had, "falling"), at_most=0, digits=1,
             published=f"almost none ({source})"),
    )  # fmt: skip


_CYCLIC = (
    *_averted("cyclic", "abstract"), *_SOMETHING,
    control(f"accuracy that sharp subjects lose with {SCHEDULES['cyclic']}, points",
            lambda had: lost(had["schedules"], "sharp-falling", "sharp-cyclic"), at_most=WORST, digits=1),
    *(context(f"less lost with {SCHEDULES[name]}, points", lambda had, name=name: _averts(had, name), digits=1)
      for name in ("restarts", "constant")),
    *(context(f"accuracy of sharp subjects with {words}, %",
              lambda had, name=name: settled(had["schedules"], f"sharp-{name}"), digits=1)
      for name, words in SCHEDULES.items() if name != "renewed"),
)  # fmt: skip
_RENEWED = (
    *_averted("renewed", "Fig. 1a"), *_SOMETHING,
    context("less lost where momentum is forgotten too, points",
            lambda had: _averts(had, "renewed-forgotten"), digits=1),
)  # fmt: skip
_SEVERITY = (
    test("further loss from the mildest blur (factor {mild}) to the most severe (factor {severe}), points",
         lambda had: total(severity(had)), at_least=0, digits=1, published="present"),
    control("accuracy lost by the most severe blur, points", lambda had: severity(had)[-1], at_least=0, digits=1),
    context("accuracy lost by a blur of factor {factor}, points", severity, digits=1),
)  # fmt: skip


def _facts(had: Had) -> Mapping[str, int]:
    factors = severity(had)["factor"].values
    return {"mild": int(factors[0]), "severe": int(factors[-1])}


_claim = partial(
    Claim,
    needs=both_scales(
        (StudyNeed("schedules", "pawlak-2025"), StudyNeed("schedules", "pawlak-2025-paper", graphics_card=True))
    ),
    looks=LOOKS,
)

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "p25-1-cyclic",
        "With a cyclic learning rate an early blur costs little of the accuracy that it costs with a rate that falls.",
        "abstract",
        rows=_CYCLIC,
        draw=draw_schedules,
    ),
    _claim(
        "p25-2-renewed",
        "Beginning the learning rate anew after the blur almost closes the gap to subjects that never had one.",
        "Fig. 1a",
        rows=_RENEWED,
    ),
    _claim(
        "p25-3-severity",
        "The more severe the blur, the more accuracy it costs.",
        "the experiments on the severity of corruptions, which were not read off",
        rows=_SEVERITY,
        draw=draw_severity,
        facts=_facts,
    ),
)
