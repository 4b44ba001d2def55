"""Building networks, and saying what does not fit."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from binocular.networks import SplitCNN, SplitMLP
from binocular.subjects import NETWORKS, build_network, check_network
from stimuli.errors import BadInput

SHAPE = (1, 12, 12)


@pytest.mark.parametrize("kind", sorted(NETWORKS))
def test_every_network_fits_and_takes_any_shape(kind):
    for shape in ((1, 12, 12), (3, 16, 10)):
        network = build_network(kind, {"width": 4}, shape, 5, seed=0)
        assert check_network(network, shape, 5) == []
        assert network(torch.zeros(3, 2, *shape)).shape == (3, 5)
        for site in network.sites:
            network.get_submodule(site)


def test_initial_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    one = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=5).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    same = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    other = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=6).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["left.0.weight"], other["left.0.weight"])
    assert not torch.equal(one["left.0.weight"], one["right.0.weight"])


def test_the_laboratory_network_has_the_stated_form():
    network = SplitCNN((1, 20, 20), 8, width=16)
    views = torch.zeros(2, 2, 1, 20, 20)
    fused = network.left(views[:, 0]) + network.right(views[:, 1])
    assert fused.shape == (2, 16, 10, 10)
    assert network.trunk(fused).shape == (2, 64, 3, 3)
    assert [m.in_channels for m in network.left if isinstance(m, nn.Conv2d)] == [1]


def test_the_published_network_has_the_published_size():
    network = build_network("split-resnet-18", {}, (3, 32, 32), 10, seed=0)
    # As many as the two-pathway network of the released code has, counted there.
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_846_282
    views = torch.zeros(1, 2, 3, 32, 32)
    fused = network.left(views[:, 0]) + network.right(views[:, 1])
    assert fused.shape == (1, 128, 16, 16)
    assert network.trunk(fused).shape == (1, 512, 4, 4)


def _broken(**parts: nn.Module | None) -> SplitMLP:
    network = SplitMLP(SHAPE, 4, width=6)
    for name, part in parts.items():
        setattr(network, name, part)
    return network


@pytest.mark.parametrize(
    ("network", "word"),
    [
        (nn.Linear(3, 3), "no module 'left'"),
        (_broken(head=None), "no module 'head'"),
        (_broken(head=nn.Linear(6, 3)), r"not \(2, 4\)"),
        (_broken(right=nn.Sequential(nn.Flatten(), nn.Linear(144, 5))), "must be equal"),
        (_broken(left=nn.Sequential(nn.Flatten(), nn.Linear(99, 6))), "fail"),
    ],
)
def test_what_does_not_fit_is_said(network, word):
    complaints = check_network(network, SHAPE, 4)
    assert len(complaints) >= 1
    assert re.search(word, complaints[0])


def test_a_network_that_fuses_otherwise_is_found():
    class Product(SplitMLP):
        def forward(self, views):
            return self.head(self.trunk(self.left(views[:, 0]) * self.right(views[:, 1])))

    assert "its forward is not" in check_network(Product(SHAPE, 4, width=6), SHAPE, 4)[0]


def test_a_fixed_network_has_nothing_to_learn():
    network = SplitMLP(SHAPE, 4).requires_grad_(False)
    assert "no weights" in check_network(network, SHAPE, 4)[0]


@pytest.mark.parametrize(
    ("kind", "options", "word"),
    [
        ("split-cn", {}, "split-cnn"),
        ("split-cnn", {"depth": 3}, "accepted: width"),
        ("split-cnn", {"width": -1}, "at least 1"),
        ("tests.tiny:Nothing", {}, "no class 'Nothing'"),
    ],
)
def test_bad_descriptions_are_refused(kind, options, word):
    with pytest.raises(BadInput, match=word):
        build_network(kind, options, SHAPE, 4, seed=0)
