"""What all nodes of a study have in common, and the identity of their untrained networks."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from binocular.rearing.tree import identity_of
from binocular.stimuli.base import StimulusConfig, StimulusSet

if TYPE_CHECKING:
    from binocular.protocols import NetworkSpec, ProbePlan, Training

__all__ = ["REARING_VERSION", "Plan", "stimulus_of"]

REARING_VERSION = 2
"""Raised whenever a change of the code changes the weights that a history leads to."""


@dataclass(frozen=True)
class Plan:
    """What all nodes of a study have in common.

    Attributes
    ----------
    device
        ``"cpu"`` or ``"cuda"``.
    precision
        ``"float32"`` or ``"bfloat16"``.
    packing
        ``"loop"`` or ``"stacked"``.
    reconstructs
        Whether some phase reconstructs, so that all subjects have a decoder from the beginning. It has no part in the
        identity: until the first such phase a decoder stays as the seed draws it, and nothing depends on it.
    """

    stimulus: StimulusConfig
    network: NetworkSpec
    training: Training
    probes: ProbePlan
    device: str
    precision: str
    packing: str
    reconstructs: bool = False

    def origin(self, seed: int) -> str:
        """Identity of a seed's untrained network: everything, besides its epochs, that decides what becomes of it."""
        training = self.training
        return identity_of(
            {
                "version": REARING_VERSION,
                "torch": torch.__version__,
                "device": self.device,
                "precision": self.precision,
                "packing": self.packing,
                "stimulus": self.stimulus.model_dump(mode="json"),
                "network": self.network.model_dump(mode="json"),
                "optimiser": [training.optimiser, training.momentum, training.weight_decay, training.batch_size],
                "seed": seed,
            }
        )

    @property
    def one_thread_each(self) -> bool:
        """Whether each subject is reared by one thread of the processor."""
        return self.device == "cpu" and self.packing == "loop"

    @property
    def measures(self) -> str:
        """What is measured and how, besides when, as JSON."""
        probes = self.probes
        return json.dumps(
            {
                "n_stimuli": probes.n_stimuli,
                "bootstrap": probes.bootstrap,
                "units": probes.units,
                "sites": list(probes.sites),
                "also": list(probes.also),
                "test_size": probes.test_size,
                "normalisation": probes.normalisation,
                "evaluate_every": self.training.evaluate_every,
            },
            sort_keys=True,
        )


class _StimulusShelf:
    """Stimuli that have been built, kept for the subjects that share them."""

    def __init__(self, room: int = 16) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._sets: dict[tuple[str, int, str], StimulusSet] = {}

    def get(self, config: StimulusConfig, seed: int, device: str) -> StimulusSet:
        key = (config.model_dump_json(), seed, device)
        with self._lock:
            if key not in self._sets:
                while len(self._sets) >= self._room:
                    self._sets.pop(next(iter(self._sets)))
                self._sets[key] = config.build(seed, device)
            return self._sets[key]


_shelf = _StimulusShelf()


def stimulus_of(config: StimulusConfig, seed: int, device: str) -> StimulusSet:
    """Return the stimuli of a seed, built once for the subjects that share them."""
    return _shelf.get(config, seed, device)
