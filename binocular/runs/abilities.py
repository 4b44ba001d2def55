"""What is possible with a network: areas, sites, probes, objectives, speed, and what would add more."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from binocular.networks.build import network_of
from binocular.networks.checking import check_reproducible
from binocular.networks.declared import declares_pathways, found_of, has_pathways, recordable_modules
from binocular.networks.sites import FIRST_BINOCULAR, REPRESENTATION, areas_of, resolve_site
from binocular.probes.recording import units_at
from binocular.probes.registry import PROBES, probe_type
from binocular.probes.taking import checkpoint_rows, lacks
from binocular.protocols import Protocol
from binocular.protocols.objectives import OBJECTIVES
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort
from binocular.rearing.objectives import build_decoder
from binocular.runs.checking import check_protocol
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream

__all__ = ["Ability", "abilities"]


@dataclass(frozen=True)
class Ability:
    """One thing that is possible or not.

    Attributes
    ----------
    topic, text
        What it is about, in one word, and what is possible.
    add
        What the network would have to declare for more; empty where nothing is lacking.
    """

    topic: str
    text: str
    add: str = ""

    def in_lines(self, width: int = 120) -> str:
        """Return it as lines of some width, the topic in a column of its own."""
        said = ((self.topic, self.text), ("for more", self.add))
        return "\n".join(
            textwrap.fill(f"{words:<11} {text}", width, subsequent_indent=" " * 12, break_on_hyphens=False)
            for words, text in said
            if text
        )


def abilities(protocol: Protocol, allow_large: bool = False) -> Iterator[Ability]:
    """Yield what is possible with the network of a protocol, by trying it.

    Parameters
    ----------
    protocol, allow_large
        A protocol whose fields are checked, and whether it may be too large for what is there.

    Raises
    ------
    BadInput
        If the network cannot be reared.
    """
    check_protocol(protocol, "cpu", allow_large)
    spec, seed, stimulus = protocol.network, protocol.seed_list[0], protocol.stimulus.sample()

    def build() -> nn.Module:
        return network_of(spec, stimulus.shape, stimulus.n_classes, seed)

    network = build().eval()
    if complaints := check_reproducible(build, stimulus.shape):
        raise BadInput(f"{spec.kind} cannot be reared: {'; '.join(complaints)}")
    weights = list(network.parameters())
    fixed = sum(parameter.numel() for parameter in weights if not parameter.requires_grad)
    yield Ability(
        "network",
        f"{spec.kind} fits: {sum(parameter.numel() for parameter in weights)} weights"
        + (f" ({fixed} of them fixed)" if fixed else "")
        + f", takes {stimulus.shape} per eye, tells {stimulus.n_classes} classes apart",
    )
    yield _pathways(network)
    yield _areas(network, stimulus)
    yield _sites(network, stimulus)
    possible = {name: lacks(probe_type(name), network) for name in PROBES.names()}
    lacking = "; ".join(f"{name} needs {', '.join(needs)}" for name, needs in possible.items() if needs)
    yield Ability("probes", ", ".join(name for name, needs in possible.items() if not needs), lacking)
    yield _objectives(network, stimulus, spec.kind)
    yield _speed(protocol, network, stimulus, seed)


def _pathways(network: nn.Module) -> Ability:
    if has_pathways(network):
        fusion = "its own fuse" if hasattr(network, "fuse") else "a sum"
        return Ability("pathways", f"left and right run once for each view of a grid; they meet by {fusion}")
    if declares_pathways(network):
        add = "its forward is not head(trunk(fuse(left, right))); a method fuse(left, right) may say how the eyes meet"
    else:
        add = "modules left, right, trunk and head, and fuse(left, right) unless it is a sum, with forward to match"
    return Ability("pathways", "the whole network runs for each pair of a grid of n x n views", add)


def _areas(network: nn.Module, stimulus: StimulusSet) -> Ability:
    areas = areas_of(network)
    found = found_of(network)
    texts = []
    sizes = _sizes(network, stimulus, list(areas.values()))
    for (name, module), size in zip(areas.items(), sizes, strict=True):
        own = isinstance(getattr(network, name, None), str) or name not in (FIRST_BINOCULAR, REPRESENTATION)
        source = "" if own or module == "trunk" or not found.representation else ", found"
        texts.append(f"{name} ({module}, {size}{source})" if name != module else name)
    add = "" if FIRST_BINOCULAR in areas else "first_binocular, the module where both eyes meet"
    return Ability("areas", ", ".join(texts), add)


def _sizes(network: nn.Module, stimulus: StimulusSet, modules: Sequence[str]) -> list[str]:
    """Return how large the maps of modules are, from one presentation."""
    sites = [resolve_site(network, f"{module}.map") for module in modules]
    found = units_at(network, stimulus.shape, sites)
    units = [found[site.name] for site in sites]
    return [f"{one.channels} x {one.height} x {one.width}" for one in units]


def _sites(network: nn.Module, stimulus: StimulusSet) -> Ability:
    names = recordable_modules(network, stimulus.shape)
    sizes = _sizes(network, stimulus, names)
    return Ability("sites", ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True)))


def _objectives(network: nn.Module, stimulus: StimulusSet, kind: str) -> Ability:
    possible, lacking = list(OBJECTIVES), ""
    try:
        build_decoder(network, stimulus.shape, 0, kind)
    except BadInput as error:
        possible.remove("reconstruction")
        lacking = str(error).partition(f"{kind} ")[2]
    return Ability("objectives", ", ".join(possible), lacking)


def _speed(protocol: Protocol, network: nn.Module, stimulus: StimulusSet, seed: int) -> Ability:
    """Measure a few steps of learning and one measurement, on one core of this CPU."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began = time.perf_counter()
        checkpoint_rows(protocol.probes, network, stimulus, seed)
        measuring = time.perf_counter() - began
        n_train = getattr(protocol.stimulus, "n_train", None) or len(stimulus.labels["train"])
        batch = min(protocol.training.batch_size, n_train)
        index = torch.arange(batch) % len(stimulus.labels["train"])
        views = stimulus.views("train", index, stream(seed, "check"))
        cohort = LoopCohort([network], protocol.training.momentum, 0.0)
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            cohort.step([Batch(views, stimulus.labels["train"][index])], [0.0])
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    epoch = min(seconds) * n_train / batch
    return Ability(
        "speed",
        f"about {_seconds(epoch)} for an epoch of {n_train} presentations, {_seconds(measuring)} for a measurement, on "
        "one core that is otherwise idle",
    )


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"
