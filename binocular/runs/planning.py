"""From a protocol to a plan: device, arithmetic, packing, the phase tree, and what it will take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from binocular.networks.build import network_class, network_of
from binocular.networks.checking import check_reproducible
from binocular.networks.sites import chosen_sites
from binocular.probes.recording import units_at
from binocular.probes.registry import probe_type
from binocular.probes.taking import further_probes, try_out
from binocular.protocols import Phase, Protocol
from binocular.protocols.objectives import Reconstruction
from binocular.rearing.objectives import build_decoder, try_objective
from binocular.rearing.plan import Plan
from binocular.rearing.tree import Node, PhaseTree
from binocular.runs.packing import bytes_of_step, can_be_stacked, packing_for
from binocular.runs.sizes import check_room
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.content import digest_of_values
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import global_stream
from binocular.stimuli.user_code import code_of, is_reference, is_shipped, load_class
from binocular.stimuli.wording import nearest
from binocular.store.node_index import NodeIndex
from binocular.store.provenance import usable_cores
from binocular.store.records import SiteUnits
from binocular.store.schema import VISION

__all__ = ["StudyPlan", "behind", "check_parts", "placed_phases", "plan_study", "usable_cores", "usable_device"]


@dataclass(frozen=True)
class StudyPlan:
    """Everything that is settled before the first epoch.

    Attributes
    ----------
    protocol, plan, tree
        The checked protocol, what all nodes have in common, and its phase tree.
    """

    protocol: Protocol
    plan: Plan
    tree: PhaseTree

    @cached_property
    def chance(self) -> dict[str, float]:
        """Share of right answers by guessing, for every accuracy in a history."""
        return self.plan.stimuli(self.protocol.seed_list[0]).chance

    @cached_property
    def units(self) -> dict[str, SiteUnits]:
        """What the units are at each site that the protocol measures, by the name under which it is stored."""
        protocol, seed = self.protocol, self.protocol.seed_list[0]
        stimulus = self.plan.stimuli(seed)
        network = _network(protocol, stimulus, seed).eval()
        return units_at(network, stimulus.shape, chosen_sites(network, protocol.probes.sites, protocol.probes.units))

    def outstanding(self, index: NodeIndex) -> list[Node]:
        """Nodes that still have to be reared in an output folder, by its index, parents before children.

        A node whose state was pruned counts as done, until something that begins with that state has to be reared.
        """
        missing: set[str] = set()
        nodes = self.tree.nodes()
        for node in reversed(nodes):
            parts = index.finished(node, node.checkpoints, self.plan.measures)
            needed = any(child in missing for child in self.tree.graph.successors(node.identity))
            if not parts or (needed and not parts[0].has_state):
                missing.add(node.identity)
        return [node for node in nodes if node.identity in missing]


def plan_study(protocol: Protocol, device: str = "auto", command: str = "") -> StudyPlan:
    """Settle how a protocol is reared on this machine.

    Parameters
    ----------
    protocol, device, command
        As for `binocular.runs.checking.check_protocol`.

    Raises
    ------
    BadInput
        If the device is not there, or stimulus, network or probes cannot be had as the protocol asks.
    """
    device = usable_device(device)
    code, start = _own_network(protocol)
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
        content=protocol.stimulus.content(),
        code=code,
        probe_code={
            name: code_of(cls)
            for index, name in enumerate(protocol.probes.also)
            if not is_shipped(cls := probe_type(name, f"probes.also[{index}]"))
        },
        start=start,
        command=command,
    )
    subjects = []
    for condition in protocol.resolved_conditions():
        epochs = condition.epoch_conditions()
        checkpoints = protocol.probes.checkpoints(condition.epochs, condition.phase_ends())
        for seed in protocol.seed_list:
            subjects.append((condition.name, seed, plan.origin(seed), epochs, checkpoints))
    return StudyPlan(protocol, plan, PhaseTree(subjects))


def behind(protocol: Protocol) -> dict[str, dict[str, Any]]:
    """Return what lies behind the names in a protocol now, in the form of `binocular.rearing.plan.Plan.made`."""
    code, start = _own_network(protocol)
    return {"stimulus": dict(protocol.stimulus.content()), "network": {"code": code, "start": start}}


def _own_network(protocol: Protocol) -> tuple[dict[str, str], str]:
    """Return the code behind a user's network, and a digest of what it begins with, which a file of weights may decide.

    Both are empty for a network that is shipped and brings no weights, which the version of rearing and the settings
    describe.
    """
    kind = protocol.network.kind
    cls = network_class(kind)
    code = {} if ":" not in kind or is_shipped(cls) else {kind: code_of(cls)}
    for name, value in protocol.network.options.items():
        if isinstance(value, str) and is_reference(value):
            code[value] = code_of(load_class(value, f"network.options.{name}", nn.Module))
    if not code and protocol.network.weights is None:
        return {}, ""
    return code, digest_of_values(_network(protocol, protocol.stimulus.sample(), 0))


def _network(protocol: Protocol, stimulus: StimulusSet, seed: int) -> nn.Module:
    return network_of(protocol.network, stimulus.shape, stimulus.n_classes, seed)


def check_parts(study: StudyPlan, stimulus: StimulusSet, allow_large: bool | None = False) -> int:
    """Build the network of the first seed, so that what cannot work fails now; return the bytes of a state on the disk.

    Parameters
    ----------
    study, stimulus, allow_large
        The plan; its stimuli, or a few; whether a step of learning may take more than the memory that is free.

    Raises
    ------
    BadInput
        If it cannot be built, or a site or a criterion names something that is not there.
    """
    protocol = study.protocol
    seed = protocol.seed_list[0]
    kind = protocol.network.kind
    network = _network(protocol, stimulus, seed)
    if study.plan.code:
        complaints = check_reproducible(lambda: _network(protocol, stimulus, seed), stimulus.shape, False)
        if complaints:
            raise BadInput(f"network.kind: {kind} cannot be reared: {'; '.join(complaints)}")
    if study.plan.packing == "stacked" and not can_be_stacked(network, stimulus.shape):
        raise BadInput(
            f"training.packing is 'stacked', but {kind} with these options draws random numbers, or looks at the views "
            "to see what to compute; accepted: loop, auto"
        )
    if study.plan.packing == "stacked" and any(phase.pull is not None for phase in _phases(protocol)):
        raise BadInput("training.packing is 'stacked', but a phase has a pull; accepted: loop, auto")
    chosen_sites(network, protocol.probes.sites, protocol.probes.units)
    _check_own_probes(study, network)
    _check_own_objectives(protocol, network, stimulus)
    _check_named_parts(protocol, network)
    scores = (*VISION, *stimulus.tasks)
    for where, phase in placed_phases(protocol):
        if phase.until is not None and phase.until.metric not in scores:
            raise BadInput(
                f"{where}.until.metric: '{phase.until.metric}' is not measured here; accepted: {', '.join(scores)}"
            )
    if study.plan.packing == "loop":
        batch = min(protocol.training.batch_size, protocol.stimulus.counts()[0] or len(stimulus.labels["train"]))
        at_once = min(usable_cores() if study.plan.one_thread_each else 1, len(study.tree.path))
        words = f"a step of {batch} presentations, with {at_once} subject{'s' * (at_once > 1)} at once,"
        needed = bytes_of_step(network, stimulus.shape, batch) * at_once
        check_room("training.batch_size", words, needed, study.plan.device, allow_large)
    weights = sum(p.numel() for p in network.parameters())
    if study.plan.reconstructs:
        decoder = build_decoder(network, stimulus.shape, seed, protocol.network.kind)
        weights += sum(p.numel() for p in decoder.parameters())
        _check_reconstruction(protocol, network, stimulus.shape)
    statistics = sum(b.numel() for b in network.buffers())
    return 4 * (2 * weights + statistics)


def _check_own_probes(study: StudyPlan, network: nn.Module) -> None:
    """Raise `BadInput` where a probe of the protocol is not there, or one of a user's own cannot measure."""
    protocol, seed = study.protocol, study.protocol.seed_list[0]
    own = [(where, probe) for where, probe in further_probes(protocol.probes) if not is_shipped(type(probe))]
    sites = [site.name for site in chosen_sites(network, protocol.probes.sites, protocol.probes.units)] if own else []
    for where, probe in own:
        with global_stream(seed, "check"):
            try_out(probe, network.eval(), study.plan.stimuli(seed), seed, sites, where)


