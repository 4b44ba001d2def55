"""Findings on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from binocular.papers.claims import SCALES, Claim, Evidence, Scale
from binocular.papers.costs import duration_words, whole_words
from binocular.report.terminal import print_fitting
from binocular.store.provenance import usable_cores
from binocular.store.statistics import printed

if TYPE_CHECKING:
    from rich.console import Console

    from binocular.papers.looks import Course
    from binocular.papers.registry import Paper
    from binocular.papers.reproducing import Reproduction, Result

__all__ = [
    "COLUMNS",
    "course_words",
    "criterion_words",
    "evidence_cells",
    "print_claims",
    "print_result",
    "print_summary",
]

COLUMNS = ("", "published", "ours [interval]", "criterion", "says")
"""What `evidence_cells` tells."""
_WIDE = 120
_COLOURS = {"holds": "green", "does not hold": "red", "undecided": "yellow", "not run": "dim"}


def criterion_words(row: Evidence) -> str:
    """Return the criterion of a row, such as ``≥ 0.50`` for its whole interval; empty for context."""
    if row.role == "context":
        return ""
    bounds = (("≥", row.at_least), ("≤", row.at_most))

    def words(bound: float) -> str:
        text = printed(bound, row.digits)
        return text if float(text.replace("−", "-")) == bound else f"{bound:g}".replace("-", "−")

    return " and ".join(f"{sign} {words(bound)}" for sign, bound in bounds if bound is not None)


def evidence_cells(row: Evidence) -> tuple[str, ...]:
    """Return a row of evidence as the texts of `COLUMNS`, with how many seeds where it is looked at again.

    An end that lies close to a bound has as many decimals as show on which side of it.
    """
    role = "" if row.role == "test" else f"{row.role}: "
    number = row.ours.text(digits=_telling(row), missing="no interval")
    number += f" at {row.look} seeds" if row.look and row.ours.how == "t" else ""
    return role + row.what, row.published, number, criterion_words(row), row.verdict or ""


def _telling(row: Evidence, most: int = 6) -> int:
    """Return how many decimals show on which side of its bounds a number and its ends lie."""
    numbers = [n for n in (row.ours.mean, row.ours.low, row.ours.high) if math.isfinite(n)]
    pairs = [(n, bound) for n in numbers for bound in (row.at_least, row.at_most) if bound is not None]
    for digits in range(row.digits, most):
        if all(np.sign(round(n, digits) - bound) == np.sign(n - bound) for n, bound in pairs):
            return digits
    return most


def course_words(course: Course) -> str:
    """Return what was declared of the looks at a claim, how far it has come, and what each further look would cost."""
    text = f"{course.looks.words()} Taken: after {', '.join(map(str, course.taken))} seeds."
    left = list(course.further())
    if course.settled or not left:
        return text + (" The claim is settled." if course.settled else " There is no further look.")
    costs = [f"{look} seeds: {duration_words(seconds)}" for look, seconds in left]
    pace = "at the pace of the seeds so far, by the clock and whatever else the machine was doing"
    return f"{text} Further looks would cost, in computing on one core, {pace}: {'; '.join(costs)}."


def print_result(result: Result, console: Console) -> None:
    """Print a claim: what it says, the rows of evidence, the verdict, and why.

    Parameters
    ----------
    result, console
        Of one claim, and where it is printed; how wide that is decides on table or list.
    """
    from rich.table import Table
    from rich.text import Text

    claim, finding = result.claim, result.finding
    console.print()
    console.print(Text(f"{claim.id}  ", style="bold").append(finding.verdict, style=_COLOURS[finding.verdict]))
    console.print(Text(f"{claim.statement} ({claim.source})"))
    rows = [evidence_cells(row) for row in finding.evidence]
    if console.width >= _WIDE and rows:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        for name in COLUMNS:
            table.add_column(name, overflow="fold")
        for *told, says in rows:
            table.add_row(*map(Text, told), Text(says, style=_COLOURS.get(says, "")))
        print_fitting(console, table)
    else:  # two lines a row, where a table would be too narrow to read
        for what, published, number, criterion, says in rows:
            line = Text(f"  {what}: ").append(number, style="bold")
            line.append(f"; {criterion} asked for: " if criterion else "").append(says, style=_COLOURS.get(says, ""))
            console.print(line.append(f"; published {published}" if published else "", style="dim"))
    if finding.reason:
        console.print(Text(finding.reason))
    if result.course is not None:
        console.print(Text(course_words(result.course), style="dim"))


def print_summary(found: Reproduction, console: Console) -> None:
    """Print one line per claim and what was spent.

    Parameters
    ----------
    found, console
        What was found of the paper, and where it is printed.
    """
    from rich.table import Table
    from rich.text import Text

    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (f"{found.paper.name}, {found.scale} scale", "verdict"):
        table.add_column(name)
    for result in found.results:
        verdict = result.finding.verdict
        table.add_row(result.claim.id, Text(verdict, style=_COLOURS[verdict]))
    print_fitting(console, table)
    spent = f"{duration_words(found.seconds)} in this run, {duration_words(found.spent)} of computing behind it"
    console.print(Text(spent, "dim"))


def print_claims(paper: Paper, claims: Sequence[Claim], console: Console) -> None:
    """Print what can be run: each claim with its needs at each scale and what they cost; nothing is run.

    Parameters
    ----------
    paper, claims, console
        Whose claims they are, which ones, and where they are printed.
    """
    from rich.text import Text

    console.print(Text(f"{paper.title}\n{paper.reference}", style="bold"))
    for claim in claims:
        console.print()
        console.print(Text(claim.id, style="bold"))
        console.print(Text(f"{claim.statement} ({claim.source})"))
        for scale in SCALES:
            console.print(Text(_needs_words(claim, scale), style="dim"))
    console.print(Text("\nAll of these together, with what studies share counted once", style="bold"))
    for words in (whole_words(claims, scale, usable_cores()) for scale in SCALES):
        if words:
            console.print(Text(words))


def _needs_words(claim: Claim, scale: Scale) -> str:
    needs = claim.needs.get(scale, ())
    if not needs:
        return f"{scale}: {claim.absent.get(scale, 'no study')}"
    looks = claim.looks.get(scale)
    first = () if looks is None else looks.seeds(looks.after[0])
    told = ", ".join(f"{need.key} ({need.expected(first)})" for need in needs)
    if looks is None:
        return f"{scale}: {told}"
    further = [f"{look / looks.after[0]:g} times as much" for look in looks.after[1:]]
    return f"{scale}: {told} to the first look, {', '.join(further)} to the others. {looks.words()}"
