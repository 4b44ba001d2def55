"""The numbers of the README are those of the result files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import results_tables

    yield results_tables
    sys.modules.pop("results_tables")


def test_the_tables_of_the_readme_are_drawn_from_the_result_files(tables):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tables.filled(text) == text and "<!-- results: monocular-deprivation -->\n|" in text


def test_a_table_has_a_row_for_each_condition_with_its_intervals(tables):
    rows = json.loads((ROOT / "data" / "results" / "monocular-deprivation.json").read_text())["conditions"]
    lines = tables.table("monocular-deprivation").splitlines()
    assert len(lines) == len(rows) + 2
    mean, low, high = rows[0]["cells"]["CBI"]
    assert f"{mean:.2f} [{low:.2f}, {high:.2f}]" in lines[2] and low < mean < high
