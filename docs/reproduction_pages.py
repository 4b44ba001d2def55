"""Writes a page of docs/reproduction from the output folder of ``binocular reproduce``.

``python docs/reproduction_pages.py results/kleinman-2023-lab`` takes the page as it was written there and makes its
figures small; the numbers and words are those of the run. Claims that the run was not asked for stay as an earlier run
found them, with its date; those that nobody has reared yet stand there as not run, with what would decide them and what
it takes. These and the README's sentence on how many claims hold are made anew from code and pages, also without an
argument.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from binocular.papers.claims import Claim, Evidence
from binocular.papers.needs import StudyNeed
from binocular.papers.presenting import criterion_words
from binocular.papers.registry import PAPERS
from binocular.report.showing import planned_tree
from binocular.store.statistics import VERDICTS, Interval

README = Path(__file__).parents[1] / "README.md"
PAPERS_COUNTED = ("kleinman-2023", "kleinman-2024", "achille-2019", "pawlak-2025")
PAGES = Path(__file__).parent / "reproduction"
RESULTS = Path(__file__).parents[1] / "data" / "results"
PICTURES = Path(__file__).parent / "images" / "reproduction"
MOST_BYTES = 150_000
_WIDTHS = (1400, 1200, 1000, 800)


def small(source: Path, target: Path) -> None:
    """Write a figure with few colours, and as narrow as it takes to stay below `MOST_BYTES`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        whole = picture.convert("RGB")
    for width in _WIDTHS:
        size = (width, round(whole.height * width / whole.width)) if whole.width > width else whole.size
        whole.resize(size, Image.Resampling.LANCZOS).quantize(96).save(target, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            return
    raise ValueError(f"{source} cannot be made smaller than {MOST_BYTES} bytes")


def write_page(folder: Path) -> Path:
    """Write the page of the paper whose output folder this is.

    The findings of a run that has all claims are kept; those of a run of some claims take the place of the same ones.
    """
    plain, text = (
        (folder / name).read_text(encoding="utf-8").replace(f"--out {folder.resolve()}", f"--out {folder.name}")
        for name in ("findings.json", "page.md")
    )
    findings = json.loads(plain)
    paper = findings["paper"]["name"]
    kept = RESULTS / f"{paper}.json"
    if not findings["not_asked_for"]:
        kept.write_text(plain, encoding="utf-8")
    elif kept.is_file():
        kept.write_text(merged(json.loads(kept.read_text(encoding="utf-8")), findings), encoding="utf-8")
    for name in re.findall(r"\]\(figures/([^)]+\.png)\)", text):
        small(folder / "figures" / name, PICTURES / name)
    page = PAGES / f"{paper}.md"
    page.parent.mkdir(exist_ok=True)
    text = text.replace("](figures/", "](../images/reproduction/")
    if page.is_file():
        text = with_earlier(text, page.read_text(encoding="utf-8"), [claim.id for claim in PAPERS[paper].claims()])
    page.write_text(text, encoding="utf-8")
    return page


def merged(kept: dict[str, Any], new: dict[str, Any]) -> str:
    """Return kept findings in which those of a later run of some claims stand in the place of the same ones, as JSON.

    Each of these says when, and by which command, it was found; their studies replace those of the same key.
    """
    found = {claim["id"]: {**claim, **{key: new[key] for key in ("command", "finished")}} for claim in new["claims"]}
    known = {claim["id"] for claim in kept["claims"]}
    claims = [found.get(claim["id"], claim) for claim in kept["claims"]]
    studies = {study["key"]: study for study in (*kept["studies"], *new["studies"])}
    more = [claim for name, claim in found.items() if name not in known]
    whole = {**kept, "claims": [*claims, *more], "studies": list(studies.values())}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_ABOUT = "How it was made"
_MISSING = re.compile(r"^Not asked for in this run: (.*)\.\n\n", re.MULTILINE)


def with_earlier(new: str, earlier: str, ids: Sequence[str]) -> str:
    """Return a page in which claims that a run was not asked for stand as an earlier page has them.

    Parameters
    ----------
    new, earlier
        Pages of the same paper; a claim that neither has is named as missing.
    ids
        The paper's claims, in order.
    """
    head, sections = _parts(new)
    earlier_head, earlier_sections = _parts(earlier)
    kept = [
        name
        for name in ids
        if name not in sections and name in earlier_sections and _UNREARED not in earlier_sections[name]
    ]
    if not kept:
        return new
    about = earlier_sections[_ABOUT]
    dated = re.search(r"^\| finished \| (\S+?)T", about, re.MULTILINE)
    note = f"*As found on {dated[1] if dated else 'an earlier day'}.*\n\n"
    for name in kept:
        sections[name] = earlier_sections[name]
        if "*As found on " not in sections[name]:
            verdict = re.search(r"^\*\*.*\*\*\n\n", sections[name], re.MULTILINE)
            assert verdict is not None, name
            sections[name] = sections[name].replace(verdict[0], verdict[0] + note, 1)
    earlier_rows = {name: row for name, row in _overview(earlier_head).items() if name in sections}
    rows = {**earlier_rows, **_overview(head)}
    missing = [name for name in ids if name not in sections]
    head = _MISSING.sub(f"Not asked for in this run: {', '.join(missing)}.\n\n" if missing else "", head)
    table = "\n".join(_overview(head).values())
    head = head.replace(table, "\n".join(rows[name] for name in ids if name in rows))
    studies = _STUDY.findall(sections[_ABOUT])
    known = {row.split("|")[1] for row in studies}
    more = [row for row in _STUDY.findall(about) if row.split("|")[1] not in known]
    last = sections.pop(_ABOUT).rstrip("\n") + "".join(f"\n{row}" for row in more) + "\n"
    body = "".join(f"## {name}\n{sections[name]}" for name in ids if name in sections)
    return f"{head}{body}## {_ABOUT}\n\n{_LAST_RUN}\n{last}"


_LAST_RUN = "Of the last run; claims with a date of their own rest on studies of earlier ones, which are listed too."
_STUDY = re.compile(r"^\| [a-z0-9][a-z0-9-]* \|(?:[^|\n]*\|){5}$", re.MULTILINE)


_UNREARED = "Declared, and not reared so far."


def with_unreared(page: str, claims: Sequence[Claim], paper: str) -> str:
    """Return a page on which claims that nobody has reared yet stand as not run, with what they take.

    Parameters
    ----------
    page
        Of the paper; sections that this function made before are made anew.
    claims
        The paper's, in order.
    paper
        Its name, for the command.
    """
    head, sections = _parts(page)
    rows = _overview(head)
    table = "\n".join(rows.values())
    for claim in claims:
        if claim.id not in sections or _UNREARED in sections[claim.id]:
            sections[claim.id] = _unreared(claim, paper)
            rows[claim.id] = f"| [{claim.id}](#{claim.id}) | {claim.source} | **not run** |"
    ordered = [claim.id for claim in claims if claim.id in sections]
    head = _MISSING.sub("", head.replace(table, "\n".join(rows[name] for name in ordered)))
    body = "".join(f"## {name}\n{sections[name]}" for name in ordered)
    return f"{head}{body}## {_ABOUT}\n{sections[_ABOUT]}"


def _unreared(claim: Claim, paper: str) -> str:
    """Return the section of a claim that nobody has reared: what it takes, and what would decide it."""
    looks, told = claim.looks.get("lab"), []
    for need in claim.needs.get("lab", ()):
        if isinstance(need, StudyNeed):
            asked = need if looks is None else need.with_seeds(looks.seeds(looks.after[0]))
            told.append(f"{need.key}, {planned_tree(asked.load()).epochs_shared} subject-epochs")
    first = "" if looks is None else f" to the first look, after {looks.after[0]} seeds"
    command = f"`binocular reproduce {paper} --claim {claim.id}`"
    rows = [row for row in claim.rows if row.role != "context"]
    criteria = [
        f"- {'control: ' if row.role == 'control' else ''}{re.sub(r'[ (]*{[^}]*}[^,]*', '', row.what)}: "
        + criterion_words(Evidence(row.what, "", Interval(0.0), row.role, row.at_least, row.at_most, row.digits))
        for row in rows
    ]
    cost = f"At laboratory scale it takes {'; '.join(told)}{first}: {command}." if told else claim.absent.get("lab", "")
    return (
        f"\n{claim.statement} ({claim.source})\n\n**not run**\n\n{_UNREARED} {cost}\n\n"
        "What will decide it:\n\n" + "\n".join(criteria) + "\n\n"
    )


def _parts(page: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first section, and the sections by title."""
    head, *parts = re.split(r"^## (.+)\n", page, flags=re.MULTILINE)
    return head, dict(zip(parts[::2], parts[1::2], strict=True))


def _overview(head: str) -> dict[str, str]:
    """Return the rows of the table of verdicts by claim."""
    return {row[1]: row[0] for row in re.finditer(r"^\| \[([^\]]+)\].*$", head, re.MULTILINE)}


def counted(readme: str, pages: Sequence[str]) -> str:
    """Return the README with the verdicts on some pages counted anew."""
    found = [
        re.findall(r"\*\*([a-z ]+)\*\* \|$", "\n".join(_overview(_parts(page)[0]).values()), re.M) for page in pages
    ]
    of = {verdict: _listed([each.count(verdict) for each in found]) for verdict in VERDICTS}
    told = f"{of['holds']} hold, {of['does not hold']} do not, and {of['undecided']} are undecided"
    if any("not run" in each for each in found):
        told += f"; {of['not run']} were not run"
    return _COUNTED.sub(f"<!-- verdicts -->of {_listed(map(len, found))} claims **{told}**<!-- end -->", readme)


_COUNTED = re.compile(r"<!-- verdicts -->.*?<!-- end -->", re.DOTALL)


def _listed(numbers: Iterable[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(write_page(Path(argument)))
    for name in PAPERS_COUNTED:
        page = PAGES / f"{name}.md"
        page.write_text(with_unreared(page.read_text(encoding="utf-8"), PAPERS[name].claims(), name), encoding="utf-8")
    pages = [(PAGES / f"{name}.md").read_text(encoding="utf-8") for name in PAPERS_COUNTED]
    README.write_text(counted(README.read_text(encoding="utf-8"), pages), encoding="utf-8")
