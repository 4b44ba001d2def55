"""The animal beside the subject: which published histogram is of animals to which the same was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from binocular.compare import load_literature

if TYPE_CHECKING:
    from binocular.protocols import Deficit

__all__ = ["Done", "animal_beside", "animals"]

NORMAL, BOTH_CLOSED = "normal", "both eyes closed"
YOUNG, ADULT = "monkey_md_2wk", "monkey_md_6yr"
OPENED, REVERSED = "kitten_md60_open", "kitten_md45_reverse"


@dataclass(frozen=True)
class Done:
    """What was done in epochs ``start`` to ``stop`` (half open); no deficits are both eyes open."""

    start: int
    stop: int
    deficits: tuple[Deficit, ...]


def animals() -> dict[str, dict[str, Any]]:
    """Return what the page draws beside its subjects, by the names that `animal_beside` gives.

    Returns
    -------
    dict
        ``name``, ``cells`` (None where unknown), ``reference``, and ``shares``: of the seven groups, the deprived eye's
        first, or of one eye alone, both, and the other alone where no more was published.
    """
    literature = load_literature()
    records = {**literature.histograms, **literature.parts}
    cells = {key: literature.histograms[key].cells for key in (YOUNG, ADULT, OPENED, REVERSED)}
    cells |= {key: literature.parts[key].cells_counted for key in (NORMAL, BOTH_CLOSED)}
    return {
        key: {
            "name": records[key].name,
            "cells": count,
            "reference": records[key].reference,
            "shares": [round(float(share), 4) for share in records[key].shares],
        }
        for key, count in cells.items()
    }


def animal_beside(history: Sequence[Done], adult_from: int) -> dict[str, Any] | None:
    """Return which animal was treated like a subject, and to which eye its first group belongs.

    Parameters
    ----------
    history
        What was done up to the age that is shown, in order.
    adult_from
        Epoch from which on a closure is compared with that of an adult.

    Returns
    -------
    dict or None
        ``key`` of `animals` and ``deprived``, ``"left"`` or ``"right"``; None where no published histogram is of
        animals with such a history.
    """
    events: list[tuple[str, int, int]] = []
    for done in history:
        if not done.deficits:
            continue
        said = [deficit.done() for deficit in done.deficits]
        if len(said) > 1 or said[0].what not in ("closed", "inactivated") or said[0].share < 1:
            return None
        if events and events[-1][0] == said[0].eye and events[-1][2] == done.start:
            events[-1] = (said[0].eye, events[-1][1], done.stop)
        else:
            events.append((said[0].eye, done.start, done.stop))
    eyes = [eye for eye, _, _ in events]
    if not events:
        return {"key": NORMAL, "deprived": "right"}
    eye, start, stop = events[0]
    if eyes == ["both"]:
        return {"key": BOTH_CLOSED, "deprived": "right"}
    if len(events) == 1:
        # Monkeys were recorded at the end of the closure; of kittens there are histograms after recovery, too.
        if start >= adult_from:
            return {"key": ADULT, "deprived": eye}
        return {"key": OPENED if history[-1].stop - stop >= stop - start else YOUNG, "deprived": eye}
    if sorted(eyes) == ["left", "right"] and events[1][1] == stop:
        return {"key": REVERSED, "deprived": eye}
    return None
