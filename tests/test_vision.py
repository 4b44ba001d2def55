"""Vision by networks whose answers are known, and the normalisation that probes use."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from binocular.networks.build import build_network
from binocular.probes import adapted, sight, vision
from binocular.stimuli.base import StimulusSet


class Coded(StimulusSet):
    """Four classes, outline x depth: the left eye is told the outline, the right eye the depth, by one pixel."""

    kind, shape, class_names = "coded", (1, 1, 1), ("a near", "a far", "b near", "b far")

    def __init__(self, n: int = 40, offset: float = 0.0) -> None:
        labels = torch.arange(n) % 4
        self.labels = {"train": labels, "test": labels}
        self.tasks = {"outline": torch.tensor([0, 0, 1, 1]), "stereopsis": torch.tensor([0, 1, 0, 1])}
        self._offset = offset

    def views(self, split, index, generator):
        labels = self.labels[split][index]
        eyes = torch.stack([labels // 2 * 2 - 1, labels % 2 * 2 - 1], dim=1).float()
        if generator is not None:
            eyes = eyes + self._offset + 0.1 * torch.randn(eyes.shape, generator=generator)
        return eyes[:, :, None, None, None]


class Reader(nn.Module):
    """Adds up what each eye says; the class scores follow."""

    def __init__(self, left: float, right: float) -> None:
        super().__init__()
        self.left, self.right = (
            nn.Sequential(nn.Flatten(), nn.Linear(1, 2)),
            nn.Sequential(nn.Flatten(), nn.Linear(1, 2)),
        )
        self.trunk, self.head = nn.Sequential(nn.Identity()), nn.Linear(2, 4)
        with torch.no_grad():
            for pathway, weights in ((self.left, [left, 0.0]), (self.right, [0.0, right])):
                pathway[1].weight.copy_(torch.tensor(weights)[:, None])
                pathway[1].bias.zero_()
            self.head.weight.copy_(torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]))
            self.head.bias.copy_(torch.tensor([0.03, 0.02, 0.01, 0.0]))

    def forward(self, views):
        return self.head(self.trunk(self.left(views[:, 0]) + self.right(views[:, 1])))


def test_a_reader_of_both_eyes_sees_all_and_each_eye_alone_half(monkeypatch):
    monkeypatch.setattr(sight, "_AT_ONCE", 7)  # several batches, the last one shorter
    seen = vision(Reader(1.0, 1.0).eval(), Coded())
    assert seen == {
        "test_accuracy": 1.0,
        "outline": 1.0,
        "stereopsis": 1.0,
        "accuracy_left_only": 0.5,
        "accuracy_right_only": 0.5,
    }


def test_a_reader_that_lost_the_right_eye_lost_stereopsis_only():
    seen = vision(Reader(1.0, 0.0).eval(), Coded())
    assert (seen["outline"], seen["stereopsis"], seen["test_accuracy"]) == (1.0, 0.5, 0.5)
    assert (seen["accuracy_left_only"], seen["accuracy_right_only"]) == (0.5, 0.25)


def test_a_part_of_the_test_can_be_given():
    reader = Reader(1.0, 1.0).eval()
    with torch.no_grad():
        reader.head.bias[0] = 100.0  # always answers 'a near': right once in four
    assert vision(reader, Coded(), test_size=1)["test_accuracy"] == 1.0
    assert vision(reader, Coded(), test_size=4)["test_accuracy"] == 0.25


def test_probes_look_past_the_running_averages_that_a_deficit_left():
    network = build_network("split-cnn", {"width": 2}, (1, 8, 8), 4, seed=0)
    stimulus = _Noise()
    healthy = adapted(network, stimulus, seed=0)
    network.train()
    with torch.no_grad():
        for _ in range(200):
            network(torch.zeros(16, 2, 1, 8, 8))
    network.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert network.right[1].running_var.max() < 1e-4
    measured = adapted(network, stimulus, seed=0)
    assert measured is not network
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), "the subject itself is not changed"
    for (name, value), expected in zip(measured.named_buffers(), healthy.buffers(), strict=True):
        torch.testing.assert_close(value, expected, msg=name)


def test_a_network_without_normalisation_is_measured_as_it_is():
    network = build_network("split-mlp", {"width": 4}, (1, 8, 8), 4, seed=0)
    assert adapted(network, _Noise(), seed=0) is network


class _Noise(Coded):
    def views(self, split, index, generator):
        assert generator is not None
        return torch.randn(len(index), 2, 1, 8, 8, generator=generator)


@pytest.mark.parametrize("batches", [1, 4])
def test_averages_are_those_of_the_stimuli(batches):
    network = build_network("split-cnn", {"width": 2}, (1, 8, 8), 4, seed=0)
    measured = adapted(network, _Noise(200), seed=3, batches=batches, batch=50)
    # The first normalisation sees the first convolution of unit noise: its variance is the sum of squared weights,
    # less what the border cuts off.
    expected = network.left[0].weight.square().sum(dim=(1, 2, 3))
    ratio = measured.left[1].running_var / expected
    assert ((ratio > 0.55) & (ratio < 1.0)).all(), ratio
