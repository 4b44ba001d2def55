"""Kleinman et al. 2024, Figs 1 to 3, 11 and 12: two pathways share what is learned, and one is gated."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from binocular.papers.claims import Claim, Had, Need, Scale, context, control, test
from binocular.papers.computing import ComputedNeed
from binocular.papers.kleinman_2024 import pathway_figures as figures
from binocular.papers.kleinman_2024.tables import LESIONED
from binocular.papers.needs import both_scales
from binocular.papers.numbers import worst
from binocular.store.statistics import Interval, exact

__all__ = ["CLAIMS"]

_PORTRAITS, _GATES, _BENT = "linear-portraits", "linear-gates", "linear-bent"
_DRAWN = (2, 5, 8, 13)
"""Depths of Fig. 1."""
_NONE: dict[str, Any] = {"at_least": -0.02, "at_most": 0.02}
"""A difference in share that counts as none, a fiftieth of a mode."""


def _share(contribution: xr.DataArray) -> xr.DataArray:
    """Return the share of the gated pathway in the end, 0 to 1."""
    end = contribution.isel(time=-1)
    return end.sel(pathway="b") / end.sum("pathway")


def _portrait(had: Had, depth: int, condition: str) -> xr.DataArray:
    """Return the share of the gated pathway in the end, ``[seed]``."""
    return _share(had[_PORTRAITS]["portraits"]["contribution"].sel(depth=depth, condition=condition))


def _less_sham(depth: int, condition: str) -> Callable[[Had], xr.DataArray]:
    return lambda had: _portrait(had, depth, condition) - _portrait(had, depth, "sham")


def _missing(had: Had) -> Interval:
    """Return the largest error left in the end, of the mode, over depths, seeds and conditions that compete."""
    found = had[_PORTRAITS]["portraits"]["contribution"].sel(depth=list(_DRAWN)).drop_sel(condition="early, unlike")
    left = abs(1 - found.isel(time=-1).sum("pathway") / 10)
    return exact(left.max(), left.sizes["seed"])


DEPTH = (
    *(test(f"depth {deep} less depth {shallow}: share of the gated pathway after an early gate, same starts",
           lambda had, deep=deep, shallow=shallow: _portrait(had, deep, "early") - _portrait(had, shallow, "early"),
           at_most=0.0, published="Fig. 1: more pronounced in deeper networks")
      for shallow, deep in itertools.pairwise(_DRAWN)),
    test("depth 13: share of the gated pathway after an early gate", lambda had: _portrait(had, 13, "early"),
         at_most=0.1, published="Fig. 1: the other pathway learns the feature"),
    *(control(f"depth {depth}: early gate less sham, share of the gated pathway", _less_sham(depth, "early"),
              at_most=-0.05) for depth in _DRAWN),
    test("for good: largest error left in the end, of the mode (without an error nothing moves any more)", _missing,
         at_most=0.001, digits=5),
    control("depth 13 less depth 2, gate of a quarter of each depth's own half-time: share of the gated pathway",
            lambda had: _portrait(had, 13, "quarter") - _portrait(had, 2, "quarter"), at_most=-0.05),
    control("depth 1: early gate less sham", _less_sham(1, "early"), at_least=-0.05, at_most=0.05, digits=3),
    *(control(f"depth {depth}: the same gate half-way, when the mode is learned, less sham",
              _less_sham(depth, "half-way"), **_NONE, digits=4) for depth in (2, 13)),
    *(context(f"depth {depth}: share of the gated pathway after an early gate",
              lambda had, depth=depth: _portrait(had, depth, "early")) for depth in (1, 2, 3, 5, 8, 13)),
    context("depth 1, gate of a quarter of the half-time: share of the gated pathway",
            lambda had: _portrait(had, 1, "quarter")),
    context("depth 13, early gate, pathways that see uncorrelated things: share of the gated pathway",
            lambda had: _portrait(had, 13, "early, unlike")),
)  # fmt: skip

LATE = (
    *(test(f"depth {depth}: late gate (steps 100-115 of 1000) less sham, share of the gated pathway",
           _less_sham(depth, "late"), **_NONE, digits=3, published="Fig. 1: negligible") for depth in _DRAWN),
    *(control(f"depth {depth}: the same gate half-way (steps 500-515), less sham", _less_sham(depth, "half-way"),
              **_NONE, digits=3) for depth in _DRAWN),
    *(context(f"depth {depth}: half-way, and the pathway contributes nothing while it is gated, less sham",
              _less_sham(depth, "half-way, closed"), digits=3) for depth in (1, *_DRAWN)),
)  # fmt: skip


def _how_late(had: Had) -> str:
    contribution = had[_PORTRAITS]["portraits"]["contribution"].sel(depth=2, condition="sham")
    learned = contribution.sum("pathway").mean("seed", skipna=False)
    half = 1000 * float(np.interp(0.5, learned / learned[-1], learned["time"]))
    return (
        f"At depth 2 half of the mode takes {half:.0f} steps to learn, so that a gate at step 100 is hardly late. "
        "A late gate can be harmless only because the gated pathway goes on contributing what it has: see the rows of "
        "one that falls silent meanwhile, like a closed eye."
    )


def _distance(one: str, other: str) -> Callable[[Had], Interval]:
    """Return the largest distance between two courses of the hierarchy's modes, of the strongest one."""

    def distance(had: Had) -> Interval:
        gates = had[_GATES]["gates"]
        cases = gates.sizes["condition"] * gates.sizes["seed"]
        return exact(abs(gates[one] - gates[other]).max() / gates["strength"][0], cases)

    return distance


