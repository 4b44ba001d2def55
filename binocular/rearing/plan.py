"""What all nodes of a study have in common, and the identity of their untrained networks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from binocular.probes.registry import probe_type
from binocular.protocols import NetworkSpec, ProbePlan, Training
from binocular.rearing.tree import Node, chain, identity_of
from binocular.stimuli.base import StimulusConfig, StimulusSet
from binocular.stimuli.content import digest_of_files
from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import allow, code_of, is_shipped, load_class, look_in, looked_in, reference_of

__all__ = ["REARING_VERSION", "Plan", "stimulus_of"]

REARING_VERSION = 2
"""Raised whenever a change of the code changes the weights that a history leads to."""


@dataclass(frozen=True)
class Plan:
    """What all nodes of a study have in common.

    Attributes
    ----------
    device, precision, packing
        ``"cpu"`` or ``"cuda"``; ``"float32"`` or ``"bfloat16"``; ``"loop"`` or ``"stacked"``.
    reconstructs
        Whether some phase reconstructs, so that all subjects have a decoder from the beginning. It has no part in the
        identity: until the first such phase a decoder stays as the seed draws it, and nothing depends on it.
    content
        What decides the stimuli besides the seed, see `StimulusConfig.content`.
    code
        Digest of the code behind each class of a user that the network is made of, by its name ``module:Class``.
    probe_code
        Likewise for the probes that it measures with, which decide no weights.
    start
        Digest of what the untrained network of seed 0 holds, where that is a user's or brings weights.
    command
        The command line, noted beside what is reared.
    folders
        Where modules of a user are looked for, see `binocular.stimuli.user_code.look_in`; no part of any identity.
    """

    stimulus: StimulusConfig
    network: NetworkSpec
    training: Training
    probes: ProbePlan
    device: str
    precision: str
    packing: str
    reconstructs: bool = False
    content: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    probe_code: Mapping[str, str] = field(default_factory=dict)
    start: str = ""
    command: str = ""
    folders: tuple[str, ...] = field(default_factory=looked_in)

    def made(self, seed: int) -> dict[str, Any]:
        """Return everything, besides its epochs, that decides what becomes of a seed's untrained network."""
        training = self.training
        return {
            "version": REARING_VERSION,
            "torch": torch.__version__,
            "device": self.device,
            "precision": self.precision,
            "packing": self.packing,
            "stimulus": dict(self.content),
            # What a file of weights holds counts (``start``), not where it lies.
            "network": {
                "settings": self.network.model_dump(mode="json", exclude={"weights"}),
                "code": dict(self.code),
                "start": self.start,
            },
            "optimiser": [training.optimiser, training.momentum, training.weight_decay, training.batch_size],
            "seed": seed,
        }

    def origin(self, seed: int) -> str:
        """Return the identity of a seed's untrained network, the hash of `made`."""
        return identity_of(self.made(seed))

    def stimuli(self, seed: int) -> StimulusSet:
        """Return the stimuli of a seed; see `stimulus_of`."""
        return stimulus_of(self.stimulus, seed, self.device, self.content)

    def check_code(self, nodes: Iterable[Node] = ()) -> None:
        """Let the classes of the plan be imported in this process, and make sure that their code is the one planned.

        Parameters
        ----------
        nodes
            What is to be reared, whose deficits and objectives may be a user's own.

        Raises
        ------
        BadInput
            If the code has changed since the study was planned.
        """
        look_in(*self.folders)
        allow([*self.code, *self.probe_code, *self.stimulus.references()])
        planned = {load_class(reference, "network.kind", nn.Module): code for reference, code in self.code.items()}
        planned |= {probe_type(name, "probes.also"): code for name, code in self.probe_code.items()}
        if "code" in self.content and not is_shipped(type(self.stimulus)):
            planned[type(self.stimulus)] = self.content["code"]
        changed = [f"the code of {reference_of(cls)}" for cls, code in planned.items() if code_of(cls) != code]
        for node in nodes:
            own = sorted({reference_of(cls) for epoch in node.epochs for cls in epoch.own_code()})
            if own and chain(node.parent, node.epochs)[-1] != node.identity:
                changed.append(f"the code of {' or '.join(own)}")
        if changed:
            raise BadInput(f"{changed[0]} has changed since this run began; start the run again")

    @property
    def one_thread_each(self) -> bool:
        """Whether each subject is reared by one thread of the CPU."""
        return self.device == "cpu" and self.packing == "loop"

    @property
    def measures(self) -> str:
        """What is measured and how, besides when, as JSON."""
        asked = {"n_stimuli", "bootstrap", "units", "sites", "also", "test_size", "normalisation"}
        measured = self.probes.model_dump(mode="json", include=asked) | {"evaluate_every": self.training.evaluate_every}
        measured |= {"code": dict(self.probe_code)} if self.probe_code else {}
        return json.dumps(measured, sort_keys=True)


_ROOM = 16  # sets of stimuli that are kept
_shelf: dict[tuple[str, int, str], StimulusSet] = {}
_one_at_a_time = threading.Lock()


def stimulus_of(
    config: StimulusConfig, seed: int, device: str, content: Mapping[str, Any] | None = None
) -> StimulusSet:
    """Return the stimuli of a seed, built once for the subjects that share them.

    Parameters
    ----------
    config, seed, device
        What to build.
    content
        What ``config.content()`` gave when the study was planned; as it is now where it is left out.

    Raises
    ------
    BadInput
        If the stimuli cannot be built, or their files are no longer those of the plan.
    """
    content = config.content() if content is None else content
    key = (json.dumps([config.model_dump(mode="json"), content], sort_keys=True), seed, device)
    with _one_at_a_time:
        if key not in _shelf:
            while len(_shelf) >= _ROOM:
                _shelf.pop(next(iter(_shelf)))
            built = config.build(seed, device)
            if digest_of_files(config.files()) != content["files"]:
                raise BadInput("stimulus: its files have changed since this run began; start the run again")
            _shelf[key] = built
        return _shelf[key]
