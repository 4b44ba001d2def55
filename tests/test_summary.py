"""Intervals over seeds, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest

from binocular.dominance import contralateral_bias
from binocular.store.statistics import interval
from binocular.store.summary import SubjectOutcome, last_value, summarise_dominance, summarise_vision
from tests.synthetic import invented_conditions, invented_subject


def test_interval_by_hand():
    # mean 2, s = 1, t(0.975, 2) = 4.302653: half width 4.302653 / sqrt(3)
    found = interval([1.0, 2.0, 3.0])
    assert (found.mean, found.n) == (2.0, 3)
    assert found.high - found.mean == pytest.approx(2.484138, abs=1e-6)
    assert found.mean - found.low == pytest.approx(2.484138, abs=1e-6)


def test_interval_against_scipy():
    from scipy import stats

    values = np.random.default_rng(0).normal(size=(7, 4))
    found = interval(values)
    low, high = stats.t.interval(0.95, 6, loc=values.mean(0), scale=stats.sem(values))
    np.testing.assert_allclose(found.low, low)
    np.testing.assert_allclose(found.high, high)


def test_one_seed_or_none_has_no_interval():
    one = interval([[0.5, np.nan]])
    np.testing.assert_array_equal(one.mean, [0.5, np.nan])
    np.testing.assert_array_equal(one.n, [1, 0])
    assert np.isnan(one.low).all() and np.isnan(one.high).all()
    none = interval(np.empty((0, 3)))
    assert np.isnan(none.mean).all() and not none.n.any()


def test_missing_values_are_left_out_and_not_counted():
    found = interval([[1.0], [np.nan], [3.0]])
    assert (found.mean[0], found.n[0]) == (2.0, 2)
    assert found.high[0] == interval([1.0, 3.0]).high


def test_last_value():
    assert last_value([0.1, 0.2, np.nan]) == 0.2
    assert np.isnan(last_value([]))


def test_one_row_per_condition_and_checkpoint():
    outcomes = [SubjectOutcome.of(subject, "right") for subject in invented_conditions((0, 1))]
    table = summarise_dominance(outcomes, ["deprived-late", "normal"])["representation"]
    assert list(dict.fromkeys(table["condition"])) == ["deprived-late", "normal", "deprived-early", "both-eyes"]
    late = table["condition"] == "deprived-late"
    assert list(table["epoch"][late]) == [0, 3, 6, 8, 9, 12, 15, 16]
    row = int(np.flatnonzero(late & (table["epoch"] == 9))[0])
    subjects = [outcome for outcome in outcomes if outcome.condition == "deprived-late"]
    groups = np.stack([subject.dominance["representation"].groups[4] for subject in subjects])
    assert table["cbi"][row] == pytest.approx(contralateral_bias(groups).mean())
    np.testing.assert_allclose(table["group_share"][row], (groups / groups.sum(1, keepdims=True)).mean(0))
    assert table["cbi_n"][row] == 2


def test_subjects_probed_at_different_epochs():
    subjects = [invented_subject(seed=0, every=3), invented_subject(seed=1, every=4)]
    table = summarise_dominance([SubjectOutcome.of(subject, "right") for subject in subjects])["representation"]
    assert list(table["epoch"]) == [0, 3, 4, 6, 8, 9, 12]
    assert list(table["cbi_n"]) == [2, 1, 1, 1, 1, 1, 2]
    assert np.isnan(table["cbi_low"][1]) and not np.isnan(table["cbi_low"][0])


def test_vision_at_the_end():
    subjects = [invented_subject(seed=seed) for seed in (0, 1)]
    subjects[0].history["stereopsis"][-1] = np.nan
    table = summarise_vision([SubjectOutcome.of(subject, "right") for subject in subjects])
    expected = (subjects[0].history["stereopsis"][-2] + subjects[1].history["stereopsis"][-1]) / 2
    assert table["stereopsis"][0] == pytest.approx(expected)
    assert set(table) >= {"condition", "test_accuracy_low", "outline_n", "accuracy_left_only"}
