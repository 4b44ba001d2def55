"""Stereo scenes: which way near and far are shifted, and that no eye alone can tell them apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from binocular.stimuli import STIMULI, StimulusConfig, stimulus_config
from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.errors import BadInput
from binocular.stimuli.outlines import OUTLINES, figure_mask
from binocular.stimuli.scenes import StereoScenes, StereoSceneSet
from binocular.stimuli.streams import stream

NEAR, FAR = 0, 1
FRESH = ("none", "noise", "scenes")


def clean(**fields: object) -> StereoSceneSet:
    """Return scenes without noise."""
    return StereoScenes(**{"noise": 0.0, "n_train": 400, "n_test": 8, **fields}).build(0)


def seen(scenes: StereoSceneSet, split: str = "train") -> torch.Tensor:
    return scenes.views(split, torch.arange(len(scenes.labels[split])), stream(0, "noise"))[:, :, 0]


def depth(scenes: StereoSceneSet, split: str = "train") -> torch.Tensor:
    return scenes.tasks["stereopsis"][scenes.labels[split]]


def disparity_readout(views: torch.Tensor, shift: int) -> torch.Tensor:
    """Return the correlation of the eyes at crossed minus that at uncrossed disparity, over the whole picture."""
    left, right = views[:, LEFT], views[:, RIGHT]
    near = (left[..., shift:] * right[..., : right.shape[-1] - shift]).mean((-2, -1))
    far = (left[..., : left.shape[-1] - shift] * right[..., shift:]).mean((-2, -1))
    return near - far


# --- geometry -------------------------------------------------------------------------------------------------------


def test_near_figure_lies_further_right_in_the_left_eye() -> None:
    # Bright figure without texture, contrast or jitter on a zero-disparity background, so that it can be counted.
    scenes = clean(fixation="background", figure_mean=50.0, jitter=0, n_train=8, size=16, radius=3, outlines=["square"])
    views = seen(scenes)
    for scene, is_far in zip(views, depth(scenes), strict=True):
        columns = [(eye > 25).any(0).nonzero().flatten().tolist() for eye in scene]
        # Half side 3/4 of 3 pixels around the centre 7.5: columns 6 to 9, a pixel to the right or left in each eye.
        crossed, uncrossed = [7, 8, 9, 10], [5, 6, 7, 8]
        assert columns == ([uncrossed, crossed] if is_far else [crossed, uncrossed])


def test_fixated_figure_stands_still_and_the_background_moves_the_other_way() -> None:
    scenes = clean(figure_mean=50.0, jitter=0, n_train=64, radius=3, texture="random")
    views = seen(scenes)
    figure = views > 25
    assert torch.equal(figure[:, LEFT], figure[:, RIGHT])
    # Behind a near figure the background is far: what the right eye sees in column x the left sees in column x - 2.
    top = views[:, :, :3]
    near, far = top[depth(scenes) == NEAR], top[depth(scenes) == FAR]
    assert torch.equal(near[:, LEFT, :, :-2], near[:, RIGHT, :, 2:])
    assert torch.equal(far[:, LEFT, :, 2:], far[:, RIGHT, :, :-2])
    assert not torch.equal(near[:, LEFT, :, 2:], near[:, RIGHT, :, :-2])


@pytest.mark.parametrize("disparity", [0, 1, 2, 3, 4])
def test_background_of_zero_disparity_is_the_same_in_both_eyes(disparity: int) -> None:
    scenes = clean(fixation="background", disparity=disparity, size=24, radius=4, jitter=2, texture="random")
    border = seen(scenes)[..., :3, :]
    assert torch.equal(border[:, LEFT], border[:, RIGHT])


@pytest.mark.parametrize("disparity", [1, 2, 3, 4])
def test_figure_texture_moves_with_the_figure(disparity: int) -> None:
    scenes = clean(
        fixation="background", disparity=disparity, size=24, radius=5, jitter=0, outlines=["square"], texture="random"
    )
    views = seen(scenes)[..., 10:14, :]
    near = views[depth(scenes) == NEAR]
    left_shift = -(-disparity // 2)
    right_shift = left_shift - disparity
    left = near[:, LEFT, :, 10 + left_shift : 14 + left_shift]
    right = near[:, RIGHT, :, 10 + right_shift : 14 + right_shift]
    assert torch.equal(left, right)


def test_figures_are_pasted_over_the_background() -> None:
    scenes = clean(figure_mean=50.0, texture="random")
    covered = (seen(scenes) > 25).sum((-2, -1))
    assert torch.equal(covered[:, LEFT], covered[:, RIGHT])
    assert set(covered.flatten().tolist()) == {60, 64}


# --- depth is in neither eye alone ----------------------------------------------------------------------------------


@pytest.mark.parametrize("eye", [LEFT, RIGHT])
def test_position_in_one_eye_does_not_depend_on_depth(eye: int) -> None:
    scenes = clean(figure_mean=50.0, texture="random", n_train=4000, outlines=["square"])
    columns = (seen(scenes)[:, eye] > 25).any(1).float()
    centre = (columns * torch.arange(16.0)).sum(1) / columns.sum(1)
    near, far = centre[depth(scenes) == NEAR], centre[depth(scenes) == FAR]
    assert set(near.tolist()) == set(far.tolist())
    for place in centre.unique():
        difference = (near == place).float().mean() - (far == place).float().mean()
        assert abs(difference) < 0.06


@pytest.mark.parametrize("jitter", [2, 3])
def test_position_betrays_depth_where_the_background_is_fixated(jitter: int) -> None:
    # Why the figure is fixated by default: the module states how well one eye can then guess.
    scenes = clean(
        fixation="background", figure_mean=50.0, texture="random", n_train=8000, jitter=jitter, size=20, radius=5
    )
    columns = (seen(scenes)[:, LEFT] > 25).any(1).float()
    centre = ((columns * torch.arange(20.0)).sum(1) / columns.sum(1) * 2).round().long()
    is_far = depth(scenes) == FAR
    counts = torch.stack([torch.bincount(centre[is_far == value], minlength=80) for value in (False, True)])
    best_guess = counts.max(0).values.sum() / len(centre)
    assert best_guess == pytest.approx(0.5 + 2 / (2 * (2 * jitter + 1)), abs=0.015)


def ridge_accuracy(
    train: torch.Tensor, train_depth: torch.Tensor, test: torch.Tensor, test_depth: torch.Tensor
) -> float:
    """Return the share that a ridge regression on depth gets right."""
    mean = train.mean(0)
    features, target = (train - mean).double(), train_depth.double() * 2 - 1
    gram = features.T @ features + 1e-2 * len(features) * torch.eye(features.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(gram, features.T @ target)
    guess = ((test - mean).double() @ weights + target.mean()) > 0
    return (guess == (test_depth == 1)).double().mean().item()


def one_eye_features(view: torch.Tensor) -> torch.Tensor:
    """Return pixels and products of neighbours, mirrored places and mean: what one eye's cells could use."""
    pixels = view.flatten(1)
    neighbours = (view[..., 1:] * view[..., :-1]).flatten(1)
    mirrored = (view * view.flip(-1)).flatten(1)
    means = view.mean((-2, -1), keepdim=True)
    return torch.cat([pixels, neighbours, mirrored, (view * means).flatten(1)], 1)


