"""Reverse correlation finds planted filters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from binocular.probes.receptive_fields import FIRST_LAYER, ReceptiveFields
from tests.handmade import HandMade, Still, grating


@pytest.fixture(scope="module")
def planted():
    left = torch.stack([grating(30, 2, 0), grating(90, 1, 90)])
    return left, torch.stack([grating(30, 2, 0), torch.zeros(8, 8)])


@pytest.mark.parametrize("noise", ["gaussian", "binary"])
def test_a_linear_unit_gives_its_filters(planted, noise):
    left, right = planted
    found = ReceptiveFields(noise=noise, n_stimuli=4000).measure(HandMade(left, right), Still(), 0, "representation")
    fields = found["receptive_field"]
    assert fields.shape == (2, 2, 1, 8, 8)
    expected = torch.stack([left, right], 1)[:, :, None].numpy()
    # Standard error of each pixel: s.d. of the response over the root of the number of presentations.
    error = np.sqrt(expected.reshape(2, -1).__pow__(2).sum(1) / 4000)[:, None, None, None, None]
    assert (np.abs(fields - expected) < 5 * error).all()
    assert found["match"][0] > 0.9
    assert (found["signal"][[0, 0, 1], [0, 1, 0]] > 10).all()
    assert found["signal"][1, 1] == pytest.approx(1, abs=5 * np.sqrt(2 / 64))


def test_a_rectified_unit_gives_half_of_its_filter(planted):
    found = ReceptiveFields(n_stimuli=4000).measure(HandMade(*planted, nn.ReLU()), Still(), 0, "representation")
    np.testing.assert_allclose(found["receptive_field"][1, 0, 0], planted[0][1] / 2, atol=0.06)


def test_the_first_layer_is_exact(planted):
    left, right = planted
    found = ReceptiveFields().measure(HandMade(left, right), Still(), 0, FIRST_LAYER)
    np.testing.assert_array_equal(found["receptive_field"][:, 1, 0], right.numpy())
    assert found["match"][0] == pytest.approx(1) and np.isnan(found["match"][1])
    headlines = ReceptiveFields.headlines({k: v[None] for k, v in found.items()})
    assert headlines["left eye's share of energy"][0] == pytest.approx(0.75)


def test_site_names_tell_the_units():
    assert ReceptiveFields().site_name("trunk.1") == "trunk.1.centre"
    assert ReceptiveFields(units="pooled").site_name("trunk.1") == "trunk.1.pooled"
    assert ReceptiveFields(units="map").site_name("trunk.1") == "trunk.1.map"
    assert ReceptiveFields().site_name(FIRST_LAYER) == FIRST_LAYER
