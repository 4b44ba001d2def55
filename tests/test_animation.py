"""The animation shows what was measured, when it was measured, in a file that is small enough to send."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from binocular.stimuli.errors import BadInput
from matplotlib.colors import to_rgb
from PIL import Image

from binocular.report.figures.animation import MOST_BYTES, animate
from binocular.report.figures.film import Film, Frame
from binocular.report.figures.style import EYE_COLOURS, style
from binocular.store.study import Study, load_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_subject

TWO = ("deprived-early", "deprived-late")


@pytest.fixture(scope="module")
def study_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("animated") / "study.h5"
    write_study(path, invented_header((0, 1), TWO), invented_conditions((0, 1), TWO))
    return path


@pytest.fixture(scope="module")
def film(study_path: Path) -> Film:
    with style():
        return Film(load_study(study_path), dpi=60)


def heights(film: Film, epoch: float, panel: int = 0) -> np.ndarray:
    film.show(Frame(epoch, 100))
    return np.array([bar.get_height() for bar in film._panels[panel]._bars])


def test_bars_at_a_checkpoint_are_the_measured_shares(study_path: Path, film: Film):
    condition = load_study(study_path).conditions[0]
    epochs = condition.subjects[0].sites["representation"].epoch
    for checkpoint, epoch in enumerate(epochs):
        measured = 100 * condition.shares("representation", checkpoint).mean(0)
        np.testing.assert_allclose(heights(film, float(epoch)), measured)
        panel = film._panels[0]
        assert all(bar.get_alpha() == 1 for bar in panel._bars)
        seeds = 100 * condition.shares("representation", checkpoint)
        for dots, values in zip(panel._dots, seeds, strict=True):
            assert dots.get_visible()
            np.testing.assert_allclose(dots.get_ydata(), values)


def test_between_checkpoints_bars_glide_pale_and_without_dots(film: Film):
    at, after = heights(film, 6), heights(film, 9)
    np.testing.assert_allclose(heights(film, 7), at + (after - at) / 3)
    panel = film._panels[0]
    assert not any(dots.get_visible() for dots in panel._dots) and all(bar.get_alpha() < 1 for bar in panel._bars)
    assert not panel._whiskers.get_segments()


@pytest.mark.parametrize(("epoch", "early", "late"), [(0, False, False), (3, True, False), (5, False, False)])
def test_a_panel_is_tinted_while_a_deficit_lasts(film: Film, epoch: int, early: bool, late: bool):
    film.show(Frame(epoch, 100))
    assert [panel._tint.get_visible() for panel in film._panels] == [early, late]
    assert ("occlusion" in film._panels[0]._now.get_text()) is early


def test_a_condition_that_ended_stays_as_it_was(film: Film):
    assert film.longest == 16
    at_end = heights(film, 12)
    np.testing.assert_array_equal(heights(film, 16), at_end)
    assert film._panels[0]._now.get_text() == "reared to epoch 12"
    assert list(film._panels[0]._hand.get_xdata()) == [12, 12]
    assert film._panels[0]._below.get_xlim() == film._panels[1]._below.get_xlim() == (0, 16)


def test_every_checkpoint_has_its_frame_and_time_runs_forward(film: Film):
    epochs = [frame.epoch for frame in film.frames]
    assert epochs == sorted(set(epochs)) and {0, 3, 4, 6, 8, 9, 12, 15, 16} <= set(epochs)
    assert all(frame.milliseconds > 0 for frame in film.frames)


def test_a_gif_holds_the_frames_in_the_eyes_colours(study_path: Path, tmp_path: Path):
    before = dict(mpl.rcParams)
    path = animate(study_path, tmp_path / "film.gif")
    assert dict(mpl.rcParams) == before and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(path) as picture:
        assert picture.n_frames > 20 and picture.info["loop"] == 0
        picture.seek(picture.n_frames - 1)
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
        assert tuple(pixels[0]) == (255, 255, 255)
        for colour in EYE_COLOURS.values():
            distance = np.abs(pixels - np.round(255 * np.array(to_rgb(colour)))).max(axis=1)
            assert (distance < 8).sum() > 50, colour


def test_a_picture_that_is_too_large_is_made_smaller(study_path: Path, tmp_path: Path):
    path = animate(study_path, tmp_path / "small.gif", most_bytes=250_000)
    assert path.stat().st_size <= 250_000


def test_odd_studies_can_be_filmed(tmp_path: Path):
    silent = invented_subject("all silent", 0, epochs=4)
    site = silent.sites["representation"]
    site.values["rsv"][:] = np.nan
    other = invented_subject("one epoch", 0, epochs=1, every=1, deprived=(0, 1), eye="both", tasks=())
    study = _study([silent, other], title="A title that is much too long for a single line " * 3, treated_eye="left")
    with style():
        film = Film(study, dpi=40)
        for frame in film.frames:
            film.picture(frame)
    film.show(film.frames[-1])
    assert film._panels[0]._bias.get_text() == "all units silent"


def test_many_conditions_take_fewer_frames():
    subjects = [invented_subject(f"c{n:02}", 0, epochs=6 + n, every=1, units=6) for n in range(24)]
    with style():
        film = Film(_study(subjects), dpi=20)
    assert len(film.frames) <= 20 and film.frames[0].epoch == 0 and film.frames[-1].epoch == 29


def _study(subjects: list, **attributes: object) -> Study:
    from binocular.store.study import Condition

    conditions = tuple(Condition(s.condition, f"${s.condition}", (s,)) for s in subjects)
    return Study(
        {"title": "Invented", "treated_eye": "right", "complete": 1, "versions": "{}", **attributes}, conditions
    )


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_mp4_can_be_played(study_path: Path, tmp_path: Path):
    path = animate(study_path, tmp_path / "film.mp4")
    assert path.stat().st_size <= MOST_BYTES and path.read_bytes()[4:8] == b"ftyp"
    played = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"], capture_output=True, check=False
    )
    assert played.returncode == 0 and not played.stderr


def test_what_cannot_be_drawn_is_one_sentence(study_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BadInput, match=r"\.gif or \.mp4"):
        animate(study_path, tmp_path / "film.avi")
    with pytest.raises(BadInput, match="accepted: representation"):
        animate(study_path, tmp_path / "film.gif", "trunk.9")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="ffmpeg, which is not installed"):
        animate(study_path, tmp_path / "film.mp4")
    write_study(tmp_path / "study.h5", replace(invented_header(), conditions=()), [])
    with pytest.raises(BadInput, match="no subjects"):
        animate(tmp_path, tmp_path / "film.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["study.h5"]
