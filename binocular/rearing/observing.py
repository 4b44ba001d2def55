"""What is noted about a subject while it is reared: how it learns, what it sees, and how its units respond."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import nn

from binocular.probes import adapted, vision
from binocular.probes.taking import checkpoint_rows
from binocular.protocols import EpochConditions
from binocular.rearing.plan import Plan
from binocular.rearing.randomness import OwnStreams
from binocular.rearing.stopwatch import timed
from binocular.rearing.tree import Node
from binocular.stimuli.base import StimulusSet
from binocular.store.schema import VISION
from binocular.store.snapshots import NodeRecord

__all__ = ["Observer"]


class Observer:
    """One subject's observer; looking changes nothing in the subject.

    Parameters
    ----------
    plan, node
        What is measured, and when.
    stimulus, record
        What the subject sees, and where everything is noted.
    network
        Gives the subject's network of the moment, in evaluation mode.
    streams
        Of the subject, for a network that draws while it is looked at.
    """

    def __init__(
        self,
        plan: Plan,
        node: Node,
        stimulus: StimulusSet,
        record: NodeRecord,
        network: Callable[[], nn.Module],
        streams: OwnStreams,
    ) -> None:
        self._plan, self._node, self._stimulus, self._record = plan, node, stimulus, record
        self._network, self._streams = network, streams
        self._looked_at: nn.Module | None = None

    def forget(self) -> None:
        """Forget the copy that probes look at, because the subject has changed."""
        self._looked_at = None

    def network(self) -> nn.Module:
        """Return the network as probes see it, in evaluation mode."""
        if self._plan.probes.normalisation == "as-reared":
            return self._network()
        # One adapted copy serves all that is measured between two epochs.
        if self._looked_at is None:
            self._looked_at = adapted(self._network(), self._stimulus, self._node.seed)
        return self._looked_at

    def epoch(self, conditions: EpochConditions, loss: float, accuracy: float) -> None:
        """Note how an epoch went, and test what the subject sees where that is due."""
        record, plan, done = self._record, self._plan, conditions.epoch + 1
        row = {
            "epoch": float(done),
            "learning_rate": conditions.learning_rate,
            "train_loss": loss,
            "train_accuracy": accuracy,
        }
        row |= dict.fromkeys((*VISION, *self._stimulus.tasks), float("nan"))
        until = conditions.until
        if done % plan.training.evaluate_every == 0 or done in self._node.checkpoints or until is not None:
            with timed("testing"), self._streams.within("test", done):
                row |= vision(self.network(), self._stimulus, plan.probes.test_size)
        if until is not None and row[until.metric] >= until.at_least:
            record.satisfied = True
        for name, value in row.items():
            record.history[name] = np.append(record.history.get(name, np.empty(0)), value)

    def probe(self, epoch: int) -> None:
        """Probe the subject, and note the result as that of an epoch."""
        with timed("probing"), self._streams.within("probes/network", epoch):
            rows = checkpoint_rows(self._plan.probes, self.network(), self._stimulus, self._node.seed)
        for key, row in rows.items():
            columns = self._record.probes.setdefault(key, {})
            for name, values in {"epoch": np.array([epoch]), **row}.items():
                columns[name] = np.concatenate([columns[name], values]) if name in columns else values
