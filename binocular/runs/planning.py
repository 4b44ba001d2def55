"""From a protocol to a plan: device, arithmetic, packing, the phase tree, and what it will take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from binocular.networks.build import build_network
from binocular.networks.sites import chosen_sites
from binocular.probes.recording import units_at
from binocular.probes.taking import probes_of
from binocular.rearing.loop import finished
from binocular.rearing.objectives import build_decoder
from binocular.rearing.plan import Plan, stimulus_of
from binocular.rearing.tree import Node, PhaseTree
from binocular.runs.packing import packing_for
from binocular.stimuli.errors import BadInput
from binocular.store.records import SiteUnits

if TYPE_CHECKING:
    from binocular.protocols import Phase, Protocol
    from binocular.stimuli.base import StimulusSet

__all__ = ["StudyPlan", "plan_study", "usable_cores", "usable_device"]


@dataclass(frozen=True)
class StudyPlan:
    """Everything that is settled before the first epoch.

    Attributes
    ----------
    protocol
        The checked protocol.
    plan
        What all nodes have in common.
    tree
        Its phase tree.
    """

    protocol: Protocol
    plan: Plan
    tree: PhaseTree

    @cached_property
    def units(self) -> dict[str, SiteUnits]:
        """What the units are at each site that the protocol measures, by the name under which it is stored."""
        protocol, seed = self.protocol, self.protocol.seed_list[0]
        stimulus = stimulus_of(protocol.stimulus, seed, self.plan.device)
        spec = protocol.network
        network = build_network(spec.kind, spec.options, stimulus.shape, stimulus.n_classes, seed).eval()
        return units_at(network, stimulus.shape, chosen_sites(network, protocol.probes.sites, protocol.probes.units))

    def outstanding(self, folder: Path) -> list[Node]:
        """Nodes that still have to be reared in an output folder, parents before children.

        A node whose state was pruned counts as done, until something that begins with that state has to be reared.
        """
        missing: set[str] = set()
        nodes = self.tree.nodes()
        for node in reversed(nodes):
            record = finished(self.plan, node, folder)
            needed = any(child in missing for child in self.tree.graph.successors(node.identity))
            if record is None or (needed and not record.state):
                missing.add(node.identity)
        return [node for node in nodes if node.identity in missing]


def plan_study(protocol: Protocol, device: str = "auto") -> StudyPlan:
    """Settle how a protocol is reared on this machine.

    Parameters
    ----------
    protocol
        A checked protocol.
    device
        ``"auto"`` (CUDA where there is one), ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    BadInput
        If the device is not there, or stimulus, network or probes cannot be had as the protocol asks.
    """
    device = usable_device(device)
    plan = Plan(
        stimulus=protocol.stimulus,
        network=protocol.network,
        training=protocol.training,
        probes=protocol.probes,
        device=device,
        # float32 by default: bfloat16 saves a fifth of the time for the small networks, less than it costs in trust.
        precision="float32" if protocol.training.precision == "auto" else protocol.training.precision,
        packing=packing_for(protocol, device),
        reconstructs=any(phase.objective.kind == "reconstruction" for phase in _phases(protocol)),
    )
    subjects = []
    for condition in protocol.resolved_conditions():
        epochs = condition.epoch_conditions()
        checkpoints = protocol.probes.checkpoints(condition.epochs, condition.phase_ends())
        for seed in protocol.seed_list:
            subjects.append((condition.name, seed, plan.origin(seed), epochs, checkpoints))
    return StudyPlan(protocol, plan, PhaseTree(subjects))


def check_parts(study: StudyPlan, stimulus: StimulusSet) -> int:
    """Build the network of the first seed, so that what cannot work fails before anything is reared.

    Parameters
    ----------
    study
        The plan.
    stimulus
        Stimuli of the study, or a few of them.

    Returns
    -------
    int
        Bytes of one state on the disk.

    Raises
    ------
    BadInput
        If it cannot be built, or a site or a criterion names something that is not there.
    """
    protocol = study.protocol
    seed = protocol.seed_list[0]
    network = build_network(protocol.network.kind, protocol.network.options, stimulus.shape, stimulus.n_classes, seed)
    if study.plan.packing == "stacked" and getattr(network, "one_by_one", False):
        raise BadInput(
            f"training.packing is 'stacked', but {protocol.network.kind} with these options looks at the views to see "
            "what to compute; accepted: loop, auto"
        )
    chosen_sites(network, protocol.probes.sites, protocol.probes.units)
    probes_of(protocol.probes)
    scores = ("test_accuracy", "accuracy_left_only", "accuracy_right_only", *stimulus.tasks)
    for condition in protocol.resolved_conditions():
        for phase in condition.phases:
            if phase.until is not None and phase.until.metric not in scores:
                raise BadInput(
                    f"conditions.{condition.name}: until.metric '{phase.until.metric}' is not measured here; "
                    f"accepted: {', '.join(scores)}"
                )
    weights = sum(p.numel() for p in network.parameters())
    if study.plan.reconstructs:
        decoder = build_decoder(network, stimulus.shape, seed, protocol.network.kind)
        weights += sum(p.numel() for p in decoder.parameters())
        _check_reconstruction(protocol, network, stimulus.shape)
    statistics = sum(b.numel() for b in network.buffers())
    return 4 * (2 * weights + statistics)


def _phases(protocol: Protocol) -> list[Phase]:
    return [phase for condition in protocol.conditions for phase in condition.phases]


def _check_reconstruction(protocol: Protocol, network: nn.Module, shape: tuple[int, int, int]) -> None:
    from binocular.protocols.objectives import Reconstruction

    for phase in _phases(protocol):
        if not isinstance(phase.objective, Reconstruction):
            continue
        if phase.objective.patch > min(shape[1:]):
            raise BadInput(
                f"phase '{phase.name}': objective.patch is {phase.objective.patch}, but what one eye sees has "
                f"{shape[1]} x {shape[2]} pixels"
            )
        if phase.objective.labels and hasattr(network, "heads"):
            raise BadInput(
                f"phase '{phase.name}': objective.labels is not 0, but must be for {protocol.network.kind}, which has "
                "several heads"
            )


def usable_cores() -> int:
    """Return the number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_device(wanted: str) -> str:
    """Return ``"cpu"`` or ``"cuda"`` for what was asked for, or raise `BadInput`."""
    if wanted not in ("auto", "cpu", "cuda"):
        raise BadInput(f"--device: '{wanted}' is not a device; accepted: auto, cpu, cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device: this machine has no CUDA device that torch can use; accepted here: auto, cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
