"""Contact sheets: pairs in the right eyes and colours, for any set of stimuli."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from binocular.stimuli import STIMULI
from binocular.stimuli.errors import BadInput
from binocular.stimuli.scenes import StereoScenes
from binocular.stimuli.sheets import (
    LEFT_COLOUR,
    OVERVIEWS,
    RIGHT_COLOUR,
    anaglyph,
    contact_sheet,
    overview,
    show,
    to_display,
)


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].get_images()]


def test_grey_is_the_middle_and_the_ends_are_black_and_white() -> None:
    views = torch.tensor([-9.0, -2.0, 0.0, 1.0, 2.0, 9.0]).view(1, 1, 1, 1, 6).expand(1, 2, 1, 1, 6)
    assert to_display(views, 2.0)[0, 0, 0, :, 0].tolist() == [0, 0, 0.5, 0.75, 1, 1]


def test_anaglyph_is_red_for_the_left_eye_and_cyan_for_the_right() -> None:
    views = torch.zeros(1, 2, 1, 1, 2)
    views[0, 0, 0, 0, 0] = 1.0
    views[0, 1, 0, 0, 1] = 1.0
    red, cyan = anaglyph(to_display(views, 1.0))[0, 0]
    assert red.tolist() == pytest.approx([1, 0.5, 0.5])
    assert cyan.tolist() == pytest.approx([0.5, 1, 1])


def test_rows_are_left_right_and_both() -> None:
    views = torch.zeros(2, 2, 1, 4, 4)
    views[:, 0], views[:, 1] = 1.0, -1.0
    ax = contact_sheet(views, ["one", "two"], ax=Figure().add_subplot(), reach=1.0)
    images = ax.get_images()
    assert len(images) == 6
    heights = [image.get_extent()[2] for image in images[:3]]
    assert heights == sorted(heights, reverse=True)
    left, right, both = (np.asarray(image.get_array())[0, 0].tolist() for image in images[:3])
    assert (left, right, both) == ([1, 1, 1], [0, 0, 0], pytest.approx([1, 0, 0]))


def test_eyes_are_named_in_their_colours() -> None:
    ax = contact_sheet(torch.rand(3, 2, 1, 4, 4), ax=Figure().add_subplot())
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert same_color(colours["left eye"], LEFT_COLOUR)
    assert same_color(colours["right eye"], RIGHT_COLOUR)


@pytest.mark.parametrize(("n", "columns", "channels"), [(1, 8, 1), (8, 8, 3), (9, 4, 1)])
def test_every_stimulus_is_drawn(n: int, columns: int, channels: int) -> None:
    ax = contact_sheet(torch.rand(n, 2, channels, 5, 7) - 0.5, ax=Figure().add_subplot(), columns=columns)
    assert len(ax.get_images()) == 3 * n
    places = {tuple(np.round(image.get_extent(), 3)) for image in ax.get_images()}
    assert len(places) == 3 * n


def test_a_blank_eye_and_a_blank_sheet_are_grey() -> None:
    ax = contact_sheet(torch.zeros(1, 2, 1, 4, 4), ax=Figure().add_subplot())
    assert all(np.allclose(np.asarray(image.get_array()), 0.5) for image in ax.get_images())


def test_views_after_a_deficit_can_be_shown() -> None:
    scenes = StereoScenes(n_train=8, n_test=8).build(0)

    def close_the_right_eye(views: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        assert labels.tolist() == scenes.labels["train"][:4].tolist()
        closed = views.clone()
        closed[:, 1] = 0
        return closed

    shown = pictures(show(scenes, n=4, change=close_the_right_eye))
    assert all(np.allclose(image, 0.5) for image in shown[1::3])
    assert not any(np.allclose(image, 0.5) for image in shown[0::3])


def test_same_seed_same_sheet() -> None:
    scenes = StereoScenes(n_train=8, n_test=8, fresh="scenes").build(0)
    one, again, other = (pictures(show(scenes, seed=seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert len(pictures(show(scenes, split="test", n=3))) == 9


@pytest.mark.parametrize(
    "views",
    [torch.zeros(2, 1, 1, 4, 4), torch.zeros(2, 2, 2, 4, 4), torch.zeros(2, 2, 4, 4), torch.zeros(0, 2, 1, 4, 4)],
)
def test_what_cannot_be_drawn_is_refused(views: torch.Tensor) -> None:
    with pytest.raises(BadInput, match=r"cannot be drawn; accepted is|no stimulus to draw"):
        contact_sheet(views, ax=Figure().add_subplot())


def test_too_few_titles_are_refused() -> None:
    with pytest.raises(BadInput, match="1 titles were given for 2 stimuli"):
        contact_sheet(torch.zeros(2, 2, 1, 4, 4), ["one"], ax=Figure().add_subplot())


@pytest.mark.parametrize("kind", OVERVIEWS)
def test_overview_of_every_kind(kind: str, tmp_path) -> None:
    import matplotlib.pyplot as plt

    before, open_before = dict(mpl.rcParams), plt.get_fignums()
    figure = overview(kind)
    for ending in ("png", "svg"):
        figure.savefig(tmp_path / f"sheet.{ending}")
        assert (tmp_path / f"sheet.{ending}").stat().st_size > 5000
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_before


def test_every_registered_stimulus_has_an_overview() -> None:
    assert set(STIMULI) <= set(OVERVIEWS)
    with pytest.raises(BadInput, match="no stimulus 'dots'; accepted are stereo-scenes"):
        overview("dots")
