"""Acuity of eyes whose pathways pass known gratings, and thresholds of known curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.probes.acuity import Acuity
from binocular.probes.readouts import resampled_thresholds, ridge_hits, rising, sensitivity
from binocular.stimuli.streams import stream
from tests.handmade import HandMade, Square, Still, grating, swapped

PROBE = Acuity(
    frequencies=(1, 2, 3, 4),
    contrasts=(0.05, 0.2, 1),
    acuity_contrast=1,
    noise=0.3,
    n_train=60,
    n_test=60,
    resamplings=50,
)


def sees(*frequencies: float) -> HandMade:
    """Return a network whose left eye has squaring units for gratings, and whose right eye drives nothing."""
    filters = torch.stack([grating(o, f, p) for o in (0, 90) for f in frequencies for p in (0, 90)])
    return HandMade(filters, torch.zeros_like(filters), Square())


@pytest.fixture(scope="module")
def coarse():
    return PROBE.measure(sees(1, 2), Still(), 0, "representation")


def test_acuity_ends_between_the_last_grating_seen_and_the_first_not_seen(coarse):
    assert 2 <= coarse["acuity"][0] < 3 and coarse["acuity_censored"][0] == 0
    assert coarse["acuity_low"][0] <= coarse["acuity"][0] <= coarse["acuity_high"][0]
    assert (coarse["accuracy"][0, :2, -1] > 0.95).all() and (coarse["accuracy"][0, 2:, -1] < 0.72).all()
    assert (coarse["contrast_sensitivity"][0, :2] > 1).all() and (coarse["contrast_sensitivity"][0, 2:] == 0).all()


def test_a_blind_eye_has_no_acuity(coarse):
    assert (coarse["acuity"][1], coarse["acuity_censored"][1]) == (0, -1)
    assert (coarse["contrast_sensitivity"][1] == 0).all()


def test_an_eye_that_sees_all_is_censored_at_the_finest_grating():
    # At half a cycle per pixel the phase of a grating decides whether there is anything to see; 3 is the finest here.
    probe = PROBE.model_copy(update={"frequencies": (1.0, 2.0, 3.0)})
    found = probe.measure(sees(1, 2, 3), Still(), 0, "representation")
    assert (found["acuity"][0], found["acuity_censored"][0]) == (3, 1)


def test_pathways_exchanged_exchange_the_eyes(coarse):
    other = PROBE.measure(swapped(sees(1, 2)), Still(), 0, "representation")
    np.testing.assert_array_equal(other["accuracy"], coarse["accuracy"][::-1])
    np.testing.assert_array_equal(other["acuity"], coarse["acuity"][::-1])


def test_the_readout_is_the_same_with_many_units_and_few():
    draw = stream(0, "test")
    labels = torch.arange(40) % 2
    base = torch.randn(40, 6, generator=draw, dtype=torch.float64) + labels[:, None]
    doubled = torch.cat([base] * 10, 1)  # 60 units, more than presentations: solved the other way round
    few = ridge_hits(base[None], labels, base[None] + 0.1, labels, ridge=0.1)
    many = ridge_hits(doubled[None], labels, doubled[None] + 0.1, labels, ridge=1.0)
    assert few == many and few > 30


def test_a_readout_of_nothing_is_right_by_chance():
    labels = torch.arange(40) % 2
    assert ridge_hits(torch.zeros(1, 40, 3), labels, torch.zeros(1, 40, 3), labels) == 20


def test_thresholds_of_known_curves():
    levels = np.array([8.0, 4.0, 2.0, 1.0])
    assert sensitivity(levels, np.array([0.5, 0.5, 1.0, 1.0]), 0.75) == (pytest.approx(2**1.5), 0)
    assert sensitivity(levels, np.array([0.8, 0.9, 1.0, 1.0]), 0.75) == (8.0, 1)
    assert sensitivity(levels, np.array([0.5, 0.5, 0.6, 0.7]), 0.75) == (0.0, -1)
    # What is too coarse may be hard again; a dip by chance on the way is smoothed.
    assert sensitivity(levels, np.array([0.5, 0.5, 1.0, 0.5]), 0.75) == (pytest.approx(2**1.5), 0)
    assert sensitivity(levels, np.array([0.6, 0.5, 1.0, 1.0]), 0.75)[0] == pytest.approx(2 ** (2 - 0.2 / 0.45))


def test_the_interval_of_a_threshold_holds_it():
    levels = np.array([8.0, 4.0, 2.0, 1.0])
    value, low, high, _ = resampled_thresholds(levels, np.array([52, 60, 90, 99]), 100, 0.75, 400, stream(0, "test"))
    assert low < value < high and low > 2 and high < 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=60)
def test_the_rising_sequence_is_the_closest(values):
    found, given_ = rising(np.array(values)), np.array(values)
    assert (np.diff(found) >= -1e-12).all() and found.sum() == pytest.approx(given_.sum(), abs=1e-9)
    # Min-max formula of isotonic regression.
    for i in range(len(values)):
        best = max(min(given_[s : e + 1].mean() for e in range(i, len(values))) for s in range(i + 1))
        assert found[i] == pytest.approx(best, abs=1e-9)
