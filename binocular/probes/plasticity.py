"""What could still change in a network: the training loss, its gradient in each part, and how far the parts have moved.

Asked of a subject whose eye has just been opened, these say what drives it from there on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from binocular.networks import declared
from binocular.probes.base import NETWORK, Probe, Scope, at_checkpoint, coordinate
from binocular.probes.weights import PARTS
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["Plasticity", "distance"]

_BLOCK = 1_000_000  # numbers of the directions that are drawn at a time


class Plasticity(Probe):
    """Loss and gradient at undisturbed training stimuli, both eyes open, and where the weights are.

    Normalisation statistics are held fixed. ``position`` are the weights of a part along random directions of expected
    length 1, the same at every checkpoint, so that `distance` gives how far a part has moved between two of them
    (Johnson & Lindenstrauss 1984) without the weights being kept.
    """

    name: ClassVar[str] = "plasticity"
    about: ClassVar[str] = "training loss, its gradient in each pathway, trunk and head, and how far these have moved"
    scope: ClassVar[Scope] = "network"
    needs: ClassVar[tuple[str, ...]] = declared.PARTS

    n_stimuli: int = Field(400, ge=2, description="training stimuli")
    batch: int = Field(100, ge=1, description="stimuli at a time; more need more memory")
    directions: int = Field(64, ge=1, description="random directions; 64 give a distance to within a tenth")

    columns: ClassVar = {
        **coordinate("part", "string", "1", "part of the network"),
        **coordinate("direction", "int64", "1", "random direction, counted from 0", 0),
        "loss": at_checkpoint("", "nat", "mean cross-entropy of the training stimuli", 0, None, "never"),
        "gradient_norm": at_checkpoint("part", "nat", "norm of the gradient of the loss in a part", 0, None, "never"),
        "position": at_checkpoint("part direction", "1", "weights of a part along random directions", missing="never"),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return loss and gradients, and how far each part is from where it was at the first checkpoint."""
        moved = distance(values["position"], values["position"][:1])
        return {
            "training loss": values["loss"],
            **{f"gradient, {part}": values["gradient_norm"][:, i] for i, part in enumerate(PARTS)},
            **{f"moved, {part}": moved[:, i] for i, part in enumerate(PARTS)},
        }

    def measure(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str = NETWORK
    ) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        labels = stimulus.labels["train"]
        order = torch.randperm(len(labels), generator=stream(seed, "probe/plasticity"))[: self.n_stimuli]
        order = order.to(labels.device)
        noise = stream(seed, "probe/plasticity/presentation", device=labels.device)
        weights = {name: value for name, value in network.named_parameters() if value.requires_grad}
        total = {name: torch.zeros_like(value) for name, value in weights.items()}
        loss = 0.0
        for index in order.split(self.batch):
            with torch.enable_grad():
                scores = network(stimulus.views("train", index, noise)).float()
                summed = torch.nn.functional.cross_entropy(scores, labels[index], reduction="sum") / len(order)
            loss += summed.item()
            for name, gradient in zip(
                weights, torch.autograd.grad(summed, list(weights.values()), allow_unused=True), strict=True
            ):
                if gradient is not None:
                    total[name] += gradient
        return {
            "part": PARTS,
            "direction": np.arange(self.directions),
            "loss": np.array(loss),
            "gradient_norm": np.array([_norm(total, part) for part in PARTS]),
            "position": np.stack([self._position(network, part, seed) for part in PARTS]),
        }

    def _position(self, network: nn.Module, part: str, seed: int) -> np.ndarray:
        draw, found = stream(seed, f"probe/plasticity/{part}"), torch.zeros(self.directions, dtype=torch.float64)
        for value in _of(dict(network.named_parameters()), part):
            flat = value.detach().double().cpu().flatten()
            for block in flat.split(max(_BLOCK // self.directions, 1)):
                found += torch.randn((self.directions, len(block)), generator=draw, dtype=torch.float64) @ block
        return (found / self.directions**0.5).numpy()


def distance(position: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return how far weights have moved between two checkpoints.

    Parameters
    ----------
    position, start
        Places along the random directions of a `Plasticity` probe, ``[..., direction]``.

    Returns
    -------
    numpy.ndarray
        Euclidean distances, ``[...]``, to within about ``1 / sqrt(2 * directions)`` of their size.
    """
    return np.sqrt(((position - start) ** 2).sum(-1))


def _of(values: Mapping[str, Tensor], part: str) -> list[torch.Tensor]:
    return [value for name, value in values.items() if name.split(".", 1)[0] == part]


def _norm(values: Mapping[str, Tensor], part: str) -> float:
    return sum(value.double().square().sum().item() for value in _of(values, part)) ** 0.5
