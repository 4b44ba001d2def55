"""Rearing: taking subjects through the epochs of a node, measuring on the way, leaving a state that resumes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from binocular.protocols import EpochConditions
from binocular.rearing.batches import Presenter
from binocular.rearing.disturbing import disturbed, is_disturbed
from binocular.rearing.group import Group, begin
from binocular.rearing.objectives import objective_of
from binocular.rearing.plan import Plan
from binocular.rearing.stopwatch import timed
from binocular.rearing.tree import Node
from binocular.store.provenance import now
from binocular.store.snapshots import node_path

__all__ = ["Stopped", "learn", "rear", "rear_epoch"]

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
    Diverged
        If learning of some of them broke down; the others are reared and written all the same.
    """
    plan.check_code(nodes)
    for together in [list(nodes)] if plan.packing == "stacked" else [[node] for node in nodes]:
        _rear(begin(plan, together, folder), folder, stop or threading.Event(), on_epoch or (lambda node: None))


def _rear(group: Group, folder: Path, stop: threading.Event, on_epoch: Callable[[Node], None]) -> None:
    """Take subjects through all their epochs and write their nodes."""
    first, saved = group.nodes[0], time.monotonic()
    began = saved
    if first.is_root and group.records[0].done == 0:
        for observer in group.observers:
            observer.probe(0)
    for epoch in range(group.records[0].done, first.stop):
        rear_epoch(group, epoch)
        for subject, (node, record) in enumerate(zip(group.nodes, group.records, strict=True)):
            record.done = epoch + 1
            if epoch + 1 in node.checkpoints and subject not in group.lost:
                group.observers[subject].probe(epoch + 1)
            on_epoch(node)
        now = time.monotonic()
        spent, began = now - began, now
        for record in group.records:
            record.seconds += spent / len(group.records)
        if epoch + 1 < first.stop and (stop.is_set() or now - saved > _SAVE_EVERY):
            _save(group, folder, done=False)
            saved = now
        if stop.is_set() and epoch + 1 < first.stop:
            raise Stopped
    _save(group, folder, done=True)
    for node in group.nodes:
        node_path(folder, node.identity, done=False).unlink(missing_ok=True)
    if group.lost:
        raise group.diverged()


def _sound(name: str, value: torch.Tensor) -> bool:
    """Whether a tensor of a state holds numbers; a buffer, such as the mask of an attention, may hold infinity."""
    if not value.is_floating_point():
        return True
    return not bool(value.isnan().any()) if name.startswith("buffers/") else bool(value.isfinite().all())


def _save(group: Group, folder: Path, done: bool) -> None:
    with timed("saving"):
        for subject, record in enumerate(group.records):
            if subject in group.lost:
                continue
            record.state = group.cohort.state(subject)
            if not all(_sound(name, value) for name, value in record.state.items()):
                group.lose(subject, f"the weights have overflowed by epoch {record.done}")
                continue
            record.provenance["finished"] = now()
            record.write(node_path(folder, record.identity, done))


def rear_epoch(group: Group, epoch: int) -> None:
    """Take all subjects of a group through one epoch; note how they learned and what they see.

    Parameters
    ----------
    group, epoch
        Subjects in lockstep, and an epoch counted from the beginning of life.

    Raises
    ------
    Diverged
        If learning of all of them has broken down.
    """
    for observer in group.observers:
        observer.forget()
    going = [_begin_epoch(group, subject, epoch) for subject in range(len(group.nodes))]
    if not all(going):
        if any(going):
            raise RuntimeError("phases that end by criterion cannot be reared in lockstep; use packing = 'loop'")
        return
    conditions = [node.epochs[epoch - node.start] for node in group.nodes]
    with timed("learning"):
        losses = learn(group, epoch, conditions)
    for subject, (condition, (loss, accuracy)) in enumerate(zip(conditions, losses, strict=True)):
        if subject not in group.lost:
            group.observers[subject].epoch(condition, loss, accuracy)


def learn(group: Group, epoch: int, conditions: Sequence[EpochConditions]) -> list[tuple[float, float]]:
    """Go through one epoch; return each subject's mean loss and share of correct answers.

    Parameters
    ----------
    group, epoch, conditions
        As for `rear_epoch`, and those of each subject in this epoch.
    """
    specs = {condition.objective for condition in conditions}
    if len(specs) > 1:
        raise RuntimeError("subjects with different objectives cannot be reared in lockstep")
    objective = objective_of(specs.pop())
    if objective is None:
        return [(np.nan, np.nan)] * len(group.nodes)
    plan, cohort = group.plan, group.cohort
    rates = [condition.learning_rate for condition in conditions]
    several_heads = hasattr(cohort.network(0), "heads")
    presenters = [
        Presenter(
            stimulus, plan.training.batch_size, condition, objective, node.seed, epoch, plan.device, several_heads
        )
        for stimulus, condition, node in zip(group.sets, conditions, group.nodes, strict=True)
    ]
    outcomes = torch.zeros(len(group.nodes), 2, device=cohort.device)
    for step in range(presenters[0].n_batches):
        batches = [presenter.batch(step) for presenter in presenters]
        # Stacked subjects draw nothing (see `binocular.runs.planning`), so that the first one's streams serve all.
        with group.streams[0].within("network", epoch, step):
            outcomes += cohort.step(batches, rates, objective)
    outcomes /= presenters[0].n_batches
    for subject in (~outcomes[:, 0].isfinite()).nonzero().flatten().tolist():
        group.lose(subject, f"the loss is not a number in epoch {epoch + 1}")
    return [(loss, accuracy) for loss, accuracy in outcomes.tolist()]


def _begin_epoch(group: Group, subject: int, epoch: int) -> bool:
    """Apply what happens at a phase boundary; say whether this epoch is reared at all."""
    node, record, cohort = group.nodes[subject], group.records[subject], group.cohort
    conditions = node.epochs[epoch - node.start]
    if conditions.phase_start:
        record.satisfied = False
    if record.satisfied and conditions.until is not None:
        return False
    if is_disturbed(conditions):
        state = cohort.state(subject)
        changed = disturbed(state, conditions, group.plan.network, group.sets[subject], node.seed, epoch)
        cohort.load(subject, changed)
    cohort.pull(subject, 0.0 if conditions.pull is None else conditions.pull.strength)
    frozen = conditions.freeze or ()
    cohort.freeze(subject, (frozen,) if isinstance(frozen, str) else frozen)
    return True