def _off(depth: int) -> Callable[[Had], Interval]:
    """Return the largest distance of gradient descent from the equation at a depth, of the one mode."""

    def distance(had: Had) -> Interval:
        table = had[_PORTRAITS]["portraits"].sel(depth=depth)
        solved = table["exact"].rename(solved="condition")
        off = abs(table["contribution"].sel(condition=solved["condition"]) - solved)
        return exact(off.max() / 10, table.sizes["condition"] * table.sizes["seed"])

    return distance


def _rates(had: Had) -> dict[str, str]:
    table = had[_PORTRAITS]["portraits"]
    return {f"rate_{int(rate['depth'])}": f"{float(rate):.1g}" for rate in table["rate"]}


EQUATION = (
    test("hierarchy, depths 1 and 4, all gates, learning rate 0.001: largest distance, of the strongest mode",
         _distance("contribution", "exact"), at_most=0.01, digits=4,
         published="Fig. 2: the equation runs through the network's points"),
    *(test(f"one mode, depth {depth}, all gates, learning rate {{rate_{depth}}}: largest distance, of the mode",
           _off(depth), at_most=0.01, digits=4) for depth in (1, 2, 3, 5, 8, 13)),
    test("hierarchy, published learning rate 0.01, the equation stepped by it as published: largest distance",
         _distance("coarse", "stepped"), at_most=1e-6, digits=9),
    context("hierarchy, published learning rate 0.01, the equation solved in continuous time: largest distance",
            _distance("coarse", "exact"), digits=4),
)  # fmt: skip


def _gate(had: Had, condition: str, modes: slice = slice(None), depth: int = 4) -> xr.DataArray:
    """Return the share of the gated pathway in modes of the hierarchy in the end, ``[seed, mode]``."""
    return _share(had[_GATES]["gates"]["contribution"].sel(depth=depth, condition=condition).isel(mode=modes))


def _mean(values: xr.DataArray) -> xr.DataArray:
    return values.mean("mode", skipna=False)


def _off_half(values: xr.DataArray) -> Interval:
    return exact(float(abs(values - 0.5).max()), values.sizes["seed"])


