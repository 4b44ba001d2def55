"""What the page shows: the track of a subject through age, frame by frame, whether live or from a file."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from binocular.dominance import groups_of, mean_rsv, silent_units
from binocular.protocols import Deficit

__all__ = ["Frame", "Stretch", "Track", "frame_of", "pack", "shade"]

SCORES = ("test_accuracy", "accuracy_left_only", "accuracy_right_only", "outline", "stereopsis")
"""Columns of the history that the page draws, where a stimulus has them."""


@dataclass(frozen=True)
class Frame:
    """A subject at one age.

    Attributes
    ----------
    age
        Epochs of rearing completed.
    rsv
        Relative source variance of each unit by the area recorded from, +1 = left eye only; NaN = silent. The first
        area is the one that is shown at first.
    scores
        Share of right answers, 0 to 1, by name (see `SCORES`); what was not tested is left out.
    fields
        Receptive fields of some units, ``[unit, eye, height, width]``, or None where there are none.
    animal
        The animal to which the same was done, see `binocular.lab.animals.animal_beside`.
    """

    age: int
    rsv: Mapping[str, np.ndarray]
    scores: Mapping[str, float]
    fields: np.ndarray | None = None
    animal: Mapping[str, Any] | None = None

    def message(self) -> dict[str, Any]:
        """Return the frame as plain data for the page."""
        return {
            "age": self.age,
            "areas": {area: _units(rsv) for area, rsv in self.rsv.items()},
            "animal": self.animal,
            "scores": {name: round(value, 4) for name, value in self.scores.items()},
            "fields": None if self.fields is None else pack(shade(self.fields, axes=(1, 2, 3))),
        }


def _units(rsv: np.ndarray) -> dict[str, Any]:
    mean = float(mean_rsv(rsv))
    return {
        "rsv": [round(float(value), 3) for value in rsv if not math.isnan(value)],
        "mean": None if math.isnan(mean) else round(mean, 3),
        "groups": groups_of(rsv).tolist(),
        "silent": int(silent_units(rsv)),
    }


@dataclass
class Stretch:
    """Epochs ``start`` to ``stop`` (half open) with one setting of the controls.

    Attributes
    ----------
    deficits
        What was done to the eyes.
    text
        The same for people.
    pictures
        Some presentations as the network saw them, ``[presentation, eye, height, width]``, or None.
    controls
        Positions of the controls as plain data, where the controls of the lab can do this.
    """

    start: int
    stop: int
    deficits: tuple[Deficit, ...]
    text: str
    pictures: np.ndarray | None = None
    controls: dict[str, Any] | None = None

    def message(self) -> dict[str, Any]:
        """Return the stretch as plain data for the page."""
        eyes = {getattr(deficit, "eye", "both") for deficit in self.deficits}
        return {
            "start": self.start,
            "stop": self.stop,
            "text": self.text,
            "eye": None if not eyes else eyes.pop() if len(eyes) == 1 else "both",
            "pictures": None if self.pictures is None else pack(shade(self.pictures, limit=3.0)),
            "controls": self.controls,
        }


@dataclass
class Track:
    """A subject through age.

    Attributes
    ----------
    name
        Short name, unique on the page.
    label
        Name for people.
    chance
        Share of right answers by guessing, for each score that is drawn.
    scenes
        What the pictures of the stretches show, one name each.
    """

    name: str
    label: str
    seed: int
    frames: list[Frame] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    chance: Mapping[str, float] = field(default_factory=dict)
    scenes: Sequence[str] = ()

    def message(self) -> dict[str, Any]:
        """Return the whole track as plain data for the page."""
        return {
            "name": self.name,
            "label": self.label,
            "seed": self.seed,
            "frames": [frame.message() for frame in self.frames],
            "stretches": [stretch.message() for stretch in self.stretches],
            "chance": dict(self.chance),
            "scenes": list(self.scenes),
        }


def frame_of(
    age: int,
    rsv: Mapping[str, np.ndarray],
    history: Mapping[str, Sequence[float] | np.ndarray],
    fields: np.ndarray | None = None,
    animal: Mapping[str, Any] | None = None,
) -> Frame:
    """Make a frame from a subject's probes and the history's row for its age; the untrained have no row.

    Parameters
    ----------
    age
        In epochs.
    rsv
        Relative source variance of the units by area.
    history
        Columns of the history so far.
    fields
        Receptive fields.
    animal
        What is said of the animal of that age.
    """
    scores = {}
    epochs = np.asarray(history.get("epoch", ()))
    row = np.flatnonzero(epochs == age)
    for name in SCORES if len(row) else ():
        if name in history and not math.isnan(value := float(history[name][row[0]])):
            scores[name] = value
    return Frame(
        age, {area: np.asarray(units, dtype=np.float64) for area, units in rsv.items()}, scores, fields, animal
    )


def shade(pictures: np.ndarray, axes: tuple[int, ...] = (), limit: float = 0.0) -> np.ndarray:
    """Return bytes for grey pictures: 128 is zero; black and white are ``limit``, or the largest value along axes.

    Parameters
    ----------
    pictures
        Zero-centred.
    axes
        Along which the largest value is taken; none for the fixed limit.
    limit
        Value of white, above 0 where there are no axes.
    """
    extent = np.abs(pictures).max(axis=axes, keepdims=True) if axes else np.full_like(pictures, limit)
    scaled = np.divide(pictures, extent, out=np.zeros_like(pictures), where=extent > 0)
    return (128 + 127 * scaled.clip(-1, 1)).round().astype(np.uint8)


def pack(values: np.ndarray) -> dict[str, Any]:
    """Return an array of bytes as text, with its shape."""
    return {"shape": list(values.shape), "data": base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()}
