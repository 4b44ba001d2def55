"""What was done to the subjects of a condition, read off their phases and not off a name.

A published record and a condition are compared like for like where the same was done at a like age. So a condition is
put into the words of `declared_rows.TREATMENTS` by the kinds of its deficits, the eyes they were done to, and their
order in time. What does not fit any of them (two closures, a patch for part of the day, a share of the
presentations) is called ``other`` and is never like for like with anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from binocular.compare.declared_rows import AgeScaleRow
from binocular.store.study import Condition

__all__ = ["Treatment", "treatment_of"]

_CLOSED_CONTRAST = 0.1
"""A lid that lets more contrast through than this does not count as closed."""


@dataclass(frozen=True)
class Treatment:
    """What was done, to which eye, and when.

    Attributes
    ----------
    name
        One of `TREATMENTS`, or ``other``.
    deprived_eye
        ``"left"`` or ``"right"``: the eye to which group 1 belongs. It is the eye that was deprived, the one that
        was closed first in a reverse suture, and the treated eye of the study where none was.
    start, stop
        Epochs of the deficit, half open; None for normal subjects. In a reverse suture ``start`` is the reversal,
        ``stop`` the opening of the eye that was closed second.
    epochs
        Length of the whole rearing.
    """

    name: str
    deprived_eye: str
    start: int | None
    stop: int | None
    epochs: int

    @property
    def duration(self) -> int:
        """Epochs of the deficit; 0 for normal subjects."""
        return 0 if self.start is None or self.stop is None else self.stop - self.start

    def sentence(self, scale: AgeScaleRow | None = None) -> str:
        """Return what was done, with epochs, and with ages where there is a scale."""
        if self.start is None or self.stop is None:
            return f"{self.name}, {self.epochs} epochs"
        words = f"{self.name}, epochs {self.start}–{self.stop} of {self.epochs}"
        if scale is not None and scale.unit != "epoch":
            words += f" ({scale.species}: {scale.age(self.start):.3g}–{scale.age(self.stop):.3g} {scale.unit}s)"
        return words


def treatment_of(condition: Condition) -> Treatment:
    """Return what was done to the subjects of a condition.

    Parameters
    ----------
    condition
        With at least one subject; all subjects of a condition share their phases.

    Returns
    -------
    Treatment
        See there.
    """
    phases = condition.subjects[0].phases
    epochs = int(phases[-1]["stop"]) if phases else 0
    treated = condition.treated_eye
    events = _events(phases)
    if not events:
        return Treatment("normal", treated, None, None, epochs)
    first, last = events[0], events[-1]
    start, stop = first.start, last.stop
    if len(events) == 1:
        name, eye = first.what, first.eye
        if name == "closed":
            name = "both eyes closed" if eye == "both" else "one eye closed"
        elif name == "blurred":
            name = "other" if eye == "both" else "one eye blurred"
        return Treatment(name, eye if eye in ("left", "right") and "one eye" in name else treated, start, stop, epochs)
    reversal = (
        len(events) == 2
        and first.what == last.what == "closed"
        and {first.eye, last.eye} == {"left", "right"}
        and first.stop == last.start
    )
    if reversal:
        return Treatment("reverse suture", first.eye, last.start, last.stop, epochs)
    return Treatment("other", treated, start, stop, epochs)


@dataclass(frozen=True)
class _Event:
    what: str
    eye: str
    start: int
    stop: int


def _events(phases: Sequence[Mapping[str, Any]]) -> list[_Event]:
    """Return the deficits in order of time; phases in which the same goes on are one event."""
    events: list[_Event] = []
    for phase in phases:
        start, stop = int(phase["start"]), int(phase["stop"])
        if not phase["deficits"] or start == stop:
            continue
        what, eye = _what(phase["deficits"])
        if events and (events[-1].what, events[-1].eye, events[-1].stop) == (what, eye, start):
            start = events.pop().start
        events.append(_Event(what, eye, start, stop))
    return events


def _what(deficits: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return what is done in a phase, and to which eye: ``left``, ``right``, ``both`` or nothing."""
    found = {_one(deficit) for deficit in deficits}
    if found == {("closed", "left"), ("closed", "right")}:
        return "closed", "both"
    return found.pop() if len(found) == 1 else ("other", "")


def _one(deficit: Mapping[str, Any]) -> tuple[str, str]:
    kind, eye = str(deficit.get("kind")), str(deficit.get("eye", ""))
    if deficit.get("share", 1.0) != 1.0 or deficit.get("ramp"):
        return "other", ""
    if kind == "occlusion":
        return ("closed", eye) if deficit.get("contrast", 0.0) <= _CLOSED_CONTRAST else ("other", "")
    if kind == "inactivation":
        return "closed", eye
    if kind == "dark":
        return "closed", "both"
    if kind == "blur":
        return "blurred", eye
    if kind == "misalignment":
        return "squint", ""
    if kind == "dissociation":
        return "dissociation", ""
    return "other", ""
