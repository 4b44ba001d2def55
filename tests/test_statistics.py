"""One interval, one formatter and one way to a verdict."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from binocular.store.statistics import Interval, exact, interval, overall, printed, verdict_of


def test_the_interval_is_students_t_over_seeds():
    found = interval([1.0, 2.0, 3.0, np.nan])
    assert (found.mean, found.n, found.how) == (2.0, 3, "t")
    assert found.high - found.mean == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    assert isinstance(found.mean, float) and isinstance(found.n, int)
    many = interval([[1.0, 5.0], [3.0, np.nan]])
    assert many.mean.tolist() == [2.0, 5.0] and many.n.tolist() == [2, 1] and np.isnan(many.low[1])


def test_seeds_are_found_wherever_their_dimension_stands_and_differences_are_paired():
    first = xr.DataArray([[1.0, 2.0, 9.0]], {"seed": [0, 1, 2]}, ("epoch", "seed"))
    second = xr.DataArray([1.0, 0.0, 5.0], {"seed": [1, 0, 7]}, ("seed",))
    found = interval(first - second)
    assert found.mean.shape == (1,) and found.n[0] == 2, "seeds 0 and 1 are in both"
    assert found.mean[0] == found.low[0] == found.high[0] == 1.0


def test_numbers_are_printed_without_losing_them():
    assert interval([0.5, 0.6, 0.7]).text() == str(interval([0.5, 0.6, 0.7])) == "0.60 [0.35, 0.85]"
    assert interval([0.5]).text() == "0.50" and interval([0.5]).text(missing="no interval") == "0.50 [no interval]"
    assert exact(-0.25).text() == "−0.25" and exact(3e-12).text() == "3e−12" and exact(0).text() == "0.00"
    assert interval([]).text() == "–" and interval([0.5, 0.6]).text(with_interval=False) == "0.55"
    assert interval([0.5, 0.5]).text() == "0.50 [0.50, 0.50]", "seeds without a spread are no exact number"
    assert printed(-0.001) == "0.00" and printed(-0.5, 1) == "−0.5"


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most", "verdict"),
    [
        (0.3, 0.4, 0.2, None, "holds"),
        (0.2, 0.4, 0.2, None, "holds"),
        (0.1, 0.4, 0.2, None, "undecided"),
        (0.0, 0.1, 0.2, None, "does not hold"),
        (0.3, 0.4, None, 0.2, "does not hold"),
        (0.3, 0.4, 0.2, 0.35, "undecided"),
        (0.3, 0.4, 0.2, 0.4, "holds"),
        (math.nan, math.nan, 0.2, None, "undecided"),
        (math.nan, 0.1, 0.2, None, "undecided"),
    ],
)
def test_a_verdict_follows_from_the_whole_interval(low, high, at_least, at_most, verdict):
    assert verdict_of(Interval(0.35, low, high), at_least, at_most) == verdict


def test_several_numbers_are_as_good_as_the_worst():
    assert overall(["holds", "undecided"]) == "undecided"
    assert overall(["undecided", "does not hold", "holds"]) == "does not hold"
    assert overall(["holds", "holds"]) == "holds" and overall([]) == "not run"
