"""What a claim of a paper is, what it needs, and what was found.

A claim is declared before anything is reared: rows that say which number decides it, within which bounds, and what was
published. Its verdict follows from the intervals of the numbers alone, and nobody can type one in. Rows that are
controls must meet their bounds too, or the claim does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from binocular.papers.looks import Looks
from binocular.store.statistics import Interval, Verdict, interval, overall, verdict_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "SCALES",
    "Claim",
    "Evidence",
    "Finding",
    "Had",
    "Need",
    "Role",
    "Row",
    "Scale",
    "context",
    "control",
    "test",
]

Scale = Literal["lab", "paper"]
SCALES: tuple[Scale, ...] = ("lab", "paper")
"""``"lab"`` is the smallest study that tests the claim, ``"paper"`` the published one."""
Role = Literal["test", "control", "context"]
_ROLES: tuple[Role, ...] = ("test", "control", "context")
Had = Mapping[str, Any]
"""Studies, or tables of a computation, by the key of the need."""


@dataclass(frozen=True)
class Evidence:
    """One row of a claim's table: a number that was found, with its criterion.

    Attributes
    ----------
    what, published
        The quantity and the condition, in words, with its unit; and the published number in words, empty without one.
    ours
        Our number.
    role
        ``"test"`` decides, ``"control"`` could kill the claim and decides too, ``"context"`` is told only.
    at_least, at_most, digits
        The criterion, at least one bound for a test or control; and decimals to print.
    look
        Where a claim is looked at again after more seeds, how many there were when this was found; else 0.
    """

    what: str
    published: str
    ours: Interval
    role: Role = "test"
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2
    look: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """What this row says by itself; None for context."""
        return None if self.role == "context" else verdict_of(self.ours, self.at_least, self.at_most)


@dataclass(frozen=True)
class Row:
    """What decides a claim, or is told beside it: a number, its criterion and what was published.

    Attributes
    ----------
    what
        As in `Evidence`; ``{name}`` is replaced by what the claim's `facts` say, and by the coordinates of the number.
    number
        From what the claim was judged on to an array of xarray over ``seed``, of which mean and interval are taken, or
        to an `Interval` (`binocular.store.statistics.exact`). An array with one more dimension gives a row for each of
        its coordinates; ``None`` gives no row.
    role, at_least, at_most, digits
        As in `Evidence`.
    published
        The same in words: a text, or a function from what the claim was judged on to a text, or to texts by coordinate.
    """

    what: str
    number: Callable[[Had], Any]
    role: Role = "test"
    at_least: float | None = None
    at_most: float | None = None
    published: str | Callable[[Had], str | Mapping[Any, str]] = ""
    digits: int = 2

    def __post_init__(self) -> None:
        if self.role != "context" and self.at_least is None and self.at_most is None:
            raise ValueError(f"{self.what}: a {self.role} needs a criterion")

    def evidence(self, had: Had, facts: Mapping[str, Any], coverage: float = 0.95) -> Iterator[Evidence]:
        """Return what was found: a row, or one for each coordinate of the number.

        ``coverage`` is that of the intervals over seeds; `exact` numbers have none.
        """
        number = self.number(had)
        if number is None:
            return
        published = self.published(had) if callable(self.published) else self.published
        others = [dim for dim in getattr(number, "dims", ()) if dim != "seed"]
        for part in [number] if not others else [number.isel({others[0]: at}) for at in range(number.sizes[others[0]])]:
            at = {name: part.coords[name].item() for name in others}
            told = published if isinstance(published, str) else published[next(iter(at.values()))]
            found = part if isinstance(part, Interval) else interval(np.atleast_1d(part), coverage)
            what = self.what.format(**facts, **at)
            yield Evidence(what, told, found, self.role, self.at_least, self.at_most, self.digits)


test = partial(Row, role="test")
"""A row that decides."""
control = partial(Row, role="control")
"""A row that could kill the claim, and decides too."""
context = partial(Row, role="context")
"""A row that is told only."""


@dataclass(frozen=True)
class Finding:
    """What was found of one claim, by its id.

    Attributes
    ----------
    evidence
        Tests first, then controls, then context.
    reason
        Why the verdict is what it is, in a sentence or two; for ``"not run"``, what is missing.
    deviations
        Where the study departs from the publication, one sentence each.
    """

    claim: str
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    deviations: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What the rows say together: the worst of them; ``"not run"`` where there is none."""
        return overall(row.verdict for row in self.evidence if row.verdict is not None)

    def at_look(self, look: int, before: Finding) -> Finding:
        """Return what the claim comes to at a look, this one, with each number that was settled before it as it was.

        Parameters
        ----------
        look, before
            Its number of seeds; and what the claim came to at the look before, without rows at the first look.
        """
        rows = [replace(row, look=look) for row in self.evidence]
        if before.evidence:
            pairs = zip(before.evidence, rows, strict=True)
            rows = [old if old.verdict in ("holds", "does not hold") else new for old, new in pairs]
        return replace(self, evidence=tuple(rows))


