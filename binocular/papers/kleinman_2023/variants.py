"""Kleinman, Achille & Soatto (2023): the blur with narrower and wider views, other rates, and the published network.

Figs 11 and 12, Fig. 16 right, and the network of Figs 4 and 10 at a smaller width. Criteria, declared before anything
was reared, are those of `kleinman_2023.main`: a shift of the clean eye's bias counts where its whole interval is at
least 0.10, accuracy is lost where the interval of the loss lies above zero, and narrower views lose more where that of
the difference does. Seeds begin at 240, because those from 200 belong to the studies that these vary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import xarray as xr

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.kleinman_2023 import controls_figures as figures
from binocular.papers.kleinman_2023.controls_figures import RATES, WIDTHS
from binocular.papers.kleinman_2023.main import BLUR, PHOTOGRAPHS, ends_of_blur
from binocular.papers.kleinman_2023.main_figures import draw_blur
from binocular.papers.kleinman_2023.measures import BALANCED, SHIFT, bias
from binocular.papers.kleinman_2023.tables import accuracy_curve
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed, both_scales
from binocular.papers.numbers import accuracy, total
from binocular.papers.published import loss_of

__all__ = ["CLAIMS", "RATES", "RESNET", "WIDTHS"]

LOOKS: dict[Scale, Looks] = {"lab": Looks(first=240, pilots=(100, 101))}
"""When the variants are looked at; their settings are those of Fig. 4 but for what is varied."""
RESNET = "fig4-resnet"
"""Key of the blur of the published network."""


def _lost(had: Had, key: str) -> xr.DataArray:
    return -total(accuracy(had[key], "blurred-*"))


def _published_loss(key: str) -> float:
    columns, _, figure = WIDTHS[key]
    return loss_of(accuracy_curve("blur", f"view width {columns}", figure))


WIDTH = (
    *(test(f"loss of accuracy by the longest blur, {key} views, points", lambda had, key=key: _lost(had, key),
           at_least=0.0, digits=1, published=lambda had, key=key: f"{_published_loss(key):.1f} ({WIDTHS[key][2]})")
      for key in WIDTHS),
    test("loss with narrow views less loss with wide ones, points",
         lambda had: _lost(had, "narrow") - _lost(had, "wide"), at_least=0.0, digits=1,
         published=lambda had: f"{_published_loss('narrow') - _published_loss('wide'):.1f} (Figs 11 and 12)"),
    *(control(f"shift of the clean eye's bias by the longest blur, {key} views, units by place",
              lambda had, key=key: total(bias(had[key])), at_least=SHIFT) for key in WIDTHS),
)  # fmt: skip

RATE = (
    *(test(f"shift of the clean eye's bias by the longest blur, initial rate {rate:g}, units by place",
           lambda had, key=key: total(bias(had[key])), at_least=SHIFT) for key, rate in RATES.items()),
    *(control(f"clean eye's bias without a blur, initial rate {rate:g}",
              lambda had, key=key: bias(had[key])[0], **BALANCED) for key, rate in RATES.items()),
    *(context(f"loss of accuracy by the longest blur, initial rate {rate:g}, points",
              lambda had, key=key: _lost(had, key), digits=1) for key, rate in RATES.items()),
)  # fmt: skip


def _of_resnet(function: Callable[[Had], Any]) -> Callable[[Had], Any]:
    """Let what was written for the study of Fig. 4 read that of the published network."""
    return lambda had: function({**had, "fig4": had[RESNET]})


def _row_of_resnet(row: Row) -> Row:
    published = _of_resnet(row.published) if callable(row.published) else row.published
    return replace(row, number=_of_resnet(row.number), published=published)


def _both(key: str, here: str, there: str, *instead: str) -> tuple[StudyNeed, StudyNeed]:
    """Return a need at laboratory scale and at the paper's: no blur and the longest one."""
    lab, paper = (here, "conditions.0.sweep={removal=[0,20]}"), (there, "conditions.0.sweep={removal=[0,180]}")
    return (
        StudyNeed(key, "kleinman-2023-fig4", lab, instead=(*PHOTOGRAPHS, *instead)),
        StudyNeed(key, "kleinman-2023-fig4-paper", paper, graphics_card=True),
    )


_WIDTHS = (
    _both(key, f"stimulus.visible={here}", f"stimulus.visible={there}", f"stimulus.visible={round(24 * there / 32)}")
    for key, (there, here, _) in WIDTHS.items()
)
_RATES = (_both(key, f"training.learning_rate={rate}", f"training.learning_rate={rate}") for key, rate in RATES.items())
_RESNET = StudyNeed(
    RESNET,
    "kleinman-2023-fig4",
    ('network={kind="split-resnet-18", options={width=8}}',),
    instead=PHOTOGRAPHS,
)

_looked_at = partial(Claim, looks=LOOKS)

CLAIMS: tuple[Claim, ...] = (
    _looked_at(
        "k23-11-widths",
        "A blur of one view costs accuracy with narrower and wider views too, and the more the less the views share.",
        "Figs 11 and 12",
        both_scales(*_WIDTHS),
        WIDTH,
        figures.draw_widths,
    ),
    _looked_at(
        "k23-16-rates",
        "A blur of one view turns the units to the other eye at other initial learning rates too.",
        "Fig. 16 right, whose numbers are in no table here",
        both_scales(*_RATES),
        RATE,
        figures.draw_rates,
    ),
    _looked_at(
        "k23-3-resnet",
        "Blurring one view early turns the units to the other eye in the published network, at an eighth of its width.",
        "Figs 4 and 10",
        {"lab": (_RESNET,)},
        tuple(_row_of_resnet(row) for row in BLUR),
        _of_resnet(draw_blur),
        facts=_of_resnet(ends_of_blur),
        absent={"paper": "it is what k23-3-blur needs there, at the published width"},
    ),
)
