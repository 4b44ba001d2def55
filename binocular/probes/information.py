"""Usable information: what the representation lets a simple readout know about the class, with each eye and with both.

After Kleinman, Achille & Soatto (2023, Fig. 9), who take it from the cross-entropy with the other eye blanked, in
networks that had an eye blanked on a tenth of the training samples. Here the network is not trained again: it is frozen
and a multinomial logistic readout is trained on its representation. That is usable information in the sense of
Xu et al. (2020) for the family of linear readouts, H(class) - H_readout(class | representation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from binocular.networks.sites import REPRESENTATION, UnitKind
from binocular.probes.base import Probe, at_checkpoint, coordinate
from binocular.probes.readouts import cross_entropy_bits
from binocular.probes.recording import responses
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["UsableInformation"]

SEEING = np.array(["left", "right", "both"], dtype=object)


class UsableInformation(Probe):
    """Bits about the class, with the left eye only, the right eye only (the other one grey), and both.

    The test stimuli are used, by cross-validation: the network may know its training stimuli by heart. Their classes
    occur equally often or nearly; their entropy is that of the sample. An estimate can fall a little below 0.
    """

    name: ClassVar[str] = "usable-information"
    about: ClassVar[str] = "bits about the class that a readout gets from each eye alone and from both"
    usual_site: ClassVar[str] = REPRESENTATION

    readout: Literal["own", "shared"] = Field(
        "own",
        description="'own': trained for each way of seeing; 'shared': one, trained with each eye blanked on a share",
    )
    blanked: float = Field(0.1, gt=0, lt=0.5, description="share of the training with each eye blanked, if shared")
    folds: int = Field(4, ge=2, le=50, description="of the cross-validation")
    penalties: tuple[float, ...] = Field((1e-2, 1e-1, 1.0), min_length=1, description="weight penalties to choose from")
    n_stimuli: int | None = Field(None, ge=20, description="test stimuli used; all of them by default")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")

    columns: ClassVar = {
        **coordinate("seeing", "string", "1", "eye that sees, the other one grey; or both"),
        "information": at_checkpoint("seeing", "bit", "usable information about the class", missing="never"),
        "information_se": at_checkpoint("seeing", "bit", "standard error of information, over stimuli", 0),
        "entropy": at_checkpoint("", "bit", "entropy of the class", 0, None, "never"),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return bits with the left eye, the right eye, and both."""
        return {f"bits, {name}": values["information"][:, i] for i, name in enumerate(SEEING)}

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        labels = stimulus.labels["test"]
        count = len(labels) if self.n_stimuli is None else min(self.n_stimuli, len(labels))
        draw = stream(seed, "probe/usable-information")
        index = torch.randperm(len(labels), generator=draw)[:count].to(labels.device)
        folds = torch.arange(count) % self.folds
        views, classes = stimulus.views("test", index, None), labels[index].cpu()
        answers = []
        for seen in ((1, 0), (0, 1), (1, 1)):
            open_eyes = torch.tensor(seen, dtype=views.dtype, device=views.device).view(2, 1, 1, 1)
            answers.append(responses(network, views * open_eyes, site, self.units))
        surprise = cross_entropy_bits(
            torch.stack(answers), classes, stimulus.n_classes, folds, self.penalties, self._mixture(count, draw)
        )
        share = torch.bincount(classes).double() / count
        entropy = float(-(share[share > 0] * share[share > 0].log2()).sum())
        return {
            "seeing": SEEING,
            "information": np.array([entropy - float(bits.mean()) for bits in surprise]),
            "information_se": np.array([float(bits.std()) / count**0.5 for bits in surprise]),
            "entropy": np.array(entropy),
        }

    def _mixture(self, count: int, draw: torch.Generator) -> Tensor | None:
        """Return for each stimulus in which way it is seen when a shared readout is trained; None for own ones."""
        if self.readout == "own":
            return None
        chance = torch.rand(count, generator=draw)
        seen = torch.full((count,), 2)
        seen[chance < self.blanked] = 0
        seen[chance >= 1 - self.blanked] = 1
        return seen
