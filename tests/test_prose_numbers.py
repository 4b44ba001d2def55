"""Means with intervals, and counts, that pages tell in words: each stands in a table that code draws from a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
_NUMBER = r"[−-]?\d+(?:\.\d+)?"
_ESTIMATE = re.compile(rf"({_NUMBER})\s+\[({_NUMBER}),\s+({_NUMBER})\]")
_DRAWN = re.compile(r"<!-- results: .*?<!-- end -->", re.DOTALL)


def estimates(text: str) -> list[tuple[float, float, float]]:
    """Return the means with their intervals, in the order in which they are told."""
    return [tuple(float(part.replace("−", "-")) for part in found) for found in _ESTIMATE.findall(text)]  # type: ignore[misc]


def untold(prose: str, tables: str) -> list[tuple[float, float, float]]:
    """Return what words tell and no table has; a loss may be told as a gain."""
    known = set(estimates(tables))
    known |= {(-mean, -high, -low) for mean, low, high in known}
    return [one for one in estimates(prose) if one not in known]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_a_number_that_no_table_has_is_found():
    tables = "| a | 0.10 [0.05, 0.15] |\n| b | −3.2 [−5.0, −1.5] |"
    assert untold("by 0.10 [0.05,\n  0.15] and 3.2 [1.5, 5.0]", tables) == []
    assert untold("by 0.11 [0.05, 0.15]", tables) == [(0.11, 0.05, 0.15)]


def test_the_words_on_animals_tell_what_its_tables_have():
    text = page("networks-and-animals.md")
    words = _DRAWN.sub("", text)
    assert len(estimates(words)) >= 4
    assert untold(words, "".join(_DRAWN.findall(text))) == []


def test_the_page_on_what_protects_tells_what_was_drawn():
    text = page("what-protects.md")
    words = _DRAWN.sub("", text)
    assert len(estimates(words)) >= 30
    assert untold(words, "".join(_DRAWN.findall(text)) + page("reproduction/kleinman-2023.md")) == []


def test_the_readme_counts_histories_and_facts_as_the_page_on_animals():
    readme = " ".join((DOCS.parent / "README.md").read_text(encoding="utf-8").split())
    drawn = "".join(_DRAWN.findall(page("networks-and-animals.md")))
    (counted,) = re.findall(r"At the first binocular cells: of (\d+) facts (\d+) hold", drawn)
    (histories, seeds), *_ = re.findall(
        r"\((\d+) histories\): `binocular run animal-histories [^`]*seeds=\[([\d,]+)\]", drawn
    )
    n = {"3": "three", "5": "five", "10": "ten"}[str(len(seeds.split(",")))]
    assert f"goes through {histories} rearing histories with {n} subjects each" in readme
    assert "of {} published facts {} hold at the first binocular cells".format(*counted) in readme


@pytest.mark.parametrize("paper", ["Kleinman 2023", "all"])
def test_the_overview_of_the_papers_tells_what_their_pages_have(paper: str):
    names = ["kleinman-2023"] if paper != "all" else ["kleinman-2023", "kleinman-2024", "achille-2019", "pawlak-2025"]
    pages = "".join(page(f"reproduction/{name}.md") for name in [*names, "what-closes-the-period"])
    text = page("reproduction/README.md")
    if paper != "all":
        text = text[text.index("of Kleinman 2023") : text.index("Of Kleinman 2024")]
    assert len(estimates(text)) >= 20
    assert untold(text, pages) == []
