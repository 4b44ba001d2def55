"""Stacked cohorts fit into the memory that there is, and small ones are left whole."""

from __future__ import annotations

import pytest
import torch

from binocular.networks.build import build_network
from binocular.protocols import load_protocol
from binocular.runs import packing
from binocular.runs.packing import bytes_of_step, packing_for, subjects_at_once
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.runs.scheduling import Queue
from tests.tiny import arrays, tiny


def test_bytes_of_a_fully_connected_network_are_those_counted_by_hand():
    network = build_network("split-mlp", {"width": 8, "depth": 1}, (1, 4, 4), 3, 0)
    weights = 2 * (16 * 8 + 8) + 8 * 8 + 8 + 8 * 3 + 3
    views, hidden = 2 * 16, 2 * 8
    found = bytes_of_step(network, (1, 4, 4), 10, stacked=True)
    # Weights, momentum and gradients; then, for each presentation, the views and two layers of 8 and their gradients.
    expected = 4 * (3 * weights + 2 * 10 * (views + hidden))
    assert expected <= found <= 1.1 * expected


def test_counting_changes_nothing():
    network = build_network("split-cnn", {"width": 2}, (1, 12, 12), 8, 0).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    one, two = (bytes_of_step(network, (1, 12, 12), batch, stacked=True) for batch in (20, 40))
    assert not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert 1.5 < two / one < 2.0, "what a batch needs grows with the batch, and the weights do not"


def test_a_cohort_that_does_not_fit_is_split_and_comes_out_the_same(tmp_path, monkeypatch):
    settings = ["training.packing=stacked", "seeds=3", "network.kind=split-mlp", "network.options={ width = 4 }"]
    protocol = tiny(tmp_path, *settings)
    study = plan_study(protocol, "cpu")
    monkeypatch.setattr(packing, "_room", lambda device: 1e12)
    (whole,) = Queue(study, [node for node in study.tree.nodes() if node.is_root and node.stop == 3]).ready()
    assert len(whole) == 3
    together = run_study(protocol, tmp_path / "together", "cpu").study
    each = 1e12 / subjects_at_once(study.plan)
    monkeypatch.setattr(packing, "_room", lambda device: 2.5 * each)
    assert subjects_at_once(study.plan) == 2
    groups = Queue(study, whole).ready()
    assert [len(group) for group in groups] == [2, 1]
    assert [node.identity for group in groups for node in group] == [node.identity for node in whole]
    split = run_study(protocol, tmp_path / "split", "cpu").study
    first, second = arrays(together), arrays(split)
    name = "conditions/normal/1/history/train_loss"
    assert first[name] == pytest.approx(second[name], rel=1e-4)
    monkeypatch.setattr(packing, "_room", lambda device: 1.0)
    assert subjects_at_once(study.plan) == 1


def test_packing_is_chosen_by_network_and_device():
    main = load_protocol("monocular-deprivation")
    assert packing_for(main, "cpu") == "loop" and packing_for(main, "cuda") == "stacked"
    published = load_protocol("monocular-deprivation", ["network.kind=split-resnet-18", "network.options={}"])
    assert packing_for(published, "cuda") == "loop"
    asked = load_protocol("monocular-deprivation", ["training.packing=stacked"])
    assert packing_for(asked, "cpu") == "stacked"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_is_filled_and_not_overrun(tmp_path):
    study = plan_study(tiny(tmp_path, "seeds=1"), "cuda")
    most = subjects_at_once(study.plan)
    network = build_network("split-cnn", {"width": 2}, (1, 12, 12), 8, 0)
    assert 1 <= most * bytes_of_step(network, (1, 12, 12), 20, stacked=True) <= torch.cuda.mem_get_info()[0]
