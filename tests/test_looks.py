"""Looks declared beforehand: published boundaries, and the rate of wrong decisions by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from binocular.stimuli.errors import BadInput
from binocular.store.looks import LOOKS, boundaries, coverages, spent
from binocular.store.statistics import interval


def test_boundaries_are_the_published_ones():
    # Five equally spaced looks, two-sided 5 %: the textbook's table for this spending function.
    assert boundaries((1 * 8, 2 * 8, 3 * 8, 4 * 8, 5 * 8)) == pytest.approx(
        [4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-3
    )
    assert boundaries((7,)) == pytest.approx([1.95996], abs=1e-4), "a single look is the ordinary interval"
    assert spent(1.0) == pytest.approx(0.05) and spent(0.25) < 1e-4


def test_error_can_be_spent_evenly():
    # The same textbook's table for the function that resembles Pocock's boundary.
    assert boundaries((8, 16, 24, 32, 40), spending="pocock") == pytest.approx(
        [2.4380, 2.4268, 2.4102, 2.3966, 2.3860], abs=2e-3
    )
    assert spent(1.0, spending="pocock") == pytest.approx(0.05) and spent(0.125, spending="pocock") > 0.009


def decided(looks: tuple[int, ...], levels: tuple[float, ...], drawn: np.ndarray) -> float:
    """Return the share of trials, ``[seed, trial]``, in which the interval leaves the true mean out at some look."""
    out = np.zeros(drawn.shape[1], bool)
    for seeds, coverage in zip(looks, levels, strict=True):
        found = interval(drawn[:seeds], coverage)
        out |= (found.low > 0) | (found.high < 0)
    return float(out.mean())


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_looking_again_is_wrong_in_five_of_a_hundred_trials(spending):
    drawn = np.random.default_rng(0).standard_normal((LOOKS[-1], 40_000))
    # Five s.d. of the share of 40,000 trials are 0.0054; t of few seeds keeps the rate and does not fall on it exactly.
    assert decided(LOOKS, coverages(LOOKS, spending=spending), drawn) == pytest.approx(0.05, abs=0.006)
    assert decided(LOOKS, (0.95,) * len(LOOKS), drawn) > 0.1, "the same looks at ordinary intervals"


def test_an_effect_is_found_before_the_last_look():
    drawn = 1.5 + np.random.default_rng(1).standard_normal((LOOKS[-1], 2_000))
    assert decided(LOOKS[:3], coverages(LOOKS)[:3], drawn) > 0.95


@pytest.mark.parametrize("looks", [(), (1, 5), (5, 5), (10, 5)])
def test_looks_that_do_not_ascend_are_refused(looks):
    with pytest.raises(BadInput, match="looks"):
        boundaries(looks)
