"""Source variance against closed forms, symmetry and brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.networks.build import build_network
from binocular.probes import response_grid, source_variance
from binocular.stimuli.streams import stream


def _grid(function, n=400, seed=0):
    """Responses of one unit to independent draws from each eye's marginal: left = x0 + n_l, right = x0' + n_r."""
    generator = stream(seed, "test")
    left = torch.randn(n, dtype=torch.float64, generator=generator) + torch.randn(
        n, dtype=torch.float64, generator=generator
    )
    right = torch.randn(n, dtype=torch.float64, generator=generator) + torch.randn(
        n, dtype=torch.float64, generator=generator
    )
    return left, right, function(left[:, None], right[None, :])[:, :, None]


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_weighted_sum_has_the_closed_form(weight):
    left, right, grid = _grid(lambda a, b: weight * a + (1 - weight) * b)
    measured = source_variance(grid)
    assert measured.sv_left[0] == pytest.approx(weight**2 * left.var().item(), rel=1e-9)
    assert measured.sv_right[0] == pytest.approx((1 - weight) ** 2 * right.var().item(), rel=1e-9, abs=1e-12)
    # The variances are 2 in the population, so the population's RSV depends on the weight alone.
    expected = (weight**2 - (1 - weight) ** 2) / (weight**2 + (1 - weight) ** 2)
    assert measured.rsv[0] == pytest.approx(expected, abs=0.1)
    assert measured.interaction[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_a_sum_has_the_same_rsv_where_eyes_that_share_a_source_are_known_instead_of_drawn(weight):
    n = 20_000
    source, left, right = torch.randn(3, n, dtype=torch.float64, generator=stream(0, "shared"))
    left, right = left + source, right + source
    unit = weight * left + (1 - weight) * right

    def unexplained(eye: torch.Tensor) -> float:
        covariance = torch.cov(torch.stack([unit, eye]))
        return float(covariance[0, 0] - covariance[0, 1] ** 2 / covariance[1, 1])

    known_right, known_left = unexplained(right), unexplained(left)
    assert known_right == pytest.approx(1.5 * weight**2, abs=0.05)
    assert known_left == pytest.approx(1.5 * (1 - weight) ** 2, abs=0.05)
    drawn = source_variance((weight * left[:200, None] + (1 - weight) * right[None, -200:])[:, :, None])
    assert drawn.rsv[0] == pytest.approx((known_right - known_left) / (known_right + known_left), abs=0.15)


def test_product_of_zero_mean_eyes_is_all_interaction():
    _, _, grid = _grid(lambda a, b: a * b)
    measured = source_variance(grid)
    assert measured.interaction[0] > 0.98
    assert abs(measured.rsv[0]) < 0.1
    # Var(a b) = Var(a) Var(b) = 4 for two independent eyes of variance 2.
    assert measured.sv_left[0] == pytest.approx(4, rel=0.25)


@given(seed=st.integers(0, 10**6), n_left=st.integers(2, 9), n_right=st.integers(2, 9))
@settings(max_examples=40)
def test_equals_the_plain_definition_and_changes_sign_with_the_eyes(seed, n_left, n_right):
    grid = torch.randn(n_left, n_right, 3, dtype=torch.float64, generator=stream(seed, "test"))
    measured, swapped = source_variance(grid), source_variance(grid.transpose(0, 1))
    values = grid.numpy()
    for unit in range(3):
        left = np.mean([np.var(values[:, b, unit], ddof=1) for b in range(n_right)])
        right = np.mean([np.var(values[a, :, unit], ddof=1) for a in range(n_left)])
        assert measured.sv_left[unit] == pytest.approx(left, rel=1e-9)
        assert measured.sv_right[unit] == pytest.approx(right, rel=1e-9)
        assert measured.rsv[unit] == pytest.approx((left - right) / (left + right), rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(swapped.rsv, -measured.rsv, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(swapped.interaction, measured.interaction, rtol=1e-9)
    assert np.all(np.abs(measured.rsv) <= 1)


def test_the_estimate_is_unbiased():
    """Small grids scatter round the population value: 0.8 of the left eye, 0.6 of the right, interaction 0.5 ab."""
    lefts, rights = [], []
    for seed in range(600):
        _, _, grid = _grid(lambda a, b: 0.8 * a + 0.6 * b + 0.5 * a * b, n=5, seed=seed)
        measured = source_variance(grid)
        lefts.append(measured.sv_left[0])
        rights.append(measured.sv_right[0])
    # SV_left = 0.64 * 2 + 0.25 * 4 in the population, SV_right = 0.36 * 2 + 0.25 * 4.
    assert np.mean(lefts) == pytest.approx(2.28, abs=4 * np.std(lefts) / np.sqrt(600))
    assert np.mean(rights) == pytest.approx(1.72, abs=4 * np.std(rights) / np.sqrt(600))


def test_silent_units_are_counted_and_not_a_number():
    grid = torch.randn(6, 6, 4, generator=stream(0, "test"))
    grid[:, :, 2] = 3.0
    measured = source_variance(grid, bootstrap=10, generator=stream(0, "bootstrap"))
    assert measured.n_silent == 1
    assert np.isnan(measured.rsv).tolist() == [False, False, True, False]
    assert np.isnan(measured.rsv_se[2]) and np.isnan(measured.interaction[2])
    assert measured.sv_left[2] == 0


def test_bootstrap_error_matches_the_scatter_between_samples():
    estimates, errors = [], []
    for seed in range(120):
        _, _, grid = _grid(lambda a, b: 0.7 * a + 0.3 * b + 0.2 * a * b, n=40, seed=seed)
        measured = source_variance(grid, bootstrap=60, generator=stream(seed, "bootstrap"))
        estimates.append(measured.rsv[0])
        errors.append(measured.rsv_se[0])
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.25)


def test_one_stimulus_is_refused():
    with pytest.raises(ValueError, match="at least 2 stimuli"):
        source_variance(torch.zeros(1, 5, 3))


def _network_and_stimuli():
    network = build_network("split-cnn", {"width": 3}, (1, 8, 8), 4, seed=1).double().eval()
    generator = stream(1, "test")
    left = torch.randn(5, 1, 8, 8, dtype=torch.float64, generator=generator)
    right = torch.randn(4, 1, 8, 8, dtype=torch.float64, generator=generator)
    return network, left, right


def test_grid_equals_one_pair_at_a_time():
    network, left, right = _network_and_stimuli()
    shapes = {
        "representation": (5, 4, 12),
        "representation.map": (5, 4, 12),
        "trunk.0.pooled": (5, 4, 6),
        "trunk.0.map": (5, 4, 6 * 16),
        "trunk.0": (5, 4, 6 * 9),
        "first_binocular": (5, 4, 3 * 9),
    }
    grids = response_grid(network, left, right, tuple(shapes), pairs_per_block=7)
    assert {name: tuple(grid.shape) for name, grid in grids.items()} == shapes
    with torch.no_grad():
        for a in range(5):
            for b in range(4):
                fused = network.left(left[a : a + 1]) + network.right(right[b : b + 1])
                stage = network.trunk[0](fused)
                torch.testing.assert_close(grids["trunk.0.map"][a, b], stage.flatten())
                torch.testing.assert_close(grids["trunk.0.pooled"][a, b], stage.mean(dim=(2, 3))[0])
                torch.testing.assert_close(grids["trunk.0"][a, b], stage[0, :, 1:4, 1:4].relu().flatten())
                first = network.trunk[0].norm1(fused)[0, :, 1:4, 1:4].relu()
                torch.testing.assert_close(grids["first_binocular"][a, b], first.flatten())
                pooled = network.trunk(fused).mean(dim=(2, 3))[0]
                torch.testing.assert_close(grids["representation"][a, b], pooled)


def test_swapping_eyes_and_pathways_changes_the_sign_exactly():
    network, left, right = _network_and_stimuli()
    plain = source_variance(response_grid(network, left, right)["representation"])
    network.left, network.right = network.right, network.left
    mirrored = source_variance(response_grid(network, right, left)["representation"])
    np.testing.assert_allclose(mirrored.rsv, -plain.rsv, rtol=1e-9, atol=1e-12)
    assert plain.n_silent < 6 and np.nanmax(plain.rsv) - np.nanmin(plain.rsv) > 0.05