@pytest.mark.parametrize("texture", ["photographs", "random", "1/f"])
def test_one_eye_is_at_chance_and_both_eyes_are_not(texture: str) -> None:
    scenes = StereoScenes(texture=texture, noise=0.3, n_train=6000, n_test=6000, size=12, radius=3, jitter=1).build(5)
    train, test = seen(scenes), seen(scenes, "test")
    for eye in (LEFT, RIGHT):
        accuracy = ridge_accuracy(
            one_eye_features(train[:, eye]), depth(scenes), one_eye_features(test[:, eye]), depth(scenes, "test")
        )
        assert abs(accuracy - 0.5) < 0.026  # four standard errors of 6,000 guesses
    # A fixated figure: its background is far behind a near one, so the sign of the readout is turned.
    guess = disparity_readout(test, 2) > 0
    both = (guess == (depth(scenes, "test") == FAR)).double().mean()
    assert both > 0.85


def test_the_same_readout_finds_the_leak_of_a_fixated_background() -> None:
    scenes = StereoScenes(
        fixation="background", noise=0.3, n_train=6000, n_test=6000, size=12, radius=3, jitter=1, outlines=["square"]
    ).build(5)
    train, test = seen(scenes)[:, LEFT], seen(scenes, "test")[:, LEFT]
    accuracy = ridge_accuracy(train.flatten(1), depth(scenes), test.flatten(1), depth(scenes, "test"))
    assert accuracy > 0.6


def test_without_disparity_both_eyes_see_the_same() -> None:
    views = seen(clean(disparity=0))
    assert torch.equal(views[:, LEFT], views[:, RIGHT])


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreement", [-1.0, -0.5, 0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("texture", ["photographs", "random"])
def test_interocular_correlation(agreement: float, texture: str) -> None:
    scenes = clean(interocular_correlation=agreement, disparity=0, figure_mean=0.0, n_train=2000, texture=texture)
    left, right = seen(scenes).flatten(2).unbind(1)
    assert torch.corrcoef(torch.stack([left.flatten(), right.flatten()]))[0, 1] == pytest.approx(agreement, abs=0.03)
    assert left.std() == pytest.approx(1.0, abs=0.05)
    assert right.std() == pytest.approx(left.std().item(), abs=0.03)


