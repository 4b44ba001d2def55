"""Kleinman et al. 2024, matrix completion: a first task stands in the way of the second, by depth, rank and entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.papers.claims import Claim, Evidence, Finding, Role, Scale
from binocular.papers.computing import ComputedNeed
from binocular.papers.numbers import exact, judged, number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["K24_COMPLETION", "harm"]

_KEY = "linear-completion-"
_HARMED = 0.1
"""An increase of the error (of a matrix of mean square 1) that counts as damage."""
_UNHARMED = 0.01
"""A change of the error that counts as none."""
_FIRST_RANKS: dict[Scale, tuple[int, ...]] = {"lab": (1, 3, 6, 9), "paper": (2, 5, 10, 15)}


def harm(table: Mapping[str, np.ndarray], switch: int = -1) -> np.ndarray:
    """Return how much larger the error is after a first task than without one, ``[seed]``.

    Parameters
    ----------
    table
        From `binocular.papers.kleinman_2024.tables.completion`; its first duration is 0.
    switch
        Which duration of the first task; the longest by default.
    """
    return table["error"][switch] - table["error"][0]


def _damage(what: str, published: str, values: np.ndarray) -> Evidence:
    return Evidence(what, published, number_of(values), at_least=_HARMED)


def _no_damage(what: str, values: np.ndarray, role: Role = "control") -> Evidence:
    return Evidence(what, "", number_of(values), role, at_least=-_UNHARMED, at_most=_UNHARMED, digits=3)


def _tables(results: Mapping[str, Any]) -> dict[str, Mapping[str, np.ndarray]]:
    return {key.removeprefix(_KEY): had["completion"] for key, had in results.items() if key.startswith(_KEY)}


def _fit(tables: Mapping[str, Mapping[str, np.ndarray]]) -> Evidence:
    worst = max(float(table["seen_error"].mean(1).max()) for table in tables.values())
    return Evidence(
        "largest mean error over the observed entries, in the end, of any series and duration", "",
        exact(worst), "context", digits=4,
    )  # fmt: skip


def _judge_depth(results: Mapping[str, Any]) -> Finding:
    tables = _tables(results)
    by_depth = {depth: harm(tables[f"depth-{depth}"]) for depth in (1, 2, 3)}
    shorter = len(tables["depth-3"]["switch"]) // 2
    rows = [
        _damage("depth 3: rise of the error by the longest first task", "effect of depth, not digitised", by_depth[3]),
        _damage("depth 2: the same", "effect of depth, not digitised", by_depth[2]),
        Evidence(
            "depth 3 less depth 2: rise of the error, same matrices", "effect of depth, not digitised",
            number_of(by_depth[3] - by_depth[2]), at_least=0.0,
        ),
        Evidence(
            f"depth 3: longest first task less one of {tables['depth-3']['switch'][shorter]:,} steps",
            "duration on the axis, not digitised",
            number_of(tables["depth-3"]["error"][-1] - tables["depth-3"]["error"][shorter]), at_least=0.0,
        ),
        Evidence(
            "depth 1: rise of the error", "effect of depth, not digitised", number_of(by_depth[1]), "control",
            at_least=-_UNHARMED, at_most=_UNHARMED, digits=3,
        ),
        _no_damage("depth 3, the first task is the second one (sham): rise of the error", harm(tables["sham"])),
        *(
            Evidence(
                f"depth {depth}: error without a first task", "",
                number_of(tables[f"depth-{depth}"]["error"][0]), "context",
            )
            for depth in (1, 2, 3)
        ),
        Evidence(
            "depth 3, the same first task after the second was learned, then the second again: rise of the error", "",
            number_of(harm(tables["late"])), "context",
        ),
        Evidence(
            "that late rise less the early one, same matrices", "", number_of(harm(tables["late"]) - by_depth[3]),
            "context",
        ),
        _fit(tables),
    ]  # fmt: skip
    return judged(
        "k24-6-completion-depth", rows,
        "The bound of the sham has two sides: it breaks too where longer training improves the completion. Where the "
        "damage of a late deficit is as large as that of an early one, it is no matter of an early period.",
        _deviations(tables),
    )  # fmt: skip


def _judge_rank(results: Mapping[str, Any]) -> Finding:
    tables = _tables(results)
    ranks = _FIRST_RANKS["paper" if "rank-15" in tables else "lab"]
    low, same, double, triple = (harm(tables["depth-3" if rank == ranks[2] else f"rank-{rank}"]) for rank in ranks)
    second = ranks[1]
    rows = [
        _damage(f"rank {ranks[3]}, then {second}: rise of the error", "", triple),
        _damage(f"rank {ranks[2]}, then {second}: rise of the error", "", double),
        Evidence(
            f"first rank {ranks[3]} less {ranks[2]}: rise of the error", "effect of rank, not digitised",
            number_of(triple - double), at_least=0.0,
        ),
        Evidence(
            f"first rank {ranks[2]} less {second}: rise of the error", "effect of rank, not digitised",
            number_of(double - same), at_least=0.0,
        ),
        Evidence(
            f"first rank {second} less {ranks[0]}: rise of the error", "effect of rank, not digitised",
            number_of(same - low), at_least=0.0,
        ),
        Evidence(
            f"rank {second}, then another matrix of rank {second}: rise of the error", "", number_of(same), "context",
        ),
        Evidence(f"rank {ranks[0]}, then {second}: rise of the error", "", number_of(low), "context"),
        _fit(tables),
    ]  # fmt: skip
    return judged(
        "k24-7-completion-rank", rows,
        "The row of another matrix of the same rank tells rank from mere difference.",
        _deviations(tables),
    )  # fmt: skip


def _judge_entries(results: Mapping[str, Any]) -> Finding:
    tables = _tables(results)
    rows = [
        _damage(
            "depth 3, the same matrix with fewer entries first: rise of the error", "subset of entries, not digitised",
            harm(tables["fewer-3"]),
        ),
        Evidence(
            "depth 3 less depth 2: rise of the error", "subset of entries, not digitised",
            number_of(harm(tables["fewer-3"]) - harm(tables["fewer-2"])), at_least=0.0,
        ),
        Evidence(
            "depth 2 less depth 1: rise of the error", "subset of entries, not digitised",
            number_of(harm(tables["fewer-2"]) - harm(tables["fewer-1"])), at_least=0.0,
        ),
        _no_damage("depth 1: rise of the error", harm(tables["fewer-1"])),
        *(
            Evidence(
                f"depth {depth}: error without a first phase", "",
                number_of(tables[f"fewer-{depth}"]["error"][0]), "context",
            )
            for depth in (1, 2, 3)
        ),
        _fit(tables),
    ]  # fmt: skip
    return judged(
        "k24-8-completion-entries", rows,
        "The sham of this claim is in the first one of matrix completion: the same entries throughout.",
        _deviations(tables),
    )  # fmt: skip


def _deviations(tables: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    table = next(iter(tables.values()))
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


def _plan(name: str, scale: Scale) -> dict[str, Any]:
    """Return what makes a series differ from the common settings."""
    kind, _, number = name.partition("-")
    if kind == "depth":
        return {"depth": int(number)}
    if kind == "rank":
        return {"depth": 3, "first_rank": int(number)}
    if kind == "late":
        return {"depth": 3, "before": _COMMON[scale]["afterwards"]}
    same = {"same_matrix": True, "first_rank": _COMMON[scale]["second_rank"]}
    if kind == "sham":
        return {"depth": 3, **same}
    return {
        "depth": int(number), **same,
        "observed_first": _COMMON[scale]["observed_first"] // 2,
        "observed_second": _COMMON[scale]["observed_second"] * 3 // 4,
    }  # fmt: skip


def _need(name: str, scale: Scale) -> ComputedNeed:
    plan = {**_COMMON[scale], **_plan(name, scale)}
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


def _drawing(title: str, by_rank: bool = False) -> Callable[[Mapping[str, Any]], Figure]:
    def draw(results: Mapping[str, Any]) -> Figure:
        from binocular.papers.kleinman_2024.completion_figures import completion_figure

        tables = _tables(results)
        if by_rank:
            rank = _FIRST_RANKS["paper" if "rank-15" in tables else "lab"][2]
            tables[f"rank-{rank}"] = tables.pop("depth-3")
        return completion_figure(tables, title)

    return draw


_DEPTHS = ("depth-1", "depth-2", "depth-3", "sham", "late")
_FEWER = ("fewer-1", "fewer-2", "fewer-3")
K24_COMPLETION = (
    Claim(
        "k24-6-completion-depth",
        "Learning another matrix first damages the completion of the second one, the more the longer it lasts and the "
        "deeper the network; a network of one layer is not damaged.",
        "Section on matrix completion, effect of depth; settings of the released code (rank 10, then 5)",
        _needs({"lab": _DEPTHS, "paper": _DEPTHS}),
        _judge_depth,
        _drawing("Another matrix first"),
    ),
    Claim(
        "k24-7-completion-rank",
        "The damage grows with the rank of the first task.",
        "Section on matrix completion, effect of rank; settings of the released code (ranks 2, 5, 10, 15, then 5)",
        _needs({"lab": ("rank-1", "rank-3", "depth-3", "rank-9"), "paper": ("rank-2", "rank-5", "depth-3", "rank-15")}),
        _judge_rank,
        _drawing("A matrix of another rank first", by_rank=True),
    ),
    Claim(
        "k24-8-completion-entries",
        "Seeing too few entries of the same matrix first damages its completion, the more the deeper the network.",
        "Section on matrix completion and appendix, subset of entries; settings of the released code (1000, then 1500)",
        _needs({"lab": _FEWER, "paper": _FEWER}),
        _judge_entries,
        _drawing("Fewer entries of the same matrix first, by depth"),
    ),
)
"""Claims of Kleinman et al. 2024 on matrix completion."""
