"""Ocular dominance by gratings: units whose filters are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from binocular.probes.gratings import DominanceIndex, rank_correlation, selectivity
from binocular.stimuli.streams import stream
from tests.handmade import HandMade, Still, grating, random_filters, swapped

PROBE = DominanceIndex(frequencies=(1.0, 2.0, 3.0), n_stimuli=10, resamplings=50)


def measure(network, probe=PROBE):
    return probe.measure(network, Still(), 0, "representation")


def test_a_left_eyed_unit_and_its_grating_are_found():
    planted = torch.stack([grating(30, 2, 90), grating(120, 3, 180)])
    found = measure(HandMade(planted, torch.zeros_like(planted)))
    np.testing.assert_array_equal(found["odi"], [1, 1])
    np.testing.assert_array_equal(found["preferred_orientation"][:, 0], [30, 120])
    np.testing.assert_array_equal(found["preferred_frequency"][:, 0], [2, 3])
    np.testing.assert_array_equal(found["preferred_phase"][:, 0], [90, 180])
    assert np.isnan(found["preferred_orientation"][:, 1]).all() and (found["response"][:, 1] == 0).all()
    np.testing.assert_array_equal(found["orientation"][found["orientation_tuning"][:, 0].argmax(1)], [30, 120])
    np.testing.assert_array_equal(found["phase"][found["phase_tuning"][:, 0].argmax(1)], [90, 180])
    np.testing.assert_array_equal(found["frequency"][found["frequency_tuning"][:, 0].argmax(1)], [2, 3])
    # At its best frequency and phase each tuning curve goes through the largest response.
    for curve in ("orientation_tuning", "phase_tuning", "frequency_tuning"):
        np.testing.assert_allclose(found[curve][:, 0].max(1), found["response"][:, 0])
    assert (found["rsv"] == 1).all()


@pytest.mark.parametrize(("left", "right"), [(1.0, 1.0), (3.0, 1.0), (0.2, 0.8)])
def test_the_index_is_the_contrast_of_the_weights(left, right):
    planted = grating(45, 2, 0)[None]
    found = measure(HandMade(left * planted, right * planted, nn.ReLU()))
    assert found["odi"][0] == pytest.approx((left - right) / (left + right), abs=1e-6)


def test_swapping_the_pathways_changes_the_sign_and_nothing_else():
    network = HandMade(random_filters(12), 0.3 * random_filters(12, 1), nn.ReLU())
    one, two = measure(network), measure(swapped(network))
    np.testing.assert_array_equal(one["odi"], -two["odi"])
    for name in ("response", "orientation_tuning", "preferred_frequency", "orientation_selectivity"):
        np.testing.assert_array_equal(one[name], two[name][:, ::-1])


def test_a_unit_that_is_only_held_down_has_no_response():
    network = HandMade(torch.zeros(2, 8, 8), torch.zeros(2, 8, 8), _Below())
    with torch.no_grad():
        network.left[1].weight[0] = grating(0, 2, 0).flatten()
    found = measure(network)
    assert found["baseline"][0] == pytest.approx(5)
    assert np.isnan(found["odi"]).all() and found["n_unresponsive"] == 2
    assert (found["orientation_tuning"][0, 0] <= 0).all()


class _Below(nn.Module):
    def forward(self, x):
        return 5 - x.abs()


def test_selectivity_has_its_limits():
    angles = tuple(15.0 * k for k in range(12))
    flat, sharp = np.ones((1, 12)), np.eye(12)[:1]
    assert selectivity(flat, angles)[0] == pytest.approx(0, abs=1e-12)
    assert selectivity(sharp, angles)[0] == pytest.approx(1)
    cosine = 1 + np.cos(np.deg2rad(2 * np.array(angles)))[None]
    assert selectivity(cosine, angles)[0] == pytest.approx(0.5)


def test_rank_correlation_is_spearmans_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(60).round(1)  # with ties
    y = x + rng.standard_normal(60)
    rho, low, high = rank_correlation(np.append(x, np.nan), np.append(y, 1.0), 400, stream(0, "test"))
    assert rho == pytest.approx(spearmanr(x, y).statistic)
    assert low < rho < high and 0.1 < high - low < 0.6
    assert rank_correlation(x, np.exp(x), 100, stream(0, "test")) == (pytest.approx(1),) * 3
    assert np.isnan(rank_correlation(x[:2], y[:2], 10, stream(0, "test"))).all()
    assert np.isnan(rank_correlation(x, np.zeros(60), 10, stream(0, "test"))[0])
