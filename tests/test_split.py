"""Split images: which columns each eye sees, by hand-made images, and what augmentation does before the split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from binocular.stimuli import stimulus_config
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.errors import BadInput
from binocular.stimuli.split import SplitImages, SplitImageSet, crop_and_flip, fit_canvas
from binocular.stimuli.streams import stream


@pytest.fixture
def ramps(tmp_path: Path) -> Path:
    """Two classes of 16 x 16 pictures whose columns grow brighter to the right, one of them bluish."""
    ramp = np.arange(16, dtype=np.uint8) * 10 + 50
    for name, blue in (("plain", 0), ("blue", 40)):
        (tmp_path / name).mkdir()
        for number in range(10):
            pixels = np.broadcast_to(ramp[None, :, None], (16, 16, 3)).copy()
            pixels[..., 2] += blue
            pixels[..., 1] += number
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def split(path: Path, **fields: object) -> SplitImageSet:
    return SplitImages(**{"dataset": "folder", "path": str(path), "size": 16, **fields}).build(0)


@pytest.mark.parametrize("fields", [{}, {"n_train": 6}, {"n_train": 6, "n_test": 2}])
def test_what_a_folder_takes_is_known_before_it_is_read(ramps: Path, fields: dict[str, int]) -> None:
    config = SplitImages(dataset="folder", path=str(ramps), size=16, **fields)
    stimuli = config.build(0)
    assert config.counts() == (len(stimuli.labels["train"]), len(stimuli.labels["test"]))
    assert config.memory() == sum(images.nbytes for images in stimuli._images.values())
    assert SplitImages(dataset="folder", path=str(ramps / "gone")).counts() == (0, 0)
    assert SplitImages(dataset="cifar-10", n_test=5).counts() == (50_000, 5)


@pytest.mark.parametrize(("visible", "columns"), [(None, 8), (1, 1), (6, 6), (8, 8), (10, 10), (16, 16)])
def test_each_eye_sees_its_outer_columns(ramps: Path, visible: int | None, columns: int) -> None:
    stimuli = split(ramps, visible=visible)
    assert stimuli.shape == (3, 16, 16)
    views = stimuli.views("test", torch.arange(4), None)
    assert views.shape == (4, 2, 3, 16, 16)
    assert views.dtype == torch.float32
    shown = views * stimuli.deviation.view(1, 1, 3, 1, 1) + stimuli.mean.view(1, 1, 3, 1, 1)
    brightness = torch.arange(16.0) * 10 + 50
    left, right = shown[:, LEFT, 0], shown[:, RIGHT, 0]
    assert torch.allclose(left[..., :columns], brightness[:columns].expand(4, 16, columns), atol=1e-3)
    assert torch.allclose(right[..., 16 - columns :], brightness[16 - columns :].expand(4, 16, columns), atol=1e-3)
    assert not views[:, LEFT, ..., columns:].any()
    assert not views[:, RIGHT, ..., : 16 - columns].any()
    assert not torch.signbit(views[views == 0]).any()


def test_full_width_shows_the_same_to_both_eyes(ramps: Path) -> None:
    views = split(ramps, visible=16).views("test", torch.arange(4), None)
    assert torch.equal(views[:, LEFT], views[:, RIGHT])


def test_grey_is_the_mean_of_each_channel(ramps: Path) -> None:
    stimuli = split(ramps, visible=16)
    views = stimuli.views("train", torch.arange(len(stimuli.labels["train"])), None)[:, LEFT]
    assert torch.allclose(views.mean((0, 2, 3)), torch.zeros(3), atol=1e-4)
    assert torch.allclose(views.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4)


def test_mirroring_comes_before_the_split(ramps: Path) -> None:
    # A mirrored ramp is bright on the left: the left eye then sees what was right, and never a hole.
    stimuli = split(ramps, augment="crop-flip", padding=0)
    views = stimuli.views("train", torch.zeros(200, dtype=torch.long), stream(0, "augment"))
    red = views[:, :, 0, 0]
    plain = red[0] if red[0, LEFT, 0] < 0 else -red[0].flip(0).flip(-1)
    rising = red[:, LEFT, 0] < 0
    assert 70 < rising.sum() < 130
    assert torch.allclose(red[rising], plain.expand(int(rising.sum()), 2, 16), atol=1e-5)
    mirrored = torch.stack([plain[RIGHT].flip(-1), plain[LEFT].flip(-1)])
    assert torch.allclose(red[~rising], mirrored.expand(int((~rising).sum()), 2, 16), atol=1e-5)


def test_both_eyes_see_the_same_crop(ramps: Path) -> None:
    whole = split(ramps, visible=16, augment="crop-flip").views("train", torch.arange(16), stream(3, "augment"))
    assert torch.equal(whole[:, LEFT], whole[:, RIGHT])
    halves = split(ramps, augment="crop-flip").views("train", torch.arange(16), stream(3, "augment"))
    assert torch.equal(halves[:, LEFT] + halves[:, RIGHT], whole[:, LEFT])


def test_crop_and_flip_against_a_slow_reference() -> None:
    images = torch.randn(40, 2, 6, 7, generator=stream(0, "images"))
    before = images.clone()
    moved = crop_and_flip(images, 2, stream(1, "augment"))
    assert torch.equal(images, before)
    framed = torch.nn.functional.pad(images, (2, 2, 2, 2))
    seen = set()
    for number in range(40):
        candidates = {}
        for row in range(5):
            for column in range(5):
                crop = framed[number, :, row : row + 6, column : column + 7]
                candidates[row, column, False], candidates[row, column, True] = crop, crop.flip(-1)
        matches = [name for name, crop in candidates.items() if torch.equal(crop, moved[number])]
        assert len(matches) == 1
        seen.add(matches[0])
    assert {row for row, _, _ in seen} == {column for _, column, _ in seen} == set(range(5))
    assert {mirrored for _, _, mirrored in seen} == {True, False}


def test_test_images_are_never_augmented(ramps: Path) -> None:
    plain = split(ramps).views("test", torch.arange(4), None)
    assert torch.equal(split(ramps, augment="crop-flip").views("test", torch.arange(4), None), plain)
    with pytest.raises(ValueError, match="pass a generator"):
        split(ramps, augment="crop-flip").views("train", torch.arange(4), None)


def test_same_images_for_all_seeds(ramps: Path) -> None:
    config = SplitImages(dataset="folder", path=str(ramps), size=16, n_train=6)
    first, second = config.build(0), config.build(1)
    index = torch.arange(6)
    assert torch.equal(first.views("train", index, None), second.views("train", index, None))
    assert first.labels["train"].tolist() == [0, 1] * 3
    assert first.class_names == ("blue", "plain")
    assert first.tasks == {}


def test_padding_continues_the_border() -> None:
    images = np.arange(4, dtype=np.uint8).reshape(1, 1, 2, 2)
    padded = fit_canvas(images, 5, "pad")[0, 0]
    assert padded.tolist() == [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [2, 2, 3, 3, 3], [2, 2, 3, 3, 3], [2, 2, 3, 3, 3]]
    with pytest.raises(BadInput, match='would cut images of 2 x 2 pixels; set fit = "resize"'):
        fit_canvas(images, 1, "pad")


def test_resizing_keeps_brightness_and_place() -> None:
    images = np.zeros((3, 1, 8, 8), np.uint8)
    images[:, :, :4, :4] = 200
    small, large = fit_canvas(images, 4, "resize"), fit_canvas(images, 16, "resize")
    assert small.shape == (3, 1, 4, 4)
    assert small[0, 0, 0, 0] == large[0, 0, 0, 0] == 200
    assert small[0, 0, 3, 3] == large[0, 0, 15, 15] == 0
    assert small.mean() == pytest.approx(50, abs=2)


def test_photographs_need_nothing() -> None:
    stimuli = stimulus_config({"kind": "split-images", "n_train": 20, "n_test": 10, "size": 16}).build(0)
    views = stimuli.views("train", torch.arange(20), None)
    assert views.shape == (20, 2, 1, 16, 16)
    assert views.isfinite().all()
    assert stimuli.n_classes == 10


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"visible": 33}, "visible 33 is more than the 32 columns"),
        ({"visible": 0}, r"stimulus\.visible is 0, but must be 1 or more"),
        ({"dataset": "mnist"}, r"stimulus\.dataset is .*'photographs', 'fashion-mnist', 'cifar-10' or 'folder'"),
        ({"dataset": "cifar-10", "size": 16}, 'would cut images of 32 pixels; set fit = "resize"'),
        ({"dataset": "fashion-mnist", "path": ""}, r"stimulus\.path"),
        ({"augment": "mixup"}, r"stimulus\.augment is .*'none' or 'crop-flip'"),
        ({"n_train": -1}, r"stimulus\.n_train"),
        ({"columns": 4}, r"stimulus\.columns is not a field; accepted are kind, dataset, path"),
    ],
)
def test_bad_fields_are_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        stimulus_config({"kind": "split-images", **fields})


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_same_images_on_a_cuda_device(ramps: Path) -> None:
    config = SplitImages(dataset="folder", path=str(ramps), size=16, augment="crop-flip")
    here, there = config.build(0), config.build(0, "cuda")
    index = torch.arange(4)
    assert torch.allclose(here.views("test", index, None), there.views("test", index.cuda(), None).cpu(), atol=1e-6)
    assert there.views("train", index.cuda(), stream(0, "augment", device="cuda")).device.type == "cuda"