GATES = (
    test("early gate: share of the gated pathway, mean of the eight modes", lambda had: _mean(_gate(had, "early")),
         at_most=0.1, digits=3, published="Fig. 2 left: the open pathway has all"),
    test("middle gate: share in the four strong modes, learned before",
         lambda had: _mean(_gate(had, "middle", slice(0, 4))), at_least=0.48, at_most=0.52, digits=3,
         published="Fig. 2 centre: shared as before"),
    test("middle gate: share in the four weak modes, not yet learned",
         lambda had: _mean(_gate(had, "middle", slice(4, 8))), at_most=0.25, digits=3,
         published="Fig. 2 centre: taken by the open pathway"),
    test("late gate: largest distance of any share from one half", lambda had: _off_half(_gate(had, "late")),
         at_most=0.02, digits=4, published="Fig. 2 right: nothing changes"),
    control("no gate: largest distance of any share from one half", lambda had: _off_half(_gate(had, "sham")),
            at_most=1e-9, digits=9),
    context("depth 1, the same early gate: share of the gated pathway, mean of the modes",
            lambda had: _mean(_gate(had, "early", depth=1)), digits=3),
    context("depth 1, the same middle gate: the same", lambda had: _mean(_gate(had, "middle", depth=1)), digits=3),
)  # fmt: skip


def _lesion(had: Had, condition: str, others: bool = False) -> xr.DataArray:
    """Return the share of the gated pathway in the lesioned mode in the end, or in all others, ``[seed, mode]``."""
    found = _share(had[_GATES]["lesions"]["contribution"].sel(condition=condition))
    return found.drop_isel(mode=LESIONED) if others else found.isel(mode=[LESIONED])


LESION = (
    test("gate and lesion: share of the gated pathway in the mode that the other one cannot carry",
         lambda had: _mean(_lesion(had, "gate and lesion")), at_least=0.9,
         published="Fig. 3: learned by the gated pathway"),
    test("gate and lesion: share of the gated pathway in the other modes",
         lambda had: _mean(_lesion(had, "gate and lesion", others=True)), at_most=0.1,
         published="Fig. 3: learned by the open pathway"),
    control("gate without lesion: share of the gated pathway in the same mode",
            lambda had: _mean(_lesion(had, "gate")), at_most=0.1),
    control("lesion without gate: largest distance of the share in the other modes from one half",
            lambda had: _off_half(_lesion(had, "lesion", others=True)), at_most=0.02, digits=4),
)  # fmt: skip


def _bent(had: Had, condition: str, less: str = "") -> xr.DataArray:
    """Return the share of the gated pathway in the squared output in the end, ``[units, seed]``."""
    found = _share(had[_BENT]["bent"]["size"])
    return found.sel(condition=condition) - (found.sel(condition=less) if less else 0)


def _bent_error(kind: str) -> Callable[[Had], Interval | None]:
    def error(had: Had) -> Interval | None:
        table = had[_BENT]["bent"]
        if kind not in table["units"].values:
            return None
        found = table["error"].sel(units=kind)
        return worst(found.isel(time=-1) / found.isel(time=0))

    return error


BENT = (
    test("{units}: early gate less sham, share of the gated pathway in the squared output",
         lambda had: _bent(had, "early", "sham"), at_most=-0.2,
         published="Figs 11, 12 left: the open pathway has all"),
    test("{units}: late gate less sham, the same", lambda had: _bent(had, "late", "sham"), **_NONE, digits=4,
         published="Figs 11, 12 right: nothing changes"),
    context("{units}: middle gate less sham, the same", lambda had: _bent(had, "middle", "sham")),
    context("{units}: share of the gated pathway, sham", lambda had: _bent(had, "sham")),
    *(context(f"{kind}: largest error left in the end, of the error at the start", _bent_error(kind), digits=4)
      for kind in ("tanh", "relu")),
)  # fmt: skip


def _as_computed(name: str, *more: str) -> Callable[[Had], tuple[str, ...]]:
    return lambda had: (
        *more,
        f"{len(had[f'linear-{name}'][name]['seed'])} seeds instead of one; hidden layers carry the eight modes at "
        "first, and every layer of a pathway has a basis of its own where the paper shares one, which in linear "
        "pathways leaves the course of modes the same.",
        "The published column is what the released code of the figure computes; no figure was digitised.",
    )


