"""The page of a paper in its output folder: ``page.md``, ``report.html``, ``findings.json`` and ``figures/``."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

from binocular.papers.costs import duration_words
from binocular.papers.looks import ERROR, SPENDING, Course
from binocular.papers.presenting import COLUMNS, course_words, evidence_cells
from binocular.papers.reproducing import Reproduction, Result
from binocular.report.figures.saving import save_figure
from binocular.report.rendering import embedded, render
from binocular.store.sealing import atomic_write

__all__ = ["HOW_TO_READ", "as_plain", "markdown_page", "write_pages"]

_SCHEMA = "binocular-findings/1"
HOW_TO_READ = (
    "Each claim declares beforehand which numbers decide it and within which bounds. A number holds if its whole "
    "interval over subjects lies within its bounds, does not hold if all of it lies outside, and is undecided between "
    "or without an interval; a claim is as good as the worst of its numbers. Controls decide like tests: they could "
    "kill the claim. Numbers given for context decide nothing. Intervals are those of 95 %, and wider ones where a "
    "claim is looked at again after more seeds; in figures, bars and bands are those of 95 %."
)


def write_pages(found: Reproduction, folder: Path | str) -> list[Path]:
    """Write the page of a paper in all its forms, each file whole or not at all.

    Parameters
    ----------
    found, folder
        What was found of the paper, and where the page goes; its figures lie in ``figures`` below it.

    Returns
    -------
    list of Path
        ``report.html``, ``page.md`` and ``findings.json``.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full.
    """
    folder, text = Path(folder), markdown_page(found)
    for result in found.results:
        if result.figure is not None:
            save_figure(result.figure, folder / "figures" / result.claim.id)
    pages = {
        "report.html": _html_page(found, text),
        "page.md": text,
        "findings.json": json.dumps(as_plain(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, content in pages.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return [folder / name for name in pages]


def _about_rows(found: Reproduction) -> dict[str, str]:
    """Return what is to be known of a run: command, device, dates, time, versions, by name."""
    devices = dict.fromkeys(origin.device for origin in found.origins.values() if origin.device)
    return {
        "command": found.command,
        "scale": found.scale,
        "device": "; ".join(devices) or found.device,
        "finished": found.finished,
        "time": f"{duration_words(found.spent)} of computing by the clock, whatever else the machine was doing, "
        f"{duration_words(found.seconds)} in the last run",
        "versions": ", ".join(f"{name} {version}" for name, version in found.versions.items()),
    }


def _deviations_of(found: Reproduction, result: Result) -> tuple[str, ...]:
    """Return every departure of a claim's studies from the publication, each once: the judge's, then the protocols'."""
    origins = [found.origins[key] for key in result.needs if key in found.origins]
    protocols = [text for origin in origins for text in origin.deviations]
    return tuple(dict.fromkeys((*result.finding.deviations, *protocols)))


def _missing_claims(found: Reproduction) -> tuple[str, ...]:
    """Return the ids of the paper's claims that were not asked for."""
    there = {result.claim.id for result in found.results}
    return tuple(claim.id for claim in found.paper.claims() if claim.id not in there)


def markdown_page(found: Reproduction) -> str:
    """Return the page in Markdown; its pictures lie in ``figures/``."""
    text = render(
        "page.md", "binocular.papers", found=found, how_to_read=HOW_TO_READ, columns=COLUMNS, cells=evidence_cells,
        missing=_missing_claims(found), about=_about_rows(found), duration=duration_words, course=course_words,
        deviations=lambda result: _deviations_of(found, result),
    )  # fmt: skip
    return text.strip() + "\n"


_CLASSES = {"holds": "holds", "does not hold": "fails", "undecided": "open", "not run": "absent"}


def _html_page(found: Reproduction, text: str) -> str:
    """Return the page as HTML that needs no other file, from its Markdown: no scripts, no links out, all escaped."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    pictures = {f"figures/{result.claim.id}.png": result.figure for result in found.results}
    tokens = reader.parse(text)
    for before, token in pairwise(tokens):
        if token.type == "inline":
            said = _CLASSES.get(token.content.strip("*"))
            if said is not None:
                before.attrSet("class", said)
            elif before.type == "heading_open":
                before.attrSet("id", token.content.replace(" ", "-"))
        for part in token.children or ():
            figure = pictures.get(str(part.attrGet("src"))) if part.type == "image" else None
            if figure is not None:
                width = figure.get_figwidth()
                part.attrSet("src", embedded(figure))
                part.attrSet("style", f"width: {110 * width:.0f}px; min-width: {84 * width:.0f}px")
    body = reader.renderer.render(tokens, reader.options, {})
    body = body.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>")
    return render("page.html", "binocular.papers", title=found.paper.title, body=Markup(body))


def as_plain(found: Reproduction) -> dict[str, Any]:
    """Return findings as data for JSON; a number that there is not is None."""
    return {
        "schema": _SCHEMA,
        "paper": _named(found.paper, "name", "title", "reference"),
        **_named(found, "scale", "command", "device", "began", "finished"),
        "seconds": round(found.seconds, 1),
        "seconds_of_computing": round(found.spent, 1),
        "versions": dict(found.versions),
        "criterion": HOW_TO_READ,
        "claims": [_claim_plain(found, result) for result in found.results],
        "not_asked_for": list(_missing_claims(found)),
        "studies": [
            {
                **_named(origin, "key", "title", "command", "device", "finished"),
                "seconds": _plain(origin.seconds), "versions": dict(origin.versions),
            }
            for origin in found.origins.values()
        ],
    }  # fmt: skip


def _named(thing: object, *names: str) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _claim_plain(found: Reproduction, result: Result) -> dict[str, Any]:
    claim, finding = result.claim, result.finding
    return {
        **_named(claim, "id", "statement", "source"),
        **_named(finding, "verdict", "reason"),
        "evidence": [
            {
                **_named(row, "what", "role", "published"),
                "value": _plain(row.ours.mean), "low": _plain(row.ours.low), "high": _plain(row.ours.high),
                "subjects": row.ours.n, **_named(row, "at_least", "at_most"), "says": row.verdict,
                **({"look": row.look} if row.look else {}),
            }
            for row in finding.evidence
        ],
        "deviations": list(_deviations_of(found, result)),
        "studies": list(result.needs),
        "looks": None if result.course is None else _course_plain(result.course),
        "figure": None if result.figure is None else f"figures/{claim.id}.png",
        "fault": result.fault or None,
    }  # fmt: skip


def _course_plain(course: Course) -> dict[str, Any]:
    looks = course.looks
    return {
        "after": list(looks.after), "first_seed": looks.first, "pilot_seeds": list(looks.pilots),
        "spending": SPENDING, "error": ERROR,
        "coverage": {str(look): round(coverage, 6) for look, coverage in looks.coverage.items()},
        "taken": list(course.taken), "settled": course.settled,
        "seconds_to_further_looks": {str(look): _plain(round(seconds, 1)) for look, seconds in course.further()},
    }  # fmt: skip


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
