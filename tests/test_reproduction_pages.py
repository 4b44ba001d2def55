"""The pages of docs/reproduction: what they say follows from the numbers on them, and their pictures are there."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from binocular.papers.claims import Claim, Evidence, Finding
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.pages import HOW_TO_READ, markdown_page, write_pages
from binocular.papers.presenting import COLUMNS
from binocular.papers.registry import PAPERS, Paper
from binocular.stimuli.errors import BadInput
from binocular.store.statistics import VERDICTS, Interval, exact, interval
from tests.made_claims import PAPER, Numbers, claim, run

FOLDER = Path(__file__).parents[1] / "docs" / "reproduction"
FINDINGS = FOLDER.parents[1] / "data" / "results"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem in PAPERS)


def cells_of(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def plain(text: str) -> float:
    return float(text.replace("−", "-"))


def row_of(cells: list[str]) -> tuple[Evidence, str]:
    """Read a row of evidence back; the printed numbers are rounded, so that ends close to a bound may go either way."""
    what, published, ours, criterion, says = cells
    role = "control" if what.startswith("control: ") else "context" if what.startswith("context: ") else "test"
    numbers = [
        plain(number) for number in re.findall(r"−?\d+(?:\.\d+)?(?:e[-−+]?\d+)?", ours.split("[no")[0].split("]")[0])
    ]
    digits = len(re.split(r"[ \[]", ours)[0].partition(".")[2])
    if ours == "–" or "no interval" in ours:
        number = Interval(numbers[0] if numbers else math.nan)
    else:
        number = Interval(*numbers) if len(numbers) == 3 else exact(numbers[0])
    bounds = {sign: plain(bound) for sign, bound in re.findall(r"([≥≤]) (−?[\d.]+(?:e[−+]\d+)?)", criterion)}
    row = Evidence(what, published, number, role, bounds.get("≥"), bounds.get("≤"), digits)
    return row, says


def close_to_a_bound(row: Evidence) -> bool:
    step = 10.0**-row.digits
    bounds = [bound for bound in (row.at_least, row.at_most) if bound is not None]
    return any(abs(end - bound) <= step for end in (row.ours.low, row.ours.high) for bound in bounds)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_its_numbers_say(page):
    check_page(page.read_text(encoding="utf-8"), PAPERS[page.stem], PAPERS[page.stem].claims())


def check_page(text: str, paper: Paper, claims: Sequence[Claim]) -> None:
    """Assert that a page has every claim, and that its verdicts follow from the numbers it prints."""
    assert text.startswith(f"# {paper.title}\n\n{paper.reference}\n") and HOW_TO_READ in text
    sections = dict(zip(*[iter(re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    about = sections.pop("How it was made")
    for word in ("command", "device", "finished", "time", "versions"):
        assert re.search(rf"^\| {word} \| \S", about, re.MULTILINE), word
    assert "`binocular reproduce " in about and not re.search(r"/(?:tmp|home|work|root)/", text)
    overview = {
        cells[0].partition("]")[0].strip("["): cells[2].strip("*")
        for cells in map(cells_of, re.findall(r"^\| \[.*$", text, re.MULTILINE))
    }
    missing = re.search(r"Not asked for in this run: (.*)\.", text)
    known = {claim.id: claim for claim in claims}
    assert set(sections) | set(missing[1].split(", ") if missing else ()) == set(known)
    rows = 0
    for name, section in sections.items():
        claim = known[name]
        assert claim.statement in section and claim.source in section
        verdict = re.search(r"^\*\*(.*)\*\*$", section, re.MULTILINE)
        assert verdict is not None and verdict[1] in VERDICTS and overview[name] == verdict[1]
        table = [cells_of(line) for line in re.findall(r"^\|.*$", section, re.MULTILINE)]
        if verdict[1] == "not run":
            assert not table and len(section.strip().splitlines()) > 4, f"{name}: the reason is missing"
            continue
        assert tuple(table[0]) == COLUMNS
        read = [row_of(cells) for cells in table[2:]]
        for row, says in read:
            assert says == (row.verdict or "") or close_to_a_bound(row), (name, row, says)
        worst = [says for _, says in read if says]
        assert verdict[1] == next(each for each in ("does not hold", "undecided", "holds") if each in worst), name
        rows += len(read)
        assert any(row.role == "test" for row, _ in read), name
    assert rows, "a page without a single number"


def check_findings(text: str, findings: Path) -> int:
    """Assert that a page prints the verdicts and numbers of a file of findings; return how many numbers."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    sections, rows = dict(zip(parts[::2], parts[1::2], strict=True)), 0
    for found in json.loads(findings.read_text(encoding="utf-8"))["claims"]:
        section = sections[found["id"]]
        assert f"\n**{found['verdict']}**\n" in section, found["id"]
        printed = [row_of(cells_of(line))[0] for line in re.findall(r"^\|.*$", section, re.MULTILINE)[2:]]
        for row, kept in zip(printed, found["evidence"], strict=True):
            for number, wanted in ((row.ours.mean, kept["value"]), (row.ours.low, kept["low"])):
                assert number == pytest.approx(wanted, abs=0.51 * 10.0**-row.digits), (found["id"], kept["what"])
            rows += 1
    return rows


