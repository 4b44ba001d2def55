"""Deep linear networks: the batched computation against automatic differentiation, and both against exact theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.bench.linear import benchmark_cases
from binocular.linear import (
    Conditions,
    LinearCohort,
    Stretch,
    aligned_start,
    deep_mode,
    gaussian_start,
    nonlinear,
    race,
    rear_alone,
    settled_race,
    shallow_mode,
)
from binocular.linear.completion import Completion, complete
from binocular.linear.gating import (
    exact_contributions,
    gated_contributions,
    hierarchy_starts,
    shares,
    stepped_contributions,
)
from binocular.linear.modes import contribution
from binocular.linear.tasks import HIERARCHY, SENSORS, STRONG_SENSOR, low_rank_matrix, modes_of, observed_entries

U, S, V = modes_of(HIERARCHY)


def _aligned(depth, starts, width=10, seeds=(0,), conserved=0.0):
    """Start from p, ``[network, pathway, mode]``, in the first layer and q of the conserved constant in the others."""
    p = torch.as_tensor(np.asarray(starts))
    q = torch.sqrt(p**2 + conserved)
    strengths = torch.stack([p] + [q] * (depth - 1), dim=2)
    return aligned_start(strengths, torch.from_numpy(U), torch.from_numpy(V), width, seeds)


def _contributions(products):
    return np.einsum("om,tnpoi,im->tnmp", U, products.numpy(), V)


def _target(networks=1):
    return torch.from_numpy(HIERARCHY).expand(networks, *HIERARCHY.shape)


def test_the_tasks_are_as_published():
    assert HIERARCHY.shape == (15, 8)
    assert np.allclose(S**2, [15, 7, 3, 3, 1, 1, 1, 1])
    assert np.allclose((U * S) @ V.T, HIERARCHY)
    assert SENSORS[:, STRONG_SENSOR].tolist() == [3, 0, 0, 0, 3]
    matrix = low_rank_matrix(30, 3, 0, "first task")
    assert np.linalg.matrix_rank(matrix) == 3
    assert np.isclose(np.mean(matrix**2), 1)
    few, many = observed_entries(30, 100, 4), observed_entries(30, 200, 4)
    assert few.sum() == 100 and many.sum() == 200 and np.all(few <= many)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_batched_equals_one_at_a_time(depth):
    sizes = [6, *[7] * (depth - 1), 5]
    layers = gaussian_start(sizes, 2, 0.4, range(4))
    generator = torch.Generator().manual_seed(1)
    target = torch.randn(4, 5, 6, dtype=torch.float64, generator=generator)
    gate = torch.tensor([[True, False], [True, True], [False, True], [True, False]])
    sensors = (torch.rand(4, 1, 1, 6, generator=generator) < 0.6).double().expand(4, 2, 5, 6)
    weight = torch.tensor([1.0, 0.5, 2.0, 1.0], dtype=torch.float64)
    course = [
        Stretch(20, Conditions(target, gate, sensors, weight)),
        Stretch(45, Conditions(target, passes=sensors.flip(0))),
        Stretch(60, Conditions(target)),
    ]
    cohort = LinearCohort(layers, 0.01)
    cohort.rear(course)
    for network in range(4):
        one = slice(network, network + 1)
        own = [
            Stretch(
                stretch.until,
                Conditions(
                    **{name: None if value is None else value[one] for name, value in vars(stretch.conditions).items()}
                ),
            )
            for stretch in course
        ]
        plain = rear_alone([layer[network] for layer in layers], 0.01, own)
        for together, alone, before in zip(cohort.layers, plain, layers, strict=True):
            assert torch.allclose(together[network], alone, rtol=0, atol=1e-13)
            assert not torch.allclose(alone, before[network], atol=1e-3)


def test_a_gate_that_never_closes_changes_nothing():
    layers = gaussian_start([8, 9, 15], 2, 0.2, range(3))
    target = _target(3)
    plain = LinearCohort(layers, 0.02).follow([Stretch(80, Conditions(target))], [80])
    always = torch.ones(3, 2, dtype=torch.bool)
    everything = torch.ones(3, 2, 15, 8)
    for conditions in (Conditions(target, always), Conditions(target, always, everything)):
        assert torch.equal(LinearCohort(layers, 0.02).follow([Stretch(80, conditions)], [80]), plain)
    never = [Stretch(0, Conditions(target, ~always)), Stretch(80, Conditions(target))]
    assert torch.equal(LinearCohort(layers, 0.02).follow(never, [80]), plain)


@pytest.mark.parametrize("depth", [1, 3])
def test_swapping_the_pathways_swaps_what_they_learn(depth):
    layers = gaussian_start([8, *[9] * (depth - 1), 15], 2, 0.2, range(2))
    gate = torch.tensor([[True, False], [True, False]])
    course = [Stretch(30, Conditions(_target(2), gate)), Stretch(60, Conditions(_target(2)))]
    mirrored = [Stretch(30, Conditions(_target(2), gate.flip(1))), Stretch(60, Conditions(_target(2)))]
    one = LinearCohort(layers, 0.02).follow(course, [10, 60])
    other = LinearCohort([layer.flip(1) for layer in layers], 0.02).follow(mirrored, [10, 60])
    assert torch.allclose(one.flip(2), other, rtol=0, atol=1e-14)
    assert not torch.allclose(one, other, atol=0.1)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_closed_form_is_what_gradient_descent_does(depth):
    outputs, strengths, inputs = modes_of(SENSORS)
    rate, start = 0.001, 1e-3
    p = torch.full((1, 1, depth, len(strengths)), start ** (1 / depth), dtype=torch.float64)
    layers = aligned_start(p, torch.from_numpy(outputs), torch.from_numpy(inputs), 6, [0])
    at = list(range(0, 4001, 400))
    products = LinearCohort(layers, rate).follow([Stretch(4000, Conditions(torch.from_numpy(SENSORS)[None]))], at)
    found = np.einsum("om,tnpoi,im->tm", outputs, products.numpy(), inputs)
    exact = (shallow_mode, deep_mode)[depth - 1](strengths, start, rate * np.array(at)[:, None])
    assert np.abs(found - exact).max() < 0.01 * strengths.max()
    assert np.ptp(exact[:, 0]) > 0.9 * strengths[0]


@pytest.mark.parametrize(("depth", "conserved"), [(1, 0.0), (2, 0.0), (4, 0.0), (2, 1.0), (8, 1.0), (13, 1.0)])
def test_the_differential_equation_is_what_gradient_descent_does(depth, conserved):
    small = 0.05 if conserved else 0.02 ** (1 / depth)
    starts = np.stack([np.full(8, small), np.full(8, 0.9 * small)], axis=-1)
    # The error of a step grows with the curvature at the end, so that the rate shrinks with depth.
    rate = 0.0005 if depth < 8 else 0.00005
    end = {1: 3.0, 2: 3.0, 4: 3.0, 8: 0.5, 13: 0.3}[depth]
    steps, gate = int(end / rate), int(end / rate) // 5
    course = [
        Stretch(gate, Conditions(_target(), torch.tensor([[True, False]]))),
        Stretch(steps, Conditions(_target())),
    ]
    at = np.linspace(0, steps, 21).astype(int)
    layers = _aligned(depth, starts.T[None], conserved=conserved)
    found = _contributions(LinearCohort(layers, rate).follow(course, at.tolist()))[:, 0]
    exact = race(depth, S, starts, rate * at, [(0, rate * gate)], conserved=conserved)
    assert np.abs(found - exact).max() < 0.01 * S.max()
    assert exact[-1, 0, 0] > 1.2 * exact[-1, 0, 1]


@settings(max_examples=12)
@given(
    depth=st.integers(1, 6),
    conserved=st.sampled_from([0.0, 1.0]),
    first=st.floats(0.3, 0.6),
    second=st.floats(0.3, 0.6),
)
def test_the_end_of_a_race_is_fixed_by_its_start(depth, conserved, first, second):
    long = race(depth, [4.0, 2.0], [[first, second]] * 2, [0.0, 200.0], conserved=conserved)[-1]
    assert np.allclose(settled_race(depth, [4.0, 2.0], [[first, second]] * 2, conserved), long, atol=1e-5)


def test_what_a_silenced_pathway_leaves_is_learned_by_the_other():
    starts = np.full((8, 2), 0.02 ** (1 / 3))
    rate, steps = 0.001, 12000
    layers = _aligned(3, starts.T[None])
    gate = torch.tensor([[True, False]])
    closed = torch.ones(1, 2, 15, 8)
    closed[:, 1] = 0
    course = [
        Stretch(8000, Conditions(_target())),
        Stretch(10000, Conditions(_target(), gate, closed)),
        Stretch(steps, Conditions(_target())),
    ]
    at = [8000, 10000, 12000]
    found = _contributions(LinearCohort(layers, rate).follow(course, at))[:, 0]
    exact = race(3, S, starts, rate * np.array(at), [(8.0, 10.0)], silenced=True)
    assert np.abs(found - exact).max() < 0.01 * S.max()
    assert np.allclose(found[0, 0], S[0] / 2, atol=0.01)
    assert found[1, 0, 0] > 0.99 * S[0]
    assert found[2, 0, 0] > found[2, 0, 1] + 0.2


def test_eyes_that_see_different_things_do_not_compete():
    starts = np.stack([np.full(8, 0.5), np.full(8, 0.2)], axis=-1)
    layers = _aligned(2, starts.T[None])
    unlike = torch.eye(2, dtype=torch.float64)[None]
    course = [Stretch(12000, Conditions(_target(), correlation=unlike))]
    found = _contributions(LinearCohort(layers, 0.002).follow(course, [12000]))[0, 0]
    assert np.allclose(found, S[:, None], atol=1e-3)
    assert np.allclose(race(2, S, starts, [0.0, 24.0], correlation=0)[-1], S[:, None], atol=1e-3)


def test_a_lesioned_mode_is_learned_by_the_other_pathway():
    starts = np.full((8, 2), 0.1)
    strengths = torch.from_numpy(starts.T[None])[:, :, None].expand(1, 2, 2, 8).clone()
    # In the basis of the modes: the target is diagonal, and a mode is one entry.
    layers = aligned_start(strengths, torch.eye(8), torch.eye(8), 8, [0])
    passes = torch.ones(1, 2, 8, 8)
    passes[0, 0, 1, 1] = 0
    target = torch.diag(torch.from_numpy(S))[None]
    products = LinearCohort(layers, 0.002).follow([Stretch(8000, Conditions(target, passes=passes))], [8000])[0, 0]
    shares = torch.stack([torch.diagonal(part) for part in products]).numpy() / S
    assert np.allclose(shares[:, 1], [0.1**2 / S[1], 1], atol=1e-3)
    assert np.allclose(shares[:, 0], 0.5, atol=1e-3)


def test_the_race_alone_is_the_closed_form():
    time = np.linspace(0, 3, 7)
    shared = race(2, [3.0], [[np.sqrt(1e-3), 0.0]], time)[:, 0]
    assert np.allclose(shared[:, 0], deep_mode(3.0, 1e-3, time), atol=1e-6)
    assert np.all(shared[:, 1] == 0)
    assert np.isclose(contribution(0.5, 3, 1.0), 0.5 * 1.25)


def test_what_cannot_be_is_refused():
    layers = gaussian_start([4, 5, 3], 2, 0.1, [0])
    with pytest.raises(ValueError, match="columns"):
        LinearCohort([layers[1], layers[0]], 0.1)
    with pytest.raises(ValueError, match="same networks"):
        LinearCohort([layers[0], layers[1][:, :1]], 0.1)
    with pytest.raises(ValueError, match="orthonormal"):
        _aligned(2, np.full((1, 2, 8), 0.1), width=7)
    with pytest.raises(ValueError, match="rank"):
        low_rank_matrix(5, 6, 0, "x")


def test_the_cases_of_the_benchmark_do_the_same_work():
    ((size, alone, together),) = benchmark_cases([3], steps=10, alone_at_most=2)
    assert (size, alone.amount, together.amount) == (3, 20, 30)
    alone.run()
    together.run()


def test_networks_that_share_a_first_task_are_as_reared_alone():
    plan = Completion(
        depth=2, size=12, first_rank=3, second_rank=2, observed_first=60, observed_second=80, learning_rate=3.0,
        scale=0.1, switches=(0, 15, 40), afterwards=60,
    )  # fmt: skip
    together = complete(plan, [3, 5], kept=4)
    assert together.error.shape == (3, 2) and together.strengths.shape == (3, 2, 4)
    for index, switch in enumerate(plan.switches):
        alone = complete(replace(plan, switches=(switch,)), [5], kept=4)
        assert np.allclose(together.error[index, 1], alone.error[0, 0], rtol=1e-10)
    assert not np.allclose(together.error[0], together.error[2], rtol=1e-3)
    same = complete(replace(plan, same_matrix=True, first_rank=2, observed_first=80), [3])
    longer = complete(replace(plan, switches=(0,), afterwards=100), [3])
    assert np.allclose(same.error[2], longer.error[0], rtol=1e-10)
    with pytest.raises(ValueError, match="same matrix"):
        complete(replace(plan, same_matrix=True), [3])


def test_units_that_do_not_bend_are_the_linear_network(monkeypatch):
    monkeypatch.setitem(nonlinear.UNITS, "straight", lambda signal: signal)
    windows, at = {"sham": (0.0, 0.0), "early": (0.0, 1.0)}, [0, 100, 600]
    sizes, errors = nonlinear.gated_outputs("straight", 3, [2, 7], windows, 0.01, at, 9)
    linear = gated_contributions(3, HIERARCHY, hierarchy_starts([2, 7], 3), [2, 7], windows, 0.01, at)
    assert np.allclose(sizes, (linear**2).sum(-2))
    assert np.allclose(errors, 0.5 * ((S - linear.sum(-1)) ** 2).sum(-1))
    bent, _ = nonlinear.gated_outputs("tanh", 3, [2, 7], windows, 0.01, at, 9)
    assert not np.allclose(bent, sizes, rtol=0.01)


def test_a_gate_leaves_a_share_that_the_differential_equation_tells():
    starts = hierarchy_starts([4, 9], 3)
    windows = {"sham": (0.0, 0.0), "early": (0.0, 1.0)}
    at = [0, 500, 1000, 4000]
    found = gated_contributions(3, HIERARCHY, starts, [4, 9], windows, 0.002, at)
    exact = exact_contributions(3, S, starts, windows, 0.002 * np.array(at))
    assert found.shape == exact.shape == (2, 2, 4, 8, 2)
    assert np.abs(found - exact).max() < 0.01 * S[0]
    assert np.allclose(shares(found[0, :, -1]), 0.5)
    assert shares(found[1, :, -1]).max() < 0.3
    stepped = stepped_contributions(3, S, starts, windows, 0.002, at)
    assert np.allclose(found, stepped, atol=1e-9)
