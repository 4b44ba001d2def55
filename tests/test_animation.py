"""The animation shows what was measured, when it was measured, in a file that is small enough to send."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from binocular.report.figures import animation
from binocular.report.figures.animation import MOST_BYTES, animate, film
from binocular.report.figures.style import EYE_COLOURS, style
from binocular.stimuli.errors import BadInput
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
def shown(study_path: Path) -> Any:
    """Return a function from an epoch to the axes as they are then."""
    with style():
        figure, show, _ = film(load_study(study_path), "representation")

    def at(epoch: float) -> list:
        show(epoch)
        return figure.axes

    return at


def heights(ax: Any) -> np.ndarray:
    return np.array([bar.get_height() for bar in ax.containers[0]])


def written(ax: Any) -> str:
    """Return the text that changes, which is written last."""
    return ax.texts[-1].get_text()


def test_bars_at_a_checkpoint_are_the_measured_shares(study_path: Path, shown: Any):
    condition = load_study(study_path).conditions[0]
    for checkpoint, epoch in enumerate(condition.subjects[0].sites["representation"].epoch):
        measured = 100 * condition.shares("representation", checkpoint).mean(0)
        np.testing.assert_allclose(heights(shown(float(epoch))[0]), measured)


def test_between_checkpoints_bars_glide_in_a_straight_line(shown: Any):
    at, after = heights(shown(6)[0]), heights(shown(9)[0])
    np.testing.assert_allclose(heights(shown(7)[0]), at + (after - at) / 3)


@pytest.mark.parametrize(("epoch", "early", "late"), [(0, False, False), (3, True, False), (5, False, False)])
def test_a_panel_is_tinted_while_a_deficit_lasts(shown: Any, epoch: int, early: bool, late: bool):
    axes = shown(epoch)
    assert [ax.patches[0].get_visible() for ax in axes] == [early, late]
    assert ("occlusion" in written(axes[0])) is early


def test_a_condition_that_ended_stays_as_it_was(shown: Any):
    at_end = heights(shown(12)[0])
    axes = shown(16)
    np.testing.assert_array_equal(heights(axes[0]), at_end)
    assert "reared to epoch 12" in written(axes[0]) and "reared to" not in written(axes[1])


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "_STEPS", 24)
    monkeypatch.setattr(animation, "_HOLD", 2)


def test_a_gif_holds_the_frames_in_the_eyes_colours(study_path: Path, tmp_path: Path, short: None):
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
            assert (distance < 12).sum() > 50, colour


def test_a_picture_that_is_too_large_is_made_coarser(
    study_path: Path, tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(animation, "_STEPS", 4)
    whole = animate(study_path, tmp_path / "whole.gif").stat().st_size
    path = animate(study_path, tmp_path / "small.gif", most_bytes=3 * whole // 4)
    assert path.stat().st_size <= 3 * whole // 4


def test_odd_studies_can_be_filmed():
    silent = invented_subject("all silent", 0, epochs=4)
    silent.sites["representation"].values["rsv"][:] = np.nan
    other = invented_subject("one epoch", 0, epochs=1, every=1, deprived=(0, 1), eye="both", tasks=())
    study = _study([silent, other], title="A title that is much too long for a single line " * 3, treated_eye="left")
    with style():
        figure, show, frames = film(study, "representation")
        for epoch in frames:
            show(epoch)
        figure.draw_without_rendering()
    assert "all units silent" in written(figure.axes[0])


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


def test_what_cannot_be_drawn_is_one_sentence(study_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BadInput, match=r"\.gif or \.mp4"):
        animate(study_path, tmp_path / "film.avi")
    with pytest.raises(BadInput, match="accepted: representation"):
        animate(study_path, tmp_path / "film.gif", "trunk.9")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInput, match="ffmpeg, which is not installed"):
        animate(study_path, tmp_path / "film.mp4")
    write_study(tmp_path / "study.h5", replace(invented_header(), conditions=()), [])
    with pytest.raises(BadInput, match="no subjects to draw"):
        animate(tmp_path, tmp_path / "film.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["study.h5"]