def test_contrast_and_noise_of_each_eye() -> None:
    plain = seen(clean())
    weak = seen(clean(contrast=[1.0, 0.25]))
    assert torch.equal(weak[:, LEFT], plain[:, LEFT])
    assert torch.allclose(weak[:, RIGHT], plain[:, RIGHT] * 0.25)
    noisy = seen(clean(noise=(0.0, 2.0)))
    assert torch.equal(noisy[:, LEFT], plain[:, LEFT])
    assert (noisy - plain)[:, RIGHT].std() == pytest.approx(2.0, abs=0.02)


def test_noise_is_independent_between_the_eyes() -> None:
    noise = seen(clean(noise=1.0)) - seen(clean())
    assert abs((noise[:, LEFT] * noise[:, RIGHT]).mean()) < 0.02


def test_fresh_noise_each_time_or_the_same_for_ever() -> None:
    index = torch.arange(20)
    fresh = StereoScenes(n_train=20, n_test=8, fresh="noise").build(0)
    first, second = (fresh.views("train", index, stream(0, "noise", epoch)) for epoch in (0, 1))
    assert not torch.equal(first, second)
    assert torch.equal(first, fresh.views("train", index, stream(0, "noise", 0)))
    stale = StereoScenes(n_train=20, n_test=8).build(0)
    first, second = (stale.views("train", index, generator) for generator in (stream(0, "noise"), None))
    assert torch.equal(first, second)
    assert (first - clean(n_train=20)._scenes["train"]).std() == pytest.approx(0.5, abs=0.03)


def test_training_without_a_generator_is_refused() -> None:
    for fresh in ("scenes", "noise"):
        scenes = StereoScenes(n_train=8, n_test=8, fresh=fresh).build(0)
        with pytest.raises(ValueError, match="pass a generator"):
            scenes.views("train", torch.arange(2), None)


def epoch_of_new_scenes(seed: int, epoch: int, **fields: object) -> torch.Tensor:
    """Return what a subject sees in one epoch, in batches of 20 as in rearing."""
    scenes = StereoScenes(**{"n_train": 40, "n_test": 8, "fresh": "scenes", **fields}).build(seed)
    generator = stream(seed, "stimulus", epoch)
    return torch.cat([scenes.views("train", index, generator) for index in torch.arange(40).split(20)])


@pytest.mark.parametrize("texture", ["photographs", "random", "1/f"])
def test_new_scenes_are_new_in_texture_place_and_noise(texture: str) -> None:
    first, second = (epoch_of_new_scenes(0, epoch, texture=texture, noise=0.0) for epoch in (0, 1))
    # No scene is seen twice: not in another epoch, and not twice in one.
    scenes = torch.cat([first, second]).flatten(1)
    assert torch.cdist(scenes, scenes).fill_diagonal_(9.0).min() > 1
    noisy, silent = (epoch_of_new_scenes(0, 0, texture=texture, noise=noise)[:20] for noise in (0.5, 0.0))
    assert (noisy - silent).std() == pytest.approx(0.5, abs=0.02)
    places = epoch_of_new_scenes(0, 0, texture=texture, outlines=["square"], figure_mean=50.0, jitter=2)[:, 0, 0] > 25
    assert len({tuple(place.any(0).tolist() + place.any(1).tolist()) for place in places}) > 10


def test_new_scenes_depend_on_seed_and_epoch_only() -> None:
    first = epoch_of_new_scenes(5, 3)
    assert torch.equal(first, epoch_of_new_scenes(5, 3))
    assert not torch.equal(first, epoch_of_new_scenes(6, 3))
    assert not torch.equal(first, epoch_of_new_scenes(5, 4))


def test_new_scenes_leave_the_test_split_as_it_is() -> None:
    index = torch.arange(24)
    tests = [StereoScenes(n_train=8, n_test=24, fresh=fresh).build(2).views("test", index, None) for fresh in FRESH]
    assert all(torch.equal(tests[0], other) for other in tests[1:])


