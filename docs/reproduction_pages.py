"""Writes a page of docs/reproduction from the output folder of ``binocular reproduce``.

``python docs/reproduction_pages.py results/kleinman-2023-lab`` takes the page as it was written there and makes its
figures small; the numbers and words are those of the run. Claims that the run was not asked for stay as an earlier run
found them, with its date. The README's sentence on how many claims hold is counted anew from the pages, also without an
argument.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from binocular.papers.registry import PAPERS
from binocular.store.statistics import VERDICTS

README = Path(__file__).parents[1] / "README.md"
PAPERS_COUNTED = ("kleinman-2023", "kleinman-2024", "achille-2019")
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
    """Write the page of the paper whose output folder this is, and keep the findings of a run that has all claims."""
    plain, text = (
        (folder / name).read_text(encoding="utf-8").replace(f"--out {folder.resolve()}", f"--out {folder.name}")
        for name in ("findings.json", "page.md")
    )
    findings = json.loads(plain)
    paper = findings["paper"]["name"]
    if not findings["not_asked_for"]:
        (RESULTS / f"{paper}.json").write_text(plain, encoding="utf-8")
    for name in re.findall(r"\]\(figures/([^)]+\.png)\)", text):
        small(folder / "figures" / name, PICTURES / name)
    page = PAGES / f"{paper}.md"
    page.parent.mkdir(exist_ok=True)
    text = text.replace("](figures/", "](../images/reproduction/")
    if page.is_file():
        text = with_earlier(text, page.read_text(encoding="utf-8"), [claim.id for claim in PAPERS[paper].claims()])
    page.write_text(text, encoding="utf-8")
    return page


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
    kept = [name for name in ids if name not in sections and name in earlier_sections]
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
    rows = {**_overview(earlier_head), **_overview(head)}
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
    pages = [(PAGES / f"{name}.md").read_text(encoding="utf-8") for name in PAPERS_COUNTED]
    README.write_text(counted(README.read_text(encoding="utf-8"), pages), encoding="utf-8")
