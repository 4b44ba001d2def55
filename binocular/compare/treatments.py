"""What was done to the subjects of a condition, as their deficits declare it and not as a name has it.

A published record and a condition are compared like for like where the same was done at a like age. So a condition is
put into the words of `declared_rows.TREATMENTS` by what each of its deficits says was done (`Deficit.done`), the eyes
it was done to, and the order in time. What does not fit any of them is called ``other`` and is never like for like
with anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from binocular.compare.declared_rows import AgeScaleRow
from binocular.protocols.deficits import deficit_from
from binocular.protocols.deficits.base import Done
from binocular.store.study import Condition

__all__ = ["Treatment", "treatment_of"]


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
        ``stop`` the opening of the eye that was closed second; likewise where the fellow eye was inactivated. After
        darkness they are those of the closure.
    epochs
        Length of the whole rearing.
    share
        Share of the presentations that were affected, below 1 where it was done for part of the time.
    """

    name: str
    deprived_eye: str
    start: int | None
    stop: int | None
    epochs: int
    share: float = 1.0

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
    """Return what was done to the subjects of a condition, of which there must be one: all share their phases."""
    phases = condition.subjects[0].phases
    epochs = int(phases[-1]["stop"]) if phases else 0
    treated = condition.treated_eye
    events = _events(phases)
    if not events:
        return Treatment("normal", treated, None, None, epochs)
    first, last = events[0], events[-1]
    if len(events) == 1:
        name, eye = _single(first.done), first.done.eye
        eye = eye if eye in ("left", "right") and name.startswith("one eye") else treated
        return Treatment(name, eye, first.start, first.stop, epochs, first.done.share)
    then = {"closed": "reverse suture", "inactivated": "fellow eye inactivated"}.get(last.done.what)
    if len(events) == 2 and first.done == Done("closed", "both") and _single(last.done) == "one eye closed":
        return Treatment("darkness, then one eye closed", last.done.eye, last.start, last.stop, epochs)
    followed = (
        len(events) == 2
        and first.done.what == "closed"
        and {first.done.eye, last.done.eye} == {"left", "right"}
        and first.stop == last.start
        and first.done.share == last.done.share == 1
    )
    if followed and then is not None:
        return Treatment(then, first.done.eye, last.start, last.stop, epochs)
    return Treatment("other", treated, first.start, last.stop, epochs)


@dataclass(frozen=True)
class _Event:
    done: Done
    start: int
    stop: int


def _single(done: Done) -> str:
    """Return the name of a treatment that is one event."""
    part = "" if done.share == 1 else " part-time"
    if done.what in ("closed", "inactivated"):
        name = "both eyes closed" if done.eye == "both" else "one eye closed"
        return name + part if name == "one eye closed" or not part else "other"
    if done.what == "blurred" and done.eye != "both" and not part:
        return "one eye blurred"
    if done.what == "alternation" or (done.what == "stripes" and done.eye == "both" and not part):
        return done.what
    return done.what + part if done.what == "squint" or (done.what == "dissociation" and not part) else "other"


def _events(phases: Sequence[Mapping[str, Any]]) -> list[_Event]:
    """Return what was done in order of time; phases in which the same goes on are one event."""
    events: list[_Event] = []
    for phase in phases:
        start, stop = int(phase["start"]), int(phase["stop"])
        if not phase["deficits"] or start == stop:
            continue
        done = _together([_declared(deficit) for deficit in phase["deficits"]])
        if events and (events[-1].done, events[-1].stop) == (done, start):
            start = events.pop().start
        events.append(_Event(done, start, stop))
    return events


def _together(found: Sequence[Done]) -> Done:
    """Return what several deficits of a phase come to; a closed eye that keeps its own noise is closed."""
    closed = {one.eye for one in found if one.what == "closed"}
    rest = {one for one in found if one.what != "noisy" or not ({one.eye, "both"} & closed)}
    if rest == {Done("closed", "left"), Done("closed", "right")}:
        return Done("closed", "both")
    return rest.pop() if len(rest) == 1 else Done()


def _declared(deficit: Mapping[str, Any]) -> Done:
    """Return what a deficit declares; nothing that has a counterpart, where its kind is not known here."""
    if deficit.get("ramp"):
        return Done()
    try:
        return deficit_from(dict(deficit)).done()
    except ValidationError:
        return Done()
