"""Deficits: what single ones do to images made by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from binocular.networks.build import build_network
from binocular.protocols.deficits import deficit_from
from binocular.protocols.deficits.controls import LabelPermutation
from binocular.protocols.deficits.optics import disc_blur, gaussian_blur, magnify_rotate, resize_blur, shift, shift_each
from binocular.protocols.deficits.pairing import Dissociation
from binocular.stimuli import LEFT, RIGHT, stream
from tests.handmade import apply

# ------------------------------------------------------------------ light


@pytest.mark.parametrize("strength", [{"factor": 4}, {"factor": 3}, {"sigma": 0.5}, {"sigma": 5}])
def test_blur_of_a_grey_is_that_grey(strength: dict) -> None:
    views = torch.full((2, 2, 1, 16, 12), 0.7)
    seen, _ = apply({"kind": "blur", "eye": "both", **strength}, views, torch.zeros(2, dtype=torch.int64))
    assert torch.allclose(seen, views, atol=1e-6)


def test_blur_by_four_of_an_image_of_blocks() -> None:
    # Left half 0, right half 1: shrunk by 4 the 32 pixels become 8. The triangle filter of the way down is 4 pixels
    # wide to each side, with weights 1 3 5 7 7 5 3 1 over 32, so the small pixels next to the border take 4/32 = 1/8
    # from the other half.
    view = torch.zeros(1, 1, 32, 32)
    view[..., 16:] = 1
    blurred = resize_blur(view, 4)
    small = [0, 0, 0, 1 / 8, 7 / 8, 1, 1, 1]
    # The way up puts the centre of small pixel k at 4 k + 1.5 and draws straight lines between the centres.
    expected = torch.tensor(
        [small[0] if x <= 1.5 else small[7] if x >= 29.5 else _between(small, (x - 1.5) / 4) for x in range(32)]
    )
    assert torch.allclose(blurred[0, 0], expected.expand(32, 32), atol=1e-6)


def _between(values: list[float], place: float) -> float:
    low = min(int(place), len(values) - 2)
    return values[low] + (values[low + 1] - values[low]) * (place - low)


def test_blur_keeps_coarse_and_loses_fine_structure() -> None:
    columns = torch.arange(32)
    fine = ((-1.0) ** columns).expand(1, 1, 32, 32)
    coarse = torch.cos(2 * torch.pi * columns / 32).expand(1, 1, 32, 32)
    for blurred in (lambda view: resize_blur(view, 4), lambda view: gaussian_blur(view, 2.0)):
        assert blurred(fine)[..., 8:-8].abs().max() < 0.01
        assert blurred(coarse).std() > 0.8 * coarse.std()


def test_gaussian_blur_of_a_dot_is_a_gaussian() -> None:
    view = torch.zeros(1, 1, 41, 41)
    view[..., 20, 20] = 1
    blurred = gaussian_blur(view, 3.0)[0, 0]
    offsets = torch.arange(-20, 21.0)
    profile = torch.exp(-(offsets**2) / 18)
    profile /= profile.sum()
    assert torch.allclose(blurred, profile[:, None] * profile[None, :], atol=1e-5)
    variance = (blurred.sum(0) * offsets**2).sum()
    assert abs(variance.sqrt() - 3) < 0.02


def test_disc_blur_of_a_dot_is_a_disc() -> None:
    view = torch.zeros(1, 1, 15, 15)
    view[..., 7, 7] = 1
    disc = disc_blur(view, 3.0)[0, 0]
    distance = torch.hypot(*torch.meshgrid(torch.arange(-7, 8.0), torch.arange(-7, 8.0), indexing="ij"))
    assert abs(disc.sum() - 1) < 1e-5
    assert torch.allclose(disc[distance <= 2.5], disc[7, 7])
    assert (disc[distance >= 3.5] == 0).all()


def test_a_closed_lid_is_closed_and_its_eye_keeps_its_own_noise() -> None:
    scenes, labels = 100 * torch.randn(200, 2, 1, 8, 8, generator=stream(1, "test")), torch.zeros(200).long()
    for table in ({"kind": "occlusion", "eye": "both"}, {"kind": "dark"}, {"kind": "dark-exposure"}):
        closed, _ = apply(table, scenes, labels)
        elsewhere, _ = apply(table, torch.zeros_like(scenes), labels)
        assert torch.equal(closed, elsewhere), table  # nothing of the scene passes
        assert abs(closed.std() - 0.5) < 0.01
        left, right = closed[:, LEFT].flatten(), closed[:, RIGHT].flatten()
        assert abs(torch.corrcoef(torch.stack([left, right]))[0, 1]) < 0.03
        assert abs(torch.corrcoef(torch.stack([left[:-64], left[64:]]))[0, 1]) < 0.03  # of neighbouring presentations


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "occlusion", "eye": "right", "noise": 0},
        {"kind": "inactivation", "eye": "right"},
        {"kind": "patching", "eye": "right", "share": 1, "noise": 0},
        {"kind": "alternation", "first": "left", "noise": 0},
    ],
)
def test_an_eye_without_noise_is_silent(table: dict) -> None:
    views, labels = torch.randn(3, 2, 1, 8, 8, generator=stream(1, "test")), torch.zeros(3, dtype=torch.int64)
    seen, _ = apply(table, views, labels)
    assert (seen[:, RIGHT] == 0).all()
    assert torch.equal(seen[:, LEFT], views[:, LEFT])


def test_learning_in_the_dark_is_not_ruled_by_rounding() -> None:
    # A network whose normalisations have learned: gains and shifts are no longer 1 and 0.
    network = build_network("split-cnn", {"width": 6}, (1, 16, 16), 8, seed=0)
    generator = stream(0, "test/gains")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight += 0.3 * torch.randn(module.weight.shape, generator=generator)
                module.bias += 0.3 * torch.randn(module.bias.shape, generator=generator)
    labels = torch.arange(40) % 8

    def error(noise: float) -> float:
        views, _ = apply({"kind": "dark", "noise": noise}, torch.zeros(40, 2, 1, 16, 16), labels)
        gradients = []
        for kind in (torch.float32, torch.float64):
            twin = copy.deepcopy(network).to(kind).train()
            functional.cross_entropy(twin(views.to(kind)), labels).backward()
            gradients.append(torch.cat([weight.grad.double().flatten() for weight in twin.parameters()]))
        return float((gradients[0] - gradients[1]).norm() / gradients[1].norm())

    assert error(deficit_from({"kind": "dark"}).noise) < 1e-5  # type: ignore[attr-defined]
    assert error(0.0) > 1e-4


def test_a_lid_passes_diffuse_light_at_low_contrast() -> None:
    views = torch.ones(1, 2, 1, 8, 8)
    table = {"kind": "occlusion", "eye": "left", "contrast": 0.1, "noise": 0}
    seen, _ = apply(table, views, torch.zeros(1, dtype=torch.int64))
    assert torch.allclose(seen[:, LEFT], torch.tensor(0.1), atol=1e-6)


def test_noise_has_its_standard_deviation_and_keeps_its_share_of_the_view() -> None:
    views, labels = torch.ones(40, 2, 1, 16, 16), torch.zeros(40, dtype=torch.int64)
    seen, _ = apply({"kind": "noise", "eye": "right", "sd": 0.5, "contrast": 0.25}, views, labels)
    assert abs(seen[:, RIGHT].std() - 0.5) < 0.02
    assert abs(seen[:, RIGHT].mean() - 0.25) < 0.02


def test_share_affects_its_share_of_presentations() -> None:
    views, labels = torch.ones(4000, 2, 1, 1, 1), torch.zeros(4000, dtype=torch.int64)
    seen, _ = apply({"kind": "inactivation", "eye": "both", "share": 0.3}, views, labels)
    blank = seen[:, LEFT, 0, 0, 0] == 0
    assert abs(blank.float().mean() - 0.3) < 0.04
    assert torch.equal(blank, seen[:, RIGHT, 0, 0, 0] == 0)


# ------------------------------------------------------------------ geometry


@pytest.mark.parametrize(("down", "right"), [(0, 3), (-2, 1), (4, -4), (0, 0)])
def test_a_dot_moves_by_whole_pixels(down: int, right: int) -> None:
    view = torch.zeros(1, 1, 11, 13)
    view[..., 5, 6] = 2.5
    expected = torch.zeros(1, 1, 11, 13)
    expected[..., 5 + down, 6 + right] = 2.5
    assert torch.equal(shift(view, down, right), expected)
    assert torch.equal(shift_each(view, torch.tensor([down]), torch.tensor([right])), expected)


def test_misalignment_blanks_as_many_columns_as_it_displaces() -> None:
    views = torch.ones(1, 2, 1, 6, 8)
    seen, _ = apply(
        {"kind": "misalignment", "eye": "right", "horizontal": 3, "vertical": -2}, views, torch.zeros(1).long()
    )
    assert (seen[:, RIGHT, :, :, :3] == 0).all()
    assert (seen[:, RIGHT, :, 4:, :] == 0).all()
    assert (seen[:, RIGHT, :, :4, 3:] == 1).all()


def test_a_changing_angle_is_one_for_the_batch_or_one_for_each() -> None:
    views = torch.zeros(50, 2, 1, 1, 15)
    views[..., 7] = 1
    table = {"kind": "misalignment", "eye": "right", "horizontal": 3}
    for changing, angles in (("never", [10]), ("presentation", list(range(4, 11)))):
        seen, _ = apply({**table, "changing": changing}, views, torch.zeros(50).long())
        assert sorted(set(seen[:, RIGHT].argmax(-1).flatten().tolist())) == angles
    by_batch = {
        tuple(
            set(
                apply({**table, "changing": "batch"}, views, torch.zeros(50).long(), seed)[0][:, RIGHT]
                .argmax(-1)
                .flatten()
                .tolist()
            )
        )
        for seed in range(60)
    }
    assert by_batch == {(place,) for place in range(4, 11)}


def test_rotation_by_quarter_turns_and_by_none() -> None:
    view = torch.randn(2, 1, 8, 8, generator=stream(0, "test"))
    assert torch.allclose(magnify_rotate(view, degrees=90), torch.rot90(view, 1, (-2, -1)), atol=1e-5)
    assert torch.allclose(magnify_rotate(view, degrees=180), view.flip(-2, -1), atol=1e-5)
    assert torch.equal(magnify_rotate(view), view)
    wide = torch.randn(1, 1, 6, 10, generator=stream(0, "test"))
    assert torch.allclose(magnify_rotate(wide, degrees=180), wide.flip(-2, -1), atol=1e-5)


def test_rotation_of_a_wide_view_keeps_distances() -> None:
    view = torch.zeros(1, 1, 9, 21)
    view[..., 4, 13] = 1  # three pixels to the right of the centre
    turned = magnify_rotate(view, degrees=90)[0, 0]
    assert turned[1, 10] > 0.99  # three pixels above it


def test_a_larger_image_is_larger() -> None:
    columns = torch.linspace(-1, 1, 21)
    ramp = columns.expand(1, 1, 21, 21)
    middle = slice(6, 15)
    for size_ in (0.8, 1.25):
        magnified = magnify_rotate(ramp, size=size_)[..., 10, middle]
        assert torch.allclose(magnified[0, 0], columns[middle] / size_, atol=1e-5)
    small = magnify_rotate(torch.ones(1, 1, 20, 20), size=0.5)[0, 0]
    assert (small[:4] == 0).all()
    assert (small[6:14, 6:14] == 1).all()


@pytest.mark.parametrize(
    "table", [{"kind": "flip", "axis": "vertical"}, {"kind": "flip", "axis": "horizontal"}, {"kind": "inversion"}]
)
def test_what_is_done_twice_is_undone(table: dict) -> None:
    views, labels = torch.randn(3, 2, 3, 5, 6, generator=stream(0, "test")), torch.zeros(3).long()
    once, _ = apply({**table, "eye": "both"}, views, labels)
    twice, _ = apply({**table, "eye": "both"}, once, labels)
    assert not torch.equal(once, views)
    assert torch.equal(twice, views)


def test_colour_inversion_keeps_luminance_and_turns_hue() -> None:
    views = torch.tensor([0.9, 0.3, 0.0]).reshape(1, 1, 3, 1, 1).expand(1, 2, 3, 2, 2)
    seen, labels = apply({"kind": "inversion", "of": "colour", "eye": "right"}, views, torch.zeros(1).long())
    assert torch.allclose(seen[0, RIGHT, :, 0, 0], torch.tensor([-0.1, 0.5, 0.8]), atol=1e-6)
    back, _ = apply({"kind": "inversion", "of": "colour", "eye": "right"}, seen, labels)
    assert torch.allclose(back, views, atol=1e-6)


# ------------------------------------------------------------------ pairing


@settings(max_examples=100)
@given(st.integers(2, 40), st.integers(0, 10_000))
def test_dissociation_is_a_derangement(count: int, seed: int) -> None:
    views = torch.arange(count, dtype=torch.float32).reshape(count, 1, 1, 1, 1).expand(count, 2, 1, 2, 2)
    labels = torch.arange(count)
    seen, taught = apply({"kind": "dissociation", "eye": "right"}, views, labels, seed)
    partner = seen[:, RIGHT, 0, 0, 0].long()
    assert torch.equal(seen[:, LEFT], views[:, LEFT])
    assert torch.equal(partner.sort().values, labels)
    assert (partner != labels).all()
    assert ((taught == labels) | (taught == partner)).all()


def test_the_label_is_the_eyes_that_was_asked_for() -> None:
    views = torch.arange(600.0).reshape(600, 1, 1, 1, 1).expand(600, 2, 1, 1, 1)
    labels = torch.arange(600)
    for label in ("left", "right"):
        seen, taught = apply({"kind": "dissociation", "eye": "right", "label": label}, views, labels)
        assert torch.equal(taught, seen[:, 0 if label == "left" else 1, 0, 0, 0].long())
    _, taught = apply({"kind": "dissociation", "eye": "right"}, views, labels)
    assert 0.4 < (taught == labels).float().mean() < 0.6


def test_paired_labels_go_with_their_head_and_released_ones_do_not() -> None:
    paired = Dissociation(eye="right").plan(1000, stream(0, "test"))
    assert torch.equal(paired.label_eye, paired.head_eye)
    taught = []
    for seed in range(40):
        released = Dissociation(eye="right", labelling="as-released").plan(1000, stream(seed, "test"))
        assert seed or torch.equal(paired.label_eye, released.label_eye)
        assert 0.44 < (released.label_eye == released.head_eye).float().mean() < 0.56
        assert len(released.head_eye) == 1000
        taught.append(set(released.head_eye.tolist()))
    # As in the released code one head is drawn for a batch: each alone, and both about as often.
    assert all(len(heads) == 1 for heads in taught)
    assert 10 <= taught.count({0}) <= 30


def test_a_presentation_on_its_own_is_left_as_it_is() -> None:
    views, labels = torch.randn(1, 2, 1, 2, 2, generator=stream(0, "test")), torch.tensor([3])
    seen, taught = apply({"kind": "dissociation", "eye": "left"}, views, labels)
    assert torch.equal(seen, views)
    assert torch.equal(taught, labels)


# ------------------------------------------------------------------ turns, controls, treatments


def test_the_eyes_take_turns() -> None:
    views, labels = torch.ones(1, 2, 1, 1, 1), torch.zeros(1).long()
    table = {"kind": "alternation", "period": 3, "first": "left", "noise": 0}
    seeing = [apply(table, views, labels, batch=number)[0][0, :, 0, 0, 0].tolist() for number in range(9)]
    assert seeing == [[1, 0]] * 3 + [[0, 1]] * 3 + [[1, 0]] * 3


def test_a_label_permutation_is_fixed_and_moves_every_class() -> None:
    labels = torch.arange(10)
    table = {"kind": "label-permutation", "n_classes": 10, "seed": 1}
    _, taught = apply(table, torch.zeros(10, 2, 1, 1, 1), labels, seed=0)
    _, again = apply(table, torch.zeros(10, 2, 1, 1, 1), labels, seed=99)
    assert torch.equal(taught, again)
    assert torch.equal(taught.sort().values, labels)
    assert (taught != labels).all()
    assert not torch.equal(taught, LabelPermutation(n_classes=10, seed=2).permutation())


def test_a_class_beyond_the_permutation_is_named() -> None:
    with pytest.raises(ValueError, match="n_classes is 4, but the stimulus has a class 6"):
        apply({"kind": "label-permutation", "n_classes": 4}, torch.zeros(1, 2, 1, 1, 1), torch.tensor([6]))


def test_sham_changes_nothing_but_draws() -> None:
    views, labels = torch.randn(3, 2, 1, 2, 2, generator=stream(0, "test")), torch.arange(3)
    generator = stream(0, "test/deficit")
    before = generator.get_state()
    seen, taught = deficit_from({"kind": "sham"})(views, labels, generator)
    assert torch.equal(seen, views)
    assert torch.equal(taught, labels)
    assert not torch.equal(before, generator.get_state())


def test_a_patch_is_on_in_its_share_of_batches() -> None:
    views, labels = torch.ones(2, 2, 1, 1, 1), torch.zeros(2).long()
    generator = stream(0, "test/deficit")
    patch = deficit_from({"kind": "patching", "eye": "left", "share": 0.25, "noise": 0})
    on = [bool((patch(views, labels, generator)[0][:, LEFT] == 0).all()) for _ in range(800)]
    assert abs(sum(on) / 800 - 0.25) < 0.05


def test_a_day_begins_with_both_eyes_and_goes_on_with_one() -> None:
    views, labels = torch.ones(3, 2, 1, 4, 4), torch.zeros(3, dtype=torch.int64)
    table = {"kind": "patching", "eye": "right", "share": 0.7, "period": 10, "noise": 0.0}
    seen = [bool(apply(table, views, labels, batch=batch)[0][:, 1].any()) for batch in range(20)]
    assert seen == [True, True, True, *[False] * 7] * 2
    # Without days the batches are drawn, and the table is written as it was before there were days.
    by_chance = deficit_from({"kind": "patching", "eye": "right", "share": 0.7})
    assert "period" not in by_chance.model_dump()
    assert deficit_from(table).model_dump()["period"] == 10


def test_astigmatism_leaves_the_contours_along_its_axis() -> None:
    columns = torch.arange(16) % 4 // 2 * 2.0 - 1
    upright = columns.expand(2, 2, 1, 16, 16).clone()
    level, labels = upright.transpose(-1, -2).clone(), torch.zeros(2, dtype=torch.int64)
    for axis, kept, lost in (("vertical", upright, level), ("horizontal", level, upright)):
        table = {"kind": "astigmatism", "eye": "both", "axis": axis, "sigma": 2}
        torch.testing.assert_close(apply(table, kept, labels)[0], kept)
        # At the border its own pixels go on.
        assert apply(table, lost, labels)[0][..., 7:9, 7:9].abs().max() < 0.05
