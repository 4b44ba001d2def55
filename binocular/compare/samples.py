"""The subjects of a condition at one moment, turned so that group 1 is the deprived eye."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from binocular.compare.resampling import DRAWS, generator, resample_shares
from binocular.compare.treatments import Treatment, treatment_of
from binocular.dominance import groups_of
from binocular.probes.base import EYES, NETWORK
from binocular.probes.one_eye import OneEye
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition, Study
from binocular.store.summary import last_value

__all__ = [
    "Moment",
    "Sample",
    "accuracies",
    "baseline_of",
    "sample_of",
    "samples_of",
    "seen_alone",
]

Moment = Literal["recorded", "end", "deficit"]
"""When subjects are compared: at the moment at which the animals of each published row were recorded (most of them
where their deficit ended), at the end of rearing, or where the deficit ended, whenever the animals were."""


@dataclass(frozen=True)
class Sample:
    """The units of all subjects of a condition at one site and epoch.

    Attributes
    ----------
    condition, site, epoch
        Whose they are, and where and when they were measured.
    counts
        Units per subject and group, ``[subject, 7]``, group 1 = deprived eye only, whichever eye that is.
    values
        RSV of each subject's units, +1 = fellow eye only, silent units left out.
    silent, seeds
        Silent units of each subject, and its seed.
    """

    condition: Condition
    site: str
    epoch: int
    counts: np.ndarray
    values: tuple[np.ndarray, ...]
    silent: tuple[int, ...]
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the condition."""
        return self.condition.name

    @property
    def label(self) -> str:
        """The condition for a reader."""
        return self.condition.label

    @cached_property
    def treatment(self) -> Treatment:
        """What was done to the subjects."""
        return treatment_of(self.condition)

    def at(self, epoch: int | None) -> Sample:
        """Return the same subjects and site at another epoch, see `sample_of`."""
        return sample_of(self.condition, self.site, epoch)

    @property
    def counted(self) -> np.ndarray:
        """Units per subject and group of the subjects that have any, ``[subject, 7]``."""
        return self.counts[self.counts.sum(1) > 0]

    @cached_property
    def shares(self) -> np.ndarray:
        """Mean share of each group over subjects, ``[7]``; NaN if all units are silent."""
        counted = self.counted
        return (counted / counted.sum(1, keepdims=True)).mean(0) if len(counted) else np.full(7, np.nan)

    @cached_property
    def resampled(self) -> np.ndarray:
        """Resampled mean shares, ``[draw, 7]``; the same on every call."""
        return resample_shares(self.counts, DRAWS, generator(f"sample/{self.name}/{self.site}/{self.epoch}"))


def sample_of(
    condition: Condition,
    site: str,
    epoch: int | None = None,
    deprived_eye: str | None = None,
    trained: bool = False,
) -> Sample:
    """Return the units of a condition's subjects.

    Parameters
    ----------
    condition, site, epoch
        With subjects probed at the site; the checkpoint nearest to the epoch is taken, the last one by default.
    deprived_eye
        Eye of group 1; that of the condition's treatment by default.
    trained
        Pass over the checkpoint of the untrained network, at epoch 0, if there is another.
    """
    eye = deprived_eye or treatment_of(condition).deprived_eye
    subjects = [subject for subject in condition.subjects if site in subject.sites]
    at = [_checkpoint(subject, site, epoch, trained) for subject in subjects]
    rows = [subject.sites[site].values["rsv"][index] for subject, index in zip(subjects, at, strict=True)]
    # Stored: +1 is the left eye. Here +1 is the fellow eye.
    turned = [row if eye == "right" else -row for row in rows]
    first = int(subjects[0].sites[site].epoch[at[0]]) if subjects else 0
    return Sample(
        condition=condition,
        site=site,
        epoch=first,
        counts=np.array([groups_of(row) for row in turned], dtype=np.int64).reshape(-1, 7),
        values=tuple(row[~np.isnan(row)] for row in turned),
        silent=tuple(int(np.isnan(row).sum()) for row in turned),
        seeds=tuple(subject.seed for subject in subjects),
    )


def _checkpoint(subject: SubjectRecord, site: str, epoch: int | None, trained: bool) -> int:
    epochs = np.asarray(subject.sites[site].epoch)
    if epoch is None:
        return len(epochs) - 1
    away = np.abs(epochs - epoch).astype(np.float64)
    if trained and (epochs > 0).any():
        away[epochs == 0] = np.inf
    return int(np.argmin(away))


def samples_of(study: Study, site: str, at: Moment = "end") -> list[Sample]:
    """Return the sample of every condition that was probed at a site; ``"recorded"`` is where the deficit ended.

    Parameters
    ----------
    study, site, at
        Whose conditions, where in the network, and when.
    """
    return [
        sample_of(condition, site, None if at == "end" else treatment_of(condition).stop)
        for condition in study.reared
        if site in condition.sites
    ]


def baseline_of(study: Study, sample: Sample) -> Sample | None:
    """Return normal subjects of the same age: the normal condition's checkpoint nearest in epochs.

    Untrained networks (epoch 0) are never the baseline. None where the study has no normal condition.

    Parameters
    ----------
    study, sample
        One condition, whose age counts, and the study that it is of.
    """
    normal = [c for c in study.reared if treatment_of(c).name == "normal" and sample.site in c.sites]
    eye = sample.treatment.deprived_eye
    found = (sample_of(condition, sample.site, sample.epoch, eye, trained=True) for condition in normal)
    return min((one for one in found if one.epoch), key=lambda one: abs(one.epoch - sample.epoch), default=None)


def accuracies(condition: Condition, column: str, epoch: int | None = None) -> np.ndarray:
    """Return an accuracy of each subject, ``[subject]``: the last that was taken up to an epoch; NaN if none was.

    Parameters
    ----------
    condition, column
        Of a study, and of its history.
    epoch
        Up to which; without, the last of all.
    """

    def last(subject: SubjectRecord) -> float:
        history = subject.history
        if column not in history:
            return float("nan")
        return last_value(history[column] if epoch is None else history[column][np.asarray(history["epoch"]) <= epoch])

    return np.array([last(subject) for subject in condition.subjects], dtype=np.float64)


def seen_alone(condition: Condition, eye: str, epoch: int | None = None) -> np.ndarray:
    """Return what each subject sees with one eye, the other closed, ``[subject]``: accuracy of the probe ``one-eye``.

    A readout fitted anew tells it. The history's ``accuracy_left_only`` and ``accuracy_right_only`` cannot: there the
    subject's own classifier, which may never have had an eye closed, answers, and is near chance even in normal
    subjects.

    Parameters
    ----------
    condition, eye
        With subjects that were measured with the probe, or not; ``"left"`` or ``"right"``.
    epoch
        Epochs of rearing at which it must have been measured; where it was measured last by default.

    Returns
    -------
    np.ndarray
        Of the first task of the stimulus, which one eye can do; of the class where it has no tasks. NaN where it was
        not measured.
    """

    def alone(subject: SubjectRecord) -> float:
        record = subject.measures.get((OneEye.name, NETWORK))
        if record is None or epoch not in (None, *record.epoch):
            return float("nan")
        row = -1 if epoch is None else list(record.epoch).index(epoch)
        told = record.values["accuracy"][row, list(EYES).index(eye)]
        return float(told[min(1, len(told) - 1)])

    return np.array([alone(subject) for subject in condition.subjects], dtype=np.float64)
