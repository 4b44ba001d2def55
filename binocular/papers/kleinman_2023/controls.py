"""Kleinman, Achille & Soatto (2023): depth of the pathways, heads, and controls that the other claims stand or fall by.

Criteria, declared before anything was reared. As in `kleinman_2023.main`, a shift of the clean eye's bias or a rise of
the monocularity index counts where its whole 95 % interval is at least 0.10, a quarter of the published one. Under a
control the effect must still be there: the interval lies on its side of zero. An effect is one of early rearing where
early less late lies above zero. Eyes are in balance where the bias is within 0.2 of 0.5. All differences are between
subjects of the same seed. Losses of accuracy are averaged over the tests of the last 10 epochs,
and over all epochs at which a blur ends.

Blur, heads and depth are looked at again after more seeds (`SMALL`). Their criteria are older than the looks: they were
declared before seeds 0 to 4, which left each of them undecided, and those seeds have no say in what is found now.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import xarray as xr

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.kleinman_2023.controls_figures import draw_blur, draw_closure, draw_depth, draw_heads
from binocular.papers.kleinman_2023.measures import (
    BALANCED,
    CLOCKS,
    CLOSURES,
    DEPTHS,
    MAP,
    POOLED,
    SHIFT,
    bias,
    monocular,
)
from binocular.papers.kleinman_2023.tables import bias_of, index_curve, monocularity_of, published_depth
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed, both_scales
from binocular.papers.numbers import costs, lost, settled, total
from binocular.papers.published import rise_of
from binocular.store.study import Study

__all__ = ["CLAIMS", "SMALL"]

SMALL: dict[Scale, Looks] = {"lab": Looks(pilots=(0, 1, 2, 3, 4, 100))}
"""When the small studies of patches of photographs are looked at; what their earlier subjects did was known by then."""

_SAME: dict[str, Any] = {"at_least": -0.001, "at_most": 0.001, "digits": 3}
_MEMORY = {
    "statistics-renewed": "running averages forgotten at its end",
    "momentum-forgotten": "momentum forgotten at its end",
}


def _shift(study: Study, without: str, having: str, site: str = MAP) -> xr.DataArray:
    """Return by how much a deficit moves the units to the clean eye: the change of that eye's bias."""
    return bias(study, having, site) - bias(study, without, site)


def _early(had: Had, clock: str = "absolute", site: str = MAP) -> xr.DataArray:
    return _shift(had["blur-controls"], f"sharp-{clock}", f"early-{clock}", site)


def _late(had: Had, clock: str = "absolute") -> xr.DataArray:
    return _shift(had["blur-controls"], f"sharp-long-{clock}", f"late-{clock}")


def _under(had: Had, name: str) -> xr.DataArray:
    return _shift(had["blur-controls"], "sharp-absolute", name)


BLUR = (
    test("shift of the clean eye's bias, sharp subjects reared as long, units by place", _early, at_least=SHIFT,
         published=lambda had: f"{rise_of(index_curve('blur', bias_of))} (Fig. 4)"),
    test("early shift less that of the same blur later", lambda had: _early(had) - _late(had), at_least=0.0),
    control("the early shift in pooled units", lambda had: _early(had, site=POOLED), at_least=0.0),
    *(row for clock in ("constant", "cyclic") for row in (
        control(f"early shift at a {clock} learning rate", lambda had, clock=clock: _early(had, clock), at_least=0.0),
        control(f"early shift less the late one at a {clock} learning rate",
                lambda had, clock=clock: _early(had, clock) - _late(had, clock), at_least=0.0),
    )),
    control("early shift, learning rate begun anew at its end", lambda had: _under(had, "early-phase"), at_least=0.0),
    *(control(f"early shift, {words}", lambda had, name=name: _under(had, f"early-{name}"), at_least=0.0)
      for name, words in _MEMORY.items()),
    control("shift when the other eye is blurred early", lambda had: _under(had, "fellow-early"), at_most=0.0),
    control("shift by a sham blur", lambda had: _under(had, "sham-early"), **_SAME),
    control("clean eye's bias of sharp subjects reared as long",
            lambda had: bias(had["blur-controls"], "sharp-absolute"), **BALANCED),
    control("the same, reared as long as recovery only",
            lambda had: bias(had["blur-controls"], "sharp-short"), **BALANCED),
    *(context(f"late shift, {words} learning rate", lambda had, clock=clock: _late(had, clock))
      for clock, words in CLOCKS.items()),
)  # fmt: skip


