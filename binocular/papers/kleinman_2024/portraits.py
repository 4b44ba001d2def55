"""Kleinman et al. 2024, Fig. 1: how two pathways of any depth share one mode when one of them is gated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.linear.gating import shares
from binocular.papers.claims import Claim, Evidence, Finding
from binocular.papers.computing import ComputedNeed
from binocular.papers.numbers import exact, judged, number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["K24_PORTRAITS", "PORTRAIT_NEEDS", "drawing"]

_PORTRAITS = "linear-portraits"
_DRAWN = (2, 5, 8, 13)
"""Depths of Fig. 1."""
_NO_EFFECT = 0.02
"""A difference in share that counts as none, a fiftieth of a mode."""


def _final_shares(table: Mapping[str, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    """Return the share of the gated pathway in the end, by depth and condition, ``[seed]``."""
    ends = shares(table["contribution"][:, :, :, -1])
    return {
        int(depth): dict(zip(table["condition"], ends[index], strict=True))
        for index, depth in enumerate(table["depth"])
    }


def _judge_depth(results: Mapping[str, Any]) -> Finding:
    table = results[_PORTRAITS]["portraits"]
    found = _final_shares(table)
    rows = [
        Evidence(
            f"depth {deep} less depth {shallow}: share of the gated pathway after an early gate, same starts",
            "Fig. 1: more pronounced in deeper networks", number_of(found[deep]["early"] - found[shallow]["early"]),
            at_most=0.0,
        )
        for shallow, deep in itertools.pairwise(_DRAWN)
    ]  # fmt: skip
    rows.append(
        Evidence(
            "depth 13: share of the gated pathway after an early gate", "Fig. 1: the other pathway learns the feature",
            number_of(found[13]["early"]), at_most=0.1,
        )
    )  # fmt: skip
    rows += [
        Evidence(
            f"depth {depth}: early gate less sham, share of the gated pathway", "",
            number_of(found[depth]["early"] - found[depth]["sham"]), "control", at_most=-0.05,
        )
        for depth in _DRAWN
    ]  # fmt: skip
    drawn = [list(table["depth"]).index(depth) for depth in _DRAWN]
    missing = np.abs(1 - table["contribution"][drawn][..., -1, :].sum(-1) / 10)
    unlike = list(table["condition"]).index("early, unlike")
    missing = np.delete(missing, unlike, axis=1)
    rows += [
        Evidence(
            "for good: largest error left in the end, of the mode (without an error nothing moves any more)", "",
            exact(missing.max(), missing.shape[-1]), at_most=0.001, digits=5,
        ),
        Evidence(
            "depth 13 less depth 2, gate of a quarter of each depth's own half-time: share of the gated pathway", "",
            number_of(found[13]["quarter"] - found[2]["quarter"]), "control", at_most=-0.05,
        ),
        Evidence(
            "depth 1: early gate less sham", "", number_of(found[1]["early"] - found[1]["sham"]), "control",
            at_least=-0.05, at_most=0.05, digits=3,
        ),
        *(
            Evidence(
                f"depth {depth}: the same gate half-way, when the mode is learned, less sham", "",
                number_of(found[depth]["half-way"] - found[depth]["sham"]), "control",
                at_least=-_NO_EFFECT, at_most=_NO_EFFECT, digits=4,
            )
            for depth in (2, 13)
        ),
        *(
            Evidence(
                f"depth {depth}: share of the gated pathway after an early gate", "", number_of(found[depth]["early"]),
                "context",
            )
            for depth in found
        ),
        Evidence(
            "depth 1, gate of a quarter of the half-time: share of the gated pathway", "",
            number_of(found[1]["quarter"]), "context",
        ),
        Evidence(
            "depth 13, early gate, pathways that see uncorrelated things: share of the gated pathway", "",
            number_of(found[13]["early, unlike"]), "context",
        ),
    ]  # fmt: skip
    return judged(
        "k24-1-depth", rows,
        "The rows of depth 1 tell what a head start is worth without amplification: once the error is gone it is kept "
        "there too. The row of uncorrelated pathways tells whether it takes competition.",
        [
            "Networks are trained by gradient descent, at each depth in steps of a fiftieth of the time in which the "
            "error dies away; the paper integrates the differential equation in steps of 0.001.",
        ],
    )  # fmt: skip


def _judge_late(results: Mapping[str, Any]) -> Finding:
    table = results[_PORTRAITS]["portraits"]
    found = _final_shares(table)
    rows = [
        Evidence(
            f"depth {depth}: late gate (steps 100-115 of 1000) less sham, share of the gated pathway",
            "Fig. 1: negligible", number_of(found[depth]["late"] - found[depth]["sham"]), at_least=-_NO_EFFECT,
            at_most=_NO_EFFECT, digits=3,
        )
        for depth in _DRAWN
    ]  # fmt: skip
    rows += [
        Evidence(
            f"depth {depth}: the same gate half-way (steps 500-515), less sham", "",
            number_of(found[depth]["half-way"] - found[depth]["sham"]), "control",
            at_least=-_NO_EFFECT, at_most=_NO_EFFECT, digits=3,
        )
        for depth in _DRAWN
    ]  # fmt: skip
    rows += [
        Evidence(
            f"depth {depth}: half-way, and the pathway contributes nothing while it is gated, less sham", "",
            number_of(found[depth]["half-way, closed"] - found[depth]["sham"]), "context", digits=3,
        )
        for depth in (1, *_DRAWN)
    ]  # fmt: skip
    learned = table["contribution"][list(table["depth"]).index(2), list(table["condition"]).index("sham")].sum(-1)
    half = 1000 * float(np.interp(0.5, learned.mean(0) / learned.mean(0)[-1], table["time"]))
    return judged(
        "k24-2-late", rows,
        f"At depth 2 half of the mode takes {half:.0f} steps to learn, so that a gate at step 100 is hardly late. "
        "A late gate can be harmless only because the gated pathway goes on contributing what it has: see the rows of "
        "one that falls silent meanwhile, like a closed eye.",
        ["Networks are trained by gradient descent; the paper integrates the differential equation."],
    )  # fmt: skip


def drawing(name: str) -> Callable[[Mapping[str, Any]], Figure]:
    """Return the function of this name in ``pathway_figures``, imported when it first draws."""

    def draw(results: Mapping[str, Any]) -> Figure:
        from binocular.papers.kleinman_2024 import pathway_figures

        return getattr(pathway_figures, name)(results)

    return draw


PORTRAIT_NEEDS = {
    scale: ComputedNeed(
        _PORTRAITS, "Two linear pathways that share one mode, depths 1 to 13",
        "binocular.papers.kleinman_2024.tables:portraits",
        {"depths": [1, 2, 3, 5, 8, 13], "seeds": seeds, "fineness": 0.02}, minutes=minutes,
    )
    for scale, seeds, minutes in (("lab", 20, 1), ("paper", 100, 5))
}  # fmt: skip
"""The computation behind Fig. 1, by scale; other claims share it."""

K24_PORTRAITS = (
    Claim(
        "k24-1-depth",
        "An early gate of one pathway lets the other learn the feature for good, the more so the deeper the pathways.",
        "Fig. 1, top row",
        {"lab": (PORTRAIT_NEEDS["lab"],), "paper": (PORTRAIT_NEEDS["paper"],)},
        _judge_depth,
        drawing("portraits_figure"),
    ),
    Claim(
        "k24-2-late",
        "The same gate late in training has a negligible effect at every depth.",
        "Fig. 1, bottom row",
        {"lab": (PORTRAIT_NEEDS["lab"],), "paper": (PORTRAIT_NEEDS["paper"],)},
        _judge_late,
        drawing("late_figure"),
    ),
)
"""Claims of Kleinman et al. 2024 on depth and time."""
