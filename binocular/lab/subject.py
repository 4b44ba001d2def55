"""A subject of the lab: reared an epoch at a time under the controls of the moment, with everything on its track."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from binocular.lab.animals import Done, animal_beside
from binocular.lab.controls import Controls
from binocular.lab.fields import receptive_fields, strongest_units
from binocular.lab.tracks import Frame, Stretch, Track, frame_of
from binocular.protocols import EpochConditions, Phase
from binocular.rearing.stepwise import Stepwise
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.store.snapshots import NodeRecord

if TYPE_CHECKING:
    from binocular.protocols import Deficit, Training
    from binocular.runs.planning import StudyPlan
    from binocular.stimuli.base import StimulusSet

__all__ = ["LabSubject", "adult_from", "pictures_of", "scenes_of", "sentence_of"]

FIELD_UNITS = 8
_FIELD_VIEWS = 32
_PICTURES = 4
_OLDEST = 10_000


class LabSubject:
    """A subject reared live.

    Parameters
    ----------
    study
        The plan of the lab's protocol.
    seed
        Seed of the subject.
    name, label
        For the page and for the saved protocol.

    Attributes
    ----------
    track
        What the page shows; a frame is added by each epoch.
    landmarks
        The subject's records at the epochs at which the controls changed: with them, a study in which histories part
        there needs no rearing again.
    """

    def __init__(self, study: StudyPlan, seed: int, name: str, label: str) -> None:
        self._training = study.protocol.training
        self._reared = Stepwise(study.plan, seed)
        stimulus = self._reared.stimulus
        # Gradients are taken at undisturbed test stimuli, the same at every age.
        self._views = stimulus.views("test", torch.arange(min(_FIELD_VIEWS, len(stimulus.labels["test"]))), None)
        self._units = strongest_units(self._reared.network(), self._views, FIELD_UNITS)
        self.landmarks: list[NodeRecord] = []
        self.track = Track(name, label, seed, chance=stimulus.chance, scenes=scenes_of(stimulus))
        self.track.frames.append(self._frame())

    @property
    def age(self) -> int:
        """Epochs of rearing completed."""
        return self._reared.age

    @property
    def epochs(self) -> tuple[EpochConditions, ...]:
        """What each epoch so far did."""
        return self._reared.epochs

    def pictures(self, controls: Controls) -> np.ndarray:
        """Return some presentations as the network would see them, ``[presentation, eye, height, width]``."""
        return pictures_of(self._reared.stimulus, controls.deficits(), self._reared.seed)

    def rear(self, controls: Controls) -> Frame:
        """Rear one epoch under the controls and return the new frame."""
        deficits, age = controls.deficits(), self.age
        stretches = self.track.stretches
        begins = not stretches or stretches[-1].deficits != deficits
        if begins and age:
            self.landmarks.append(self._reared.record())
        training = self._training
        conditions = EpochConditions(
            epoch=age,
            phase_index=len(stretches) - (not begins),
            phase_name=Phase(epochs=1, deficits=deficits).name,
            phase_start=begins,
            phase_stop=age + 1,
            deficits=deficits,
            # The lab's protocol has a clock that does not look at phases: what an epoch does is settled without
            # knowing when its phase will end.
            learning_rate=training.rate(age),
        )
        self._reared.rear(conditions)
        if begins:
            pictures, text = self.pictures(controls), sentence_of(deficits)
            stretches.append(Stretch(age, age + 1, deficits, text, pictures, controls.model_dump(mode="json")))
        else:
            stretches[-1] = replace(stretches[-1], stop=age + 1)
        frame = self._frame()
        self.track.frames.append(frame)
        return frame

    def records(self) -> list[NodeRecord]:
        """Return the subject's records at all its landmarks and at its present age.

        Raises
        ------
        BadInput
            If learning broke down.
        """
        if self._reared.diverged:
            raise BadInput(f"learning of the {self.track.name} broke down, and its weights are lost; restart it first")
        return [*self.landmarks, self._reared.record()]

    def _frame(self) -> Frame:
        record = self._reared.record(state=False)
        fields = receptive_fields(self._reared.network(), self._views, self._units) if self._units else None
        rsv = {site: columns["rsv"][-1] for site, columns in record.probes.items()}
        done = [Done(stretch.start, stretch.stop, stretch.deficits) for stretch in self.track.stretches]
        return frame_of(self.age, rsv, record.history, fields, animal_beside(done, adult_from(self._training)))


def adult_from(training: Training) -> int:
    """Return the epoch from which on a subject is an adult: its learning rate has come down to a tenth."""
    rates = (epoch for epoch in range(_OLDEST) if training.rate(epoch) <= training.rate(0) / 10)
    return next(rates, _OLDEST)


def sentence_of(deficits: tuple[Deficit, ...]) -> str:
    """Return what is done to the eyes, for people."""
    return "; ".join(deficit.sentence() for deficit in deficits) or "both eyes open"


def pictures_of(stimulus: StimulusSet, deficits: tuple[Deficit, ...], seed: int) -> np.ndarray:
    """Return some training presentations after deficits, ``[presentation, eye, height, width]`` float32.

    Parameters
    ----------
    stimulus
        Of the subject.
    deficits
        In the order in which they act.
    seed
        Of the choice and of the deficits.
    """
    labels = stimulus.labels["train"]
    index = torch.arange(min(_PICTURES, len(labels)))
    views = stimulus.views("train", index, stream(seed, "lab/stimulus"))
    taught, draw = labels[index], stream(seed, "lab/deficit")
    for deficit in deficits:
        views, taught = deficit(views, taught, draw, 0)
    return views.mean(2).numpy()


def scenes_of(stimulus: StimulusSet) -> list[str]:
    """Return the names of what `pictures_of` shows."""
    return [stimulus.class_names[label] for label in stimulus.labels["train"][:_PICTURES].tolist()]
