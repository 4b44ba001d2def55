"""The page of a paper as HTML: one file that needs nothing else, in the look of the report of a study."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from binocular.papers.pages import (
    COLUMNS,
    HOW_TO_READ,
    about_rows,
    deviations_of,
    evidence_cells,
    missing_claims,
    picture,
)
from binocular.papers.presenting import duration_words
from binocular.report.rendering import render

if TYPE_CHECKING:
    from binocular.papers.reproducing import Reproduction, Result

__all__ = ["html_page"]

_STYLE = """
.verdict { font-weight: 600; white-space: nowrap; }
.holds { color: #1B7837; } .fails { color: #B2182B; } .open { color: #8A6A00; } .absent { color: #6b6b6b; }
.evidence { width: 100%; }
.evidence th, .evidence td { white-space: normal; text-align: left; }
.evidence td:nth-child(3), .evidence td:nth-child(4), .evidence td:nth-child(5) { white-space: nowrap; }
.evidence tbody th { font-weight: 400; min-width: 16em; }
.evidence tr.context { color: #666; }
.overview td, .overview th { text-align: left; white-space: normal; }
"""
_CLASSES = {"holds": "holds", "does not hold": "fails", "undecided": "open", "not run": "absent"}


def html_page(found: Reproduction) -> str:
    """Return the page: no scripts, no links to anything outside, all text escaped."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(found.paper.title)}</title>
<style>{render("page.css")}{_STYLE}</style>
</head>
<body>
<main>
{_head(found)}
{"".join(_section(found, result) for result in found.results)}
{_origin(found)}
</main>
</body>
</html>
"""


def _head(found: Reproduction) -> str:
    rows = "".join(
        f'<tr><th scope="row"><a href="#{escape(result.claim.id)}">{escape(result.claim.id)}</a></th>'
        f"<td>{escape(result.claim.statement)}</td><td>{_verdict(result.finding.verdict)}</td></tr>"
        for result in found.results
    )
    missing = missing_claims(found)
    left_out = f'<p class="small">Not asked for in this run: {escape(", ".join(missing))}.</p>' if missing else ""
    return f"""<header><h1>{escape(found.paper.title)}</h1>
<p class="facts">{escape(found.paper.reference)} · reproduced at {escape(found.scale)} scale</p>
<div class="scroll"><table class="overview">
<thead><tr><th scope="col">claim</th><th scope="col">what the paper says</th><th scope="col">verdict</th></tr></thead>
<tbody>{rows}</tbody></table></div>{left_out}
<p class="small">{escape(HOW_TO_READ)}</p></header>"""


def _verdict(verdict: str) -> str:
    return f'<span class="verdict {_CLASSES[verdict]}">{escape(verdict)}</span>'


def _section(found: Reproduction, result: Result) -> str:
    claim, finding = result.claim, result.finding
    parts = [
        f'<section id="{escape(claim.id)}"><h2>{escape(claim.id)} · {_verdict(finding.verdict)}</h2>',
        f'<p>{escape(claim.statement)} <span class="facts">({escape(claim.source)})</span></p>',
        f"<p>{escape(finding.reason)}</p>" if finding.reason else "",
        _evidence(result),
        _figure(result),
    ]
    deviations = deviations_of(found, result)
    if deviations:
        told = "".join(f"<li>{escape(text)}</li>" for text in deviations)
        parts.append(f"<h3>Deviations from the publication</h3><ul class='small'>{told}</ul>")
    return "".join(parts) + "</section>"


def _evidence(result: Result) -> str:
    if not result.finding.evidence:
        return ""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    rows = []
    for row in result.finding.evidence:
        *texts, said = evidence_cells(row)
        cells = "".join(f"<td>{escape(text)}</td>" for text in texts[1:])
        verdict = _verdict(said) if said else ""
        rows.append(f'<tr class="{row.role}"><th scope="row">{escape(texts[0])}</th>{cells}<td>{verdict}</td></tr>')
    return (
        f'<div class="scroll"><table class="evidence"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(result: Result) -> str:
    if result.figure is None:
        return ""
    data, width = base64.b64encode(picture(result.figure, "svg")).decode(), result.figure.get_figwidth()
    alt = escape(f"Figure: {result.claim.statement}")
    return (
        f'<figure><div class="scroll"><img src="data:image/svg+xml;base64,{data}" alt="{alt}" '
        f'style="width: {110 * width:.0f}px; min-width: {84 * width:.0f}px"></div></figure>'
    )


def _origin(found: Reproduction) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{_code(text) if name == 'command' else escape(text)}</td></tr>"
        for name, text in about_rows(found).items()
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("study", "what", "device", "date", "computing", "by itself")
    )
    studies = "".join(
        f"<tr><th scope='row'>{escape(origin.key)}</th><td>{escape(origin.title)}</td><td>{escape(origin.device)}</td>"
        f"<td>{escape(origin.finished)}</td><td>{duration_words(origin.seconds)}</td>"
        f"<td>{_code(origin.command) if origin.command else ''}</td></tr>"
        for origin in found.origins.values()
    )
    table = (
        f"<h3>Studies behind it</h3><div class='scroll'><table class='origin'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{studies}</tbody></table></div>"
        if studies
        else ""
    )
    return f"""<section><h2>How it was made</h2>
<div class="scroll"><table class="origin">{rows}</table></div>{table}</section>"""


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
