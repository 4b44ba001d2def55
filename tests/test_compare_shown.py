"""The comparison with published data as figures, as a table and as a file."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from rich.console import Console

from binocular.compare import compare_study, load_literature, write_comparison
from binocular.compare.curve_figures import effect_curve, profile_figures
from binocular.compare.curves import PublishedPoint, Series
from binocular.compare.experiment_figure import columns_of, experiment_figures
from binocular.compare.histogram_figures import histogram_figures, oriented_histogram, unit_figures
from binocular.compare.presenting import print_comparison
from binocular.compare.writing import COMPARISONS, as_plain, draw_comparison
from binocular.report.figures.style import EYE_COLOURS, style
from binocular.stimuli.canvas import Canvas
from binocular.store.statistics import Interval
from binocular.store.writing import ConditionHeader, write_study
from tests.chosen_histograms import ANIMALS, CAT, MONKEY, NORMAL, OPEN_EYE, closed, mixed, phases, study_of, subject
from tests.console import assert_one_sentence, binocular
from tests.synthetic import invented_header


def test_points_from_words_are_open_and_no_line_joins_published_points():
    points = [PublishedPoint(1, 1, "from the text: maximal", "x", True), PublishedPoint(2, 0.5, "r", "x", False)]
    shifts = (Interval(1, 0.9, 1.1), Interval(0.5, 0.4, 0.6))
    ours = Series("one eye closed", 1, np.array([0.0, 1]), shifts, (), Interval(0.5))
    ax = Canvas().subplots()
    effect_curve(ax, points, {0: (ours.epochs, ours)})
    faces = [to_hex(line.get_markerfacecolor()) for line in ax.lines if line.get_marker() == "o"]
    assert faces[0] == "#ffffff" and faces[1] != "#ffffff"
    assert all(len(line.get_xdata()) == 1 for line in ax.lines if line.get_marker() == "o")
    assert any(len(line.get_xdata()) == 2 and line.get_marker() == "D" for line in ax.lines)


@pytest.mark.parametrize(("deprived", "first"), [("right", "right"), ("left", "left")])
def test_groups_have_the_colour_of_the_eye_they_belong_to(deprived: str, first: str):
    ax = oriented_histogram(OPEN_EYE, deprived_eye=deprived, outline=NORMAL)
    assert [bar.get_height() for bar in ax.patches[:7]] == pytest.approx(100 * np.array(OPEN_EYE))
    assert same_color(ax.patches[0].get_facecolor(), EYE_COLOURS[first])
    grey = oriented_histogram(OPEN_EYE).patches[0].get_facecolor()
    assert not any(same_color(grey, colour) for colour in EYE_COLOURS.values())


def test_every_figure_is_drawn_as_png_and_svg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = {name: ANIMALS[name] for name in ("normal", "early", "blur")}
    made["later"] = (mixed(0.4), phases((20, None), (36, closed())))
    made["short"] = (mixed(0.2), phases((4, closed()), (10, None)))
    found = compare_study(study_of(made, seeds=2))
    few = tuple(one for one in found.shown if one.sample.name in ("early", "blur"))
    found = replace(found, histograms=few)
    for name, function in COMPARISONS.items():
        module, attribute = function.split(":")
        figures = getattr(import_module(module), attribute)(found)
        assert len(figures) == 1, name
        with style():
            figures[0].draw_without_rendering()
    monkeypatch.setattr("binocular.compare.writing.COMPARISONS", {"units": COMPARISONS["units"]})
    written = draw_comparison(found, tmp_path)
    assert [path.name for path in written] == ["units.png", "units.svg"]
    assert all(path.stat().st_size > 2000 for path in written)


def test_the_experiment_stands_beside_the_animals_to_which_the_same_was_done():
    made = {
        "normal": (CAT, phases((40, None))),
        "early": (OPEN_EYE, phases((12, closed()), (28, None))),
        "late": (NORMAL, phases((40, None), (12, closed()), (8, None))),
        "both": (NORMAL, phases((12, closed("both")), (28, None))),
        "blur": ANIMALS["blur"],
    }
    found = compare_study(study_of(made))
    columns = {column.sample.name: column for column in columns_of(found)}
    animals = {name: [record.id for record in column.animals] for name, column in columns.items()}
    assert animals == {
        "normal": [], "early": ["kitten_md45_open_1"], "late": ["monkey_md_1yr", "monkey_md_6yr"], "both": [],
    }  # fmt: skip
    normal, both = columns["normal"].parts, columns["both"].parts
    assert normal is not None and both is not None
    assert normal.shares == pytest.approx(np.array([7, 85, 7]) / 99) and not normal.from_words and both.from_words
    with style():
        (figure,) = experiment_figures(found)
    above, below = figure.axes[:4], figure.axes[4:]
    written = "\n".join(text.get_text() for text in figure.findobj(mpl.text.Text))
    for words in (
        "62 cells",
        "Mitchell, Cynader & Movshon 1977",
        "48 units × 3 subjects",
        "epochs 0–12 closed, then open",
        "85 % in groups 2–6",
    ):
        assert words in " ".join(written.split()), words
    kitten = [bar.get_height() for bar in above[1].patches]
    assert kitten == pytest.approx(100 * load_literature().histograms["kitten_md45_open_1"].shares)
    assert [bar.get_height() for bar in below[1].patches[:7]] == pytest.approx(100 * columns["early"].sample.shares)
    assert above[1].get_ylim() == below[1].get_ylim(), "the two are on one scale"
    assert same_color(below[1].patches[0].get_facecolor(), EYE_COLOURS["right"])
    assert same_color(above[3].patches[0].get_facecolor(), "white"), "what is made of words is open"


def test_json_is_whole_and_the_table_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("binocular.compare.writing.COMPARISONS", {})
    found = compare_study(study_of({k: ANIMALS[k] for k in ("normal", "early")}))
    write_comparison(found, tmp_path)
    path = write_comparison(found, tmp_path)[0]
    assert path.is_file(), "numbers stay where figures of an earlier comparison are cleared away"
    read = json.loads(path.read_text("utf-8"))
    assert read["schema"] == "binocular-comparison/1" and "97.5%" in read["criterion"]
    assert len(read["histograms"]) == 2 * 9 + 2 and len(read["facts"]) == len(load_literature().tests)
    one = next(h for h in read["histograms"] if h["condition"] == "early" and h["published"]["id"] == "monkey_md_2wk")
    assert one["like_for_like"] and one["published"]["evidence"] == "digitised" and one["kolmogorov_smirnov"] is None
    assert sum(one["units_per_group_and_seed"][0]) == 48
    assert {scale["status"] for scale in read["age_scales"]} == {"declared"}
    console = Console(width=80, record=True, file=io.StringIO())
    print_comparison(found, console)
    text = console.export_text()
    assert "consistent" in text or "different" in text
    assert "monkey_md_2wk" in text and "not in this study: " in text and max(map(len, text.splitlines())) <= 80
    wide = Console(width=200, record=True, file=io.StringIO())
    print_comparison(found, wide)
    assert "cbi below 0.4?" in wide.export_text(), "the criterion stands beside the number that it judges"


def test_a_single_subject_is_marked():
    found = compare_study(study_of({"closed": (MONKEY.shares, phases((10, closed())))}, seeds=1), ["monkey_md_2wk"])
    console = Console(width=80, record=True, file=io.StringIO())
    print_comparison(found, console)
    assert "One subject" in console.export_text()


def test_silent_subjects_are_not_compared_and_break_nothing():
    study = study_of({"closed": (MONKEY.shares, phases((10, closed()))), "normal": (NORMAL, phases((20, None)))})
    for one in study.conditions[0].subjects:
        one.sites["representation"].values["rsv"][:] = np.nan
    found = compare_study(study)
    assert {one.verdict for one in found.histograms if one.sample.name == "closed"} == {"not comparable"}
    assert {one.test.id: one.why for one in found.facts}["early_shift"] == "all units are silent"
    assert all(function(found) is not None for function in (histogram_figures, unit_figures, profile_figures))
    (figure,) = histogram_figures(found)
    written = {text.get_text() for text in figure.findobj(mpl.text.Text)}
    assert any(text.endswith(", n = 3") for text in written) and "share (%)\nrepresentation" in written
    json.dumps(as_plain(found), allow_nan=False)


def test_the_command(tmp_path: Path):
    subjects = [subject(name, seed, *ANIMALS[name]) for name in ("normal", "early") for seed in (0, 1)]
    headers = [ConditionHeader(name, name) for name in ("normal", "early")]
    write_study(tmp_path / "study.h5", invented_header(seeds=(0, 1), conditions=headers), subjects)
    done = binocular("compare", ".", "--with", "monkey_md_2wk", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "different" in done.stdout and "comparison.json" in done.stdout
    assert {"comparison.json", "histograms.png", "histograms.svg"} <= {
        p.name for p in (tmp_path / "comparison").iterdir()
    }
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "od_histograms.csv").write_text("id,species\na,b\n")
    done = binocular("compare", ".", "--literature", "mine", "--out", "elsewhere", cwd=tmp_path)
    assert_one_sentence(done, "od_histograms.csv, line 1", "missing")
    assert not (tmp_path / "elsewhere").exists()
