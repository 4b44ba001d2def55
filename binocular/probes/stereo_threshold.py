"""How little a subject needs to tell near from far: thresholds of its own stereopsis.

The stereopsis of a study is the share of depths told right where both eyes see the same texture, with the disparity of
rearing. Here that is made harder in two ways, one at a time; the subject judges by its own classifier, as in rearing:

- the **interocular correlation** falls: each eye's texture is mixed with one of its own, so that less and less of what
  the eyes see agrees (Cormack, Stevenson & Schor 1991, Vision Res 31:2195). At 0 nobody can tell, at 1 the scenes are
  those of rearing. Only this changes, so that any subject that tells depth at all has a threshold;
- the **disparity** falls from that of rearing by fractions of a pixel: stereoacuity. Noise that holds no more than half
  a cycle per pixel is known between its pixels, and what one eye sees does not depend on disparity.

`binocular.probes.disparity.Stereoacuity` asks what an ideal readout could do with the cells; this asks the subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np
import torch
from pydantic import Field
from torch import nn

from binocular.probes.base import NETWORK, Column, Probe, Scope, at_checkpoint, coordinate
from binocular.probes.psychometric import fit_psychometric
from binocular.probes.sight import class_scores, task_scores
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.scenes import StereoSceneSet
from binocular.stimuli.streams import stream

__all__ = ["StereoThreshold"]

_TASK = "stereopsis"
_CENSORED = "-1 = no threshold: the criterion is met nowhere, 1 = met at the lowest level already, 0 = inside"


def _threshold_columns(of: str, units: str, words: str) -> dict[str, Column]:
    """Return what is stored of one psychometric function."""
    inverse = "1" if units == "1" else f"1/{units}"
    return {
        f"{of}_accuracy": at_checkpoint(of, "1", f"share of depths told right at each {words}", 0, 1),
        f"{of}_threshold": at_checkpoint("", units, f"least {words} at the criterion, by a fit; NaN = none", 0),
        f"{of}_sensitivity": at_checkpoint("", inverse, f"1 / threshold of {words}; 0 = none", 0),
        f"{of}_censored": at_checkpoint("", "1", _CENSORED, -1, 1, kind="int64"),
        f"{of}_scale": at_checkpoint("", units, "scale of the fitted Weibull function", 0),
        f"{of}_slope": at_checkpoint("", "1", "slope of the fitted Weibull function", 0),
        f"{of}_lapse": at_checkpoint("", "1", "share of wrong answers left at any level, by the fit", 0, 0.5),
    }


class StereoThreshold(Probe):
    """Least interocular correlation and least disparity at which the subject itself tells near from far.

    New scenes of the kind of rearing with their noise, near and far equally often, half of the answers right by chance.
    A Weibull function is fitted to the share of right answers; threshold is where it meets the criterion. A subject
    that meets it nowhere has no threshold: NaN, ``..._censored`` -1 and a sensitivity (1 / threshold) of 0, so that it
    counts in a mean over subjects. Disparity is NaN throughout, and its ``..._censored`` 0, where textures cannot be
    moved by fractions of a pixel (photographs, or a fixated background).
    """

    name: ClassVar[str] = "stereo-threshold"
    about: ClassVar[str] = "least interocular correlation and disparity at which the subject itself tells near from far"
    scope: ClassVar[Scope] = "network"
    usual_site: ClassVar[str] = NETWORK

    correlations: tuple[float, ...] = Field(
        (0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 1.0), min_length=3, description="of the eyes' textures, rising, up to 1"
    )
    disparities: tuple[float, ...] = Field(
        (0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0),
        min_length=3,
        description="rising, as shares of the disparity of rearing",
    )
    n_scenes: int = Field(400, ge=8, description="scenes at each level")
    criterion: float = Field(0.75, gt=0.5, lt=1, description="share of depths told right at threshold")

    columns: ClassVar = {
        **coordinate("correlation", "float64", "1", "correlation of the eyes' textures", 0),
        **coordinate("disparity", "float64", "pixel", "size of the disparity", 0),
        **_threshold_columns("correlation", "1", "interocular correlation"),
        **_threshold_columns("disparity", "pixel", "disparity"),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return both thresholds."""
        return {
            "threshold, interocular correlation": values["correlation_threshold"],
            "threshold, disparity (pixels)": values["disparity_threshold"],
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        scenes = _scenes_of(stimulus)
        reared = stimulus.disparity or 0.0
        found: dict[str, np.ndarray] = {
            "correlation": np.array(self.correlations),
            "disparity": reared * np.array(self.disparities),
        }
        found |= self._function(network, scenes, seed, "correlation", found["correlation"])
        found |= self._function(network, scenes, seed, "disparity", found["disparity"])
        return found

    def _function(
        self, network: nn.Module, scenes: StereoSceneSet, seed: int, vary: str, levels: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return accuracy at the levels of what is varied, and what is read off its fit."""
        ends = ("threshold", "sensitivity", "scale", "slope", "lapse")
        if vary == "disparity" and not scenes.moves_by_fractions:
            empty = {f"{vary}_{end}": np.array(np.nan) for end in ends}
            return {f"{vary}_accuracy": np.full(len(levels), np.nan), **empty, f"{vary}_censored": np.array(0)}
        device = scenes.labels["test"].device
        labels = torch.arange(self.n_scenes) % scenes.n_classes
        truth = scenes.tasks[_TASK].cpu()[labels]
        hits = np.zeros(len(levels))
        for index, level in enumerate(levels):
            draw = stream(seed, f"probe/{self.name}/{vary}", index)
            views = scenes.scenes_at(labels, draw, **{vary: float(level)}).to(device)
            judged = task_scores(class_scores(network, views), scenes.tasks[_TASK]).argmax(1).cpu()
            hits[index] = int((judged == truth).sum())
        fit = fit_psychometric(levels, hits, self.n_scenes, self.criterion)
        return {
            f"{vary}_accuracy": hits / self.n_scenes,
            **{f"{vary}_{end}": np.array(getattr(fit, end)) for end in ends},
            f"{vary}_censored": np.array(fit.censored),
        }


def _scenes_of(stimulus: StimulusSet) -> StereoSceneSet:
    """Return a stimulus whose depth can be made harder to see; `BadInput` if it is none."""
    if stimulus.disparity is None:
        raise BadInput(f"probe stereo-threshold: stimulus.kind is {stimulus.kind!r}; accepted: 'stereo-scenes'")
    if not stimulus.disparity:
        raise BadInput(
            "probe stereo-threshold: stimulus.disparity is 0, so nothing is near or far; accepted: at least 1"
        )
    return cast("StereoSceneSet", stimulus)
