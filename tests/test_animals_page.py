"""The page 'Networks and animals' says what the file of results says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import animals_page

    yield animals_page
    sys.modules.pop("animals_page")


def stored(drawn) -> dict:
    return json.loads(drawn.RESULTS.read_text(encoding="utf-8"))


def test_the_tables_of_the_page_are_drawn_from_the_file(drawn):
    text, found = drawn.PAGE.read_text(encoding="utf-8"), stored(drawn)
    assert drawn.filled(text, found) == text
    for table in drawn.TABLES:
        assert f"<!-- results: {table} -->\n" in text
    assert found["conditions"] and all(one["subjects"] >= 1 for one in found["conditions"])


def test_the_count_is_that_of_the_verdicts(drawn):
    found = {
        "facts": [
            {"claim": "a", "ours": [0.1, 0.0, 0.2], "first": "holds", "last": "does not hold"},
            {"claim": "b", "ours": [0.5, 0.4, 0.6], "first": "does not hold", "last": "does not hold"},
            {"claim": "c", "ours": [0.5, 0.1, 0.9], "first": "undecided", "last": ""},
            {"claim": "d", "ours": None, "first": "not in this study", "last": "not in this study"},
        ]
    }
    lines = drawn.count(found).splitlines()
    assert lines[0] == "- At the first binocular cells: of 3 facts 1 hold, 1 do not hold, 1 are undecided."
    assert lines[1] == "- At the last layer: of 2 facts 0 hold, 2 do not hold, 0 are undecided."
    assert "**do not hold**: b (0.50 [0.40, 0.60])" in lines[2] and "**are undecided**: c" in lines[3]


def test_what_is_kept_of_a_study_is_what_its_comparison_says(drawn, tmp_path):
    from binocular.compare import compare_study
    from binocular.store.study import load_study
    from binocular.store.writing import write_study
    from tests.synthetic import invented_conditions, invented_header

    path = tmp_path / "study.h5"
    write_study(path, invented_header(), invented_conditions())
    found, comparison = drawn.take([path]), compare_study(load_study(path))
    assert [one["first"] for one in found["facts"]] == [one.verdict for one in comparison.facts]
    assert {one["label"] for one in found["conditions"]} == {one.label for one in comparison.study.conditions}
    assert json.loads(json.dumps(found)) == found
    for table in drawn.TABLES.values():
        assert isinstance(table(found), str)
