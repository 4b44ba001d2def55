"""Usable information where each eye holds one bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from binocular.probes.information import UsableInformation
from tests.handmade import HandMade, Still

BRIGHT = torch.full((1, 8, 8), 1 / 64)
NONE = torch.zeros(1, 8, 8)


def measure(left, right, stimulus=None, **settings):
    network = HandMade(left, right)
    probe = UsableInformation(penalties=(1e-4,), **settings)
    return probe.measure(network, stimulus or Still(200), 0, "representation")


def test_each_eye_tells_its_bit_and_both_tell_two():
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, BRIGHT]))
    assert found["entropy"] == pytest.approx(2)
    np.testing.assert_allclose(found["information"], [1, 1, 2], atol=0.05)


def test_a_lost_eye_tells_nothing():
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, NONE]))
    np.testing.assert_allclose(found["information"], [1, 0, 1], atol=0.06)
    assert (found["information_se"][[0, 2]] < 0.05).all()


def test_noise_leaves_what_is_left():
    # Brightness +-1 in noise of s.d. 1: a binary signal in Gaussian noise, 0.486 bits by numerical integration.
    noisy = Still(4000, noise=8.0)  # averaged over 64 pixels
    found = measure(BRIGHT, NONE, noisy)
    x = np.linspace(-9, 9, 20001)
    density = (np.exp(-((x - 1) ** 2) / 2) + np.exp(-((x + 1) ** 2) / 2)) / (2 * np.sqrt(2 * np.pi))
    expected = -np.trapezoid(density * np.log2(density), x) - 0.5 * np.log2(2 * np.pi * np.e)
    assert found["information"][0] == pytest.approx(expected, abs=4 * found["information_se"][0])


def test_one_readout_for_all_ways_of_seeing():
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, BRIGHT]), readout="shared", blanked=0.2)
    assert found["information"][2] > 1.5
    # With the other eye grey this readout is as sure of the missing bit as its offset makes it: one bit remains.
    np.testing.assert_allclose(found["information"][:2], 1, atol=0.3)
