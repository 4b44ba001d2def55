"""What a claim of a paper is, what it needs, and what was found.

A claim declares its criterion before anything is reared: each row of evidence that tests it has bounds, and the verdict
follows from the intervals alone. Rows that are controls must meet their bounds too, or the claim does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from binocular.store.statistics import Interval, Verdict, overall, verdict_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "SCALES",
    "Claim",
    "Evidence",
    "Finding",
    "Need",
    "Role",
    "Scale",
    "not_run",
    "verdict_from",
]

Scale = Literal["lab", "paper"]
SCALES: tuple[Scale, ...] = ("lab", "paper")
"""``"lab"`` is the smallest study that tests the claim, ``"paper"`` the published one."""
Role = Literal["test", "control", "context"]


@dataclass(frozen=True)
class Evidence:
    """One row of a claim's table.

    Attributes
    ----------
    what
        The quantity and the condition, in words, with its unit.
    published
        The published number in words, with figure or table; empty where the paper gives none.
    ours
        Our number.
    role
        ``"test"`` decides, ``"control"`` could kill the claim and decides too, ``"context"`` is told only.
    at_least, at_most
        The criterion; at least one of them for a test or control.
    digits
        Decimals to print.
    """

    what: str
    published: str
    ours: Interval
    role: Role = "test"
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2

    def __post_init__(self) -> None:
        if self.role != "context" and self.at_least is None and self.at_most is None:
            raise ValueError(f"{self.what}: a {self.role} needs a criterion")

    @property
    def verdict(self) -> Verdict | None:
        """What this row says by itself; None for context."""
        if self.role == "context":
            return None
        return verdict_of(self.ours, self.at_least, self.at_most)


def verdict_from(rows: Iterable[Evidence]) -> Verdict:
    """Return what rows of evidence say together; context says nothing."""
    return overall(row.verdict for row in rows if row.verdict is not None)


@dataclass(frozen=True)
class Finding:
    """What was found of one claim.

    Attributes
    ----------
    claim
        Its id.
    verdict
        Follows from ``evidence`` by `verdict_from`; ``"not run"`` where nothing was reared.
    evidence
        Rows, tests first.
    reason
        Why the verdict is what it is, in a sentence or two; for ``"not run"``, what is missing.
    deviations
        Where the study departs from the publication, one sentence each.
    """

    claim: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    deviations: tuple[str, ...] = ()


def not_run(claim: str, reason: str) -> Finding:
    """Return the finding of a claim for which nothing was reared."""
    return Finding(claim, "not run", reason=reason)


class Need(Protocol):
    """Something a claim is judged on: a study that is reared or taken up, or a computation that is made or taken up.

    Needs with the same ``key`` are the same thing and are obtained once, whichever claims share them.
    """

    @property
    def key(self) -> str:
        """Name of its folder below the reproduction's: lower case, digits and hyphens."""
        ...

    def obtain(self, folder: Path, device: str, quiet: bool) -> Any:
        """Rear or compute it, or take it up where an earlier run stopped, and return the results in memory.

        ``folder`` is the reproduction's; what is kept lies in ``folder / key``.

        Raises
        ------
        BadInput
            If it cannot be had on this machine; the claim is then ``"not run"`` for this reason.
        KeyboardInterrupt
            If stopped; what is done is kept.
        """
        ...


@dataclass(frozen=True)
class Claim:
    """A claim of a paper.

    Attributes
    ----------
    id
        For example ``"k23-3-blur"``.
    statement
        What the paper says, in our words.
    source
        Figure, table or section.
    needs
        What it is judged on, by scale. A scale that is not there cannot be run, and ``absent`` says why.
    judge
        From the results of the needs, by key, to the finding.
    draw
        From the same to a figure, with the digitised points where there are any; None for no figure.
    absent
        For a scale without needs, why.
    """

    id: str
    statement: str
    source: str
    needs: Mapping[Scale, tuple[Need, ...]]
    judge: Callable[[Mapping[str, Any]], Finding]
    draw: Callable[[Mapping[str, Any]], Figure] | None = None
    absent: Mapping[Scale, str] = field(default_factory=dict)
