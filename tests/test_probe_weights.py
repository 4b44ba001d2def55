"""Fisher information against closed forms; norms and alignments of planted weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from binocular.networks.build import build_network
from binocular.probes.base import NETWORK
from binocular.probes.weights import FisherInformation, PathwayWeights, first_layer
from binocular.stimuli.errors import BadInput
from tests.handmade import SHAPE, HandMade, Still, grating, random_filters, swapped


def linear_network() -> HandMade:
    return HandMade(random_filters(3) / 16, random_filters(3, 1) / 8)


def closed_form(network: HandMade, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Traces of the head's and the left pathway's Fisher information at each stimulus of a linear softmax network."""
    with torch.no_grad():
        hidden = network.trunk(network.left(views[:, 0]) + network.right(views[:, 1]))
        p = network.head(hidden).softmax(1)
    head = (1 - p.square().sum(1)) * (hidden.square().sum(1) + 1)  # weights and offsets
    weights = network.head.weight.detach()
    spread = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    back = torch.einsum("ck,ncd,dk->n", weights, spread, weights)
    return head, back * views[:, 0].flatten(1).square().sum(1)


def test_the_exact_trace_is_the_closed_form():
    network, stimulus = linear_network(), Still(40)
    found = FisherInformation(labels="all", n_stimuli=40, batch=16).measure(network, stimulus, 0, NETWORK)
    head, left = closed_form(network, stimulus.views("test", torch.arange(40), None))
    by_part = dict(zip(found["part"], found["fisher_trace"], strict=True))
    assert by_part["head"] == pytest.approx(head.mean().item(), rel=1e-5)
    assert by_part["left"] == pytest.approx(left.mean().item(), rel=1e-5)
    assert by_part["trunk"] == 0
    assert found["n_weights"].tolist() == [192, 192, 0, 16]


def test_drawn_labels_agree_within_their_error():
    network, stimulus = linear_network(), Still(400)
    exact = FisherInformation(labels="all", n_stimuli=400).measure(network, stimulus, 0, NETWORK)
    drawn = FisherInformation(labels="drawn", n_stimuli=400).measure(network, stimulus, 0, NETWORK)
    error = np.abs(exact["fisher_trace"] - drawn["fisher_trace"])
    assert (error <= 4 * drawn["fisher_trace_se"] + 1e-12).all() and error.max() > 0


def test_normalised_networks_have_a_trace_and_are_left_as_they_were():
    network = build_network("split-cnn", {"width": 2}, SHAPE, 4, seed=0).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = FisherInformation(n_stimuli=6, batch=4).measure(network, Still(), 0, NETWORK)
    assert (found["fisher_trace"] > 0).all()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def measure(left, right):
    return PathwayWeights().measure(HandMade(left, right), Still(), 0, NETWORK)


def test_equal_and_unrelated_filters():
    filters = torch.stack([grating(0, 1, 0), grating(0, 2, 0), grating(90, 1, 0)])
    others = torch.stack([grating(0, 3, 0), grating(90, 2, 0), grating(90, 3, 0)])
    same, apart = measure(filters, 2 * filters), measure(filters, others)
    np.testing.assert_allclose(same["filter_alignment"], 1, atol=1e-6)
    np.testing.assert_allclose(apart["filter_alignment"], 0, atol=1e-6)
    assert same["subspace_alignment"] == pytest.approx(1) and apart["subspace_alignment"] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(same["norm"], [3**0.5, 2 * 3**0.5], rtol=1e-6)
    np.testing.assert_allclose(same["filter_norm"], [[1, 2]] * 3, rtol=1e-6)


def test_the_order_of_filters_does_not_matter_to_their_space():
    filters = random_filters(5)
    found = measure(filters, filters.flip(0))
    assert found["subspace_alignment"] == pytest.approx(1) and abs(found["filter_alignment"][0]) < 0.5
    chance = np.mean(
        [measure(random_filters(16, s), random_filters(16, s + 50))["subspace_alignment"] for s in range(9)]
    )
    assert chance == pytest.approx(16 / 64, abs=0.03)


def test_an_empty_pathway_has_no_alignment():
    found = measure(random_filters(2), torch.zeros(2, 8, 8))
    assert np.isnan(found["filter_alignment"]).all() and np.isnan(found["subspace_alignment"])


def test_the_first_layer_is_found_or_missed_in_a_sentence():
    network = build_network("split-cnn", {"width": 2}, SHAPE, 4, seed=0)
    assert first_layer(network, "left", SHAPE).shape == (2, 1, 5, 5)
    assert first_layer(linear_network(), "right", SHAPE).shape == (3, *SHAPE)
    with pytest.raises(BadInput, match="left pathway"):
        first_layer(swapped(linear_network()), "left", (1, 9, 9))
