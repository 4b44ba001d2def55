"""The page of a paper in its output folder: ``page.md``, ``report.html``, ``findings.json`` and ``figures/``."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binocular.papers.claims import Evidence
from binocular.papers.presenting import criterion_words, duration_words, number_words
from binocular.store.sealing import safely

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from binocular.papers.reproducing import Origin, Reproduction, Result

__all__ = [
    "COLUMNS",
    "HOW_TO_READ",
    "SCHEMA",
    "about_rows",
    "as_plain",
    "deviations_of",
    "markdown_page",
    "write_pages",
]

SCHEMA = "binocular-findings/1"
COLUMNS = ("", "published", "ours [95 % interval]", "criterion", "says")
HOW_TO_READ = (
    "Each claim declares beforehand which numbers decide it and within which bounds. A number holds if its whole 95 % "
    "interval over subjects lies within its bounds, does not hold if all of it lies outside, and is undecided between; "
    "a claim is as good as the worst of its numbers. Controls decide like tests: they could kill the claim. Numbers "
    "given for context decide nothing."
)


def write_pages(found: Reproduction, folder: Path | str) -> list[Path]:
    """Write the page of a paper in all its forms, each file whole or not at all.

    Returns
    -------
    list of Path
        ``report.html``, ``page.md`` and ``findings.json``.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full.
    """
    from binocular.papers.html_page import html_page

    folder = Path(folder)
    for result in found.results:
        if result.figure is not None:
            for ending in ("png", "svg"):
                _write(folder / "figures" / f"{result.claim.id}.{ending}", picture(result.figure, ending))
    pages = {
        "report.html": html_page(found),
        "page.md": markdown_page(found),
        "findings.json": json.dumps(as_plain(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in pages.items():
        _write(folder / name, text.encode())
    return [folder / name for name in pages]


def _write(path: Path, content: bytes) -> None:
    with safely(path) as temporary:
        temporary.write_bytes(content)


def picture(figure: Figure, ending: str) -> bytes:
    """Return a figure as the bytes of a file: ``png`` (200 dpi) or ``svg``, without a date in it."""
    from binocular.report.figures.style import style

    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=ending, metadata={"Date": None} if ending == "svg" else {})
    return buffer.getvalue()


def about_rows(found: Reproduction) -> dict[str, str]:
    """Return what is to be known of a run: command, device, dates, time, versions, by name."""
    devices = dict.fromkeys(origin.device for origin in found.origins.values() if origin.device)
    return {
        "command": found.command,
        "scale": found.scale,
        "device": "; ".join(devices) or found.device,
        "finished": found.finished,
        "time": f"{duration_words(found.spent)} of computing, {duration_words(found.seconds)} in the last run",
        "versions": ", ".join(f"{name} {version}" for name, version in found.versions.items()),
    }


def deviations_of(found: Reproduction, result: Result) -> tuple[str, ...]:
    """Return every departure of a claim's studies from the publication, each once: the judge's, then the protocols'."""
    origins = [found.origins[key] for key in result.needs if key in found.origins]
    protocols = [text for origin in origins for text in origin.deviations]
    return tuple(dict.fromkeys((*result.finding.deviations, *protocols)))


def missing_claims(found: Reproduction) -> tuple[str, ...]:
    """Return the ids of the paper's claims that were not asked for."""
    there = {result.claim.id for result in found.results}
    return tuple(claim.id for claim in found.paper.claims() if claim.id not in there)


def markdown_page(found: Reproduction) -> str:
    """Return the page in Markdown; its pictures lie in ``figures/``."""
    lines = [f"# {found.paper.title}", "", found.paper.reference, "", HOW_TO_READ, ""]
    lines += [*_table(("claim", "source", "verdict"), _overview(found)), ""]
    if missing_claims(found):
        lines += [f"Not asked for in this run: {', '.join(missing_claims(found))}.", ""]
    for result in found.results:
        lines += [*_section(found, result), ""]
    lines += ["## How it was made", "", *_table(("", ""), (_about(found))), ""]
    if found.origins:
        heads = ("study", "what", "device", "date", "computing", "by itself")
        lines += [*_table(heads, (_origin(origin) for origin in found.origins.values())), ""]
    return "\n".join(lines).rstrip() + "\n"


def _overview(found: Reproduction) -> Iterator[tuple[str, ...]]:
    for result in found.results:
        yield f"[{result.claim.id}](#{result.claim.id})", result.claim.source, f"**{result.finding.verdict}**"


def _about(found: Reproduction) -> Iterator[tuple[str, ...]]:
    for name, text in about_rows(found).items():
        yield name, f"`{text}`" if name == "command" else text


def _origin(origin: Origin) -> tuple[str, ...]:
    command = f"`{origin.command}`" if origin.command else ""
    return origin.key, origin.title, origin.device, origin.finished, duration_words(origin.seconds), command


def _section(found: Reproduction, result: Result) -> Iterator[str]:
    claim, finding = result.claim, result.finding
    yield from (f"## {claim.id}", "", f"{claim.statement} ({claim.source})", "", f"**{finding.verdict}**")
    if finding.reason:
        yield from ("", finding.reason)
    if finding.evidence:
        yield ""
        yield from _table(COLUMNS, (evidence_cells(row) for row in finding.evidence))
    if result.figure is not None:
        yield from ("", f"![{claim.id}: {claim.statement}](figures/{claim.id}.png)")
    deviations = deviations_of(found, result)
    if deviations:
        yield from ("", "Deviations from the publication:", "", *(f"- {text}" for text in deviations))


def evidence_cells(row: Evidence) -> tuple[str, ...]:
    """Return a row of evidence as the texts of `COLUMNS`."""
    role = "" if row.role == "test" else f"{row.role}: "
    return role + row.what, row.published, number_words(row.ours, row.digits), criterion_words(row), row.verdict or ""


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    yield line(heads)
    yield line(("---",) * len(heads))
    for row in rows:
        yield line(row)


def as_plain(found: Reproduction) -> dict[str, Any]:
    """Return findings as data for JSON; a number that there is not is None."""
    return {
        "schema": SCHEMA,
        "paper": {"name": found.paper.name, "title": found.paper.title, "reference": found.paper.reference},
        "scale": found.scale,
        "command": found.command,
        "device": found.device,
        "began": found.began,
        "finished": found.finished,
        "seconds": round(found.seconds, 1),
        "seconds_of_computing": round(found.spent, 1),
        "versions": dict(found.versions),
        "criterion": HOW_TO_READ,
        "claims": [_claim_plain(found, result) for result in found.results],
        "not_asked_for": list(missing_claims(found)),
        "studies": [
            {
                "key": origin.key, "title": origin.title, "command": origin.command, "device": origin.device,
                "finished": origin.finished, "seconds": _plain(origin.seconds), "versions": dict(origin.versions),
            }
            for origin in found.origins.values()
        ],
    }  # fmt: skip


def _claim_plain(found: Reproduction, result: Result) -> dict[str, Any]:
    claim, finding = result.claim, result.finding
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "evidence": [
            {
                "what": row.what, "role": row.role, "published": row.published, "value": _plain(row.ours.mean),
                "low": _plain(row.ours.low), "high": _plain(row.ours.high), "subjects": row.ours.n,
                "at_least": row.at_least, "at_most": row.at_most, "says": row.verdict,
            }
            for row in finding.evidence
        ],
        "deviations": list(deviations_of(found, result)),
        "studies": list(result.needs),
        "figure": None if result.figure is None else f"figures/{claim.id}.png",
        "fault": result.fault or None,
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
