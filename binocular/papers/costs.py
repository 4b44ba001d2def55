"""What a reproduction will take on this machine, told before anything is run."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from binocular.papers.claims import Claim, Scale

__all__ = ["duration_words", "pieces_until", "whole_words"]


def duration_words(seconds: float) -> str:
    """Return a time in words, such as ``12 min``."""
    if math.isnan(seconds):
        return "not known"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def pieces_until(claims: Sequence[Claim], scale: Scale, look: int = 0) -> dict[str, dict[Hashable, float]]:
    """Return what claims need up to a look: seconds on one core by piece (NaN: not known), by the key of the need.

    Parameters
    ----------
    claims, scale
        Which claims, at which scale.
    look
        Number of seeds. A claim that has no look there stands at the last one before it, or at its first; one without
        looks has the seeds of its protocols.
    """
    found: dict[str, dict[Hashable, float]] = {}
    for claim in claims:
        looks = claim.looks.get(scale)
        seeds = () if looks is None else looks.seeds(max((n for n in looks.after if n <= look), default=looks.after[0]))
        for need in claim.needs.get(scale, ()):
            found.setdefault(need.key, {}).update(need.pieces(seeds))
    return found


def whole_words(claims: Sequence[Claim], scale: Scale, cores: int) -> str:
    """Return what all claims together take at each look, what studies share counted once; empty if there is nothing.

    Parameters
    ----------
    claims, scale, cores
        Which claims, at which scale, and how many cores work at once.
    """
    looks = sorted({look for claim in claims if scale in claim.looks for look in claim.looks[scale].after})
    told, unknown = [], set[str]()
    for look in looks or [0]:
        needs = pieces_until(claims, scale, look)
        unknown = {key for key, pieces in needs.items() if any(map(math.isnan, pieces.values()))}
        pieces = {piece: seconds for key in needs.keys() - unknown for piece, seconds in needs[key].items()}
        if pieces:
            told.append(duration_words(sum(pieces.values()) / cores) + (f" for {look} seeds" if look else ""))
    text = f"{scale}: about {', '.join(told)}, on {cores} cores." if told else ""
    text += " What is settled at a look needs no further one; --until stops at one." if told and len(looks) > 1 else ""
    if unknown:
        text = f"{text or f'{scale}:'} Not counted, for their time is not known here: {', '.join(sorted(unknown))}."
    return text