def _need(name: str, paper: bool) -> ComputedNeed:
    """Return a need from seeds of one mode and of the hierarchy, and from widths of linear and of bent units."""
    seeds, fewer, width, wide = (100, 20, 100, 100) if paper else (20, 10, 16, 32)
    title, minutes, parameters = {
        "portraits": ("Two linear pathways that share one mode, depths 1 to 13", seeds / 20,
                      {"depths": [1, 2, 3, 5, 8, 13], "seeds": seeds, "fineness": 0.02}),
        "gates": ("Two linear pathways that share the hierarchy, gates and a lesion", 6 if paper else 0.2,
                  {"depths": [1, 4], "seeds": fewer, "width": width}),
        "bent": ("Two pathways with tanh or rectified units, gates", 8 if paper else 0.6,
                 {"units": ["tanh", "relu"], "depth": 3, "seeds": fewer, "width": wide}),
    }[name]  # fmt: skip
    home = f"binocular.papers.kleinman_2024.tables:{name}"
    return ComputedNeed(f"linear-{name}", title, home, parameters, minutes=minutes)


def _needs(*names: str) -> dict[Scale, tuple[Need, ...]]:
    return both_scales(*((_need(name, False), _need(name, True)) for name in names))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k24-1-depth",
        "An early gate of one pathway lets the other learn the feature for good, the more so the deeper the pathways.",
        "Fig. 1, top row",
        _needs("portraits"),
        DEPTH,
        figures.portraits_figure,
        reason="The rows of depth 1 tell what a head start is worth without amplification: once the error is gone it "
        "is kept there too. The row of uncorrelated pathways tells whether it takes competition.",
        deviations=(
            "Networks are trained by gradient descent, at each depth in steps of a fiftieth of the time in which the "
            "error dies away; the paper integrates the differential equation in steps of 0.001.",
        ),
    ),
    Claim(
        "k24-2-late",
        "The same gate late in training has a negligible effect at every depth.",
        "Fig. 1, bottom row",
        _needs("portraits"),
        LATE,
        figures.late_figure,
        reason=_how_late,
        deviations=("Networks are trained by gradient descent; the paper integrates the differential equation.",),
    ),
    Claim(
        "k24-3-equation",
        "One differential equation per mode says what gradient descent of the network does, gates included.",
        "Fig. 2 and Eq. for dp/dt",
        _needs("portraits", "gates"),
        EQUATION,
        facts=_rates,
        reason="The published curves take steps as long as those of gradient descent, which is then the same "
        "recursion; the last row tells how far the published learning rate is from continuous time.",
    ),
    Claim(
        "k24-4-gates",
        "A gate decides over the features that are learned while it is closed: all of them early, the weak ones in the "
        "middle, none late.",
        "Fig. 2",
        _needs("gates"),
        GATES,
        figures.gates_figure,
        reason="The rows of depth 1 tell what the same gates do to two shallow pathways, which learn without a delay.",
        deviations=_as_computed("gates"),
    ),
    Claim(
        "k24-5-competition",
        "The gated pathway loses to competition and not to the gate: a feature that the open pathway cannot carry is "
        "learned by the gated one afterwards.",
        "Fig. 3",
        _needs("gates"),
        LESION,
        figures.lesions_figure,
        reason="The controls tell the gate and the lesion apart.",
        deviations=_as_computed("gates"),
    ),
    Claim(
        "k24-9-nonlinear",
        "Pathways with tanh or rectified units behave alike: an early gate gives what is learned to the open pathway, "
        "a late one changes nothing.",
        "Figs 11 and 12",
        _needs("bent"),
        BENT,
        figures.bent_figure,
        reason="Units that bend leave no modes to follow, so that the squared output is what is shared.",
        deviations=_as_computed(
            "bent",
            "The share is that of the squared output; the paper draws the diagonal of the output in the modes' basis.",
        ),
    ),
)
