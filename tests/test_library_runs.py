"""Every named protocol goes through the engine from end to end: all conditions and deficits, one epoch a phase."""

from __future__ import annotations

import pytest

from binocular import protocols
from binocular.runs.running import run_study
from binocular.store.verification import verify_study

_QUICK = ("strabismus", "treatments")
_LAB = [name for name in protocols.library_names() if not name.endswith("-paper")]


def _shortened(name: str) -> protocols.Protocol:
    few = ["seeds=1", "stimulus.n_train=120", "stimulus.n_test=60"]
    protocol = protocols.load_protocol(name, few)
    if getattr(protocol.stimulus, "dataset", "") == "fashion-mnist":  # which is not on every machine
        protocol = protocols.load_protocol(name, [*few, "stimulus.dataset=photographs", "stimulus.size=24"])
    conditions = tuple(
        condition.model_copy(
            update={"phases": tuple(p.model_copy(update={"epochs": min(p.epochs, 1)}) for p in condition.phases)}
        )
        for condition in protocol.conditions
    )
    width = protocol.network.options.get("attention_heads", 2)
    network = protocol.network.model_copy(update={"options": {**protocol.network.options, "width": width}})
    training = protocol.training.model_copy(update={"batch_size": 40})
    probes = protocol.probes.model_copy(update={"n_stimuli": 8, "bootstrap": 4})
    return protocol.model_copy(
        update={"conditions": conditions, "network": network, "training": training, "probes": probes}
    )


@pytest.mark.parametrize(
    "name", [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in _LAB]
)
def test_it_runs(name, tmp_path):
    outcome = run_study(_shortened(name), tmp_path / "out", "cpu")
    assert not outcome.failures
    assert verify_study(outcome.study) == []
