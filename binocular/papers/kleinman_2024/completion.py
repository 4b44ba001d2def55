"""Kleinman et al. 2024, matrix completion: a first task stands in the way of the second, by depth, rank and entries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binocular.papers.claims import Claim, Had, Scale, context, control, test
from binocular.papers.computing import ComputedNeed
from binocular.papers.figures import band, new_figure, points_and_line
from binocular.report.figures.style import TASK_COLOURS
from binocular.store.statistics import exact

__all__ = ["CLAIMS"]

_KEY = "linear-completion-"
_FIRST_RANKS: dict[Scale, tuple[int, ...]] = {"lab": (1, 3, 6, 9), "paper": (2, 5, 10, 15)}


def _harm(had: Had, series: str, since: int = 0) -> xr.DataArray:
    """Return how much larger the error is after the longest first task than after another one, none by default."""
    error = _tables(had)[series]["error"]
    return error[-1] - error[since]


def _tables(had: Had) -> dict[str, xr.Dataset]:
    return {key.removeprefix(_KEY): found["completion"] for key, found in had.items() if key.startswith(_KEY)}


def _without(had: Had, series: str) -> xr.DataArray:
    return _tables(had)[series]["error"][0]


_FIT = context(
    "largest mean error over the observed entries, in the end, of any series and duration",
    lambda had: exact(
        max(float(table["seen_error"].mean("seed", skipna=False).max()) for table in _tables(had).values())
    ),
    digits=4,
)
_DAMAGE: dict[str, Any] = {"at_least": 0.1}
"""An increase of the error (of a matrix of mean square 1) that counts as damage."""
_NO_DAMAGE: dict[str, Any] = {"at_least": -0.01, "at_most": 0.01, "digits": 3}
"""A change of the error that counts as none."""
_BY_DEPTH = "effect of depth, not digitised"
_BY_RANK = "effect of rank, not digitised"
_BY_ENTRIES = "subset of entries, not digitised"


def _half(had: Had) -> int:
    return len(_tables(had)["depth-3"]["switch"]) // 2


DEPTH = (
    test("depth 3: rise of the error by the longest first task", lambda had: _harm(had, "depth-3"), **_DAMAGE,
         published=_BY_DEPTH),
    test("depth 2: the same", lambda had: _harm(had, "depth-2"), **_DAMAGE, published=_BY_DEPTH),
    test("depth 3 less depth 2: rise of the error, same matrices",
         lambda had: _harm(had, "depth-3") - _harm(had, "depth-2"), at_least=0.0, published=_BY_DEPTH),
    test("depth 3: longest first task less one of {shorter:,} steps", lambda had: _harm(had, "depth-3", _half(had)),
         at_least=0.0, published="duration on the axis, not digitised"),
    control("depth 1: rise of the error", lambda had: _harm(had, "depth-1"), **_NO_DAMAGE, published=_BY_DEPTH),
    control("depth 3, the first task is the second one (sham): rise of the error", lambda had: _harm(had, "sham"),
            **_NO_DAMAGE),
    *(context(f"depth {depth}: error without a first task", lambda had, depth=depth: _without(had, f"depth-{depth}"))
      for depth in (1, 2, 3)),
    context("depth 3, the same first task after the second was learned, then the second again: rise of the error",
            lambda had: _harm(had, "late")),
    context("that late rise less the early one, same matrices", lambda had: _harm(had, "late") - _harm(had, "depth-3")),
    _FIT,
)  # fmt: skip


def _ranks(had: Had) -> dict[str, int]:
    first = _FIRST_RANKS["paper" if "rank-15" in _tables(had) else "lab"]
    return dict(zip(("lowest", "second", "double", "triple"), first, strict=True))


def _by_rank(had: Had, rank: str) -> xr.DataArray:
    number = _ranks(had)[rank]
    return _harm(had, "depth-3" if rank == "double" else f"rank-{number}")


RANK = (
    test("rank {triple}, then {second}: rise of the error", lambda had: _by_rank(had, "triple"), **_DAMAGE),
    test("rank {double}, then {second}: rise of the error", lambda had: _by_rank(had, "double"), **_DAMAGE),
    *(test(f"first rank {{{more}}} less {{{less}}}: rise of the error",
           lambda had, more=more, less=less: _by_rank(had, more) - _by_rank(had, less), at_least=0.0,
           published=_BY_RANK)
      for more, less in (("triple", "double"), ("double", "second"), ("second", "lowest"))),
    context("rank {second}, then another matrix of rank {second}: rise of the error",
            lambda had: _by_rank(had, "second")),
    context("rank {lowest}, then {second}: rise of the error", lambda had: _by_rank(had, "lowest")),
    _FIT,
)  # fmt: skip

ENTRIES = (
    test("depth 3, the same matrix with fewer entries first: rise of the error", lambda had: _harm(had, "fewer-3"),
         **_DAMAGE, published=_BY_ENTRIES),
    test("depth 3 less depth 2: rise of the error", lambda had: _harm(had, "fewer-3") - _harm(had, "fewer-2"),
         at_least=0.0, published=_BY_ENTRIES),
    test("depth 2 less depth 1: rise of the error", lambda had: _harm(had, "fewer-2") - _harm(had, "fewer-1"),
         at_least=0.0, published=_BY_ENTRIES),
    control("depth 1: rise of the error", lambda had: _harm(had, "fewer-1"), **_NO_DAMAGE),
    *(context(f"depth {depth}: error without a first phase", lambda had, depth=depth: _without(had, f"fewer-{depth}"))
      for depth in (1, 2, 3)),
    _FIT,
)  # fmt: skip


def _deviations(had: Had) -> list[str]:
    table = next(iter(_tables(had).values()))
    said = [
        "Of the paper on this only the abstract and the released code, its settings and titles of figures, were "
        "at hand: the statement is our reading, and no published number is compared.",
        f"{len(table['seed'])} seeds, with matrices of their own; the paper's curves are of one.",
    ]
    if int(table["switch"][-1]) != 100000:
        said.append(
            "Matrices of 60 x 60 with ranks 1 to 9 and the published share of a fifth of the entries, trained at ten "
            "times the learning rate for a twentieth of the steps, which is about the published course in the time of "
            "gradient flow."
        )
    return said


_COMMON: dict[Scale, dict[str, Any]] = {
    "lab": {
        "size": 60, "first_rank": 6, "second_rank": 3, "observed_first": 720, "observed_second": 720,
        "learning_rate": 2.0, "switches": [0, 50, 250, 500, 1000, 2000, 5000], "afterwards": 1500,
    },
    "paper": {
        "size": 100, "first_rank": 10, "second_rank": 5, "observed_first": 2000, "observed_second": 2000,
        "learning_rate": 0.2, "switches": [0, 1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000],
        "afterwards": 30000,
    },
}  # fmt: skip
_SEEDS: dict[Scale, int] = {"lab": 10, "paper": 4}


def _need(name: str, scale: Scale) -> ComputedNeed:
    common = _COMMON[scale]
    kind, _, number = name.partition("-")
    same = {"same_matrix": True, "first_rank": common["second_rank"]}
    fewer = {"observed_first": common["observed_first"] // 2, "observed_second": common["observed_second"] * 3 // 4}
    differs: dict[str, Any] = {
        "depth": {},
        "rank": {"first_rank": int(number or 0)},
        "late": {"before": common["afterwards"]},
        "sham": same,
        "fewer": {**same, **fewer},
    }[kind]
    plan = {**common, "depth": int(number) if kind in ("depth", "fewer") else 3, **differs}
    # Measured on one core: microseconds per step of one network, by size and depth.
    step = (plan["size"] / 60) ** 3 * {1: 12, 2: 70, 3: 115}[plan["depth"]]
    steps = plan["switches"][-1] + len(plan["switches"]) * plan["afterwards"] + plan.get("before", 0)
    return ComputedNeed(
        _KEY + name, f"Matrix completion, {name.replace('-', ' ')}",
        "binocular.papers.kleinman_2024.tables:completion", {**plan, "seeds": _SEEDS[scale]},
        minutes=step * steps * _SEEDS[scale] / 60e6,
    )  # fmt: skip


def _needs(names: Mapping[Scale, tuple[str, ...]]) -> dict[Scale, tuple[ComputedNeed, ...]]:
    return {scale: tuple(_need(name, scale) for name in chosen) for scale, chosen in names.items()}


def _error(ax: Axes, series: Mapping[str, xr.Dataset]) -> None:
    """Draw the error of the second task against the duration of the first on a logarithmic axis, 0 at its left end.

    Lines are means over seeds, bars their 95 % intervals, faint lines single seeds.
    """
    for colour, (name, table) in zip(TASK_COLOURS, series.items(), strict=False):
        switch = table["switch"].to_numpy()
        at = np.where(switch == 0, switch[1] / 3, switch)
        ax.plot(at, table["error"], color=colour, lw=0.4, alpha=0.3)
        points_and_line(ax, table["error"], name.replace("-", " "), colour, x=at)
    first = next(iter(series.values()))["switch"].to_numpy()
    ax.set_xscale("log")
    ticks = [first[1] / 3, *[10**k for k in range(1, 7) if first[1] <= 10**k <= first[-1]]]
    ax.set_xticks(ticks, ["0", *[f"{tick:,}" for tick in ticks[1:]]])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.set_xlabel("duration of the first task (steps)")
    ax.set_ylabel("mean squared error in the end")
    ax.set_title("error over all entries", loc="left")


def _drawn(series: Mapping[str, xr.Dataset], title: str) -> Figure:
    """Draw the error against duration, and the singular values without and after the longest first task."""
    order = sorted(series, key=lambda name: (not name[-1].isdigit(), len(name), name))
    ordered = {name: series[name] for name in order}
    figure = new_figure(7.4, 2.9)
    error, *values = figure.subplots(1, 3, width_ratios=(1.35, 1, 1))
    _error(error, ordered)
    for ax, switch, words in zip(values, (0, -1), ("without a", "after the longest"), strict=True):
        for colour, (name, table) in zip(TASK_COLOURS, ordered.items(), strict=False):
            label = name.replace("-", " ")
            band(ax, table["value"].to_numpy(), table["strength"][switch], colour, marker="o", ms=2.5, label=label)
        ax.set_xlabel("singular value, from the largest")
        ax.set_title(f"{words} first task", loc="left")
    top = max(ax.get_ylim()[1] for ax in values)
    for ax in values:
        ax.set_ylim(0, top)
    values[0].set_ylabel("strength in the end")
    n = len(next(iter(series.values()))["seed"])
    figure.legend(*error.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    figure.suptitle(f"{title}: means of {n} seeds, 95 % intervals", x=0.01, ha="left")
    return figure


def _draw_ranks(had: Had) -> Figure:
    tables = _tables(had)
    tables[f"rank-{_ranks(had)['double']}"] = tables.pop("depth-3")
    return _drawn(tables, "A matrix of another rank first")


_DEPTHS = ("depth-1", "depth-2", "depth-3", "sham", "late")
_FEWER = ("fewer-1", "fewer-2", "fewer-3")
_on_completion = partial(Claim, deviations=_deviations)

CLAIMS: tuple[Claim, ...] = (
    _on_completion(
        "k24-6-completion-depth",
        "Learning another matrix first damages the completion of the second one, the more the longer it lasts and the "
        "deeper the network; a network of one layer is not damaged.",
        "Section on matrix completion, effect of depth; settings of the released code (rank 10, then 5)",
        _needs({"lab": _DEPTHS, "paper": _DEPTHS}),
        DEPTH,
        lambda had: _drawn(_tables(had), "Another matrix first"),
        facts=lambda had: {"shorter": int(_tables(had)["depth-3"]["switch"][_half(had)])},
        reason="The bound of the sham has two sides: it breaks too where longer training improves the completion. "
        "Where the damage of a late deficit is as large as that of an early one, it is no matter of an early period.",
    ),
    _on_completion(
        "k24-7-completion-rank",
        "The damage grows with the rank of the first task.",
        "Section on matrix completion, effect of rank; settings of the released code (ranks 2, 5, 10, 15, then 5)",
        _needs({"lab": ("rank-1", "rank-3", "depth-3", "rank-9"), "paper": ("rank-2", "rank-5", "depth-3", "rank-15")}),
        RANK,
        _draw_ranks,
        facts=_ranks,
        reason="The row of another matrix of the same rank tells rank from mere difference.",
    ),
    _on_completion(
        "k24-8-completion-entries",
        "Seeing too few entries of the same matrix first damages its completion, the more the deeper the network.",
        "Section on matrix completion and appendix, subset of entries; settings of the released code (1000, then 1500)",
        _needs({"lab": _FEWER, "paper": _FEWER}),
        ENTRIES,
        lambda had: _drawn(_tables(had), "Fewer entries of the same matrix first, by depth"),
        reason="The sham of this claim is in the first one of matrix completion: the same entries throughout.",
    ),
)
