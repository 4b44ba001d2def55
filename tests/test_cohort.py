"""Both packings do what plain PyTorch does, and keep a subject apart from those beside it."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from binocular.networks.cnn import SplitCNN
from binocular.networks.mlp import SplitMLP
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.stimuli.streams import stream


def _subjects(count, cls=SplitCNN):
    networks = []
    for seed in range(count):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks.append(cls((1, 8, 8), 4, width=3).double())
    return networks


def _batches(count, steps, seed=0):
    generator = stream(seed, "test")
    return [
        [
            Batch(
                torch.randn(6, 2, 1, 8, 8, dtype=torch.float64, generator=generator),
                torch.randint(4, (6,), generator=generator),
            )
            for _ in range(count)
        ]
        for _ in range(steps)
    ]


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
@pytest.mark.parametrize("cls", [SplitCNN, SplitMLP])
def test_equals_sgd_of_torch(packing, cls):
    networks = _subjects(3, cls)
    plain = copy.deepcopy(networks)
    optimisers = [torch.optim.SGD(n.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01) for n in plain]
    cohort = packing(networks, momentum=0.9, weight_decay=0.01)
    rates = [0.1, 0.05, 0.2]
    for batches in _batches(3, 4):
        outcome = cohort.step(batches, rates)
        for i, network in enumerate(plain):
            optimisers[i].param_groups[0]["lr"] = rates[i]
            optimisers[i].zero_grad()
            loss = F.cross_entropy(network(batches[i].views), batches[i].labels)
            loss.backward()
            optimisers[i].step()
            assert outcome[i, 0].item() == pytest.approx(loss.item(), rel=1e-6)
    for i, network in enumerate(plain):
        state = cohort.state(i)
        for name, value in network.named_parameters():
            torch.testing.assert_close(state[f"weights/{name}"], value.detach(), rtol=1e-7, atol=1e-9)
        for name, value in network.named_buffers():
            torch.testing.assert_close(state[f"buffers/{name}"], value, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
def test_state_can_be_put_back(packing):
    cohort = packing(_subjects(2), 0.9, 0.0)
    batches = _batches(2, 3)
    cohort.step(batches[0], [0.1, 0.1])
    kept = cohort.state(1)
    for batch in batches[1:]:
        cohort.step(batch, [0.1, 0.1])
    after = cohort.state(1)
    other = packing(_subjects(2), 0.9, 0.0)
    other.load(1, kept)
    for batch in batches[1:]:
        other.step(batch, [0.1, 0.1])
    for name, value in other.state(1).items():
        torch.testing.assert_close(value, after[name], rtol=1e-12, atol=1e-12)
    assert any(not torch.equal(kept[name], after[name]) for name in kept)


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
def test_frozen_parts_stay(packing):
    cohort = packing(_subjects(2), 0.9, 0.01)
    before = [cohort.state(i) for i in range(2)]
    cohort.freeze(0, ("left",))
    for batch in _batches(2, 2):
        cohort.step(batch, [0.1, 0.1])
    for subject, moves in ((0, False), (1, True)):
        after = cohort.state(subject)
        changed = [
            not torch.equal(after[n], before[subject][n])
            for n in after
            if n.startswith(("weights/left", "momentum/left"))
        ]
        assert any(changed) is moves
        assert not torch.equal(after["weights/head.2.weight"], before[subject]["weights/head.2.weight"])


def test_in_the_loop_a_subject_is_the_same_bit_for_bit_whoever_is_beside_it():
    together = LoopCohort(_subjects(3), 0.9, 5e-4)
    alone = LoopCohort([_subjects(3)[1]], 0.9, 5e-4)
    for batches in _batches(3, 3):
        together.step(batches, [0.1, 0.1, 0.1])
        alone.step([batches[1]], [0.1])
    for name, value in alone.state(0).items():
        assert torch.equal(value, together.state(1)[name])


def test_in_single_precision_it_is_the_step_of_torchs_fused_sgd_bit_for_bit():
    network = _subjects(1)[0].float()
    plain = copy.deepcopy(network).to(memory_format=torch.channels_last)
    cohort = LoopCohort([network], 0.9, 5e-4)
    optimiser = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=True)
    for (batch,) in _batches(1, 4):
        single = Batch(batch.views.float(), batch.labels)
        outcome = cohort.step([single], [0.1])[0].tolist()
        scores = plain(single.views)
        loss = F.cross_entropy(scores, single.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert outcome == [loss.item(), (scores.argmax(1) == single.labels).float().mean().item()]
    state = cohort.state(0)
    for name, value in [*plain.named_parameters(), *plain.named_buffers()]:
        part = "buffers" if f"buffers/{name}" in state else "weights"
        assert torch.equal(state[f"{part}/{name}"], value.detach())


@pytest.mark.parametrize("depth", [1, 3])
def test_the_gradients_written_out_are_those_of_autograd(depth):
    torch.manual_seed(3)
    network = SplitMLP((2, 4, 3), 5, width=7, depth=depth).double()
    views = torch.randn(9, 2, 2, 4, 3, dtype=torch.float64)
    labels = torch.randint(5, (9,))
    before = views.clone()
    loss, right, gradients = network.classification_gradients(views, labels)
    scores = network(views)
    expected = F.cross_entropy(scores, labels)
    names, weights = zip(*network.named_parameters(), strict=True)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    assert right.item() == pytest.approx((scores.argmax(1) == labels).double().mean().item())
    assert set(gradients) == set(names) and torch.equal(views, before)
    for name, gradient in zip(names, torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(gradients[name], gradient, rtol=1e-12, atol=1e-14)


def test_a_subclass_with_another_forward_is_left_to_autograd():
    class Doubled(SplitMLP):
        def forward(self, views, head=None):
            return 2 * super().forward(views, head)

    plain = _subjects(1, Doubled)[0]
    cohort = LoopCohort([copy.deepcopy(plain)], 0.0, 0.0)
    (batch,) = _batches(1, 1)[0]
    cohort.step([batch], [0.1])
    F.cross_entropy(plain(batch.views), batch.labels).backward()
    moved = plain.head.weight - 0.1 * plain.head.weight.grad
    torch.testing.assert_close(cohort.state(0)["weights/head.weight"], moved.detach())


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
def test_a_network_with_several_heads_is_told_which_one_is_taught(packing):
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

        def forward(self, x, head=None):
            scores = torch.stack([part(x) for part in self.parts], dim=1)
            if head is None:
                return scores[:, 2]
            return scores.gather(1, head[:, None, None].expand(-1, 1, scores.shape[2]))[:, 0]

    class Headed(SplitMLP):
        heads = ("left", "right", "both")

        def __init__(self, shape, n_classes, width):
            super().__init__(shape, n_classes, width=4)
            self.head = Heads()

        def forward(self, views, head=None):
            return self.head(self.trunk(self.left(views[:, 0]) + self.right(views[:, 1])), head)

    networks = _subjects(2, Headed)
    heads = torch.tensor([0, 1, 0, 1, 1, 0])
    batches = [Batch(b.views, b.labels, heads) for b in _batches(2, 1)[0]]
    # A head learns nothing from units that are all silent, which four of them can be.
    seen = networks[0].trunk(networks[0].left(batches[0].views[:, 0]) + networks[0].right(batches[0].views[:, 1]))
    assert all(seen[heads == i].any() for i in (0, 1))
    cohort = packing(networks, 0.9, 0.0)
    before = cohort.state(0)
    cohort.step(batches, [0.1, 0.1])
    after = cohort.state(0)
    moved = [not torch.equal(before[n], after[n]) for n in (f"weights/head.parts.{i}.weight" for i in range(3))]
    assert moved == [True, True, False]
