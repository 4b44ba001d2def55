"""Claims that are looked at again after more seeds: each number is settled at the first look that can settle it.

At a look every interval is as wide as the error that may have been spent by then asks for (`binocular.store.looks`). A
number that is settled at a look stays so, with the interval of that look; further seeds are reared for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binocular.papers.claims import Evidence, Finding

__all__ = ["combined", "is_settled"]


def is_settled(row: Evidence) -> bool:
    """Say whether what a row says is final; context, which says nothing, always is."""
    return row.verdict in (None, "holds", "does not hold")


def combined(findings: Sequence[Finding], taken: Sequence[int]) -> Finding:
    """Return what a claim comes to over its looks.

    Parameters
    ----------
    findings
        Those at each look taken, in order; their rows are the same.
    taken
        Seeds of each.

    Returns
    -------
    Finding
        The last one, each of its deciding rows as at the first look at which it was settled.
    """
    rows = []
    for at, last in enumerate(findings[-1].evidence):
        history = [replace(finding.evidence[at], look=look) for finding, look in zip(findings, taken, strict=True)]
        first = next((row for row in history if is_settled(row)), None)
        rows.append(history[-1] if last.verdict is None or first is None else first)
    return replace(findings[-1], evidence=tuple(rows))
