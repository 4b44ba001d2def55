"""Vision of one eye with the other one closed, where what each eye tells is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from binocular.probes.one_eye import OneEye
from tests.handmade import HandMade, Still

BRIGHT = torch.full((1, 8, 8), 1 / 64)
NONE = torch.zeros(1, 8, 8)


class Paired(Still):
    """The left eye is told the outline, the right eye the depth."""

    def __init__(self, n: int = 400) -> None:
        super().__init__(n)
        self.tasks = {"outline": torch.tensor([0, 0, 1, 1]), "stereopsis": torch.tensor([0, 1, 0, 1])}


def measure(left, right, **settings):
    return OneEye(**settings).measure(HandMade(left, right), Paired(), 0, "network")


def test_each_eye_tells_what_it_sees_and_the_rest_is_guessed():
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, BRIGHT]))
    assert list(found["task"]) == ["class", "outline", "stereopsis"] and list(found["eye"]) == ["left", "right"]
    np.testing.assert_allclose(found["chance"], [0.25, 0.5, 0.5])
    np.testing.assert_allclose(found["accuracy"], [[0.5, 1, 0.5], [0.5, 0.5, 1]], atol=0.1)


def test_an_eye_without_a_pathway_tells_nothing():
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, NONE]))
    np.testing.assert_allclose(found["accuracy"][1], found["chance"], atol=0.1)
    assert found["accuracy"][0, 1] == 1


def test_a_readout_tells_what_the_classifier_cannot_use():
    # The classifier's weights are arbitrary, so that it does not tell what the representation holds.
    found = measure(torch.cat([BRIGHT, NONE]), torch.cat([NONE, BRIGHT]))
    assert found["accuracy_classifier"][0, 0] < found["accuracy"][0, 0]


def test_the_closed_eye_drowns_the_open_one_by_its_noise():
    # Both eyes feed one unit, and the mean of 64 pixels of noise is an eighth of the noise of one.
    quiet, loud = (measure(BRIGHT, BRIGHT, noise=noise)["accuracy"][0, 1] for noise in (0.0, 40.0))
    assert quiet == 1 and loud == pytest.approx(0.58, abs=0.1)


def test_the_noise_is_the_same_each_time():
    first, second = (measure(BRIGHT, BRIGHT, noise=5.0) for _ in range(2))
    np.testing.assert_array_equal(first["accuracy"], second["accuracy"])
