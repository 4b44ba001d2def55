"""One subject reared epoch by epoch, each decided only when it is its turn; the numbers are those of a planned study.

A study knows its phases before it begins. Here the conditions of the next epoch may depend on what somebody does at a
control a moment before. The epochs themselves, the measures and the identities are those of `binocular.rearing.loop`,
so that the history, written down as a protocol and run, gives the same subject bit for bit on a CPU.
"""

from __future__ import annotations

import time
from dataclasses import replace

from torch import nn

from binocular.protocols import EpochConditions
from binocular.rearing.group import begin
from binocular.rearing.loop import rear_epoch
from binocular.rearing.plan import Plan
from binocular.rearing.tree import Node, identity_of
from binocular.stimuli.base import StimulusSet
from binocular.store.provenance import now
from binocular.store.snapshots import NodeRecord

__all__ = ["Stepwise"]


class Stepwise:
    """A subject in memory, measured after each epoch.

    Parameters
    ----------
    plan
        Stimulus, network, training and probes; ``plan.training.evaluate_every`` and the protocol's ``probes.every``
        should be 1, because everything is measured after every epoch.
    seed
        Seed of the subject.

    Attributes
    ----------
    diverged
        Whether learning broke down: the weights are then of no use, and what was measured before still holds.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        origin = plan.origin(seed)
        self.plan, self.seed = plan, seed
        self._node = Node(origin, origin, seed, 0, 0, ())
        self._group = begin(plan, [self._node], None)
        self._observer, self._record = self._group.observers[0], self._group.records[0]
        self._observer.probe(0)
        self.diverged = False

    @property
    def age(self) -> int:
        """Epochs of rearing completed."""
        return self._node.stop

    @property
    def epochs(self) -> tuple[EpochConditions, ...]:
        """What each epoch so far did."""
        return self._node.epochs

    @property
    def stimulus(self) -> StimulusSet:
        """What the subject sees, before anything is done to its eyes."""
        return self._group.sets[0]

    def network(self) -> nn.Module:
        """Return the network as probes see it, in evaluation mode."""
        return self._observer.network()

    def rear(self, conditions: EpochConditions) -> None:
        """Rear one more epoch and measure.

        Parameters
        ----------
        conditions
            What the epoch does; its number must be the subject's age.

        Raises
        ------
        ValueError
            If it is another epoch's turn, or the epoch belongs to a phase that ends by criterion.
        FloatingPointError
            If learning diverges, or did so before.
        """
        node, record = self._node, self._record
        if self.diverged:
            raise FloatingPointError(f"learning diverged in epoch {node.stop + 1}")
        if conditions.epoch != node.stop or conditions.until is not None:
            raise ValueError(f"epoch {node.stop} is next, of a phase of fixed length; not {conditions}")
        began, before = time.monotonic(), (node.epochs, node.identity, node.stop)
        node.epochs += (conditions,)
        node.identity = identity_of(conditions.identity(), node.identity)
        node.stop += 1
        node.checkpoints.add(node.stop)
        try:
            rear_epoch(self._group, conditions.epoch)
        except FloatingPointError:
            node.epochs, node.identity, node.stop = before
            self.diverged = True
            raise
        record.identity, record.stop, record.done = node.identity, node.stop, node.stop
        self._observer.probe(node.stop)
        record.seconds += time.monotonic() - began

    def record(self, state: bool = True) -> NodeRecord:
        """Return a copy of all that was measured so far, with the present state unless that is not wanted.

        Returns
        -------
        NodeRecord
            As `binocular.rearing.loop.rear` would have written it for a node from birth to the present age; later
            epochs do not change it.
        """
        record = self._record
        return replace(
            record,
            state=self._group.cohort.state(0) if state else {},
            provenance={**record.provenance, "finished": now()},
            history=dict(record.history),
            probes={site: dict(columns) for site, columns in record.probes.items()},
        )
