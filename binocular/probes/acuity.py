"""How fine a grating, and how faint, each eye can tell: acuity and contrast sensitivity by a linear readout.

One eye sees a horizontal or a vertical grating of random phase, the other eye grey; the sensory noise of the stimulus
lies on both, so that an eye whose pathway is weak is drowned by the noise of the other. A linear readout of the units'
responses tells the orientation, trained and tested on different presentations. Half of the answers are right by chance;
threshold is at three quarters.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from binocular.networks.sites import REPRESENTATION, UnitKind
from binocular.probes.base import EYE, EYES, Probe, at_checkpoint, coordinate
from binocular.probes.readouts import resampled_thresholds, ridge_hits
from binocular.probes.recording import responses
from binocular.probes.shown import noise_shown
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.gratings import Gratings
from binocular.stimuli.streams import stream

__all__ = ["Acuity"]

_ENDS = {"low": "lower end of its 95 % interval, answers resampled", "high": "upper end of the same interval"}
_CENSORED = "1 = threshold beyond what was shown, -1 = below criterion everywhere, 0 = inside"


class Acuity(Probe):
    """Acuity and contrast sensitivity of each eye.

    Acuity is the finest grating of contrast ``acuity_contrast`` whose orientation is told at the criterion (at full
    contrast small subjects tell the finest grating that their pixels can show); contrast sensitivity, for each
    frequency, 1 / the smallest contrast at which it is told. Where the criterion is met at the
    finest frequency (faintest contrast) shown, that value stands and ``..._censored`` is 1; where it is met nowhere,
    the value is 0 and ``..._censored`` is -1.
    """

    name: ClassVar[str] = "acuity"
    about: ClassVar[str] = "finest and faintest gratings that a linear readout tells, each eye (contrast sensitivity)"
    usual_site: ClassVar[str] = REPRESENTATION

    frequencies: tuple[float, ...] | None = Field(
        None, min_length=2, description="cycles per image, rising; by default steps from 1 to half a cycle per pixel"
    )
    contrasts: tuple[float, ...] = Field(
        (0.05, 0.1, 0.2, 0.4, 0.6, 1.0), min_length=2, description="share of the largest contrast, rising"
    )
    acuity_contrast: float = Field(0.4, gt=0, le=1, description="the one of them at which acuity is taken")
    orientations: tuple[float, float] = Field((0.0, 90.0), description="the two to be told apart, in degrees")
    noise: float | None = Field(
        None, ge=0, description="s.d. of the noise of each pixel of both eyes; by default that of the stimulus, or 0.5"
    )
    n_train: int = Field(200, ge=8, description="presentations of each grating that train the readout")
    n_test: int = Field(200, ge=8, description="presentations of each grating that test it")
    ridge: float = Field(0.1, gt=0, description="penalty of the readout, in variances of a unit")
    criterion: float = Field(0.75, gt=0.5, lt=1, description="share of correct answers at threshold")
    resamplings: int = Field(500, ge=0, description="of the answers, for the intervals")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")

    columns: ClassVar = {
        **EYE,
        **coordinate("frequency", "float64", "cycle/image", "spatial frequency", 0),
        **coordinate("contrast", "float64", "1", "contrast, share of the largest", 0),
        "accuracy": at_checkpoint("eye frequency contrast", "1", "share of orientations told", 0, 1, "never"),
        "acuity": at_checkpoint("eye", "cycle/image", "finest grating told at criterion; 0 = none", 0, None, "never"),
        **{f"acuity_{end}": at_checkpoint("eye", "cycle/image", f"acuity: {what}", 0) for end, what in _ENDS.items()},
        "acuity_censored": at_checkpoint("eye", "1", f"acuity: {_CENSORED}", -1, 1, kind="int64"),
        "contrast_sensitivity": at_checkpoint(
            "eye frequency", "1", "1 / smallest contrast told at criterion; 0 = none", 0, None, "never"
        ),
        **{
            f"contrast_sensitivity_{end}": at_checkpoint("eye frequency", "1", f"contrast sensitivity: {what}", 0)
            for end, what in _ENDS.items()
        },
        "contrast_sensitivity_censored": at_checkpoint(
            "eye frequency", "1", f"contrast sensitivity: {_CENSORED}", -1, 1, kind="int64"
        ),
    }

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        for name in ("frequencies", "contrasts"):
            levels = getattr(self, name) or (1.0, 2.0)
            if min(levels) <= 0 or any(one >= other for one, other in itertools.pairwise(levels)):
                raise ValueError(f"{name} must be positive and rise")
        if self.acuity_contrast not in self.contrasts:
            raise ValueError(f"acuity_contrast {self.acuity_contrast:g} is not one of contrasts")
        return self

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return acuity and peak contrast sensitivity of each eye."""
        peak = values["contrast_sensitivity"].max(2)
        found = {f"acuity, {eye}": values["acuity"][:, i] for i, eye in enumerate(EYES)}
        return found | {f"peak contrast sensitivity, {eye}": peak[:, i] for i, eye in enumerate(EYES)}

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        side = min(stimulus.shape[1:])
        frequencies = self.frequencies or tuple(f for f in _STEPS if f <= side / 2)
        hits = np.stack([self._hits(network, stimulus, seed, site, frequencies, eye) for eye in range(2)])
        draws = stream(seed, "probe/acuity/answers")
        found: dict[str, list] = {"acuity": [], "contrast_sensitivity": []}
        at = self.contrasts.index(self.acuity_contrast)
        finest, faintest = np.array(frequencies)[::-1], 1 / np.array(self.contrasts)
        answers = self.n_test, self.criterion, self.resamplings, draws
        for told in hits:
            found["acuity"].append(resampled_thresholds(finest, told[::-1, at].copy(), *answers))
            found["contrast_sensitivity"].append([resampled_thresholds(faintest, row.copy(), *answers) for row in told])
        columns = {}
        for name, values in found.items():
            value, low, high, censored = np.moveaxis(np.array(values), -1, 0)
            columns |= {name: value, f"{name}_low": low, f"{name}_high": high}
            columns[f"{name}_censored"] = censored.astype(np.int64)
        return {
            "eye": EYES,
            "frequency": np.array(frequencies),
            "contrast": np.array(self.contrasts),
            "accuracy": hits / self.n_test,
            **columns,
        }

    def _hits(
        self,
        network: nn.Module,
        stimulus: StimulusSet,
        seed: int,
        site: str,
        frequencies: tuple[float, ...],
        eye: int,
    ) -> np.ndarray:
        """Return correct answers ``[frequency, contrast]`` of one eye; both eyes get the same phases and noise."""
        device = stimulus.labels["test"].device
        waves = Gratings(  # type: ignore[call-arg]
            orientations=self.orientations, phases=(0.0, 90.0), frequencies=frequencies, eyes=("both",),
            visible=stimulus.columns,
        ).present(stimulus.shape)  # fmt: skip
        # [frequency, orientation, quadrature, channel, height, width] as this eye sees them
        basis = waves.views[:, eye].reshape(*waves.grid[1:], *stimulus.shape)
        noise = torch.tensor(noise_shown(stimulus, self.noise))
        noise = noise[[eye, 1 - eye]].view(2, 1, 1, 1)
        count = self.n_train + self.n_test
        labels = torch.arange(count) % 2
        hits = np.empty((len(frequencies), len(self.contrasts)), np.int64)
        for f in range(len(frequencies)):
            draw = stream(seed, "probe/acuity", f)
            answers = []
            for contrast in self.contrasts:
                views = self._present(basis[f], labels, contrast, noise, draw)
                views = views if eye == 0 else views.flip(1)
                answers.append(responses(network, views.to(device), site, self.units))
            cells = torch.stack(answers)
            train, test = cells[:, : self.n_train], cells[:, self.n_train :]
            hits[f] = ridge_hits(train, labels[: self.n_train], test, labels[self.n_train :], self.ridge).numpy()
        return hits

    @staticmethod
    def _present(basis: Tensor, labels: Tensor, contrast: float, noise: Tensor, draw: torch.Generator) -> Tensor:
        """Return views with the grating in eye 0, ``[presentation, eye, channel, height, width]``."""
        phase = 2 * torch.pi * torch.rand(len(labels), 1, 1, 1, generator=draw)
        seen = torch.cos(phase) * basis[labels, 0] + torch.sin(phase) * basis[labels, 1]
        views = torch.randn(len(labels), 2, *basis.shape[2:], generator=draw) * noise
        views[:, 0] += contrast * seen
        return views


_STEPS = tuple(f * 2.0**octave for octave in range(8) for f in (1.0, 1.5))
