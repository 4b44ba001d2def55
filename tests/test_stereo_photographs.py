"""Patches of real stereo pairs: files, geometry, and what one eye can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from binocular.stimuli import stereo_pairs, stimulus_config, stream
from binocular.stimuli.errors import BadInput
from binocular.stimuli.stereo_pairs import load_pairs, pair_files, read_disparity, reduced
from binocular.stimuli.stereo_photographs import StereoPhotographs


def write_pair(folder: Path, shift: int = 6, height: int = 160, width: int = 240) -> np.ndarray:
    """Write a pair of random dots of one disparity everywhere; return the left picture."""
    folder.mkdir(parents=True, exist_ok=True)
    dots = np.random.default_rng(0).integers(0, 256, (height, width + shift), dtype=np.uint8)
    left, right = dots[:, :width], dots[:, shift:]  # column x of the left is column x - shift of the right
    Image.fromarray(left).save(folder / "left.png")
    Image.fromarray(right).save(folder / "right.png")
    np.save(folder / "disparity.npy", np.full((height, width), shift, np.float32))
    return left


def config(**fields) -> StereoPhotographs:
    made = stimulus_config({"kind": "stereo-photographs", "n_train": 64, "n_test": 64, **fields})
    assert isinstance(made, StereoPhotographs)
    return made


@pytest.mark.parametrize("disparity", [1, 2, 3])
def test_near_lies_further_right_in_the_left_eye(tmp_path: Path, disparity: int):
    write_pair(tmp_path)
    stimulus = config(path=str(tmp_path), noise=0, disparity=disparity).build(0)
    views = stimulus.views("test", torch.arange(64), None)
    near = stimulus.labels["test"] % 2 == 0
    left, right = views[:, 0, 0], views[:, 1, 0]
    # What the left eye sees at column x, the right eye sees at x - disparity where near, at x + disparity where far.
    assert torch.equal(left[near][..., disparity:], right[near][..., :-disparity])
    assert torch.equal(left[~near][..., :-disparity], right[~near][..., disparity:])


def test_the_shipped_pair_matches_between_the_eyes_at_the_disparity_asked_for():
    stimulus = config(noise=0).build(0)
    views = stimulus.views("test", torch.arange(64), None)
    left = views[:, 0, 0, :, 4:12]

    def agreement(shift: int) -> torch.Tensor:
        moved = views[:, 1, 0, :, 4 - shift : 12 - shift]
        return (left - moved).square().mean((1, 2))

    errors = torch.stack([agreement(shift) for shift in range(-4, 5)])
    best = errors.argmin(0) - 4
    near = stimulus.labels["test"] % 2 == 0
    # Disparities are rounded to whole pixels, and some patches have little to match.
    assert (best[near] > 0).float().mean() > 0.8 and (best[~near] < 0).float().mean() > 0.8
    assert best[near].median() == 2 and best[~near].median() == -2


def test_one_eye_alone_is_shown_the_same_places_for_near_and_far():
    stimulus = config().build(0)
    for known in stimulus.places["train"]:
        columns = known[:, 2] - 8
        near, far = set((columns - 1).tolist()), set((columns + 1).tolist())
        assert len(near & far) >= 0.95 * len(near | far)


def test_no_pixel_is_both_learned_and_tested():
    stimulus = config().build(0)
    rows = {
        split: {row for known in parts for middle in known[:, 1].tolist() for row in range(middle - 8, middle + 8)}
        for split, parts in stimulus.places.items()
    }
    assert rows["train"] and rows["test"] and not rows["train"] & rows["test"]


def test_classes_are_balanced_and_tasks_follow_from_them():
    stimulus = config().build(0)
    assert torch.bincount(stimulus.labels["train"], minlength=8).tolist() == [8] * 8
    assert stimulus.tasks["part"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert stimulus.tasks["stereopsis"].tolist() == [0, 1] * 4


@pytest.mark.parametrize(
    ("fresh", "scene_changes", "noise_changes"), [("scenes", 1, 1), ("noise", 0, 1), ("none", 0, 0)]
)
def test_what_is_new_at_each_presentation(fresh: str, scene_changes: bool, noise_changes: bool):
    def shown(noise: float, epoch: int) -> torch.Tensor:
        stimulus = config(fresh=fresh, noise=noise).build(3)
        return stimulus.views("train", torch.arange(64), stream(3, "augmentation", epoch))

    assert torch.equal(shown(0.3, 0), shown(0.3, 0))
    assert torch.equal(shown(0, 0), shown(0, 1)) != scene_changes
    assert torch.equal(shown(0.3, 0), shown(0.3, 1)) != noise_changes
    test = config(fresh=fresh).build(3)
    assert torch.equal(test.views("test", torch.arange(64), None), test.views("test", torch.arange(64), None))


def test_arc_minutes():
    # 0.05 cm at 57 cm are 3.0 arc minutes: at 57 cm one cm is one degree, to half a percent.
    assert config().arcmin_per_pixel == pytest.approx(3.0, rel=0.006)
    assert config(disparity=2).disparity_arcmin == pytest.approx(6.0, rel=0.006)


def test_maps_as_png_pfm_and_npz(tmp_path: Path):
    depth = np.array([[1.5, 2.0, np.nan], [4.0, 0.25, 8.0]], np.float32)
    Image.fromarray(np.nan_to_num(depth * 256).astype(np.uint16)).save(tmp_path / "a.png")
    for name, order in (("b.pfm", "<"), ("c.pfm", ">")):
        scale = "-1.0" if order == "<" else "1.0"
        body = np.where(np.isnan(depth), np.inf, depth)[::-1].astype(f"{order}f4").tobytes()
        (tmp_path / name).write_bytes(f"Pf\n3 2\n{scale}\n".encode() + body)
    np.savez_compressed(tmp_path / "d.npz", depth)
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(read_disparity(path), depth)


def test_a_lower_resolution_divides_the_disparity(tmp_path: Path):
    write_pair(tmp_path)
    (pair,) = load_pairs(str(tmp_path), 256)
    half = reduced(pair, 2)
    assert half.left.shape == (80, 120) and np.all(half.disparity == 3)
    np.testing.assert_allclose(half.left[0, 0], pair.left[:2, :2].mean(), rtol=1e-6)


def test_several_pairs_and_the_names_of_middlebury(tmp_path: Path):
    for name in ("a", "b"):
        write_pair(tmp_path / name)
    for old, new in (("left.png", "im0.png"), ("right.png", "im1.png"), ("disparity.npy", "disp0.npy")):
        (tmp_path / "b" / old).rename(tmp_path / "b" / new)
    assert [left.name for left, _, _ in pair_files(tmp_path)] == ["left.png", "im0.png"]
    stimulus = config(path=str(tmp_path)).build(0)
    assert {pair for known in stimulus.places["train"] for pair in known[:, 0].tolist()} == {0, 1}


def _nothing(folder: Path) -> None:
    (folder / "left.png").unlink()


def _other_size(folder: Path) -> None:
    np.save(folder / "disparity.npy", np.ones((3, 3)))


def _text(folder: Path) -> None:
    (folder / "right.png").write_text("no picture")


def _objects(folder: Path) -> None:
    np.save(folder / "disparity.npy", np.array([{}]), allow_pickle=True)


def _unknown(folder: Path) -> None:
    np.save(folder / "disparity.npy", np.full((160, 240), np.nan))


def _huge_picture(folder: Path) -> None:
    (folder / "right.png").write_bytes(b"P5\n9000 8000\n255\n")


def _huge_map_as_picture(folder: Path) -> None:
    (folder / "disparity.npy").unlink()
    (folder / "disparity.png").write_bytes(b"P5\n30000 30000\n65535\n")


def _huge_map(folder: Path) -> None:
    with (folder / "disparity.npy").open("wb") as file:
        file.truncate(2**29 + 1)


def test_a_map_that_is_huge_once_unpacked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    np.savez_compressed(tmp_path / "d.npz", np.zeros((100, 100)))
    monkeypatch.setattr(stereo_pairs, "_MOST_BYTES", 50_000)
    with pytest.raises(BadInput, match=r"d\.npz cannot be read .*80,\d+ bytes; at most 50,000 are accepted"):
        read_disparity(tmp_path / "d.npz")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_huge_picture, "right.png cannot be read as a picture .*more than 67,108,864 pixels"),
        (_huge_map_as_picture, "disparity.png cannot be read as a picture .*more than 67,108,864 pixels"),
        (_huge_map, "disparity.npy cannot be read as a disparity map .*at most 536,870,912 are accepted"),
        (_nothing, "no stereo pair"),
        (_other_size, "of one size"),
        (_text, "right.png cannot be read as a picture"),
        (_objects, "disparity.npy cannot be read as a disparity map"),
        (_unknown, "flat places of known disparity"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, spoil, named: str):
    write_pair(tmp_path)
    spoil(tmp_path)
    with pytest.raises(BadInput, match=named):
        config(path=str(tmp_path)).build(0)
