"""Disparity: stereograms pixel by pixel, planted preferences, and units that cannot know disparity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from binocular.probes.disparity import Disparity, Stereoacuity
from binocular.probes.stereograms import stereograms
from binocular.stimuli.streams import stream
from tests.handmade import SHAPE, HandMade, Square, Still, grating, random_filters, swapped

PROBE = Disparity(disparities=(-4, -2, 0, 2, 4), repeats=300, permutations=199, frequencies=(1.0, 2.0))


def energy_units(*disparities: int, filters: int = 1) -> HandMade:
    """Return units that square the sum of a filter in one eye and the same one moved by a disparity in the other."""
    strips = torch.zeros(filters, 8, 8)
    strips[:, :, 3:5] = random_filters(filters)[:, :, :2]
    moved = torch.cat([torch.roll(strips, d // 2, 2) for d in disparities])
    back = torch.cat([torch.roll(strips, -d // 2, 2) for d in disparities])
    return HandMade(moved, back, Square())


@pytest.mark.parametrize("pattern", ["dots", "gaussian", "1/f"])
@pytest.mark.parametrize("size", [4, -2])
def test_crossed_disparity_moves_the_left_image_to_the_right(pattern, size):
    views = stereograms((2, 6, 10), torch.full((3,), float(size)), pattern, stream(0, "test"), 0.5)
    assert views.shape == (3, 2, 2, 6, 10)
    left, right = views[:, 0], views[:, 1]
    torch.testing.assert_close(
        left[..., max(size, 0) : 10 + min(size, 0)], right[..., max(-size, 0) : 10 + min(-size, 0)]
    )
    torch.testing.assert_close(views[:, :, 0], views[:, :, 1])


def test_dots_are_dots_and_near_is_far_with_the_eyes_exchanged():
    size = torch.tensor([2.0])
    near = stereograms(SHAPE, size, "dots", stream(0, "test"))
    far = stereograms(SHAPE, -size, "dots", stream(0, "test"))
    torch.testing.assert_close(near.abs(), torch.ones_like(near))
    torch.testing.assert_close(near, far.flip(1))


def test_a_fraction_of_a_pixel_keeps_the_power():
    views = stereograms((1, 16, 16), torch.full((200,), 0.25), "gaussian", stream(0, "test"))
    assert views.var(dim=(0, 2, 3, 4)).tolist() == pytest.approx([1, 1], abs=0.05)


def test_planted_disparities_are_preferred():
    found = PROBE.measure(energy_units(-4, -2, 0, 2, 4), Still(), 0, "representation")
    np.testing.assert_array_equal(found["preferred_disparity"], [-4, -2, 0, 2, 4])
    assert found["selective_share"] == 1 and (found["discrimination_index"] > 0.1).all()


def test_eyes_exchanged_turn_near_into_far():
    found = PROBE.measure(swapped(energy_units(-4, 2)), Still(), 0, "representation")
    np.testing.assert_array_equal(found["preferred_disparity"], [4, -2])


def test_monocular_units_pass_no_oftener_than_chance():
    filters = random_filters(300)
    for left, right in ((filters, torch.zeros_like(filters)), (torch.zeros_like(filters), filters)):
        network = HandMade(left, right, nn.ReLU())
        found = PROBE.model_copy(update={"alpha": 0.05}).measure(network, Still(), 1, "representation")
        # The units share the patterns, so the share varies more than that of independent ones.
        assert found["selective_share"] < 0.15
        assert 0.35 < np.median(found["p_value"]) < 0.65
        np.testing.assert_allclose(found["phase_modulation"], 0, atol=1e-6)


def test_constant_units_are_not_selective():
    found = PROBE.measure(HandMade(torch.zeros(2, 8, 8), torch.zeros(2, 8, 8)), Still(), 0, "representation")
    assert found["selective_share"] == 0 and np.isnan(found["discrimination_index"]).all()
    assert np.isnan(found["phase_modulation"]).all() and (found["p_value"] == 1).all()


@pytest.mark.parametrize("phase", [0, 90, 225])
def test_the_planted_phase_disparity_is_preferred(phase):
    left, right = grating(60, 2, phase)[None], grating(60, 2, 0)[None]
    found = PROBE.measure(HandMade(left, right, nn.ReLU()), Still(), 0, "representation")
    assert found["preferred_phase_disparity"][0] == phase
    assert (found["phase_orientation"][0], found["phase_frequency"][0]) == (60, 2)
    # In antiphase the eyes cancel.
    assert found["phase_modulation"][0] == pytest.approx(1, abs=1e-4)


def test_stereoacuity_needs_both_eyes():
    probe = Stereoacuity(disparities=(0.5, 1, 2, 4), pattern="gaussian", noise=0.2, n_train=300, n_test=200)
    found = probe.measure(energy_units(-4, -2, 2, 4, filters=24), Still(), 0, "representation")
    assert found["stereo_sensitivity_censored"] == 0 and 0.25 <= found["stereo_sensitivity"] <= 2
    assert found["stereo_sensitivity_low"] <= found["stereo_sensitivity"] <= found["stereo_sensitivity_high"]
    network = HandMade(random_filters(8), torch.zeros(8, 8, 8), Square())
    blind = probe.measure(network, Still(), 0, "representation")
    assert (blind["stereo_sensitivity"], blind["stereo_sensitivity_censored"]) == (0, -1)
    assert np.abs(blind["accuracy"] - 0.5).max() < 0.15