def test_new_scenes_are_of_the_classes_that_the_index_names() -> None:
    scenes = StereoScenes(
        n_train=4000, n_test=8, fresh="scenes", figure_mean=3.0, noise=0.0, jitter=0, texture="random"
    )
    scenes = scenes.build(0)
    labels = scenes.labels["train"]
    assert torch.bincount(labels).tolist() == [500] * 8
    order = torch.randperm(4000, generator=stream(0, "order"))
    views, labels = scenes.views("train", order, stream(0, "stimulus"))[:, :, 0], labels[order]
    for outline in range(4):
        mean = views[labels // 2 == outline].mean((0, 1))
        assert torch.equal(mean > 1.5, scenes._masks[outline, 0, 0])
    far = labels % 2 == FAR
    read = disparity_readout(torch.where(views > 2, 0.0, views), 2)
    assert read[~far].mean() < -0.1 < 0.1 < read[far].mean()  # the background lies the other way from the figure


def test_one_eye_cannot_tell_near_from_far_in_new_scenes() -> None:
    scenes = StereoScenes(n_train=8000, n_test=8, fresh="scenes", figure_mean=3.0, noise=0.0, texture="1/f").build(0)
    views = scenes.views("train", torch.arange(8000), stream(0, "stimulus"))
    far = scenes.labels["train"] % 2 == FAR
    for eye in (LEFT, RIGHT):
        # Were a pixel brighter or more variable in front, one eye alone could know.
        for feature in (views[:, eye, 0].flatten(1), views[:, eye, 0].flatten(1).square()):
            difference = feature[far].mean(0) - feature[~far].mean(0)
            error = (feature.var(0) * 2 / 4000).sqrt()
            assert (difference / error).abs().max() < 4.5


@pytest.mark.parametrize(("old", "new"), [(True, "noise"), (False, "none")])
def test_old_name_of_fresh_noise_stays_with_a_word_of_advice(old: bool, new: str, caplog) -> None:
    config = stimulus_config({"kind": "stereo-scenes", "fresh": "scenes", "fresh_noise": old})
    said = f"binocular: stimulus.fresh_noise = {str(old).lower()} is now stimulus.fresh = '{new}'"
    assert caplog.messages == [said]
    assert config == StereoScenes(fresh=new)
    assert "fresh_noise" not in config.model_dump()


def test_figure_is_brighter_by_its_mean() -> None:
    bright, dark = seen(clean(figure_mean=3.0, texture="random")), seen(clean(figure_mean=0.0, texture="random"))
    step = bright - dark
    assert set(step.unique().tolist()) <= {0.0} | set(step[step > 2.99].tolist())
    assert step.max() == pytest.approx(3.0, abs=1e-5)


# --- the set --------------------------------------------------------------------------------------------------------


def test_classes_and_readouts() -> None:
    scenes = StereoScenes(n_train=800, n_test=80).build(0)
    assert scenes.n_classes == 8
    assert scenes.class_names[:3] == ("square near", "square far", "ring near")
    assert scenes.tasks["outline"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert scenes.tasks["stereopsis"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert scenes.labels["train"].bincount().tolist() == [100] * 8
    assert scenes.labels["test"][:16].bincount().tolist() == [2] * 8
    assert scenes.shape == (1, 16, 16)


def test_same_seed_same_scenes_and_other_seeds_others() -> None:
    index = torch.arange(30)
    one, again, other = (StereoScenes(n_train=30, n_test=30).build(seed) for seed in (3, 3, 4))
    for split in ("train", "test"):
        views = [scenes.views(split, index, stream(0, "noise")) for scenes in (one, again, other)]
        assert views[0].shape == (30, 2, 1, 16, 16)
        assert views[0].dtype == torch.float32
        assert torch.equal(views[0], views[1])
        assert not torch.equal(views[0], views[2])


def test_test_scenes_do_not_depend_on_how_many_there_are_to_learn_from() -> None:
    few, many = (StereoScenes(n_train=n, n_test=30).build(0) for n in (8, 200))
    index = torch.arange(30)
    assert torch.equal(few.views("test", index, None), many.views("test", index, None))


def test_presenting_does_not_change_the_stimuli() -> None:
    scenes = StereoScenes(n_train=16, n_test=16).build(0)
    index = torch.arange(16)
    before = scenes.views("test", index, None).clone()
    scenes.views("test", index, None).zero_()
    assert torch.equal(scenes.views("test", index, None), before)


@settings(max_examples=40)
@given(
    size=st.integers(8, 40),
    disparity=st.integers(0, 4),
    fixation=st.sampled_from(["figure", "background"]),
    outlines=st.lists(st.sampled_from(OUTLINES), min_size=1, max_size=4, unique=True),
    radius=st.none() | st.floats(2, 12),
    jitter=st.none() | st.integers(0, 6),
)
def test_no_accepted_figure_leaves_the_canvas(**fields: object) -> None:
    try:
        config = stimulus_config(
            {"kind": "stereo-scenes", "figure_mean": 50, "texture": "random", "noise": 0, "n_train": 96, "n_test": 1}
            | fields
        )
    except BadInput as refusal:
        assert "does not fit" in str(refusal) or "off the canvas" in str(refusal)
        return
    scenes = config.build(0)
    figure = seen(scenes) > 25
    outline = scenes.tasks["outline"][scenes.labels["train"]]
    for number in range(len(config.outlines)):
        areas = figure[outline == number].sum((-2, -1))
        assert areas.unique().numel() == 1
        assert areas.min() > 0


@pytest.mark.parametrize("size", [16, 20, 32])
def test_outlines_cover_about_the_same_area(size: int) -> None:
    place = torch.arange(size) - (size - 1) / 2
    areas = [figure_mask(name, place[None], place[:, None], size * 5 / 16).sum().item() for name in OUTLINES]
    assert max(areas) / min(areas) < 1.3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "stereo-scene"}, "stimulus.kind is 'stereo-scene', but must be one of: stereo-scenes"),
        ({"kind": None}, "stimulus.kind is 'None', but must be one of: stereo-scenes"),
        ({"n_trian": 5}, "stimulus.n_trian is not a field; accepted are kind, size, n_train"),
        ({"n_train": 0}, "stimulus.n_train is 0, but must be 1 or more"),
        ({"size": 4}, "stimulus.size is 4, but must be 8 or more"),
        ({"outlines": ["star"]}, r"stimulus\.outlines\[0\] is .*'square', 'ring', 'cross' or 'diamond'"),
        ({"outlines": ["ring", "ring"]}, "each figure at most once"),
        ({"jitter": 5}, "jitter 5 moves the figure off the canvas.*at most 3 is accepted"),
        ({"jitter": 3, "fixation": "background"}, "at most 2 is accepted"),
        ({"radius": 9}, "radius 9 at disparity 2 does not fit into size 16"),
        ({"noise": -1}, "stimulus.noise is -1, but must be 0 or more or a list"),
        ({"noise": [1, 2, 3]}, "stimulus.noise"),
        ({"contrast": float("nan")}, "stimulus.contrast"),
        ({"texture": "wood"}, "stimulus.texture is .*'photographs', 'random' or '1/f'"),
        ({"interocular_correlation": 1.5}, "is 1.5, but must be 1 or less"),
        ({"fixation": "infinity"}, "stimulus.fixation"),
        ({"fresh": "always"}, "stimulus.fresh is .*'scenes', 'noise' or 'none'"),
        ({"fresh_noise": "sometimes"}, "stimulus: fresh_noise must be true or false, not 'sometimes'"),
    ],
)
def test_bad_values_are_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        stimulus_config({"kind": "stereo-scenes", **fields})
    assert "\n" not in str(refusal.value)


