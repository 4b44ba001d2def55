"""Claims and needs that take no time, or seconds, for the tests of reproducing a paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from binocular.papers.claims import Claim, Row
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import dominance
from binocular.papers.registry import Paper
from binocular.papers.reproducing import reproduce
from binocular.store.statistics import interval
from tests.tiny import tiny_file

__all__ = ["PAPER", "SHIFTS", "Numbers", "claim", "rsv_claim", "run", "study_need"]

SHIFTS = (0.30, 0.35, 0.32)


@dataclass(frozen=True)
class Numbers:
    """A need that is a few numbers, and counts how often it was obtained."""

    key: str = "numbers"
    values: tuple[float, ...] = SHIFTS
    error: Exception | None = None
    calls: list[str] = field(default_factory=list, compare=False)

    def obtain(self, folder: Path, device: str, quiet: bool) -> Any:
        self.calls.append(self.key)
        if self.error is not None:
            raise self.error
        return self.values


def claim(need: Any, name: str = "shift", at_least: float = 0.2, **settings: Any) -> Claim:
    """Return a claim that holds where the values of a need lie above a bound."""
    row = Row("shift of the units", lambda had: interval(had[need.key]), at_least=at_least, published="0.35 (Fig. 4)")
    rows = settings.pop("rows", [row])
    return Claim(name, "The units move.", "Fig. 4", {"lab": (need,)}, rows, reason="the units move", **settings)


PAPER = Paper("fake-2023", "A paper | with a bar", "Nobody 2023", ())


def run(tmp_path: Path, *claims: Claim, scale: Any = "lab") -> Any:
    return reproduce(PAPER, claims, tmp_path, scale, "cpu", command=f"binocular reproduce fake-2023 --out {tmp_path}")


def study_need(tmp_path: Path, key: str, *settings: str, **more: Any) -> StudyNeed:
    return StudyNeed(key, str(tiny_file(tmp_path)), settings, **more)


def rsv_claim(need: StudyNeed) -> Claim:
    row = Row("mean RSV", lambda had: dominance(had[need.key], "early", "mean_rsv"), at_least=0.0)
    return Claim("rsv", "Units move.", "Fig. 4", {"lab": (need,)}, [row])
