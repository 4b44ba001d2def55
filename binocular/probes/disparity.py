"""Disparity: which units are tuned to it, and how small a disparity the representation tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from binocular.dominance import over_units
from binocular.networks.sites import REPRESENTATION, UnitKind
from binocular.probes.base import UNIT, Probe, at_checkpoint, coordinate
from binocular.probes.gratings import RESPONSE_FLOOR
from binocular.probes.readouts import resampled_thresholds, ridge_hits
from binocular.probes.recording import response_grid, responses
from binocular.probes.shown import noise_shown
from binocular.probes.stereograms import phase_stereograms, stereograms
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.gratings import Gratings
from binocular.stimuli.streams import stream

__all__ = ["Disparity", "Stereoacuity"]

PatternName = Literal["dots", "gaussian", "1/f"]


class Disparity(Probe):
    """Tuning of units to the disparity of random-dot stereograms and to the phase disparity of gratings.

    Random dots: presentations of independent patterns at each disparity, no sensory noise. A unit is disparity
    selective if the variance between disparities, relative to that within (F of a one-way analysis), exceeds what
    shuffled disparities give at level ``alpha``. Because patterns are independent and what one eye sees does not depend
    on disparity, shuffling is an exact test: of units without binocular tuning a share of ``alpha`` passes. The
    disparity discrimination index is (max - min) / (max - min + 2 s) with s the residual s.d. over presentations
    (Prince, Pointon, Cumming & Parker 2002, J. Neurophysiol. 87).

    Gratings: both eyes see the same grating at all pairs of phases; the response is averaged over the pairs of one
    phase difference, at the orientation and frequency with the largest mean. Each eye has phases at half the steps of
    the phase difference, because a rectified unit would otherwise be sampled at other places of its cycle at odd
    differences than at even ones. Modulation is (max - min) / (max + min)
    over phase differences of the response above grey, cut at 0: 0 for a monocular unit, exactly.
    """

    name: ClassVar[str] = "disparity"
    about: ClassVar[str] = "tuning of units to the disparity of random dots and gratings, share of selective units"

    disparities: tuple[float, ...] = Field(
        (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0), min_length=2, description="in pixels, crossed positive"
    )
    pattern: PatternName = Field("dots", description="dots, gaussian or 1/f noise")
    contrast: float = Field(1.0, gt=0, description="s.d. of the pattern, in pixel values")
    repeats: int = Field(60, ge=2, description="patterns shown at each disparity")
    alpha: float = Field(0.01, gt=0, lt=1, description="level at which a unit counts as selective")
    permutations: int = Field(999, ge=19, description="shuffled disparities of the null")
    orientations: tuple[float, ...] = Field((0.0, 30.0, 60.0, 90.0, 120.0, 150.0), min_length=1, description="degrees")
    frequencies: tuple[float, ...] = Field((1.0, 2.0, 4.0), min_length=1, description="cycles per image")
    phases: int = Field(8, ge=4, le=36, description="steps of phase disparity; each eye's phase has twice as many")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")

    columns: ClassVar = {
        **UNIT,
        **coordinate("disparity", "float64", "pixel", "disparity, crossed (near) positive"),
        **coordinate("phase_disparity", "float64", "degree", "phase of the left eye's grating less that of the right"),
        "tuning": at_checkpoint("unit disparity", "response", "mean response to random dots", missing="never"),
        "tuning_se": at_checkpoint("unit disparity", "response", "standard error of tuning, over patterns", 0),
        "preferred_disparity": at_checkpoint("unit", "pixel", "disparity of the largest mean; NaN = not selective"),
        "discrimination_index": at_checkpoint("unit", "1", "disparity discrimination index; NaN = constant", 0, 1),
        "p_value": at_checkpoint("unit", "1", "chance of as large an F under shuffled disparities", 0, 1, "never"),
        "selective_share": at_checkpoint("", "1", "share of units with p_value at or below alpha", 0, 1, "never"),
        "chance_share": at_checkpoint("", "1", "alpha: the share of units without tuning that passes", 0, 1, "never"),
        "phase_tuning": at_checkpoint("unit phase_disparity", "response", "response above grey to gratings"),
        "phase_modulation": at_checkpoint("unit", "1", "modulation by phase disparity; NaN = no response", 0, 1),
        "preferred_phase_disparity": at_checkpoint("unit", "degree", "phase disparity of the largest response"),
        "phase_orientation": at_checkpoint("unit", "degree", "orientation at which phase disparity was varied"),
        "phase_frequency": at_checkpoint("unit", "cycle/image", "frequency at which phase disparity was varied", 0),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the share of selective units, and the medians of both indices."""
        return {
            "selective share": values["selective_share"],
            "median discrimination index": over_units(values["discrimination_index"], "median"),
            "median phase modulation": over_units(values["phase_modulation"], "median"),
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        dots, p_value = self._dots(network, stimulus, seed, site)
        return {
            "unit": np.arange(len(p_value)),
            "disparity": np.array(self.disparities),
            "phase_disparity": 360.0 * np.arange(self.phases) / self.phases,
            **dots,
            "p_value": p_value,
            "selective_share": (p_value <= self.alpha).mean(),
            "chance_share": np.array(self.alpha),
            **self._gratings(network, stimulus, site),
        }

    def _dots(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        disparity = torch.tensor(self.disparities, dtype=torch.float64).repeat(self.repeats)
        views = stereograms(stimulus.shape, disparity, self.pattern, stream(seed, "probe/disparity"), self.contrast).to(
            stimulus.labels["test"].device
        )
        answered = responses(network, views, site, self.units)
        cells = answered.unflatten(0, (self.repeats, len(self.disparities)))  # [repeat, disparity, unit]
        mean, spread = cells.mean(0).T.numpy(), cells.std(0).T.numpy()
        level, p_value = self._shuffled(answered, stream(seed, "probe/disparity/shuffle"))
        residual = np.sqrt((spread**2).mean(1))
        span = mean.max(1) - mean.min(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            index = np.where(level > 0, span / (span + 2 * residual), np.nan)
        preferred = np.where(p_value <= self.alpha, np.array(self.disparities)[mean.argmax(1)], np.nan)
        return {
            "tuning": mean,
            "tuning_se": spread / np.sqrt(self.repeats),
            "preferred_disparity": preferred,
            "discrimination_index": index,
        }, p_value

    def _shuffled(self, answered: torch.Tensor, draw: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return each unit's variance and the chance of as much of it between disparities when they are shuffled."""
        n, kinds = len(answered), len(self.disparities)
        centred = answered - answered.mean(0)
        total = centred.square().sum(0)
        constant = total <= 1e-20 * n
        order = torch.stack([torch.arange(n), *(torch.randperm(n, generator=draw) for _ in range(self.permutations))])
        label = torch.arange(n) % kinds
        between = torch.empty(len(order), answered.shape[1], dtype=torch.float64)
        for row, places in enumerate(order):
            sums = torch.zeros(kinds, answered.shape[1], dtype=torch.float64)
            between[row] = sums.index_add_(0, label, centred[places]).square().sum(0)
        # With equal numbers per disparity F rises with the sum of squared group sums, for total variance is fixed.
        as_large = (between[1:] >= between[0] * (1 - 1e-12)).sum(0)
        p_value = (1 + as_large).double() / (1 + self.permutations)
        p_value = torch.where(constant, 1.0, p_value)
        return torch.where(constant, 0.0, total).numpy(), p_value.numpy()

    def _gratings(self, network: nn.Module, stimulus: StimulusSet, site: str) -> dict[str, np.ndarray]:
        device = stimulus.labels["test"].device
        waves = Gratings(  # type: ignore[call-arg]
            orientations=self.orientations, phases=(0.0, 90.0), frequencies=self.frequencies, eyes=("both",),
            visible=stimulus.columns,
        ).present(stimulus.shape, device)  # fmt: skip
        basis = waves.views.unflatten(0, (-1, 2))  # [kind, quadrature, eye, channel, height, width]
        eyes = [phase_stereograms(basis[:, :, eye], 2 * self.phases)[1] for eye in range(2)]
        grey = responses(network, torch.zeros_like(waves.views[:1]), site, self.units)[0].to(device)
        step = torch.arange(2 * self.phases, device=device)
        difference = (step[:, None] - step[None]) % (2 * self.phases)  # left less right, in half steps
        curves = []
        for left, right in zip(*eyes, strict=True):
            grid = next(iter(response_grid(network, left, right, (site,), self.units).values())).double() - grey
            sums = torch.zeros(len(step), grid.shape[-1], dtype=torch.float64, device=device)
            means = sums.index_add_(0, difference.flatten(), grid.flatten(0, 1)) / len(step)
            curves.append(means[::2])
        tuning = torch.stack(curves).cpu().numpy()  # [kind, phase disparity, unit]
        best = tuning.mean(1).argmax(0)
        chosen = tuning[best, :, np.arange(tuning.shape[2])]
        cut = chosen.clip(0)
        low, high = cut.min(1), cut.max(1)
        answered = high > RESPONSE_FLOOR
        modulation = np.divide(high - low, high + low, out=np.full(len(high), np.nan), where=answered)
        frequency, orientation = np.divmod(best, len(self.orientations))
        return {
            "phase_tuning": chosen,
            "phase_modulation": modulation,
            "preferred_phase_disparity": np.where(answered, 360.0 / self.phases * chosen.argmax(1), np.nan),
            "phase_orientation": np.where(answered, np.array(self.orientations)[orientation], np.nan),
            "phase_frequency": np.where(answered, np.array(self.frequencies)[frequency], np.nan),
        }


class Stereoacuity(Probe):
    """The smallest disparity whose sign, near or far, a linear readout of the representation tells.

    Random patterns with sensory noise of their own in each eye; half of the answers are right by chance. Sensitivity is
    1 / the smallest disparity told at the criterion: 0 where it is met nowhere (stereo-blind, ``..._censored`` -1), 1 /
    the smallest disparity shown where it is met there already (``..._censored`` 1).
    """

    name: ClassVar[str] = "stereoacuity"
    about: ClassVar[str] = "smallest disparity whose sign a linear readout tells"
    usual_site: ClassVar[str] = REPRESENTATION

    disparities: tuple[float, ...] = Field(
        (0.125, 0.25, 0.5, 1.0, 2.0, 4.0), min_length=2, description="in pixels, rising; near and far are told apart"
    )
    pattern: PatternName = Field("1/f", description="dots, gaussian or 1/f noise")
    contrast: float = Field(1.0, gt=0, description="s.d. of the pattern, in pixel values")
    noise: float | None = Field(
        None, ge=0, description="s.d. of the noise of each pixel of both eyes; by default that of the stimulus, or 0.5"
    )
    n_train: int = Field(1000, ge=8, description="presentations of each disparity that train the readout")
    n_test: int = Field(500, ge=8, description="presentations of each disparity that test it")
    ridge: float = Field(0.1, gt=0, description="penalty of the readout, in variances of a unit")
    criterion: float = Field(0.75, gt=0.5, lt=1, description="share of correct answers at threshold")
    resamplings: int = Field(500, ge=0, description="of the answers, for the interval")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")

    columns: ClassVar = {
        **coordinate("disparity", "float64", "pixel", "size of the disparity", 0),
        "accuracy": at_checkpoint("disparity", "1", "share of signs told", 0, 1, "never"),
        "stereo_sensitivity": at_checkpoint(
            "", "1/pixel", "1 / smallest disparity told at criterion; 0 = none", 0, None, "never"
        ),
        "stereo_sensitivity_low": at_checkpoint("", "1/pixel", "lower end of its 95 % interval, answers resampled", 0),
        "stereo_sensitivity_high": at_checkpoint("", "1/pixel", "upper end of its 95 % interval, answers resampled", 0),
        "stereo_sensitivity_censored": at_checkpoint(
            "", "1", "1 = threshold beyond what was shown, -1 = below criterion everywhere", -1, 1, kind="int64"
        ),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the sensitivity and the best accuracy."""
        return {
            "stereo sensitivity (1/pixel)": values["stereo_sensitivity"],
            "best accuracy": values["accuracy"].max(1),
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        noise = torch.tensor(noise_shown(stimulus, self.noise))
        count = self.n_train + self.n_test
        labels = torch.arange(count) % 2
        sign = 1.0 - 2.0 * labels.double()
        answers = []
        for index, size in enumerate(self.disparities):
            draw = stream(seed, "probe/stereoacuity", index)
            views = stereograms(stimulus.shape, size * sign, self.pattern, draw, self.contrast)
            views = views + noise.view(2, 1, 1, 1) * torch.randn(views.shape, generator=draw)
            answers.append(responses(network, views.to(stimulus.labels["test"].device), site, self.units))
        cells = torch.stack(answers)
        train, test = cells[:, : self.n_train], cells[:, self.n_train :]
        hits = ridge_hits(train, labels[: self.n_train], test, labels[self.n_train :], self.ridge).numpy()
        found = resampled_thresholds(
            1 / np.array(self.disparities),
            hits,
            self.n_test,
            self.criterion,
            self.resamplings,
            stream(seed, "probe/stereoacuity/answers"),
        )
        names = ("", "_low", "_high", "_censored")
        return {
            "disparity": np.array(self.disparities),
            "accuracy": hits / self.n_test,
            **{f"stereo_sensitivity{end}": np.array(value) for end, value in zip(names, found, strict=True)},
        }
