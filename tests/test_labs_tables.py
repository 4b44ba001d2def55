"""What the pages say of the labs and of the teaching page is what their result files say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import labs_tables

    yield labs_tables
    sys.modules.pop("labs_tables")


def test_the_tables_are_drawn_from_the_result_files(tables):
    labs, lab = (page.read_text(encoding="utf-8") for page in tables.PAGES)
    assert tables.filled(labs) == labs and "<!-- results: labs-repeated -->\n| lab" in labs
    assert tables.filled(lab) == lab and "<!-- results: teaching-lab -->\n| experiment" in lab


def test_every_row_of_a_key_held_in_nineteen_of_twenty_repetitions_by_both_sets_of_instructions(tables):
    kept = json.loads(tables.REPEATED.read_text())
    for lab in tables.LABS:
        found = kept["labs"][lab.stem]
        kinds = [kind for _, kind in found["runs"]]
        assert abs(kinds.count("all") - kinds.count("few")) <= 1
        assert len({seeds[0] for seeds, _ in found["runs"]}) == len(found["runs"])
        for check, row in zip(tables._checks(lab), found["rows"], strict=True):
            assert tables.held(check, row["values"]) >= 0.95 * len(found["runs"]), (lab.name, check.statement)


def test_a_key_that_was_changed_must_be_repeated_before_it_is_shown(tables, monkeypatch, tmp_path):
    kept = json.loads(tables.REPEATED.read_text())
    kept["labs"][tables.LABS[0].stem]["rows"][0]["expression"] = "another"
    monkeypatch.setattr(tables, "REPEATED", tmp_path / "changed.json")
    tables.REPEATED.write_text(json.dumps(kept))
    with pytest.raises(ValueError, match=r"run labs/repeating\.py 1"):
        tables.filled("<!-- results: labs-repeated -->\n<!-- end -->")


def test_late_closure_differs_from_early_in_the_default_litter_and_in_nine_of_ten_others(tables):
    """As seen on the page: after an early closure most cells are in groups 6 and 7, after a late one less than half."""
    rows = {row["label"]: row for row in json.loads(tables.LITTERS.read_text())["conditions"]}
    early, late = (
        [sum(groups[5:]) / sum(groups) for groups in rows[f"right eye closed {when}"]["groups"]]
        for when in ("early", "late")
    )
    different = [one > 0.5 > other for one, other in zip(early, late, strict=True)]
    assert len(different) == 11 and different[0] and sum(different[1:]) >= 9
    sees = [depth > 0.75 for depth in rows["both eyes open"]["stereopsis"]]
    assert sees[0] and sum(sees[1:]) == 7
    assert "Of ten others seven learned depth" in tables.PAGES[1].read_text(encoding="utf-8")


def test_repetitions_are_kept_with_the_rows_of_the_keys(tables, tmp_path):
    path = tmp_path / "repeated.jsonl"
    runs = [
        {"lab": lab.stem, "seeds": [seed] * 3, "instructions": kind, "values": [seed] * len(tables._checks(lab))}
        for lab in tables.LABS
        for seed, kind in ((8, "few"), (5, "all"))
    ]
    path.write_text("\n".join(map(json.dumps, runs)))
    kept = tables.take_repeated(path, "labs/repeating.py")
    found = kept["labs"][tables.LABS[0].stem]
    assert found["runs"] == [[[5, 5, 5], "all"], [[8, 8, 8], "few"]]
    assert [row["values"] for row in found["rows"]] == [(5, 8)] * len(tables._checks(tables.LABS[0]))
    assert kept["command"] == "labs/repeating.py" and kept["finished"] and kept["versions"]["torch"]
