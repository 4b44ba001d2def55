"""Rearing epoch by epoch: the same subject as a study of the same history, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from binocular.rearing.stepwise import Stepwise
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.store.snapshots import node_path, read_node
from tests.tiny import tiny

EVERY_EPOCH = ("probes.every=1", "training.evaluate_every=1")


def test_a_subject_reared_epoch_by_epoch_equals_the_one_of_a_study(tmp_path):
    study = plan_study(tiny(tmp_path, *EVERY_EPOCH), "cpu")
    subject = Stepwise(study.plan, 0)
    conditions = study.protocol.resolved_conditions()[1].epoch_conditions()
    for epoch in conditions:
        subject.rear(epoch)
    assert subject.age == 4 and subject.epochs == tuple(conditions)

    run_study(study.protocol, tmp_path / "out", "cpu")
    record, planned = subject.record(), read_node(node_path(tmp_path / "out", study.tree.path["early", 0][-1]))
    assert planned is not None and planned.start == 0
    assert (record.identity, record.parent, record.measures) == (planned.identity, planned.parent, planned.measures)
    assert record.state.keys() == planned.state.keys()
    for name, value in record.state.items():
        assert torch.equal(value, planned.state[name]), name
    for mine, theirs in (
        (record.history, planned.history),
        (record.probes["representation"], planned.probes["representation"]),
    ):
        assert mine.keys() == theirs.keys()
        for name, values in mine.items():
            np.testing.assert_array_equal(values, theirs[name], err_msg=name)


def test_a_record_is_not_changed_by_later_epochs(tmp_path):
    study = plan_study(tiny(tmp_path, *EVERY_EPOCH), "cpu")
    subject = Stepwise(study.plan, 0)
    conditions = study.protocol.resolved_conditions()[0].epoch_conditions()
    subject.rear(conditions[0])
    early = subject.record()
    weights = {name: value.clone() for name, value in early.state.items()}
    subject.rear(conditions[1])
    assert (early.done, len(early.history["epoch"]), len(early.probes["representation"]["epoch"])) == (1, 1, 2)
    assert all(torch.equal(value, weights[name]) for name, value in early.state.items())
    assert subject.record().identity != early.identity


def test_epochs_come_in_their_order(tmp_path):
    study = plan_study(tiny(tmp_path, *EVERY_EPOCH), "cpu")
    with pytest.raises(ValueError, match="epoch 0 is next"):
        Stepwise(study.plan, 0).rear(study.protocol.resolved_conditions()[0].epoch_conditions()[2])
