"""The report of a study: one HTML page that needs nothing else, for the screen, the telephone and the printer."""

from __future__ import annotations

import base64
import io
import json
import tomllib
from collections.abc import Iterator
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from binocular.report.figures.drawing import FIGURES, draw
from binocular.report.figures.style import BOTH_EYES, EYE_COLOURS, style
from binocular.report.page_style import STYLE_SHEET
from binocular.report.results_table import condition_table, end_group
from binocular.store.sealing import safely
from binocular.store.study import Condition, Study, load_study

__all__ = ["report_page", "write_report"]


def write_report(study_path: Path | str, html_path: Path | str) -> Path:
    """Write the report of a study file.

    Parameters
    ----------
    study_path
        A ``study.h5``, or the folder that holds one.
    html_path
        The page; replaced if it exists.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BadInput
        If the study cannot be opened or the page cannot be written.
    """
    page = report_page(load_study(study_path))
    with safely(html_path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(html_path)


def report_page(study: Study) -> str:
    """Return the page as HTML: no scripts, no links to anything outside, all text escaped."""
    sections = [
        _head(study),
        _incomplete(study),
        _how_to_read(study),
        _table(study),
        *_figures(study),
        _histories(study),
        _protocol(study),
        _origin(study),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(study.title)}</title>
<style>{STYLE_SHEET}</style>
</head>
<body>
<main>
{"".join(section for section in sections if section)}
</main>
</body>
</html>
"""


def _settings(study: Study) -> dict[str, Any]:
    try:
        return tomllib.loads(str(study.attributes["protocol"]))
    except tomllib.TOMLDecodeError:
        return {}


def _head(study: Study) -> str:
    settings = _settings(study)
    subjects = sum(len(condition.subjects) for condition in study.conditions)
    facts = [
        _count(len(study.conditions), "condition"),
        _count(subjects, "subject"),
        f"{study.treated_eye} eye treated",
        _day(str(study.attributes["finished"] or study.attributes["created"])),
    ]
    lines = [f"<h1>{escape(study.title)}</h1>", f'<p class="facts">{escape(" · ".join(facts))}</p>']
    if settings.get("description"):
        lines.append(f"<p><b>The protocol:</b> {escape(str(settings['description']))}</p>")
    if settings.get("reference"):
        lines.append(f'<p class="small">Follows {escape(str(settings["reference"]))}.</p>')
    return f"<header>{''.join(lines)}</header>"


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _day(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y}"


def _incomplete(study: Study) -> str:
    if study.complete:
        return ""
    reasons = [
        f"<li>{escape(condition)}, seed {seed}: {escape(cause)}</li>"
        for (condition, seed), cause in study.failures.items()
    ]
    told = f"<ul>{''.join(reasons)}</ul>" if reasons else ""
    return f'<section class="warning"><strong>This study is incomplete:</strong> subjects are missing.{told}</section>'


def _how_to_read(study: Study) -> str:
    treated, fellow = study.treated_eye, study.fellow_eye
    several = any(len(condition.subjects) > 1 for condition in study.conditions)
    spread = (
        "every interval is the 95 % t interval over seeds, each seed being one independently reared subject"
        if several
        else "each condition has a single subject, so no interval can be given"
    )
    return f"""<section><h2>How to read it</h2><p>
Every unit of the network is placed by its relative source variance (RSV) between
<b class="right">−1, driven by the right eye only</b>, and <b class="left">+1, driven by the left eye only</b>,
and counted into seven ocular-dominance groups, 1 at the right eye's end and 7 at the left eye's.
The contralateral bias index (CBI) sums up the groups: 1 if every unit belongs to the {treated} eye, which was treated,
0.5 in balance, 0 if every unit belongs to the fellow eye, the {fellow} one.
All values are from test stimuli without any deficit at the end of rearing unless a figure shows epochs; {spread}.
</p></section>"""


def _table(study: Study) -> str:
    rows = condition_table(study)
    if not rows:
        return ""
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in rows[0].cells)
    lines = []
    for row in rows:
        cells = []
        for cell in row.cells.values():
            mean, _, rest = cell.text().partition(" ")
            cells.append(f"<td>{escape(mean)}{f'<span>{escape(rest)}</span>' if rest else ''}</td>")
        label = f"<th scope='row'>{escape(row.label)}</th>"
        lines.append(f"<tr>{label}<td>{row.seeds}</td>{''.join(cells)}</tr>")
    head = f"<tr><th scope='col'>condition</th><th scope='col'>seeds</th>{heads}</tr>"
    return f"""<section><h2>Conditions</h2>
<div class="scroll"><table class="results"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></div>
<p class="small">Means over seeds at the end of rearing with 95 % intervals below them; shares of units and accuracies
between 0 and 1. Group {end_group(study)} holds the units of the {study.fellow_eye} (fellow) eye only, “binocular” is
the share of groups 2 to 6, “left only” and “right only” are accuracies with the other eye grey.</p></section>"""


def _figures(study: Study) -> Iterator[str]:
    for name, stem, figure in draw(study):
        picture = io.BytesIO()
        with style():
            figure.savefig(picture, format="svg", metadata={"Date": None})
        data = base64.b64encode(picture.getvalue()).decode()
        width = figure.get_figwidth()
        of_site = stem.removeprefix(name).removeprefix(".")
        caption = FIGURES[name].caption + (f" Site {of_site}." if of_site else "")
        # Never so small that the letters of the figure cannot be read; a narrow screen scrolls it sideways.
        yield f"""<figure id="{escape(stem)}"><div class="scroll">
<img src="data:image/svg+xml;base64,{data}" alt="{escape(f"Figure: {stem}. {caption}")}"
 style="width: {110 * width:.0f}px; min-width: {84 * width:.0f}px"></div>
<figcaption>{escape(caption)}</figcaption></figure>"""


def _histories(study: Study) -> str:
    shown = study.reared
    longest = max((_epochs(condition) for condition in shown), default=0)
    if not longest:
        return ""
    rows = []
    for condition in shown:
        phases = condition.subjects[0].phases
        shares = [100 * (phase["stop"] - phase["start"]) / longest for phase in phases]
        bars = "".join(
            f'<i style="width: {share:.3f}%; background: {_colour(phase)}"></i>'
            for share, phase in zip(shares, phases, strict=True)
        )
        told = "; ".join(f"{phase['start']}–{phase['stop']} {_what(phase)}" for phase in phases)
        rows.append(
            f"<div class='history'><b>{escape(condition.label)}</b><div class='bar'>{bars}</div>"
            f"<span>{escape(told)}</span></div>"
        )
    return f"""<section><h2>Rearing histories</h2>{"".join(rows)}
<p class="small">Bars are to scale, the longest is {longest} epochs; <b class="left">blue</b> marks a deficit of the
left eye, <b class="right">vermilion</b> of the right, dark grey of both or of what the eyes share, light grey normal
vision.</p>
</section>"""


def _epochs(condition: Condition) -> int:
    return max((int(phase["stop"]) for phase in condition.subjects[0].phases), default=0)


def _colour(phase: dict[str, Any]) -> str:
    if not phase["deficits"]:
        return "#E3E3E3"
    eyes = {str(deficit.get("eye")) for deficit in phase["deficits"]}
    return EYE_COLOURS.get(eyes.pop(), BOTH_EYES) if len(eyes) == 1 else BOTH_EYES


def _what(phase: dict[str, Any]) -> str:
    if phase.get("description"):
        return str(phase["description"])
    return ", ".join(str(deficit.get("kind", "deficit")) for deficit in phase["deficits"]) or "normal vision"


def _protocol(study: Study) -> str:
    deviations = "".join(f"<li>{escape(str(text))}</li>" for text in _settings(study).get("deviations", ()))
    told = f"<h3>What differs from the experiment it follows</h3><ul>{deviations}</ul>" if deviations else ""
    return f"""<section><h2>Protocol</h2>{told}
<h3>All settings</h3><pre>{escape(str(study.attributes["protocol"]))}</pre></section>"""


def _origin(study: Study) -> str:
    about = study.attributes
    rows = {
        "command": f"<code>{escape(str(about['command']))}</code>",
        "device": escape(str(about["device"])),
        "begun": escape(str(about["created"])),
        "finished": escape(str(about["finished"] or "not yet")),
        "seeds": escape(", ".join(str(seed) for seed in about.get("seeds", []))),
        "protocol hash": f"<code>{escape(str(about['protocol_hash']))}</code>",
        "file format": escape(str(about["schema"])),
        "sign of RSV": escape(str(about["sign_convention"])),
        **{escape(str(name)): escape(str(version)) for name, version in _versions(study).items()},
    }
    lines = "".join(f"<tr><th scope='row'>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
    return f"<section><h2>Origin</h2><div class='scroll'><table class='origin'>{lines}</table></div></section>"


def _versions(study: Study) -> dict[str, str]:
    try:
        found = json.loads(study.attributes["versions"])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
