"""The page 'Networks and animals' says what the file of results says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.chosen_histograms import OPEN_EYE, closed, phases, study_of

ROOT = Path(__file__).parents[1]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import animals_page

    yield animals_page
    for name in ("animals_page", "animals_figures", "declared_studies"):
        sys.modules.pop(name, None)


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


def test_a_treatment_is_stopped_where_the_median_cell_no_longer_prefers_the_other_eye(drawn):
    lived = phases((8, closed()), (36, closed("left")), (4, None))  # recorded at 24 and 48
    study = study_of({"kept": (OPEN_EYE, lived), "handed": (OPEN_EYE[::-1], lived)})
    assert drawn.stopped(study.conditions[0], "representation") == [None] * 3
    assert drawn.stopped(study.conditions[1], "representation") == [16] * 3
    numbers = {"opening": [0.9, 0.8, 1.0], "end": [0.9, 0.8, 1.0], "stopped": [16, None, 16]}
    handed = {"label": "handed", "subjects": 3, "start": 8, "stop": 44, "epochs": 48, **numbers}
    table = drawn.stopping_table({"conditions": [handed, {"label": "not treated"}]})
    assert "| handed | 36 |" in table and "2 of 3, after 16, 16 epochs" in table and "not treated" not in table


def test_units_are_followed_from_the_opening_and_turned_towards_the_eye_that_was_open(drawn):
    made = {
        "closed": (OPEN_EYE, phases((24, closed()), (24, None))),
        "short": (OPEN_EYE, phases((6, closed()), (42, None))),
    }
    for eye in ("right", "left"):
        other = {name: (shares, [{**p, "deficits": [closed(eye)] if p["deficits"] else []} for p in lived])
                 for name, (shares, lived) in made.items()}  # fmt: skip
        (row,) = drawn.followed(study_of(other, treated_eye=eye))
        assert row["label"] == "closed" and set(row["after"]) == {"0", "24"}
        assert all(0.7 < there["representation"][0] <= 1 for there in row["after"].values())


def test_the_figures_of_the_page_are_drawn_from_the_files(drawn):
    import animals_figures

    page = drawn.PAGE.read_text(encoding="utf-8")
    controls = json.loads(animals_figures.CONTROLS.read_text(encoding="utf-8"))
    for name, function in animals_figures.FIGURES.items():
        assert f"](images/animals/{name}.png)" in page
        assert (animals_figures.PICTURES / f"{name}.png").stat().st_size < 150_000
        figure = function(stored(drawn), controls)
        assert figure.axes and all(ax.lines or ax.patches or ax.collections for ax in figure.axes), name


def test_a_change_accounts_for_a_turn_that_it_halves_and_not_for_one_that_it_leaves(drawn):
    turn = [0.30, 0.34, 0.32, 0.31, 0.33]
    lines = drawn.declared_studies.turning(
        {
            "turns": {
                "as-it-was": {"label": "nothing", "turn": turn},
                "gone": {"label": "gone", "turn": [0.01, 0.03, -0.02, 0.0, 0.02]},
                "left": {"label": "left", "turn": turn[::-1]},
                "half": {"label": "half", "turn": [0.0, 0.34, 0.1, 0.31, 0.02]},
            }
        }
    ).splitlines()
    assert [line.split(" | ")[-1] for line in lines[2:]] == ["– |", "yes |", "no |", "undecided |"]
    assert lines[2].startswith("| nothing | 5 | 0.32 [0.30, 0.34] |")


def _treated(medians: dict[int, list[float]], distance: dict[int, list[float]]) -> dict:
    return {f"reversed-{dose}": {"median": medians[dose], "distance": distance[dose]} for dose in medians}


def test_the_rule_takes_the_shortest_dose_after_which_the_other_eye_is_no_longer_preferred(drawn):
    medians = {2: [0.5, 0.5, -0.1], 4: [0.2, 0.4, -0.4], 8: [-0.1, 0.3, -0.6], 16: [-0.5, 0.2, -0.9]}
    subjects = _treated(medians, medians)
    assert drawn.declared_studies.by_the_rule(subjects, "reversed") == [8, 16, 2]


def test_a_dose_is_an_optimum_if_both_ends_are_farther_from_balance(drawn):
    import numpy as np

    best = np.array([0.1, 0.12, 0.11])
    judged = drawn.declared_studies.optimum
    assert judged({2: best + 0.2, 4: best + 0.1, 8: best, 16: best + np.array([0.2, 0.21, 0.19])}) == "holds"
    assert judged({2: best + 0.2, 4: best + 0.1, 8: best, 16: best + np.array([0.3, -0.2, 0.0])}) == "undecided"
    assert judged({2: best + 0.2, 4: best + 0.1, 8: best + 0.1, 16: best}) == "does not hold"


def test_what_is_kept_of_the_declared_studies_is_of_their_seeds(drawn):
    studies = drawn.declared_studies
    turns = studies.read(studies.TURNING)["turns"]
    subjects = studies.read(studies.STOPPING)["subjects"]
    assert set(turns) == {"as-it-was", *studies.CHANGES, "scenes"}
    assert set(subjects) == {f"{name}-{dose}" for name in studies.TREATMENTS for dose in studies.DOSES}
    for found in (turns, subjects):
        assert len({tuple(one["seeds"]) for one in found.values()}) == 1  # paired
        assert all(len(values) == 5 for one in found.values() for values in one.values() if isinstance(values, list))


def test_a_pair_that_is_not_alike_is_named_below_the_table_and_one_of_the_same_paper_stands(drawn):
    numbers = {"theirs": [0.4, 0.3, 0.5], "ours": [0.1, 0.0, 0.2], "distance": [1.0, 0.5, 1.5], "twins": []}
    kitten = {
        "record": "kitten",
        "cells": 62,
        "evidence": "digitised",
        "reference": "A 1977",
        "subjects": 5,
        "after": 0,
    }
    row = {**numbers, **kitten, "first": "different", "last": "", "unlike": "", "same_paper": False, "label": "alike"}
    short = {**row, "label": "short", "unlike": "lasted 28 epochs and not 4"}
    own = {**short, "label": "after the paper", "same_paper": True}
    lines = drawn.histograms_table({"histograms": [row, short, own]}).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:4]] == [
        "alike, at its end (n = 5)",
        "after the paper, at its end (n = 5)",
    ]
    assert lines[-1] == "Left out by that rule: short beside kitten (lasted 28 epochs and not 4)."


def test_subjects_without_a_threshold_are_counted_and_not_dropped(drawn):
    assert drawn.threshold_text([0.2, 0.2, 0.2]) == "0.20 [0.20, 0.20]"
    assert drawn.threshold_text(["none"] * 3) == "none"
    assert drawn.threshold_text([0.2, 0.5, "none", "<0.05"]) == "0.20 to 0.50 in 2, <0.05 in 1, none in 1"
    assert drawn.threshold_text(["<0.05"] * 2) == "<0.05 in 2"
    assert drawn.threshold_text([0.2, "none", None]) == "0.20 in 1, none in 1, not measured in 1"
    assert drawn.threshold_text([None] * 2) == "–"


def test_thresholds_are_those_measured_or_none_where_depth_was_not_told(drawn):
    from types import SimpleNamespace

    import numpy as np

    def subject(depth: float, **values: float) -> SimpleNamespace:
        measured = {
            f"{vary}_{end}": np.array([0, value])
            for vary in ("correlation", "disparity")
            for end, value in values.items()
        }
        history = {"epoch": np.array([8]), "stereopsis": np.array([depth])}
        measures = {("stereo-threshold", "network"): SimpleNamespace(values=measured)} if values else {}
        return SimpleNamespace(history=history, measures=measures)

    subjects = [
        subject(0.99, threshold=0.21234, censored=0),
        subject(0.99, threshold=0.05, censored=1),
        subject(0.8, threshold=float("nan"), censored=-1),
        subject(0.52),
        subject(0.95),
    ]
    found = drawn._thresholds(SimpleNamespace(subjects=subjects))
    expected = [0.212, "<0.05", "none", "none", None]
    assert found == {"correlation": expected, "disparity": expected}


def test_the_page_tells_of_as_many_criteria_as_there_are(drawn):
    import csv

    with (ROOT / "data" / "literature" / "fact_tests.csv").open(encoding="utf-8") as file:
        rows = len(list(csv.DictReader(file)))
    assert f"30 of the {rows} rows" in drawn.PAGE.read_text(encoding="utf-8")
