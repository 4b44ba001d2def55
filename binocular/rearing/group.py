"""Subjects that go through their epochs in lockstep: what they see, their weights, their records and observers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from binocular.networks.build import network_of
from binocular.rearing.cohort import Cohort, LoopCohort, StackedCohort
from binocular.rearing.memory import keep_freed_memory
from binocular.rearing.objectives import build_decoder
from binocular.rearing.observing import Observer
from binocular.rearing.plan import Plan
from binocular.rearing.randomness import OwnStreams
from binocular.rearing.tree import Node
from binocular.stimuli.base import StimulusSet
from binocular.store.provenance import origin
from binocular.store.snapshots import NodeRecord, node_path, read_node

__all__ = ["Diverged", "Group", "begin"]


class Diverged(FloatingPointError):
    """Learning of some subjects of a group broke down; ``causes`` says why, by the identity of the node."""

    def __init__(self, causes: Mapping[str, str]) -> None:
        super().__init__(dict(causes))
        self.causes = dict(causes)

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(self.causes.values()))


@dataclass(frozen=True)
class Group:
    """Subjects in lockstep, each at the same place of all lists.

    Attributes
    ----------
    plan, nodes
        What they have in common, and what each goes through, of equal epochs.
    sets, streams
        What each sees, and those of what its network draws by itself.
    cohort
        Their weights, and how these change.
    records, observers
        What was noted about each, and who notes it.
    lost
        Subjects whose learning broke down: the place of each, and why. Their weights are of no use any more.
    """

    plan: Plan
    nodes: list[Node]
    sets: list[StimulusSet]
    cohort: Cohort
    records: list[NodeRecord]
    observers: list[Observer]
    streams: list[OwnStreams]
    lost: dict[int, str] = field(default_factory=dict)

    def lose(self, subject: int, why: str) -> None:
        """Note that learning of a subject broke down; the others go on.

        Raises
        ------
        Diverged
            If none is left.
        """
        self.lost.setdefault(subject, f"{why}; a smaller training.learning_rate may help")
        if len(self.lost) == len(self.nodes):
            raise self.diverged()

    def diverged(self) -> Diverged:
        """Return the error that names all lost subjects."""
        return Diverged({self.nodes[subject].identity: why for subject, why in self.lost.items()})


def begin(plan: Plan, nodes: Sequence[Node], folder: Path | None) -> Group:
    """Return subjects at the beginning of their nodes, or where an earlier run stopped within them.

    Parameters
    ----------
    plan, nodes
        What they have in common, and their nodes, of equal epochs.
    folder
        Output folder, where their parents lie; None for nodes without parents.

    Raises
    ------
    BadInput
        If the network cannot be built.
    RuntimeError
        If a parent's state is not there.
    """
    nodes = list(nodes)
    if plan.device == "cpu":
        keep_freed_memory()
    sets = [plan.stimuli(node.seed) for node in nodes]
    first = sets[0]
    networks = [network_of(plan.network, first.shape, first.n_classes, node.seed) for node in nodes]
    decoders = [
        build_decoder(network, first.shape, node.seed, plan.network.kind).to(plan.device)
        for network, node in zip(networks, nodes, strict=True)
        if plan.reconstructs
    ]
    networks = [network.to(plan.device) for network in networks]
    packing = StackedCohort if plan.packing == "stacked" and len(nodes) > 1 else LoopCohort
    training = plan.training
    cohort: Cohort = packing(networks, training.momentum, training.weight_decay, plan.precision, decoders)
    records = _begun(plan, nodes, folder) or [_from_parent(plan, node, folder) for node in nodes]
    for subject, record in enumerate(records):
        if record.state:
            cohort.load(subject, record.state)
    streams = [OwnStreams(node.seed, plan.device) for node in nodes]
    observers = [
        Observer(plan, node, stimulus, record, partial(cohort.network, subject), own)
        for subject, (node, stimulus, record, own) in enumerate(zip(nodes, sets, records, streams, strict=True))
    ]
    return Group(plan, nodes, sets, cohort, records, observers, streams)


def _begun(plan: Plan, nodes: Sequence[Node], folder: Path | None) -> list[NodeRecord]:
    """Return the records that an earlier run left in the middle of the nodes, if all stopped at the same epoch."""
    if folder is None:
        return []
    found = [read_node(node_path(folder, node.identity, done=False)) for node in nodes]
    usable = [
        record
        for node, record in zip(nodes, found, strict=True)
        if record is not None and record.belongs_to(node) and record.measures == plan.measures
        if record.has_checkpoints(node.checkpoints)
    ]
    return usable if len(usable) == len(nodes) and len({record.done for record in usable}) == 1 else []


def _from_parent(plan: Plan, node: Node, folder: Path | None) -> NodeRecord:
    record = NodeRecord(
        node.identity,
        node.parent,
        node.seed,
        node.start,
        node.stop,
        plan.measures,
        node.start,
        made=plan.made(node.seed),
        provenance=origin(plan.device, plan.command),
    )
    if not node.is_root:
        parent = None if folder is None else read_node(node_path(folder, node.parent))
        if parent is None or parent.seed != node.seed or parent.stop != node.start or not parent.state:
            raise RuntimeError(f"the state {node.parent} that this phase begins with is missing or damaged")
        record.state, record.satisfied = parent.state, parent.satisfied
    return record
