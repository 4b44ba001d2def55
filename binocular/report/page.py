"""The report of a study: one HTML page that needs nothing else, for the screen, the telephone and the printer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from binocular.report.figures.drawing import to_draw
from binocular.report.figures.saving import picture
from binocular.report.figures.style import eye_colour, style, words
from binocular.report.rendering import embedded, render
from binocular.stimuli.errors import BadInput
from binocular.store.conditions import in_words
from binocular.store.sealing import atomic_write
from binocular.store.study import Condition, Study, load_study

__all__ = ["report_page", "write_report"]


def write_report(study_path: Path | str, html_path: Path | str, drawn: Sequence[Path] = ()) -> Path:
    """Write the report of a study file; return the path of the page.

    Parameters
    ----------
    study_path
        A ``study.h5``, or the folder that holds one.
    html_path
        The page; replaced if it exists.
    drawn
        What `draw_all` has just written of this study, so that the page need not draw it again.

    Raises
    ------
    BadInput
        If the study cannot be opened or the page cannot be written.
    """
    page = report_page(load_study(study_path), drawn)
    with atomic_write(html_path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(html_path)


def report_page(study: Study, drawn: Sequence[Path] = ()) -> str:
    """Return the page as HTML: no scripts, no links to anything outside, all text escaped.

    Parameters
    ----------
    study, drawn
        The study in memory, and files of its figures that are there already.
    """
    histories = [_history(condition) for condition in study.reared]
    return render(
        "report.html",
        title=study.title,
        study=study,
        facts=_facts(study),
        settings={"description": "", "reference": "", "deviations": (), **study.settings},
        several=any(len(condition.subjects) > 1 for condition in study.conditions),
        rows=study.condition_table(),
        areas=study.area_table(),
        site=in_words(study.default_site),
        figures=list(_figures(study, drawn)),
        histories=histories,
        longest=max((stretch["stop"] for history in histories for stretch in history["stretches"]), default=0),
        origin=list(_origin(study)),
    )


def _facts(study: Study) -> list[str]:
    counts = {"condition": len(study.conditions), "subject": sum(len(c.subjects) for c in study.conditions)}
    return [
        *(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts.items()),
        f"{study.treated_eye} eye treated",
        _day(str(study.attributes["finished"] or study.attributes["created"])),
    ]


def _day(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y}"


def _figures(study: Study, drawn: Sequence[Path]) -> Iterator[dict[str, Any]]:
    there = {path.stem: path for path in drawn if path.suffix == ".svg"}
    for drawing, name, stem, site in to_draw(study):
        of_site = stem.removeprefix(name).removeprefix(".")
        caption = drawing.caption + (f" Site {of_site}." if of_site else "")
        if stem in there:
            content = there[stem].read_bytes()
        else:
            try:
                with style():
                    content = picture(drawing(study, site), "svg")
            except BadInput:  # a figure of a user's own, of which drawing has told
                continue
        width = re.search(rb'<svg [^>]*?width="([\d.]+)pt"', content)
        inches = float(width[1]) / 72 if width else 6.0
        yield {"stem": stem, "caption": caption, "inches": inches, "source": embedded(content)}


def _history(condition: Condition) -> dict[str, Any]:
    stretches = [
        {
            "start": int(phase["start"]),
            "stop": int(phase["stop"]),
            "epochs": int(phase["stop"]) - int(phase["start"]),
            "colour": eye_colour(phase["deficits"]),
            "what": words(phase) or "normal vision",
        }
        for phase in condition.subjects[0].phases
    ]
    return {"label": condition.label, "stretches": stretches}


def _origin(study: Study) -> Iterator[tuple[str, str, bool]]:
    """Give name and value of what is known of the origin, and whether the value is code."""
    about = study.attributes
    yield "command", str(about["command"]), True
    yield "device", str(about["device"]), False
    yield "begun", str(about["created"]), False
    yield "finished", str(about["finished"] or "not yet"), False
    yield "seeds", ", ".join(str(seed) for seed in about.get("seeds", [])), False
    yield "protocol hash", str(about["protocol_hash"]), True
    yield "file format", str(about["schema"]), False
    yield "sign of RSV", str(about["sign_convention"]), False
    for name, version in study.versions.items():
        yield name, str(version), False
