"""The two-eye transformer: whose tokens lie where, what is the same for both eyes, and that both packings rear it."""

from __future__ import annotations

import pytest
import torch

from binocular.networks.build import build_network, check_network
from binocular.networks.transformer import SplitTransformer
from binocular.protocols.objectives import Reconstruction as Asked
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.rearing.objectives import Reconstruction, build_decoder
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream

SHAPE = (1, 8, 12)


def _network(seed: int = 0, **options):
    return build_network("split-transformer", {"width": 8, "depth": 2, **options}, SHAPE, 4, seed)


def test_the_eyes_tokens_lie_side_by_side_and_the_sites_are_maps():
    network = _network()
    left, right = (part(torch.randn(3, *SHAPE)) for part in (network.left, network.right))
    assert left.shape == right.shape == (3, 8, 4, 3)
    assert (left[:, :, 2:] == 0).all() and (right[:, :, :2] == 0).all()
    assert (left[:, :, :2] != 0).all() and (right[:, :, 2:] != 0).all()
    assert network.trunk(left + right).shape == (3, 8, 2, 3)
    assert network.trunk[0](left + right).shape == (3, 8, 4, 3)


def test_attention_is_where_the_eyes_meet():
    network = _network().double().eval()
    views = torch.randn(1, 2, *SHAPE, generator=stream(0, "views")).double()
    changed = views.clone()
    changed[0, 1, 0, 0, 0] += 1  # one pixel of the right eye's first patch

    def after(x):
        return network.trunk[0](network.left(x[:, 0]) + network.right(x[:, 1]))

    moved = (after(changed) - after(views)).abs().amax(dim=1)[0]
    assert (moved[:2] > 0).all(), "every token of the left eye hears of it"


def test_a_shared_embedding_is_one_set_of_weights():
    own, shared = _network(), _network(shared=True)
    assert shared.left.embedding is shared.right.embedding
    count = sum(weight.numel() for weight in own.parameters()) - sum(weight.numel() for weight in shared.parameters())
    assert count == sum(weight.numel() for weight in own.right.embedding.parameters())
    assert check_network(shared, SHAPE, 4) == []


def test_a_view_that_patches_do_not_divide_is_filled_up_with_grey():
    network = SplitTransformer((1, 6, 7), 4, width=8)
    assert network(torch.randn(2, 2, 1, 6, 7)).shape == (2, 4)
    assert network.left(torch.zeros(1, 1, 6, 7)).shape == (1, 8, 4, 2)


@pytest.mark.parametrize(
    ("options", "words"), [({"patch": 9}, "patch must be from 1 to 8"), ({"width": 9}, "a multiple of attention_heads")]
)
def test_what_cannot_be_built_is_said(options, words):
    with pytest.raises(BadInput, match=words):
        _network(**options)


@pytest.mark.parametrize("shared", [False, True])
def test_loop_and_stacked_rear_it_alike(shared):
    objective = Reconstruction(Asked(labels=0.5))
    networks = [_network(seed, shared=shared) for seed in range(2)]
    decoders = [build_decoder(network, SHAPE, seed).double() for seed, network in enumerate(networks)]
    again = [_network(seed, shared=shared).double() for seed in range(2)]
    loop = LoopCohort([network.double() for network in networks], 0.9, 0.01, decoders=decoders)
    doubles = [build_decoder(network.float(), SHAPE, seed).double() for seed, network in enumerate(again)]
    stacked = StackedCohort([network.double() for network in again], 0.9, 0.01, decoders=doubles)
    generator = stream(0, "test")
    for _ in range(3):
        views = torch.randn(2, 5, 2, *SHAPE, generator=generator).double()
        labels = torch.randint(4, (2, 5), generator=generator)
        batches = [objective.prepare(Batch(v, c), generator) for v, c in zip(views, labels, strict=True)]
        one, other = (cohort.step(batches, [0.1, 0.05], objective) for cohort in (loop, stacked))
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
    for name, value in loop.state(1).items():
        torch.testing.assert_close(stacked.state(1)[name], value, rtol=1e-5, atol=1e-8)