KEPT = [path for path in sorted(FINDINGS.glob("*.json")) if path.stem in PAPERS]


@pytest.mark.parametrize("findings", KEPT, ids=lambda path: path.stem)
def test_a_page_prints_the_findings_that_are_kept(findings):
    assert check_findings((FOLDER / f"{findings.stem}.md").read_text(encoding="utf-8"), findings) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pictures_are_there_and_small(page):
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert pictures
    for picture in pictures:
        path = page.parent / picture
        assert path.is_file() and 5_000 < path.stat().st_size < 150_000, picture


def written_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[Claim]]:
    """Return the page of an invented run, made as those of docs/reproduction are."""
    from binocular.report.figures.style import panels

    def draw(had: Any) -> Any:
        figure, axes = panels(1, (6.0, 4.0))
        axes[0].imshow(np.random.default_rng(0).random((60, 60)))
        return figure

    absent = claim(Numbers("absent", error=BadInput("there is no card")), "absent")
    claims = [claim(Numbers(), draw=draw), claim(Numbers("less", (-0.3, -0.31)), "less"), absent]
    write_pages(run(tmp_path, *claims), tmp_path)
    pages = writer()
    monkeypatch.setattr(pages, "PAGES", tmp_path / "docs" / "reproduction")
    monkeypatch.setattr(pages, "PICTURES", tmp_path / "docs" / "images" / "reproduction")
    monkeypatch.setattr(pages, "RESULTS", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    return pages.write_page(tmp_path).read_text(encoding="utf-8"), claims


def writer() -> Any:
    """Return the script that writes the pages, as a module."""
    place = Path(__file__).parents[1] / "docs" / "reproduction_pages.py"
    spec = importlib.util.spec_from_file_location("reproduction_pages", place)
    assert spec is not None and spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    return pages


def test_pages_are_written_in_the_form_that_is_tested(tmp_path, monkeypatch):
    text, claims = written_page(tmp_path, monkeypatch)
    check_page(text, PAPER, claims)
    assert check_findings(text, tmp_path / "docs" / f"{PAPER.name}.json") == 2
    with pytest.raises(AssertionError):
        check_findings(text.replace("0.32 [0.26", "0.31 [0.26"), tmp_path / "docs" / f"{PAPER.name}.json")
    picture = tmp_path / "docs" / "reproduction" / re.findall(r"!\[.*\]\(([^)]+)\)", text)[0]
    assert 5_000 < picture.stat().st_size < 150_000
    for wrong in (
        text.replace("| holds |", "| does not hold |"),
        text.replace("0.32 [0.26, 0.39]", "0.12 [0.06, 0.15]"),
        text.replace("**holds**", "**undecided**"),
        text.replace("there is no card", ""),
        text.replace("## less", "## more"),
    ):
        assert wrong != text
        with pytest.raises(AssertionError):
            check_page(wrong, PAPER, claims)


def test_claims_that_a_run_was_not_asked_for_stay_as_an_earlier_run_found_them(tmp_path, monkeypatch):
    earlier, claims = written_page(tmp_path, monkeypatch)
    again = replace(claims[1], needs={"lab": (Numbers("more", (0.3, 0.31, 0.32)),)})
    again = replace(again, rows=[replace(again.rows[0], number=lambda had: interval(had["more"]))])
    found = run(tmp_path / "more", again)
    new = markdown_page(replace(found, command="binocular reproduce fake-2023"))
    both = writer().with_earlier(new, earlier, [each.id for each in claims])
    check_page(both, PAPER, [claims[0], again, claims[2]])
    assert re.findall(r"^## (.+)$", both, re.MULTILINE) == ["shift", "less", "absent", "How it was made"]
    sections = re.split(r"^## ", both, flags=re.MULTILINE)
    assert ["*As found on " in section for section in sections] == [False, True, False, True, False]
    assert "| numbers |" in both and "| more |" in both, "what each claim rests on is told"
    assert both.count("Of the last run; ") == 1, "the device and the time are not those of all claims"
    head, _, rest = new.partition("## ")
    some = f"{head}Not asked for in this run: shift, absent, later.\n\n## {rest}"
    some = writer().with_earlier(some, earlier, [*(each.id for each in claims), "later"])
    assert "\nNot asked for in this run: later.\n" in some, "what neither run has"
    assert both.count("*As found on ") == writer().with_earlier(new, both, [each.id for each in claims]).count("*As ")


def test_findings_of_some_claims_take_the_place_of_the_same_ones(tmp_path, monkeypatch):
    written_page(tmp_path, monkeypatch)
    kept = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    new = json.loads(json.dumps(kept)) | {"command": "later", "finished": "2026-11-27"}
    new["claims"] = [new["claims"][1] | {"verdict": "holds"}, new["claims"][0] | {"id": "new"}]
    found = json.loads(writer().merged(kept, new))
    assert [claim["id"] for claim in found["claims"]] == ["shift", "less", "absent", "new"]
    assert [claim.get("command") for claim in found["claims"]] == [None, "later", None, "later"]
    assert found["claims"][1]["verdict"] == "holds" and found["claims"][0] == kept["claims"][0]
    assert found["command"] == kept["command"] and len(found["studies"]) == len(kept["studies"])


def test_claims_that_nobody_has_reared_stand_as_not_run_until_somebody_has(tmp_path, monkeypatch):
    text, claims = written_page(tmp_path, monkeypatch)
    pages, needed = writer(), StudyNeed("closure", "kleinman-2023-closure")
    later = replace(claim(needed, "later"), looks={"lab": Looks((5, 10))})
    page = pages.with_unreared(text, [claims[0], later, *claims[1:]], PAPER.name)
    check_page(page, PAPER, [*claims, later])
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["shift", "later", "less", "absent", "How it was made"]
    section = page.partition("## later")[2].partition("## ")[0]
    assert "closure, 250 subject-epochs to the first look, after 5 seeds" in section
    assert "- shift of the units: ≥ 0.20" in section and "--claim later`" in section
    assert pages.with_unreared(page, [claims[0], later, *claims[1:]], PAPER.name) == page, "made anew, and the same"
    found = markdown_page(run(tmp_path / "more", claim(Numbers(), "later")))
    both = pages.with_earlier(found, page, ["shift", "later", "less", "absent"])
    assert "Declared, and not reared" not in both and both.count("**not run**") == 2, "only what cannot be had"
    kept = pages.with_earlier(found.replace("later", "less"), page, ["shift", "later", "less", "absent"])
    assert "Declared, and not reared" not in kept and kept.count("*As found on ") == 2


def test_the_pages_tell_the_looks_that_are_declared():
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        looked = [claim for claim in PAPERS[path.stem].claims() if "lab" in claim.looks]
        sections = {claim.id: page.partition(f"## {claim.id}\n")[2].partition("\n## ")[0] for claim in looked}
        assert [claim.id for claim in looked if claim.looks["lab"].words() not in sections[claim.id]] == [], path.stem


def test_the_readme_counts_the_verdicts_of_the_pages():
    write, texts = writer(), {path.stem: path.read_text(encoding="utf-8") for path in PAGES}
    readme, pages = write.README.read_text(encoding="utf-8"), [texts[name] for name in write.PAPERS_COUNTED]
    assert write.counted(readme, pages) == readme and "<!-- verdicts -->of " in readme
    claims = ", ".join(str(len(PAPERS[name].claims())) for name in write.PAPERS_COUNTED[:-1])
    assert f"of {claims} and {len(PAPERS[write.PAPERS_COUNTED[-1]].claims())} claims" in readme
    row = "| [{}](#{}) | Fig. 4 | **{}** |\n"
    invented = ["".join(row.format(*"aa", verdict) for verdict in verdicts) for verdicts in (["holds"], ["not run"])]
    assert "1 and 0 hold, 0 and 0 do not, and 0 and 0 are undecided; 0 and 1 were not run" in write.counted(
        readme, invented
    )


def intervals_in(text: str) -> set[tuple[str, ...]]:
    return set(re.findall(r"(−?\d+\.\d+) \[(−?\d+\.\d+), (−?\d+\.\d+)\]", " ".join(text.split())))


def turned(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is lost for what is gained."""
    mean, low, high = (
        text.removeprefix("−") if text.startswith("−") or not plain(text) else f"−{text}" for text in numbers
    )
    return mean, high, low


def test_every_interval_of_the_summary_stands_on_a_page():
    there = set().union(*(intervals_in(path.read_text(encoding="utf-8")) for path in PAGES))
    told = intervals_in((FOLDER / "README.md").read_text(encoding="utf-8"))
    assert len(told) > 40 and not {numbers for numbers in told if numbers not in there and turned(numbers) not in there}


def test_the_summary_tells_the_coverage_of_looks():
    *first, last = (f"{100 * coverage:.1f}" for coverage in Looks().coverage.values())
    assert f"wider: {', '.join(first)} and {last} %" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_test_of_pages_can_fail():
    row, says = row_of(["shift", "0.41 (Fig. 4)", "0.31 [0.25, 0.37]", "≥ 0.10", "holds"])
    assert row.verdict == says and Finding("x", (row,)).verdict == "holds"
    row, _ = row_of(["shift", "0.41 (Fig. 4)", "−0.31 [−0.37, −0.25]", "≥ 0.10", "holds"])
    assert row.verdict == "does not hold"
    row, _ = row_of(["control: error", "", "0.0012", "≤ 0.0100", "holds"])
    assert row.verdict == "holds" and row.role == "control" and row.digits == 4
    row, _ = row_of(["x", "", "0.5 [no interval]", "≥ 0.1", "undecided"])
    assert row.verdict == "undecided"
