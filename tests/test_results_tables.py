"""The numbers of the README and of the pages are those of the result files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from binocular.store.conditions import Condition
from tests.synthetic import invented_subject

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import results_tables

    yield results_tables
    sys.modules.pop("results_tables")


def test_the_tables_of_the_pages_are_drawn_from_the_result_files(tables):
    texts = {page.stem: page.read_text(encoding="utf-8") for page in tables.PAGES}
    assert {name: tables.filled(text) for name, text in texts.items()} == texts
    assert "<!-- results: monocular-deprivation -->\n|" in texts["README"]
    assert "<!-- results: deprivation-controls faint noise-new nothing-new -->\n|" in texts["controls"]
    assert "<!-- agreement: monocular-deprivation -->\n|" in texts["theory"]


def test_a_table_has_a_row_for_each_condition_with_its_intervals(tables):
    pages = "".join(page.read_text(encoding="utf-8") for page in tables.PAGES)
    shown = {name for _, names in tables._MARK.findall(pages) for name in names.split()}
    assert {
        "monocular-deprivation",
        "deprivation-controls",
        "monocular-deprivation-real-stereo",
        "rebuilding-same",
    } <= shown
    for name in shown:
        _has_its_rows(tables, name)


def _has_its_rows(tables, name):
    kept = json.loads((ROOT / "data" / "results" / f"{name}.json").read_text())
    rows = kept["conditions"]
    lines = tables.table(name).splitlines()
    assert [line.split(" | ")[0] for line in lines[2 : len(rows) + 2]] == [f"| {row['label']}" for row in rows]
    assert all(f"| {row['n']} |" in line for row, line in zip(rows, lines[2:], strict=False))
    mean, low, high = rows[0]["cells"]["CBI"]
    assert f"{mean:.2f} [{low:.2f}, {high:.2f}]" in lines[2] and low < mean < high
    assert "binocular run" in lines[-1] and kept["finished"][:10] in lines[-1]


def test_a_table_of_several_files_says_what_was_changed_in_each(tables, monkeypatch, tmp_path):
    kept = json.loads((ROOT / "data" / "results" / "monocular-deprivation.json").read_text())
    other = {**kept, "command": "binocular run x --set stimulus.figure_mean=0.6 --set seeds=[1,2] --out y"}
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    for name, content in (("first", kept), ("second", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    lines = tables.table("first", "second").splitlines()
    assert lines[2 + len(kept["conditions"])].startswith("| *`stimulus.figure_mean=0.6`* |")
    assert "`binocular run x --set stimulus.figure_mean=0.6 --set seeds=[1,2]`" in lines[-1]


@pytest.mark.parametrize(("eye", "shift"), [("right", 3.0), ("left", -3.0)])
def test_the_groups_counted_are_those_on_the_side_of_the_open_eye(tables, eye, shift):
    subjects = (invented_subject("closed", 0, deprived=(0, 4), eye=eye, shift=shift, cell_site=True),)
    row = tables._row(Condition("closed", "closed", subjects))
    assert row["cells"]["end"][0] > 0.8 and row["n"] == 1
    assert "left" not in row["cells"], "an eye that was not tested alone has no number"
