"""What probes cost beside rearing."""

from __future__ import annotations

from binocular.bench.base import Measured, Suite, Work, in_turn
from binocular.bench.threads import threads

__all__ = ["share_of_rearing"]


def share_of_rearing(suite: Suite) -> Measured:
    """Measure a checkpoint of RSV against the ten epochs before it, in the main experiment, on one core."""
    from binocular.protocols import load_protocol
    from binocular.rearing.group import begin
    from binocular.rearing.loop import learn
    from binocular.runs.checking import check_protocol

    study = check_protocol(load_protocol("monocular-deprivation", ["seeds=1"]), "cpu").study
    plan, node = study.plan, study.tree.nodes()[0]
    group = begin(plan, [node], None)
    epochs = 2 if suite == "quick" else 5

    def rear() -> None:
        for _ in range(epochs):
            learn(group, 0, [node.epochs[0]])

    def probe() -> None:
        group.observers[0].forget()
        group.observers[0].probe(0)

    with threads(1):
        ratios, detail = in_turn(Work(rear, epochs / 10), Work(probe), 5)
    detail["n_stimuli"] = plan.probes.n_stimuli
    detail["bootstrap"] = plan.probes.bootstrap
    return Measured([100 / ratio for ratio in ratios], "ten epochs of learning", detail)
