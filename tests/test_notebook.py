"""What a notebook needs: figures that show themselves, tables, lines of progress, conditions by name."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import binocular
from binocular import protocols
from binocular.stimuli.canvas import Canvas
from binocular.stimuli.errors import BadInput
from binocular.store.study import Study, load_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header
from tests.tiny import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    two = ("normal", "deprived-early")
    write_study(folder / "study.h5", invented_header((0, 1), two), invented_conditions((0, 1), two, map_site=True))
    return folder


def png_size(picture: bytes) -> tuple[int, int]:
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", picture[16:24])  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["dominance", "outcomes", "rearing", "learning"])
def test_a_figure_by_name_shows_itself(folder: Path, name: str):
    before = dict(mpl.rcParams)
    figure = binocular.figure_of(folder, name)
    assert isinstance(figure, Canvas)
    picture, size = figure._repr_png_()
    assert dict(mpl.rcParams) == before
    width, height = png_size(picture)
    assert width / height == pytest.approx(size["width"] / size["height"], rel=0.01) and width > size["width"]


def test_it_is_drawn_as_in_the_report(folder: Path):
    """In the style of the project: no other font size than asked for, and the same picture as `draw` gives."""
    from binocular.report.figures import draw
    from binocular.report.figures.style import style

    (_, _, reported), *_ = draw(load_study(folder), ["dominance"])
    pictures = []
    for figure in (reported, binocular.figure_of(load_study(folder), "dominance")):
        with style():
            figure.savefig(written := io.BytesIO(), format="png", dpi=80)
        pictures.append(written.getvalue())
    assert pictures[0] == pictures[1]


def test_a_site_can_be_chosen(folder: Path):
    figure = binocular.figure_of(folder, "dominance", "representation.map")
    assert "site representation.map" in " ".join(figure.get_suptitle().split())


def test_what_cannot_be_drawn_is_one_sentence(folder: Path):
    with pytest.raises(BadInput, match="no figure 'histogram'; accepted are dominance"):
        binocular.figure_of(folder, "histogram")
    with pytest.raises(BadInput, match=r"site 'trunk\.9'; accepted are representation, representation\.map"):
        binocular.figure_of(folder, "dominance", "trunk.9")
    with pytest.raises(BadInput, match="binocular measure STUDY --probe odi"):
        binocular.figure_of(folder, "agreement")
    empty = Study({"title": "Nothing", "treated_eye": "right"}, ())
    with pytest.raises(BadInput, match="no subjects to draw"):
        binocular.figure_of(empty, "dominance")


def test_a_study_shows_its_table(folder: Path):
    study = load_study(folder)
    html = study._repr_html_()
    for row in study.condition_table():
        for cell in row.cells.values():
            assert f"<td>{cell.text()}</td>" in html
    assert "CBI 1 = right (treated) eye only" in html
    assert "&lt;study&gt;" not in html and "<study>" not in html


def test_conditions_and_their_measures_by_name(folder: Path):
    study = load_study(folder)
    early = study.condition("deprived-early")
    assert early is study.conditions[1]
    counts = np.array([dominance.groups[-1] for dominance in early.dominance()])
    assert early.group_at_end(7).mean == pytest.approx((counts[:, 6] / counts.sum(1)).mean())
    last = [subject.history["stereopsis"][-1] for subject in early.subjects]
    assert early.vision_at_end("stereopsis").mean == pytest.approx(np.mean(last))
    cell = study.condition_table()[1].cells["CBI"]
    assert str(early.at_end("cbi")) == cell.text()
    with pytest.raises(BadInput, match="no condition 'early'; accepted are normal, deprived-early"):
        study.condition("early")
    with pytest.raises(BadInput, match="no group 0"):
        early.group_at_end(0)
    with pytest.raises(BadInput, match=r"not tested in 'depth'; accepted are .*stereopsis"):
        early.vision_at_end("depth")


def test_a_run_tells_on_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    protocol = tiny(tmp_path, "stimulus.n_train=20", "stimulus.n_test=20")
    outcome = binocular.run_study(protocol, tmp_path / "out", progress=True)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"rearing {outcome.reared} subject-epochs" and told[-1].startswith(f"{outcome.reared} of")
    binocular.run_study(protocol, tmp_path / "out", progress=False)
    assert not capsys.readouterr().out


def test_what_the_eyes_see_in_a_condition(tmp_path: Path):
    protocol = tiny(tmp_path)
    closed = binocular.stimulus_figure(protocol, "early", pairs=3)
    assert isinstance(closed, Canvas)
    pictures = [np.asarray(image.get_array()) for image in closed.axes[0].images]
    assert len(pictures) == 9
    for left, right in zip(pictures[0::3], pictures[1::3], strict=True):
        assert right.std() < left.std()  # nothing but noise of its own comes through the lid
    opened = binocular.stimulus_figure(protocol, "early", phase=2, pairs=3)
    assert np.asarray(opened.axes[0].images[1].get_array()).std() > 0.05
    with pytest.raises(BadInput, match="3 phases, not 4"):
        binocular.stimulus_figure(protocol, "late", 4)
    with pytest.raises(BadInput, match="no condition 'sooner'"):
        binocular.stimulus_figure(protocol, "sooner")


def test_a_long_heading_is_not_cut_off(tmp_path: Path):
    squint = 'conditions.0.phases=[{ epochs = 1, deficits = [{ kind = "misalignment", eye = "right", horizontal = 2, '
    squint += 'vertical = 2, changing = "presentation" }] }]'
    figure = binocular.stimulus_figure(tiny(tmp_path, squint), "normal", pairs=8)
    figure.savefig(io.BytesIO(), format="png")
    title = figure.axes[0]._left_title  # type: ignore[attr-defined]
    assert "misaligned" in title.get_text()
    assert title.get_window_extent().x1 <= figure.bbox.x1


def test_time_lines_show_themselves():
    protocol = protocols.load_protocol("monocular-deprivation")
    figure = binocular.timeline_figure(protocol)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [condition.name for condition in protocol.conditions]
    assert png_size(figure._repr_png_()[0])[0] > 500  # type: ignore[attr-defined]
