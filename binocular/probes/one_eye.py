"""What a subject sees with one eye, the other one closed.

A closed eye sees grey and has noise of its own, as in rearing. What the subject's own classifier answers then mixes two
things, since a normal subject never had an eye closed: whether the eye still tells anything, and whether the classifier
can do with one eye. A readout fitted anew to what the final representation holds while one eye is closed leaves the
first of them: it is what the cells behind them could learn to read, as the ideal observer of the physiologist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from binocular.networks.sites import REPRESENTATION
from binocular.probes.base import EYE, EYES, NETWORK, Probe, Scope, at_checkpoint, coordinate
from binocular.probes.readouts import ridge_hits
from binocular.probes.recording import responses
from binocular.probes.shown import noise_shown
from binocular.probes.sight import class_scores, task_scores
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["CLASS", "OneEye"]

CLASS = "class"
"""Name that stands among the tasks for the classes themselves."""


class OneEye(Probe):
    """Accuracy with one eye, the other one closed: by a readout fitted anew, and by the subject's own classifier.

    The readout is a ridge regression on the final representation for each task, by cross-validation over the test
    stimuli. The noise of the closed eye is the same for all subjects of a seed and at all checkpoints. A task that
    needs both eyes (stereopsis) is to be at chance.
    """

    name: ClassVar[str] = "one-eye"
    about: ClassVar[str] = "what is seen with one eye, the other closed: by a readout fitted anew and by the classifier"
    scope: ClassVar[Scope] = "network"
    usual_site: ClassVar[str] = NETWORK

    noise: float | None = Field(
        None, ge=0, description="s.d. of the noise of the closed eye; by default that of the stimulus, or 0.5"
    )
    n_stimuli: int | None = Field(None, ge=8, description="test stimuli used; all of them by default")
    folds: int = Field(4, ge=2, le=50, description="of the cross-validation")
    ridge: float = Field(0.1, gt=0, description="penalty of the readout, in variances of a unit")

    columns: ClassVar = {
        **EYE,
        **coordinate("task", "string", "1", "what is to be told: the class, or a task of the stimulus"),
        "accuracy": at_checkpoint("eye task", "1", "share told right by a readout fitted anew", 0, 1, "never"),
        "accuracy_classifier": at_checkpoint("eye task", "1", "share told right by the classifier", 0, 1, "never"),
        "chance": at_checkpoint("task", "1", "share of the most frequent answer", 0, 1, "never"),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what the readout tells, of each task with each eye."""
        return {
            f"{task}, {eye} eye": values["accuracy"][:, e, t]
            for t, task in enumerate(values["task"])
            for e, eye in enumerate(EYES)
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        labels = stimulus.labels["test"]
        count = len(labels) if self.n_stimuli is None else min(self.n_stimuli, len(labels))
        draw = stream(seed, "probe/one-eye")
        index = torch.randperm(len(labels), generator=draw)[:count].to(labels.device)
        views, classes = stimulus.views("test", index, None), labels[index]
        tasks = {CLASS: torch.arange(stimulus.n_classes, device=labels.device), **stimulus.tasks}
        seen = [self._one_open(views, eye, stimulus, draw) for eye in range(2)]
        answers = torch.stack([responses(network, shown, REPRESENTATION) for shown in seen])
        folds = torch.arange(count) % self.folds
        told, own, chance = np.zeros((2, len(tasks))), np.zeros((2, len(tasks))), np.zeros(len(tasks))
        scores = [class_scores(network, shown) for shown in seen]
        for t, values in enumerate(tasks.values()):
            truth = values[classes]
            chance[t] = float(truth.bincount().max()) / count
            for eye in range(2):
                own[eye, t] = float((task_scores(scores[eye], values).argmax(1) == truth).float().mean())
            truth = truth.cpu()
            for fold in folds.unique():
                train, test = folds != fold, folds == fold
                hits = ridge_hits(answers[:, train], truth[train], answers[:, test], truth[test], self.ridge)
                told[:, t] += hits.numpy() / count
        names = np.array(list(tasks), dtype=object)
        return {"eye": EYES, "task": names, "accuracy": told, "accuracy_classifier": own, "chance": chance}

    def _one_open(self, views: Tensor, eye: int, stimulus: StimulusSet, draw: torch.Generator) -> Tensor:
        """Return what both eyes see, ``[presentation, eye, channel, height, width]``, while only one is open."""
        closed = 1 - eye
        seen = views.clone()
        noise = torch.randn(views[:, closed].shape, generator=draw).to(views)
        seen[:, closed] = noise * noise_shown(stimulus, self.noise)[closed]
        return seen
