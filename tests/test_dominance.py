"""Ocular-dominance groups and indices on histograms made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from binocular.dominance import (
    binocular_share,
    contralateral_bias,
    dominance_of,
    groups_of,
    mean_rsv,
    median_unit_mi,
    monocularity,
    silent_units,
    wasserstein,
)

histograms = hnp.arrays(np.int64, 7, elements=st.integers(0, 50))
unit_values = hnp.arrays(
    np.float64,
    st.integers(1, 40),
    elements=st.one_of(st.floats(-1, 1), st.just(np.nan), st.sampled_from([0.0, 1.0, -1.0])),
)

UNEQUAL = (0.1, 0.4, 0.6)  # edges in use for rodents, as distances from equality


def test_each_bin_holds_its_centre():
    centres = -1 + (2 * np.arange(7) + 1) / 7
    np.testing.assert_array_equal(groups_of(centres), np.ones(7))
    for group, centre in enumerate(centres):
        assert groups_of([centre])[group] == 1


def test_ends_and_silence():
    counts = groups_of([-1, -1, 0, 1, np.nan])
    np.testing.assert_array_equal(counts, [2, 0, 0, 1, 0, 0, 1])
    assert silent_units([-1, -1, 0, 1, np.nan]) == 1


def test_checkpoints_are_counted_apart():
    counts = groups_of([[-1.0, 1.0], [1.0, np.nan]])
    np.testing.assert_array_equal(counts, [[1, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1]])


def test_edges_for_rodents():
    values = [0.05, 0.1, 0.39, 0.41, 0.61, -0.05, -0.2, -0.5, -0.9]
    np.testing.assert_array_equal(groups_of(values, UNEQUAL), [1, 1, 1, 2, 2, 1, 1])


@pytest.mark.parametrize("values", [[1.01], [-2.0], [np.inf]])
def test_values_outside_the_range_are_refused(values: list[float]):
    with pytest.raises(ValueError, match="between -1 and 1"):
        groups_of(values)


def test_edges_must_rise():
    with pytest.raises(ValueError, match="edges"):
        groups_of([0.0], (0.4, 0.1, 0.6))


@given(unit_values)
def test_every_unit_is_in_a_group_or_silent(values: np.ndarray):
    assert groups_of(values).sum() + silent_units(values) == len(values)


@given(unit_values, st.sampled_from([UNEQUAL, (1 / 7, 3 / 7, 5 / 7)]))
def test_exchanging_the_eyes_mirrors_the_groups(values: np.ndarray, edges: tuple[float, float, float]):
    np.testing.assert_array_equal(groups_of(-values, edges), groups_of(values, edges)[::-1])


@pytest.mark.parametrize(
    ("counts", "bias", "mono", "share"),
    [
        ([10, 0, 0, 0, 0, 0, 0], 1.0, 1.0, 0.0),
        ([0, 0, 0, 0, 0, 0, 10], 0.0, 1.0, 0.0),
        ([0, 0, 0, 10, 0, 0, 0], 0.5, 0.0, 1.0),
        ([5, 0, 0, 0, 0, 0, 5], 0.5, 1.0, 0.0),
        ([0, 3, 0, 0, 0, 0, 0], 5 / 6, 2 / 3, 1.0),
        ([0, 0, 0, 0, 3, 0, 0], 1 / 3, 1 / 3, 1.0),
        # ((1-2) + 2/3 (3-1) + 1/3 (2-4) + 18) / 36 and ((1+2) + 2/3 (3+1) + 1/3 (2+4)) / 18
        ([1, 3, 2, 5, 4, 1, 2], (-1 + 4 / 3 - 2 / 3 + 18) / 36, (3 + 8 / 3 + 2) / 18, 15 / 18),
    ],
)
def test_indices_by_hand(counts: list[int], bias: float, mono: float, share: float):
    assert contralateral_bias(counts) == pytest.approx(bias)
    assert monocularity(counts) == pytest.approx(mono)
    assert binocular_share(counts) == pytest.approx(share)


def test_treated_left_reads_from_the_other_end():
    counts = [10, 0, 0, 0, 0, 0, 0]
    assert contralateral_bias(counts, "left") == 0.0
    assert contralateral_bias(counts[::-1], "left") == 1.0
    with pytest.raises(ValueError, match="treated_eye"):
        contralateral_bias(counts, "both")


@given(histograms)
def test_swapping_the_treated_eye_mirrors_the_index(counts: np.ndarray):
    assert contralateral_bias(counts[::-1], "left") == contralateral_bias(counts, "right") or not counts.sum()
    if counts.sum():
        assert contralateral_bias(counts, "left") + contralateral_bias(counts, "right") == pytest.approx(1)
        assert 0 <= contralateral_bias(counts) <= 1
        assert 0 <= monocularity(counts) <= 1


def test_nothing_but_silent_units():
    nothing = np.zeros(7)
    assert np.isnan(contralateral_bias(nothing))
    assert np.isnan(monocularity(nothing))
    assert np.isnan(binocular_share(nothing))
    assert np.isnan(mean_rsv([np.nan, np.nan]))
    assert np.isnan(median_unit_mi([np.nan]))
    assert np.isnan(wasserstein(nothing, np.ones(7)))


def test_seven_groups_are_needed():
    with pytest.raises(ValueError, match="seven groups"):
        contralateral_bias([1, 2, 3])
    with pytest.raises(ValueError, match="fewer than 0"):
        monocularity([-1, 0, 0, 0, 0, 0, 0])


def test_unit_indices():
    values = [[-1.0, 0.5, np.nan, 0.0], [0.2, 0.4, 0.6, -0.8]]
    np.testing.assert_allclose(mean_rsv(values), [-0.5 / 3, 0.1])
    np.testing.assert_allclose(median_unit_mi(values), [0.5, 0.5])


def test_wasserstein_counts_the_groups_moved():
    one, four, seven = np.eye(7)[[0, 3, 6]]
    assert wasserstein(one, seven) == pytest.approx(6)
    assert wasserstein(10 * one, four) == pytest.approx(3)
    assert wasserstein(one + seven, four) == pytest.approx(3)
    assert wasserstein(one, one) == 0


@given(histograms, histograms)
def test_wasserstein_is_a_distance(first: np.ndarray, second: np.ndarray):
    if first.sum() and second.sum():
        assert wasserstein(first, second) == pytest.approx(wasserstein(second, first))
        assert 0 <= wasserstein(first, second) <= 6


def test_all_at_once_has_one_row_per_checkpoint():
    rsv = np.array([[0.0, 0.05, np.nan], [0.9, 0.95, 1.0]])
    found = dominance_of(rsv, "right")
    assert found.groups.shape == (2, 7)
    np.testing.assert_allclose(found.cbi, [0.5, 0.0])
    np.testing.assert_allclose(dominance_of(rsv, "left").cbi, [0.5, 1.0])
    np.testing.assert_allclose(found.mi, [0, 1])