def _turned(had: Had, having: str, normal: str = "normal") -> xr.DataArray:
    return _shift(had["deprivation-controls"], normal, having, POOLED)


def _blinded(had: Had, having: str, normal: str) -> xr.DataArray:
    return lost(had["deprivation-controls"], normal, having, "stereopsis")


def _closed_at(rate: str) -> tuple[Row, Row, Row]:
    """Return what must hold of an early closure and a late one where the learning rate does so."""
    normal, early, late = CLOSURES[rate]
    row = test if rate == "falling" else control
    return (
        row(f"shift of the open eye's bias by an early closure, learning rate {rate}",
            lambda had: _turned(had, early, normal), at_least=SHIFT),
        row(f"early shift less the late one, learning rate {rate}",
            lambda had: _turned(had, early, normal) - _turned(had, late, normal), at_least=0.0),
        row(f"stereopsis lost early less that lost late, points, learning rate {rate}",
            lambda had: _blinded(had, early, normal) - _blinded(had, late, normal), at_least=0.0),
    )  # fmt: skip


CLOSURE = (
    *(row for rate in CLOSURES for row in _closed_at(rate)),
    test("shift by an early closure after 110 epochs of recovery",
         lambda had: _turned(had, "early-long-recovery"), at_least=SHIFT),
    *(control(f"shift by an early closure, {words}",
              lambda had, name=name: _turned(had, f"early-{name}"), at_least=SHIFT)
      for name, words in _MEMORY.items()),
    control("shift when the other eye is closed early", lambda had: _turned(had, "fellow-early"), at_most=0.0),
    control("open eye's bias after a sham closure",
            lambda had: bias(had["deprivation-controls"], "sham", POOLED), **BALANCED),
    control("open eye's bias before rearing",
            lambda had: bias(had["deprivation-controls"], "normal", POOLED, "untrained"), **BALANCED),
)  # fmt: skip


def _rise(had: Had, having: str, site: str = MAP, without: str = "normal", heads: str = "per-eye") -> xr.DataArray:
    study = had[f"heads-{heads}"]
    return monocular(study, having, site) - monocular(study, without, site)


HEADS = (
    test("rise of the monocularity index, a head for each eye, units by place", lambda had: _rise(had, "paired"),
         at_least=SHIFT, published=lambda had: f"{rise_of(index_curve('dissociation', monocularity_of))} (Fig. 6)"),
    test("clean eye's bias after it", lambda had: bias(had["heads-per-eye"], "paired"),
         **BALANCED, published=lambda had: f"{float(index_curve('dissociation', bias_of)[-1]):.2f} (Fig. 6)"),
    control("rise of the index, heads drawn apart from labels as in the released code",
            lambda had: _rise(had, "as-released"), at_least=0.0),
    control("rise of the index compared with undisturbed subjects reared as long",
            lambda had: _rise(had, "paired", without="normal-long"), at_least=0.0),
    control("rise of the index in pooled units, which have no place",
            lambda had: _rise(had, "paired", POOLED), at_least=0.0),
    context("rise of the index with one head throughout", lambda had: _rise(had, "paired", heads="one")),
    context("the same, pooled units", lambda had: _rise(had, "paired", POOLED, heads="one")),
    context("accuracy lost with a head for each eye, points",
            lambda had: lost(had["heads-per-eye"], "normal", "paired"), digits=1),
    context("accuracy lost with one head throughout, points",
            lambda had: lost(had["heads-one"], "normal", "paired"), digits=1),
)  # fmt: skip


