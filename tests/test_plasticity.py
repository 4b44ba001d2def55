"""What opens and closes a period besides the rate: each does what its equation says, and nothing where it is off."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from binocular.networks.build import build_network
from binocular.protocols import Protocol, protocol_from
from binocular.protocols.training import Training
from binocular.rearing.disturbing import disturbed
from binocular.rearing.pulling import fisher_information
from binocular.rearing.silence import hidden_layers
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.snapshots import node_path, read_node

SMALL = {
    "title": "Small",
    "seeds": 1,
    "stimulus": {"kind": "stereo-scenes", "size": 12, "n_train": 40, "n_test": 20},
    "network": {"kind": "split-cnn", "options": {"width": 2}},
    "training": {"batch_size": 20, "learning_rate": 0.05, "weight_decay": 0.0, "momentum": 0.0},
    "probes": {"n_stimuli": 4, "bootstrap": 0, "every": 50, "sites": ["representation"]},
}


def protocol(*phases: dict[str, Any], **training: Any) -> Protocol:
    conditions = [{"name": "one", "phases": list(phases)}]
    return protocol_from({**SMALL, "training": {**SMALL["training"], **training}, "conditions": conditions})  # type: ignore[dict-item]


def final(folder: Path, asked: Protocol) -> dict[str, torch.Tensor]:
    """Return the state at the end of the only subject."""
    outcome = run_study(asked, folder, "cpu", progress=False)
    assert not outcome.failures
    node = read_node(node_path(folder, plan_study(asked, "cpu").tree.path["one", 0][-1]))
    assert node is not None
    return node.state


def weights(state: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([value.flatten() for name, value in sorted(state.items()) if name.startswith("weights/")])


def initial(asked: Protocol) -> torch.Tensor:
    stimulus = asked.stimulus.build(0)
    network = build_network(asked.network.kind, asked.network.options, stimulus.shape, stimulus.n_classes, 0)
    return weights({f"weights/{name}": value.detach() for name, value in network.named_parameters()})


def test_a_phase_without_them_is_the_phase_it_was():
    asked = protocol({"epochs": 2})
    identity = asked.resolved_conditions()[0].epoch_conditions()[0].identity()
    assert set(identity) == {"deficits", "learning_rate"}
    assert not {"pull", "reset_silent"} & set(asked.model_dump(mode="json")["conditions"][0]["phases"][0])


def test_one_step_towards_a_state_is_the_gradient_of_the_penalty(tmp_path: Path):
    """W after one step = w - rate (g + strength (w - w*)); the same step without the pull gives g."""
    first = {"epochs": 1}
    plain = final(tmp_path / "plain", protocol(first, {"epochs": 1}, batch_size=40))
    then = {"epochs": 1, "pull": {"to": "initial", "strength": 0.5}}
    held = final(tmp_path / "held", protocol(first, then, batch_size=40))
    before = weights(final(tmp_path / "before", protocol(first, batch_size=40)))
    rate = Training().rate(1)
    away = before - initial(protocol(first))
    torch.testing.assert_close(weights(held), weights(plain) - rate * 0.5 * away, rtol=1e-4, atol=1e-6)
    assert away.abs().max() > 1e-3


def test_a_strong_pull_keeps_the_weights_where_they_were_and_a_pull_of_nothing_leaves_them_free(tmp_path: Path):
    first = {"epochs": 1}
    before = weights(final(tmp_path / "a", protocol(first)))
    moved = {}
    for strength in (0.0, 15.0):
        then = {"epochs": 2, "pull": {"to": "start", "strength": strength}}
        after = weights(final(tmp_path / f"{strength}", protocol(first, then)))
        moved[strength] = (after - before).norm().item()
    assert moved[15.0] < 0.6 * moved[0.0]
    free = weights(final(tmp_path / "free", protocol(first, {"epochs": 2})))
    assert (free - before).norm().item() == moved[0.0]


def test_elastic_weight_consolidation_weighs_each_weight_by_its_fisher_information(tmp_path: Path):
    pull = {"to": "start", "strength": 100.0, "importance": "fisher"}
    state = final(tmp_path, protocol({"epochs": 1}, {"epochs": 1, "pull": pull}))
    worth = {name: value for name, value in state.items() if name.startswith("importance/")}
    assert {name.split("/", 1)[1] for name in worth} == {name.split("/", 1)[1] for name in state if "anchor/" in name}
    assert all((value >= 0).all() for value in worth.values()) and max(value.max() for value in worth.values()) > 0


def test_fisher_information_of_a_linear_classifier_by_hand():
    """For scores W x the gradient of log p(y) by W is (e_y - p) x, so its square has the mean p (1 - p) x^2 over y."""
    asked = protocol({"epochs": 1})
    stimulus = asked.stimulus.build(0)
    features = 2 * 12 * 12
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(features, stimulus.n_classes, bias=False)).eval()
    found = fisher_information(network, stimulus, 0, 0)["1.weight"]
    views = stimulus.views("train", torch.arange(40), None).flatten(1)
    p = network(views).softmax(1).detach()
    expected = torch.einsum("nk,nf->kf", p * (1 - p), views.square()) / 40
    # One label is drawn for each presentation, and noise anew: equal on average over weights.
    assert found.sum().item() == pytest.approx(expected.sum().item(), rel=0.25)


def test_a_pull_goes_on_into_the_next_phase_where_it_is_kept(tmp_path: Path):
    pull = {"to": "start", "strength": 1.0}
    once = final(tmp_path / "once", protocol({"epochs": 1}, {"epochs": 2, "pull": pull}))
    twice = final(
        tmp_path / "twice",
        protocol({"epochs": 1}, {"epochs": 1, "pull": pull}, {"epochs": 1, "pull": {**pull, "to": "kept"}}),
    )
    assert torch.equal(weights(once), weights(twice))


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ([{"epochs": 1}, {"epochs": 1, "pull": {"to": "kept", "strength": 1.0}}], "'initial' or 'start'"),
        ([{"epochs": 1, "pull": {"to": "start", "strength": -1.0}}], "strength"),
        ([{"epochs": 1, "pull": {"to": "start"}}], "strength"),
        ([{"epochs": 1, "reset_silent": {"threshold": -0.1}}], "threshold"),
        (
            [
                {"epochs": 1, "pull": {"to": "start", "strength": 1.0}},
                {"epochs": 1, "pull": {"to": "kept", "strength": 1.0, "importance": "fisher"}},
            ],
            "'equal' as in the phase before",
        ),
    ],
)
def test_what_cannot_be_done_is_named(phases: list[dict[str, Any]], words: str):
    with pytest.raises(BadInput, match=words):
        protocol(*phases)


def test_stacked_subjects_cannot_be_pulled(tmp_path: Path):
    asked = protocol({"epochs": 1, "pull": {"to": "initial", "strength": 1.0}}, packing="stacked")
    with pytest.raises(BadInput, match="a phase has a pull"):
        run_study(asked, tmp_path, "cpu", progress=False)


# ------------------------------------------------------------------------------------------------- silent units


def test_hidden_layers_are_those_that_layers_of_weights_alone_read():
    network = build_network("split-cnn", {"width": 2}, (1, 12, 12), 4, 0).eval()
    found = {layer.source: layer for layer in hidden_layers(network, torch.randn(6, 2, 1, 12, 12))}
    assert set(found) == {"left.3.conv1", "right.3.conv1", "trunk.0.conv1", "trunk.1.conv1", "trunk.2.conv1"}
    assert found["trunk.0.conv1"].norm == "trunk.0.norm2" and found["trunk.0.conv1"].readers == ("trunk.0.conv2",)


def test_a_silent_unit_is_drawn_afresh_and_changes_no_answer_at_first():
    asked = protocol({"epochs": 1}, {"epochs": 1, "reset_silent": {"threshold": 0.0}})
    stimulus = asked.stimulus.build(0)
    network = build_network("split-cnn", {"width": 2}, stimulus.shape, stimulus.n_classes, 0).eval()
    with torch.no_grad():
        network.get_submodule("trunk.0.norm2").bias[1] = -100.0  # type: ignore[index,operator]
    state = {f"weights/{name}": value.detach().clone() for name, value in network.named_parameters()}
    state |= {f"buffers/{name}": value.clone() for name, value in network.named_buffers()}
    state |= {f"momentum/{name}": torch.ones_like(value) for name, value in network.named_parameters()}
    conditions = asked.resolved_conditions()[0].epoch_conditions()[1]
    found = disturbed(state, conditions, asked.network, stimulus, 0, 1)
    changed = {name for name in state if not torch.equal(state[name], found[name])}
    assert changed == {
        "weights/trunk.0.conv1.weight", "weights/trunk.0.conv2.weight", "weights/trunk.0.norm2.bias",
        "momentum/trunk.0.conv1.weight", "momentum/trunk.0.conv2.weight", "momentum/trunk.0.norm2.bias",
        "momentum/trunk.0.norm2.weight",
    }  # fmt: skip
    for name in changed:
        unit = (slice(None), 1) if "conv2" in name else (1,)
        others = [i for i in range(len(state[name]) if "conv2" not in name else state[name].shape[1]) if i != 1]
        rest = found[name][:, others] if "conv2" in name else found[name][others]
        assert torch.equal(rest, state[name][:, others] if "conv2" in name else state[name][others])
        if "conv2" in name or "momentum" in name:
            assert not found[name][unit].any()
    before = network(views := stimulus.views("test", torch.arange(20), None))
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.copy_(found[f"weights/{name}"])
    torch.testing.assert_close(network(views), before)


# ------------------------------------------------------------------------------------------------- warm restarts


def test_warm_restarts_fall_along_a_cosine_and_start_anew():
    training = Training(clock="warm-restarts", learning_rate=0.1, learning_rate_decay=0.5, cycle=4, cycle_floor=0.2)
    rates = [training.rate(epoch, 3) for epoch in range(3, 12)]
    expected = [0.1 * (0.2 + 0.8 * (1 + math.cos(math.pi * step / 4)) / 2) for step in range(4)]
    np.testing.assert_allclose(rates, [*expected, *expected, 0.1])
    asked = protocol({"epochs": 2, "clock": "warm-restarts"})
    assert json.dumps(asked.resolved_conditions()[0].epoch_conditions()[0].learning_rate) == "0.05"