class Need(Protocol):
    """Something a claim is judged on: a study that is reared or taken up, or a computation that is made or taken up.

    Needs with the same ``key`` are the same thing and are obtained once, whichever claims share them.
    """

    @property
    def key(self) -> str:
        """Name of its folder below the reproduction's: lower case, digits and hyphens."""
        ...

    def pieces(self, seeds: Sequence[int] = ()) -> Mapping[Hashable, float]:
        """Return the seconds on one core of a CPU that each piece of it takes, NaN where that is not known.

        Needs that share a piece have the same name for it.

        Parameters
        ----------
        seeds
            Of the subjects of a study; those of its protocol where there are none.
        """
        ...

    def expected(self, seeds: Sequence[int] = ()) -> str:
        """Return in words what it takes."""
        ...

    def obtain(self, folder: Path, device: str, quiet: bool) -> Any:
        """Rear or compute it, or take it up where an earlier run stopped, and return the results in memory.

        Parameters
        ----------
        folder
            The reproduction's; what is kept lies in ``folder / key``.
        device, quiet
            ``"auto"``, ``"cpu"`` or ``"cuda"``; and whether to print no progress.

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
    id, statement, source
        Such as ``"k23-3-blur"``; what the paper says, in our words; and its figure, table or section.
    needs, absent
        What it is judged on, by scale. A scale that is not there cannot be run, and ``absent`` says why.
    rows
        What decides it, and what is told beside it.
    draw
        From what it was judged on to a figure, with the digitised points where there are any; None for no figure.
    facts
        From the same to what the texts of the rows name in braces.
    reason, deviations
        How to read the verdict, and sentences on where all its studies depart from the publication; or functions from
        the same to them.
    looks
        For a scale at which it is looked at again after more seeds, when; elsewhere its studies have the seeds of
        their protocols.
    """

    id: str
    statement: str
    source: str
    needs: Mapping[Scale, tuple[Need, ...]]
    rows: Sequence[Row]
    draw: Callable[[Had], Figure] | None = None
    facts: Callable[[Had], Mapping[str, Any]] = lambda had: {}
    reason: str | Callable[[Had], str] = ""
    deviations: Sequence[str] | Callable[[Had], Sequence[str]] = ()
    absent: Mapping[Scale, str] = field(default_factory=dict)
    looks: Mapping[Scale, Looks] = field(default_factory=dict)

    def judge(self, had: Had, coverage: float = 0.95) -> Finding:
        """Return what is found of the claim in studies and tables, by the keys of its needs.

        ``coverage`` is that of the intervals over seeds, see `binocular.papers.looks`.
        """
        facts = self.facts(had)
        evidence = [found for row in self.rows for found in row.evidence(had, facts, coverage)]
        reason = self.reason(had) if callable(self.reason) else self.reason
        deviations = self.deviations(had) if callable(self.deviations) else self.deviations
        ordered = tuple(sorted(evidence, key=lambda found: _ROLES.index(found.role)))
        return Finding(self.id, ordered, reason, tuple(deviations))
