"""Building networks, and saying what does not fit."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from binocular.networks.build import NETWORKS, build_network, check_network
from binocular.networks.cnn import SplitCNN
from binocular.networks.declared import has_pathways, settle
from binocular.networks.mlp import SplitMLP
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.runs.notebook import rear
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from tests.tiny import tiny

SHAPE = (1, 12, 12)


@pytest.mark.parametrize("kind", sorted(NETWORKS.keys() - {"two-stream"}))
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


@pytest.mark.parametrize(
    ("blocks", "weights", "fused"),
    [(1, 875_722, (192, 16, 16)), (2, 3_977_290, (384, 8, 8)), (3, 16_373_578, (768, 4, 4))],
)
def test_the_all_convolutional_networks_have_the_published_size(blocks, weights, fused):
    network = build_network("all-convolutional", {"blocks": blocks}, (3, 32, 32), 10, seed=0)
    # Counted in the two-pathway networks of the released code with as many blocks and all filters.
    assert sum(parameter.numel() for parameter in network.parameters()) == weights
    assert network.left(torch.zeros(1, 3, 32, 32)).shape == (1, *fused)
    assert network.trunk(torch.zeros(1, *fused)).shape == (1, *fused)
    convolutions = [module for module in network.left.modules() if isinstance(module, nn.Conv2d)]
    assert [module.stride[0] for module in convolutions] == [1, *[1, 2] * blocks]
    assert not any(module.bias is not None for module in convolutions)


def test_averaging_the_classes_over_the_map_is_averaging_the_map():
    # The released code averages after the last convolution; the final representation is the same either way.
    network = build_network("all-convolutional", {"blocks": 1, "width": 3}, SHAPE, 4, seed=0)
    features = torch.randn(5, 6, 6, 6, generator=torch.Generator().manual_seed(0))
    pooled = features.mean((2, 3), keepdim=True)
    assert torch.allclose(network.head(features), network.head(pooled), atol=1e-6)


@pytest.mark.parametrize("kind", ["split-cnn", "all-convolutional", "split-resnet-18"])
def test_a_one_eyed_subject_sees_with_the_left_eye_only(kind):
    two = build_network(kind, {"width": 4}, SHAPE, 5, seed=0)
    one = build_network(kind, {"width": 4, "eyes": 1}, SHAPE, 5, seed=0)
    assert check_network(one, SHAPE, 5) == []
    assert all(torch.equal(a, b) for a, b in zip(two.left.parameters(), one.left.parameters(), strict=True))
    assert not list(one.right.parameters())
    views = torch.randn(3, 2, *SHAPE, generator=torch.Generator().manual_seed(1))
    other = views.clone()
    other[:, 1] = 7.0
    one.eval()
    assert torch.equal(one(views), one(other))
    assert not torch.equal(one(views), one(other.flip(1)))
    statistics = [buffer for name, buffer in one.named_buffers() if name.endswith("num_batches_tracked")]
    assert all(int(buffer) == 0 for buffer in statistics)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("split-cnn", {"width": 3, "eyes": 1}),
        ("all-convolutional", {"width": 3, "blocks": 1}),
        ("all-convolutional", {"width": 3, "eyes": 1}),
    ],
)
def test_both_packings_rear_them_alike(kind, options):
    states = []
    for packing in (LoopCohort, StackedCohort):
        generator = stream(0, "test")
        cohort = packing([build_network(kind, options, SHAPE, 4, seed).double() for seed in (0, 1)], 0.9, 5e-4)
        for _ in range(3):
            views = torch.randn(2, 6, 2, *SHAPE, dtype=torch.float64, generator=generator)
            labels = torch.randint(4, (2, 6), generator=generator)
            cohort.step([Batch(*pair) for pair in zip(views, labels, strict=True)], [0.1, 0.05])
        states.append(cohort.state(1))
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-7, atol=1e-9)


def _broken(**parts: nn.Module | None) -> SplitMLP:
    network = SplitMLP(SHAPE, 4, width=6)
    for name, part in parts.items():
        setattr(network, name, part)
    return network


class Around(nn.Module):
    """A network whose views, or whose scores, something is done to."""

    def __init__(self, before=lambda views, training: views, after=lambda scores, training: scores) -> None:
        super().__init__()
        self.inner, self.before, self.after = SplitMLP(SHAPE, 4, width=6), before, after

    def forward(self, views):
        return self.after(self.inner(self.before(views, self.training)), self.training)


def _masked(value: float, n_classes: int = 4) -> nn.Module:
    network = SplitMLP(SHAPE, n_classes, width=6)
    network.register_buffer("mask", torch.full((3, 3), value).triu(1))
    return network


def test_what_a_network_may_do():
    only_looked_at = Around(after=lambda scores, training: scores if training else scores.detach())
    for network in (only_looked_at, _masked(float("-inf"))):
        assert check_network(network, SHAPE, 4) == []


@pytest.mark.parametrize(
    ("network", "word"),
    [
        (nn.Linear(3, 3), r"views of shape \(2, 2, 1, 12, 12\) fail.*; forward takes views"),
        (_broken(head=None), "fail"),
        (_broken(head=nn.Linear(6, 3)), r"not \(2, 4\)"),
        (_broken(right=nn.Sequential(nn.Flatten(), nn.Linear(144, 5))), "must be equal"),
        (_broken(left=nn.Sequential(nn.Flatten(), nn.Linear(99, 6))), "fail"),
        (Around(before=lambda views, training: views.mul_(2)), "writes into its views"),
        (Around(after=lambda scores, training: scores.detach()), "tell nothing of its weights"),
        (Around(after=lambda scores, training: scores + 0j), "scores of torch.complex64"),
        (SplitMLP(SHAPE, 4, width=6).half(), r"^its weights are torch.float16; accepted are torch.float32 and torch.f"),
        (SplitMLP(SHAPE, 4, width=6).bfloat16(), "^its weights are torch.bfloat16; accepted"),
        (_broken(extra=nn.Linear(3, 3).bfloat16().requires_grad_(False)), "buffers of torch.bfloat16, which no file"),
        (_masked(float("nan")), "begins with weights or buffers that are not numbers"),
    ],
)
def test_what_does_not_fit_is_said(network, word):
    complaints = check_network(network, SHAPE, 4)
    assert len(complaints) >= 1
    assert re.search(word, complaints[0])


def test_a_forward_that_differs_from_what_its_parts_do_is_taken_as_a_whole():
    class Product(SplitMLP):
        def forward(self, views):
            return self.head(self.trunk(self.left(views[:, 0]) * self.right(views[:, 1])))

    for cls, expected in ((Product, False), (SplitMLP, True)):
        network = cls(SHAPE, 4, width=6)
        assert check_network(network, SHAPE, 4) == []
        settle(network, SHAPE)
        assert has_pathways(network) is expected


def test_a_fixed_network_has_nothing_to_learn():
    network = SplitMLP(SHAPE, 4).requires_grad_(False)
    assert "no weights" in check_network(network, SHAPE, 4)[0]


@pytest.mark.parametrize(
    ("kind", "options", "word"),
    [
        ("split-cn", {}, "split-cnn"),
        ("split-cnn", {"depth": 3}, "accepted: width"),
        ("split-cnn", {"width": -1}, "at least 1"),
        ("split-cnn", {"eyes": 3}, "eyes must be 1 or 2"),
        ("all-convolutional", {"blocks": 0}, "at least 1"),
        ("all-convolutional", {"blocks": 4}, "at least 16 x 16"),
        (f"{__name__}:Nothing", {}, "the module has no 'Nothing'"),
    ],
)
def test_bad_descriptions_are_refused(kind, options, word):
    with pytest.raises(BadInput, match=word):
        build_network(kind, options, SHAPE, 4, seed=0)


def test_infinity_in_a_buffer_is_no_overflow(tmp_path):
    study = rear(_masked(float("-inf"), 8), tiny(tmp_path, "network.options={}"), "normal", progress=False)
    assert len(study.subjects) == 1