def _check_own_objectives(protocol: Protocol, network: nn.Module, stimulus: StimulusSet) -> None:
    """Raise `BadInput` where an objective of a user's own cannot be learned by."""
    tried = set()
    for where, phase in placed_phases(protocol):
        if phase.epochs and not is_shipped(type(phase.objective)) and phase.objective not in tried:
            tried.add(phase.objective)
            try_objective(phase.objective, network, stimulus, f"{where}.objective")


def placed_phases(protocol: Protocol) -> Iterator[tuple[str, Phase]]:
    """Give every phase with the words in which messages say where it stands."""
    for condition in protocol.resolved_conditions():
        for number, phase in enumerate(condition.phases):
            yield f"conditions.{condition.name}.phases[{number}]", phase


def _phases(protocol: Protocol) -> list[Phase]:
    return [phase for condition in protocol.conditions for phase in condition.phases]


def _check_named_parts(protocol: Protocol, network: nn.Module) -> None:
    """Raise `BadInput` where a phase names a part that the network does not have."""
    modules = [name for name, _ in network.named_modules(remove_duplicate=False) if name]
    weights = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    for where, phase in placed_phases(protocol):
        several = phase.freeze is not None and not isinstance(phase.freeze, str)
        for index, frozen in enumerate((phase.freeze,) if isinstance(phase.freeze, str) else phase.freeze or ()):
            if frozen not in modules and frozen not in weights:
                known = nearest(frozen, modules) or f"; accepted: its modules, such as {', '.join(modules[:5])}"
                which = f"freeze[{index}]" if several else "freeze"
                raise BadInput(f"{where}.{which}: {protocol.network.kind} has no part '{frozen}'{known}")
        if phase.head == "reset" and "head" not in modules:
            raise BadInput(f"{where}.head: {protocol.network.kind} has no module 'head' that could be drawn afresh")


def _check_reconstruction(protocol: Protocol, network: nn.Module, shape: tuple[int, int, int]) -> None:
    for where, phase in placed_phases(protocol):
        if not isinstance(phase.objective, Reconstruction):
            continue
        if phase.objective.patch > min(shape[1:]):
            raise BadInput(
                f"{where}.objective.patch is {phase.objective.patch}, but what one eye sees has "
                f"{shape[1]} x {shape[2]} pixels"
            )
        if phase.objective.labels and hasattr(network, "heads"):
            raise BadInput(
                f"{where}.objective.labels is not 0, but must be for {protocol.network.kind}, which has several heads"
            )


def usable_device(wanted: str) -> str:
    """Return ``"cpu"`` or ``"cuda"`` for what was asked for, or raise `BadInput`."""
    if wanted not in ("auto", "cpu", "cuda"):
        raise BadInput(f"--device: '{wanted}' is not a device; accepted: auto, cpu, cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device: this machine has no CUDA device that torch can use; accepted here: auto, cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"
