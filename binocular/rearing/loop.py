"""Rearing: taking subjects through the epochs of a node, measuring on the way, leaving a state that resumes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from binocular.networks.build import build_network
from binocular.probes import adapted, vision
from binocular.probes.taking import checkpoint_rows
from binocular.rearing.batches import Presenter
from binocular.rearing.cohort import Cohort, LoopCohort, StackedCohort, State
from binocular.rearing.memory import keep_freed_memory
from binocular.rearing.objectives import build_decoder, objective_of
from binocular.rearing.plan import Plan, stimulus_of
from binocular.rearing.stopwatch import spending
from binocular.rearing.tree import Node
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream
from binocular.store.snapshots import NodeRecord, joined, node_path, partial_path, read_node, since, write_node

if TYPE_CHECKING:
    from binocular.protocols import EpochConditions

__all__ = ["Litter", "Stopped", "finished", "rear"]

_SAVE_EVERY = 20.0  # seconds of rearing that a kill can cost


class Stopped(Exception):
    """Rearing was asked to stop; what was reared is saved."""


def rear(
    plan: Plan,
    nodes: Sequence[Node],
    folder: Path,
    stop: threading.Event | None = None,
    on_epoch: Callable[[Node], None] | None = None,
) -> None:
    """Rear nodes of equal epochs in lockstep and write one file per node.

    Parameters
    ----------
    plan
        What they have in common.
    nodes
        Nodes with equal ``start`` and ``stop`` whose parents, if any, have been reared.
    folder
        The study's output folder.
    stop
        Set from outside to stop after the present epoch; the state is saved first.
    on_epoch
        Called after each epoch of each node.

    Raises
    ------
    Stopped
        If ``stop`` was set.
    """
    litters = [Litter(plan, list(nodes), folder)] if plan.packing == "stacked" else None
    for litter in litters or (Litter(plan, [node], folder) for node in nodes):
        litter.rear(stop or threading.Event(), on_epoch or (lambda node: None))


class Litter:
    """Nodes that go through their epochs together.

    Parameters
    ----------
    plan
        What they have in common.
    nodes
        Nodes of equal epochs.
    folder
        Where their parents lie and where they are written; None for nodes without parents that stay in memory.
    """

    def __init__(self, plan: Plan, nodes: list[Node], folder: Path | None) -> None:
        self.plan, self.nodes, self.folder = plan, nodes, folder
        if plan.device == "cpu":
            keep_freed_memory()
        self.sets = [stimulus_of(plan.stimulus, node.seed, plan.device) for node in nodes]
        first = self.sets[0]
        networks = [
            build_network(plan.network.kind, plan.network.options, first.shape, first.n_classes, node.seed)
            for node in nodes
        ]
        decoders = [
            build_decoder(network, first.shape, node.seed, plan.network.kind).to(plan.device)
            for network, node in zip(networks, nodes, strict=True)
            if plan.reconstructs
        ]
        networks = [network.to(plan.device) for network in networks]
        packing = StackedCohort if plan.packing == "stacked" and len(nodes) > 1 else LoopCohort
        training = plan.training
        self.cohort: Cohort = packing(networks, training.momentum, training.weight_decay, plan.precision, decoders)
        self.records = self._take_up()
        self._as_probed: dict[int, nn.Module] = {}

    def _take_up(self) -> list[NodeRecord]:
        """Begin where an earlier run stopped, else at the parents' states, else untrained."""
        folder = self.folder
        begun = [] if folder is None else [read_node(partial_path(folder, node.identity)) for node in self.nodes]
        usable = [r for r in begun if r is not None and r.measures == self.plan.measures]
        in_step = len(usable) == len(self.nodes) and len({r.done for r in usable}) == 1
        if in_step and all(_has_checkpoints(r, node) for r, node in zip(usable, self.nodes, strict=True)):
            records = usable
        else:
            records = [self._from_parent(node) for node in self.nodes]
        for subject, record in enumerate(records):
            if record.state:
                self.cohort.load(subject, record.state)
        return records

    def _from_parent(self, node: Node) -> NodeRecord:
        record = NodeRecord(
            node.identity, node.parent, node.seed, node.start, node.stop, self.plan.measures, node.start
        )
        if not node.is_root:
            parent = None if self.folder is None else read_node(node_path(self.folder, node.parent))
            if parent is None:
                raise RuntimeError(f"the state {node.parent} that this phase begins with is missing or damaged")
            record.state, record.satisfied = parent.state, parent.satisfied
        return record

    def rear(self, stop: threading.Event, on_epoch: Callable[[Node], None]) -> None:
        """Take all subjects through all epochs and write their nodes; see :func:`rear`."""
        node, saved = self.nodes[0], time.monotonic()
        began = saved
        if node.is_root and self.records[0].done == 0:
            for subject in range(len(self.nodes)):
                self.probe(subject, 0)
        for epoch in range(self.records[0].done, node.stop):
            self.epoch(epoch)
            for subject, reared in enumerate(self.nodes):
                self.records[subject].done = epoch + 1
                if epoch + 1 in reared.checkpoints:
                    self.probe(subject, epoch + 1)
                on_epoch(reared)
            now = time.monotonic()
            spent, began = now - began, now
            for record in self.records:
                record.seconds += spent / len(self.records)
            if epoch + 1 < node.stop and (stop.is_set() or now - saved > _SAVE_EVERY):
                self._write(partial_path)
                saved = now
            if stop.is_set() and epoch + 1 < node.stop:
                raise Stopped
        self._write(node_path)
        if self.folder is not None:
            for reared in self.nodes:
                partial_path(self.folder, reared.identity).unlink(missing_ok=True)

    def _write(self, path: Callable[[Path, str], Path]) -> None:
        if self.folder is None:
            return
        with spending("saving"):
            for subject, record in enumerate(self.records):
                record.state = self.cohort.state(subject)
                write_node(path(self.folder, record.identity), record)

    def epoch(self, epoch: int) -> None:
        """Take all subjects through one epoch; note how they learned and what they see."""
        self.forget_probed()
        going = [self._begin_epoch(subject, epoch) for subject in range(len(self.nodes))]
        if not all(going):
            if any(going):
                raise RuntimeError("phases that end by criterion cannot be reared in lockstep; use packing = 'loop'")
            return
        conditions = [node.epochs[epoch - node.start] for node in self.nodes]
        rates = [condition.learning_rate for condition in conditions]
        with spending("learning"):
            losses = self.learn(epoch, conditions, rates)
        for subject, (loss, accuracy) in enumerate(losses):
            self._note(subject, epoch, rates[subject], loss, accuracy)

    def learn(
        self, epoch: int, conditions: Sequence[EpochConditions], rates: Sequence[float]
    ) -> list[tuple[float, float]]:
        """Go through one epoch; return each subject's mean loss and share of correct answers."""
        specs = {condition.objective for condition in conditions}
        if len(specs) > 1:
            raise RuntimeError("subjects with different objectives cannot be reared in lockstep")
        objective = objective_of(specs.pop())
        if objective is None:
            return [(np.nan, np.nan)] * len(self.nodes)
        size, device = self.plan.training.batch_size, self.plan.device
        several_heads = hasattr(self.cohort.network(0), "heads")
        presenters = [
            Presenter(self.sets[i], size, conditions[i], objective, node.seed, epoch, device, several_heads)
            for i, node in enumerate(self.nodes)
        ]
        outcomes = torch.zeros(len(self.nodes), 2, device=self.cohort.device)
        for batch in range(presenters[0].n_batches):
            outcomes += self.cohort.step([presenter.batch(batch) for presenter in presenters], rates, objective)
        outcomes /= presenters[0].n_batches
        if not outcomes[:, 0].isfinite().all():
            raise FloatingPointError(
                f"the loss is not a number in epoch {epoch + 1}; a smaller training.learning_rate may help"
            )
        return [(loss, accuracy) for loss, accuracy in outcomes.tolist()]

    def _begin_epoch(self, subject: int, epoch: int) -> bool:
        """Apply what happens at a phase boundary; say whether this epoch is reared at all."""
        node, record = self.nodes[subject], self.records[subject]
        conditions = node.epochs[epoch - node.start]
        if conditions.phase_start:
            record.satisfied = False
        if record.satisfied and conditions.until is not None:
            return False
        resets = (conditions.optimiser_reset, conditions.batch_norm_reset, conditions.head_reset)
        if any(resets) or conditions.shrink_perturb is not None:
            state = self.cohort.state(subject)
            self.cohort.load(subject, self._disturbed(state, conditions, node.seed, epoch, self.sets[subject]))
        self.cohort.freeze(subject, () if conditions.freeze is None else (conditions.freeze,))
        return True

    def _disturbed(
        self, state: State, conditions: EpochConditions, seed: int, epoch: int, stimulus: StimulusSet
    ) -> State:
        state = dict(state)
        if conditions.optimiser_reset:
            state |= {name: torch.zeros_like(v) for name, v in state.items() if name.startswith("momentum/")}
        network = self.plan.network
        if conditions.batch_norm_reset:
            fresh = build_network(network.kind, network.options, stimulus.shape, stimulus.n_classes, seed)
            state |= {f"buffers/{name}": value for name, value in fresh.named_buffers()}
        if conditions.shrink_perturb is not None:
            # Ash & Adams 2020: shrink the weights and add a little of a freshly drawn network.
            drawn = int(torch.randint(2**31, (), generator=stream(seed, "perturb", epoch)))
            fresh = build_network(network.kind, network.options, stimulus.shape, stimulus.n_classes, drawn)
            for name, value in fresh.named_parameters():
                old = state[f"weights/{name}"]
                change = conditions.shrink_perturb
                state[f"weights/{name}"] = change.shrink * old + change.perturb * value.detach()
        if conditions.head_reset:
            drawn = int(torch.randint(2**31, (), generator=stream(seed, "head", epoch)))
            fresh = build_network(network.kind, network.options, stimulus.shape, stimulus.n_classes, drawn)
            head = fresh.get_submodule("head")
            state |= {f"weights/head.{name}": value.detach() for name, value in head.named_parameters()}
            state |= {f"buffers/head.{name}": value for name, value in head.named_buffers()}
            state |= {n: torch.zeros_like(v) for n, v in state.items() if n.startswith("momentum/head.")}
        return state

    def _note(self, subject: int, epoch: int, rate: float, loss: float, accuracy: float) -> None:
        node, record, plan = self.nodes[subject], self.records[subject], self.plan
        done = epoch + 1
        row = {"epoch": float(done), "learning_rate": rate, "train_loss": loss, "train_accuracy": accuracy}
        seen = ["test_accuracy", "accuracy_left_only", "accuracy_right_only", *self.sets[subject].tasks]
        row |= dict.fromkeys(seen, float("nan"))
        until = node.epochs[epoch - node.start].until
        if done % plan.training.evaluate_every == 0 or done in node.checkpoints or until is not None:
            with spending("testing"):
                row |= vision(self.measurable(subject), self.sets[subject], plan.probes.test_size)
        if until is not None and row[until.metric] >= until.at_least:
            record.satisfied = True
        for name, value in row.items():
            record.history[name] = np.append(record.history.get(name, np.empty(0)), value)

    def measurable(self, subject: int) -> nn.Module:
        """Return a subject's network as probes see it, in evaluation mode."""
        network = self.cohort.network(subject)
        if self.plan.probes.normalisation == "as-reared":
            return network
        # One adapted copy serves all that is measured between two epochs.
        if subject not in self._as_probed:
            self._as_probed[subject] = adapted(network, self.sets[subject], self.nodes[subject].seed)
        return self._as_probed[subject]

    def forget_probed(self) -> None:
        """Forget the copies that probes look at, because the subjects have changed."""
        self._as_probed.clear()

    def probe(self, subject: int, epoch: int) -> None:
        """Probe a subject, and note the result as that of an epoch."""
        with spending("probing"):
            self._probe(subject, epoch)

    def _probe(self, subject: int, epoch: int) -> None:
        node, record, probes = self.nodes[subject], self.records[subject], self.plan.probes
        stimulus, network = self.sets[subject], self.measurable(subject)
        for key, row in checkpoint_rows(probes, network, stimulus, node.seed).items():
            columns = record.probes.setdefault(key, {})
            for name, values in {"epoch": np.array([epoch]), **row}.items():
                columns[name] = np.concatenate([columns[name], values]) if name in columns else values


def _has_checkpoints(record: NodeRecord, node: Node) -> bool:
    needed = {c for c in node.checkpoints if c <= record.done}
    return all(needed <= set(columns["epoch"].tolist()) for columns in record.probes.values()) or not needed


def finished(plan: Plan, node: Node, folder: Path) -> NodeRecord | None:
    """Return a node's record if it has been reared and measured as planned, else None.

    An earlier study may have cut the same history at other epochs: a longer stretch that ends in the same state is
    shortened, and shorter ones that lead to it are joined.
    """
    record = read_node(node_path(folder, node.identity))
    if record is None or record.done != node.stop or record.measures != plan.measures:
        return None
    while record.start > node.start:
        before = read_node(node_path(folder, record.parent))
        if before is None or before.done != record.start or before.measures != plan.measures:
            return None
        record = joined(before, record)
    record = since(record, node.start)
    needs_probes = bool(node.checkpoints) and not record.probes
    return record if not needs_probes and _has_checkpoints(record, node) else None