def _deep_loss(had: Had, depth: int) -> xr.DataArray:
    return costs(had[f"depth-{depth}"])[1:].mean("removal", skipna=False)


def _published_loss(depth: int) -> float:
    return -float(published_depth().sel(blocks=depth)[1:].mean())


_SHALLOW, _DEEP = DEPTHS[0], DEPTHS[-1]
DEPTH = (
    test(f"accuracy lost by blurs, {_DEEP} blocks in a pathway, points", lambda had: _deep_loss(had, _DEEP),
         at_least=0, digits=1, published=lambda had: f"{_published_loss(_DEEP):.2f} (Fig. 5)"),
    test(f"further loss with {_DEEP} blocks compared with {_SHALLOW}, points",
         lambda had: _deep_loss(had, _DEEP) - _deep_loss(had, _SHALLOW), at_least=0, digits=1,
         published=lambda had: f"{_published_loss(_DEEP) - _published_loss(_SHALLOW):.2f} (Fig. 5)"),
    control(f"accuracy without a blur, {_DEEP} blocks less {_SHALLOW}, points",
            lambda had: settled(had[f"depth-{_DEEP}"], "blurred-0") - settled(had[f"depth-{_SHALLOW}"], "blurred-0"),
            at_least=-5, digits=1),
    *(row for depth in DEPTHS for blocks in [f"{depth} block{'s' if depth > 1 else ''}"] for row in (
        context(f"accuracy lost by blurs, {blocks}, points", lambda had, depth=depth: _deep_loss(had, depth),
                published=lambda had, depth=depth: f"{_published_loss(depth):.2f}", digits=1),
        context(f"accuracy without a blur, {blocks}, %",
                lambda had, depth=depth: settled(had[f"depth-{depth}"], "blurred-0"), digits=1),
        context(f"shift of the clean eye's bias by the longest blur, {blocks}, pooled units",
                lambda had, depth=depth: total(bias(had[f"depth-{depth}"], site=POOLED))),
    )),
)  # fmt: skip


def _both(key: str, protocol: str, *settings: str) -> tuple[StudyNeed, StudyNeed]:
    """Return a need at laboratory scale and at the paper's."""
    lab = StudyNeed(key, f"kleinman-2023-{protocol}", settings)
    return lab, StudyNeed(key, f"kleinman-2023-{protocol}-paper", settings, graphics_card=True)


# The subjects of docs/controls.md, reared after the criteria stood here; seeds 0 to 2 were known before.
_CLOSURE = StudyNeed("deprivation-controls", "deprivation-controls", ("seeds=[15,16,17,18,19]",))

_looked_at = partial(Claim, looks=SMALL)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-1-closure-controls",
        "What one eye loses by an early closure is lost for good and by its age: not by the learning rate, by what "
        "optimiser or normalisation remember, or by which eye it is.",
        "controls of claim 1; not in the paper",
        both_scales((_CLOSURE, _CLOSURE)),
        CLOSURE,
        draw_closure,
    ),
    _looked_at(
        "k23-3-blur-controls",
        "An early blur turns the units to the clean eye more than a late one does, whatever the learning rate, what "
        "optimiser and normalisation remember, which eye it is, and how units are counted.",
        "controls of Fig. 4; mostly not in the paper",
        both_scales(_both("blur-controls", "controls")),
        BLUR,
        draw_blur,
    ),
    _looked_at(
        "k23-3-heads",
        "Dissociated views make the units monocular in networks with a head for each eye, as published.",
        "section 4 and Fig. 6",
        both_scales(_both("heads-per-eye", "heads"), _both("heads-one", "heads", 'network.options.heads="one"')),
        HEADS,
        draw_heads,
    ),
    _looked_at(
        "k23-6-depth",
        "The deeper the pathways, the more accuracy an early blur costs; at a learning rate that never falls.",
        "Fig. 5 centre",
        both_scales(*(_both(f"depth-{n}", "depth", f"network.options.blocks={n}") for n in DEPTHS)),
        DEPTH,
        draw_depth,
    ),
)
