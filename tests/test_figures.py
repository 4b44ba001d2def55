"""Figures: what is drawn is what was measured, for any number of conditions and seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from binocular.report.figures import (
    FIGURES,
    dominance_figure,
    dominance_histogram,
    draw_all,
    figure_of,
    interval_rows,
    learning_curves,
    learning_figure,
    rearing_figure,
    rsv_density,
)
from binocular.report.figures.areas import areas_figure
from binocular.report.figures.style import EYE_COLOURS, lived_through, number, style
from binocular.stimuli.canvas import Canvas
from binocular.stimuli.errors import BadInput
from binocular.store.records import SiteUnits, SubjectRecord
from binocular.store.study import Condition, Study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_subject

COUNTS = np.array([[2, 0, 0, 4, 0, 0, 14], [0, 2, 0, 4, 0, 4, 10]])
DEFICIT = [{"name": "lid", "start": 2, "stop": 5, "deficits": [{"kind": "occlusion", "eye": "right"}]}]


def study_of(subjects: list[SubjectRecord], **attributes: object) -> Study:
    names = list(dict.fromkeys(subject.condition for subject in subjects))
    conditions = tuple(Condition(n, n, tuple(s for s in subjects if s.condition == n)) for n in names)
    return Study(
        {"title": "Invented", "treated_eye": "right", "complete": 1, "versions": "{}", **attributes}, conditions
    )


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_bars_are_mean_shares_in_the_eyes_colours():
    ax = dominance_histogram(COUNTS)
    heights = [bar.get_height() for bar in ax.patches[:7]]
    np.testing.assert_allclose(heights, [5, 5, 0, 20, 0, 10, 60])
    assert same_color(ax.patches[0].get_facecolor(), EYE_COLOURS["right"])
    assert same_color(ax.patches[6].get_facecolor(), EYE_COLOURS["left"])
    assert "CBI 0.21" in texts(ax.figure) and "20 units × 2 seeds" in texts(ax.figure)


@pytest.mark.parametrize(("eye", "right", "left"), [("right", "treated", "fellow"), ("left", "fellow", "treated")])
def test_treated_and_fellow_eye_are_marked(eye: str, right: str, left: str):
    written = texts(dominance_histogram(COUNTS, treated_eye=eye).figure)
    assert f"right eye\n({right})" in written and f"left eye\n({left})" in written


def test_one_seed_has_no_whiskers_and_says_so():
    ax = dominance_histogram(COUNTS[:1], silent=[3])
    assert "(one seed)" in texts(ax.figure) and "3 silent" in texts(ax.figure) and "23 units" in texts(ax.figure)
    assert sum(len(lines.get_segments()) for lines in ax.collections) == 0


def test_nothing_but_silent_units_can_be_drawn():
    ax = dominance_histogram(np.zeros((2, 7)), null=np.zeros((2, 7)), silent=[5, 5])
    assert "all units silent" in texts(ax.figure)


def test_the_untrained_null_is_an_outline():
    plain, with_null = dominance_histogram(COUNTS), dominance_histogram(COUNTS, null=COUNTS[::-1])
    assert len(with_null.patches) == len(plain.patches) + 1


def test_density_columns_hold_all_units():
    rng = np.random.default_rng(0)
    rsv = [rng.uniform(-1, 1, (4, 50)) for _ in range(2)]
    rsv[0][0, :10] = np.nan
    ax = rsv_density([0, 2, 5, 10], rsv, phases=DEFICIT)
    mesh = ax.collections[0].get_array()
    np.testing.assert_allclose(mesh.sum(axis=0) * 0.5, 100)
    medians = ax.get_lines()[2].get_ydata()
    np.testing.assert_allclose(medians[1], np.median(np.concatenate([rsv[0][1], rsv[1][1]])))


def test_learning_curves_show_means_and_leave_out_what_was_not_tested():
    values = np.array([[0.2, np.nan, 0.6], [0.4, np.nan, 0.8]])
    ax = learning_curves([1, 2, 3], {"outline": values, "accuracy_left_only": values / 2}, phases=DEFICIT)
    lines = {line.get_label(): line for line in ax.get_lines()}
    line = lines["outline, both eyes"]
    np.testing.assert_allclose(line.get_xdata(), [1, 3])
    np.testing.assert_allclose(line.get_ydata(), [0.3, 0.7])
    assert same_color(lines["all classes, left eye alone"].get_color(), EYE_COLOURS["left"])


def test_chance_is_drawn_where_it_is_known_and_once_where_curves_share_it():
    values = np.array([[0.2, 0.3, 0.6]])
    columns = {"outline": values, "accuracy_left_only": values, "accuracy_right_only": values}
    chance = {"outline": 0.25, "accuracy_left_only": 0.125, "accuracy_right_only": 0.125}
    ax = learning_curves([1, 2, 3], columns, chance=chance)
    dotted = [line for line in ax.get_lines() if line.get_linestyle() == ":"]
    assert [line.get_ydata()[0] for line in dotted] == [0.25, 0.125]
    assert not any(same_color(dotted[1].get_color(), colour) for colour in EYE_COLOURS.values())
    assert not [line for line in learning_curves([1, 2, 3], columns).get_lines() if line.get_linestyle() == ":"]


def with_areas(subject: SubjectRecord) -> SubjectRecord:
    """Return a subject that was measured at first cells, an area behind them, and the representation."""
    site = subject.sites["representation"]
    for depth, (name, kind) in enumerate(
        (("first_binocular", "cell"), ("trunk.1", "cell"), ("representation", "pooled"))
    ):
        units = SiteUnits(kind, name, depth, site.values["rsv"].shape[1], 1, 1, [])
        subject.sites[name] = replace(site, values=dict(site.values), units=units)
    subject.sites["representation"].values["rsv"] = site.values["rsv"] / 4
    return subject


def test_the_areas_stand_side_by_side_from_the_first_cells_to_the_representation():
    study = study_of([with_areas(invented_subject("normal", seed)) for seed in (0, 1)])
    with style():
        figure = areas_figure(study)
    written = texts(figure)
    assert "first cells" in written and "area 2" in written and "32 cells a subject" in written
    measured = figure.subfigs[1].axes[1].get_lines()[0].get_ydata()
    assert measured[0] == measured[1] > measured[2], "the representation is less monocular"
    rows = study.area_table()
    assert [row.area for row in rows] == ["first binocular cells", "site trunk.1", "representation"]
    assert rows[0].units == "32 cells" and rows[2].units == "32 units"
    assert rows[0].cells["binocular"].mean == pytest.approx(study.conditions[0].at_end("binocular_share").mean)
    shares = [rows[0].cells[f"group {group}"].mean for group in range(1, 8)]
    assert sum(shares) == pytest.approx(1)


def test_a_study_of_one_area_has_no_figure_through_the_areas():
    study = study_of([invented_subject("normal")])
    assert study.area_table() == []
    with pytest.raises(BadInput, match="at least two areas"):
        figure_of(study, "areas")


def test_interval_rows_cut_at_the_limits():
    ax = interval_rows([[0.1, 0.9], [0.5], []], limits=(0, 1), reference=0.5)
    segments = [segment for lines in ax.collections for segment in lines.get_segments()]
    assert len(segments) == 1
    np.testing.assert_allclose(segments[0][:, 0], [0, 1])


def test_histories_in_words():
    assert lived_through([{**DEFICIT[0], "deficits": []}]) == "normal vision throughout"
    assert lived_through(DEFICIT) == "right eye: occlusion, epochs 2–5"
    assert lived_through([{**DEFICIT[0], "description": "right eye occluded"}]) == "right eye occluded, epochs 2–5"


def test_numbers_in_print():
    assert (number(-0.001), number(-0.5), number(0.125)) == ("0.00", "−0.50", "0.12")


@pytest.mark.parametrize("seeds", [1, 2])
def test_legends_tell_intervals_and_n_where_there_are_any(seeds: int):
    study = study_of([with_areas(invented_subject("normal", seed)) for seed in range(seeds)])
    for name in ("dominance", "outcomes", "areas", "learning", "rearing"):
        written = texts(figure_of(study, name))
        assert ("interval" in written) == (seeds > 1 and name != "rearing"), name
        assert name == "dominance" or (f"n = {seeds}" in written) == (seeds > 1 or name in ("outcomes", "rearing")), (
            name
        )
        assert "\n·" not in written, "a title is not broken before its dot"


@pytest.mark.parametrize("n", [1, 7, 30])
def test_any_number_of_conditions(n: int):
    subjects = [invented_subject(f"c{index:02}", units=6, epochs=4, deprived=(0, 2)) for index in range(n)]
    with style():
        figure = dominance_figure(study_of(subjects))
    assert sum(ax.get_visible() for ax in figure.axes) == n


def test_odd_studies_are_drawn():
    short = invented_subject("early end", 1, epochs=8, tasks=())
    subjects = [invented_subject("early end", 0, tasks=()), short, invented_subject("other", 0, epochs=1, every=1)]
    subjects[2].sites["untold"] = subjects[2].sites.pop("representation")
    study = study_of(subjects, treated_eye="left", title="A title that is much too long for a single line " * 3)
    for drawing in FIGURES.values():
        for site in study.sites if drawing.sites(study) else ():
            with style():
                drawing(study, site).draw_without_rendering()


@pytest.mark.parametrize("figure_of", [rearing_figure, learning_figure])
def test_deficits_are_marked_in_the_eyes_colour(figure_of):
    subjects = invented_conditions((0,), ("normal", "deprived-early"))
    with style():
        axes = figure_of(study_of(subjects)).axes
    for ax, marked in zip(axes, (False, True), strict=False):
        faces = [patch.get_facecolor()[:3] for patch in ax.patches]
        assert any(same_color(face, EYE_COLOURS["right"]) for face in faces) is marked


@pytest.fixture(scope="module")
def study_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figures") / "study.h5"
    two = ("normal", "deprived-early")
    write_study(path, invented_header((0, 1), two), invented_conditions((0, 1), two, map_site=True))
    return path


def test_all_figures_from_the_file_alone(study_path: Path, tmp_path: Path):
    before = dict(mpl.rcParams)
    written = draw_all(study_path, tmp_path / "figures")
    assert dict(mpl.rcParams) == before
    stems = {path.stem for path in written}
    assert {"dominance", "dominance.representation.map", "learning", "outcomes", "rearing"} <= stems
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(path.name for path in written)
    for path in written:
        start = path.read_bytes()[:5]
        assert start == (b"\x89PNG\r" if path.suffix == ".png" else b"<?xml")


def test_one_figure_twice_is_the_same_file(study_path: Path, tmp_path: Path):
    first = [path.read_bytes() for path in draw_all(study_path, tmp_path, ["learning"])]
    second = [path.read_bytes() for path in draw_all(study_path.parent, tmp_path, ["learning"])]
    assert first == second


def test_where_axes_stand_does_not_hang_on_the_last_bits_of_the_solver():
    figure = Canvas((6, 5), layout="constrained")
    for part in figure.subfigures(1, 2):
        part.subplots(1, 2, sharey=True)
    figure.suptitle("Four panels")
    for _ in range(2):
        figure.draw_without_rendering()
        boxes = [part.bbox_relative for part in figure.subfigs] + [ax.get_position(True) for ax in figure.axes]
        for box in boxes:
            np.testing.assert_array_equal(box.get_points(), box.get_points().round(9))
        assert len({tuple(box.get_points().flat) for box in boxes}) > 2
        assert all(ax.get_in_layout() for ax in figure.axes)
        figure.set_size_inches(9, 5)


def test_an_unknown_figure_is_one_sentence(study_path: Path, tmp_path: Path):
    with pytest.raises(BadInput, match="no figure 'histogram'; accepted are dominance"):
        draw_all(study_path, tmp_path, ["dominance", "histogram"])
    assert list(tmp_path.iterdir()) == []


def test_a_study_without_subjects_has_no_figures(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_study(tmp_path / "study.h5", invented_header(), [])
    assert draw_all(tmp_path, tmp_path / "figures") == []
    assert caplog.messages == ["binocular: no figure is drawn: the study has no subjects"]


def test_the_labels_of_conditions_are_not_taken_for_formulas(tmp_path: Path):
    study = study_of([invented_subject("normal")])
    odd = replace(study, conditions=(replace(study.conditions[0], label="$\\alpha_{ & <b>"),))
    with style():
        dominance_figure(odd).draw_without_rendering()