def test_missing_kind_is_named() -> None:
    with pytest.raises(BadInput, match=r"stimulus\.kind is missing; accepted are stereo-scenes"):
        stimulus_config({"size": 16})


@pytest.mark.parametrize("kind", STIMULI)
def test_registered_kinds_are_configurations_of_that_kind(kind: str) -> None:
    config = stimulus_config({"kind": kind})
    assert isinstance(config, StimulusConfig)
    assert config.kind == kind
    assert stimulus_config(config.model_dump()) == config
    assert stimulus_config(config.model_dump(mode="json")) == config
    with pytest.raises(ValidationError):
        config.kind = "other"  # type: ignore[misc]


def test_checking_a_configuration_does_not_load_torch() -> None:
    code = (
        "import sys; from binocular import stimuli; stimuli.stimulus_config({'kind': 'stereo-scenes'});"
        "stimuli.stimulus_config({'kind': 'split-images'}); sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


def test_public_names_are_there() -> None:
    from binocular import stimuli

    for name in stimuli.__all__:
        assert getattr(stimuli, name) is not None
    with pytest.raises(AttributeError, match="attribute dots"):
        stimuli.dots  # noqa: B018


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_same_scenes_on_a_cuda_device() -> None:
    config, index = StereoScenes(n_train=16, n_test=16), torch.arange(16)
    here, there = config.build(0), config.build(0, "cuda")
    seen_there = there.views("test", index.cuda(), None)
    assert seen_there.device.type == "cuda"
    assert torch.equal(here.views("test", index, None), seen_there.cpu())
    fresh = [there.views("train", index.cuda(), stream(0, "noise", device="cuda")) for _ in range(2)]
    assert torch.equal(*fresh)
