"""What a benchmark is: a case with a limit, measured several times, as a ratio where there is something to compare."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

__all__ = ["Case", "Measured", "Suite", "Work", "in_turn", "seconds_of"]

Suite = Literal["quick", "full"]


@dataclass(frozen=True)
class Measured:
    """What came out of a case.

    Attributes
    ----------
    values
        The figure, once per round.
    baseline
        What it was measured against, in words.
    detail
        Anything else worth keeping, JSON-able: absolute figures, settings, tables.
    skipped
        Why nothing was measured, where nothing was.
    """

    values: Sequence[float] = ()
    baseline: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    skipped: str = ""

    @property
    def median(self) -> float:
        """Median over rounds."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Case:
    """One benchmark.

    Attributes
    ----------
    name
        As on the command line.
    home
        ``module:function``, inside `binocular.bench` where the module has no dot; the function takes the suite and
        returns `Measured`.
    title
        What the figure is, in words.
    unit
        Of the figure: ``x`` for a ratio, ``s``, ``%``, ``MB``.
    sense, limit
        The figure should be ``at least`` or ``at most`` this; None where nothing is asked.
    """

    name: str
    home: str
    title: str
    unit: str
    sense: Literal["at least", "at most"]
    limit: float | None

    def measure(self, suite: Suite) -> Measured:
        """Measure it now."""
        return self.function()(suite)

    def function(self) -> Callable[[Suite], Measured]:
        """Return what measures it."""
        module, _, name = self.home.partition(":")
        return getattr(import_module(module if "." in module else f"binocular.bench.{module}"), name)

    def met(self, figure: float) -> bool | None:
        """Say whether a figure keeps the limit; None where there is none."""
        if self.limit is None:
            return None
        return figure >= self.limit if self.sense == "at least" else figure <= self.limit


@dataclass(frozen=True)
class Work:
    """Something that can be timed.

    Attributes
    ----------
    run
        Does the work once; may return the CPU seconds that it took in other processes.
    amount
        How much that is, for example in images.
    """

    run: Callable[[], object]
    amount: float = 1.0


def seconds_of(run: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes by the clock, a GPU's work waited for, and by CPU time."""
    import torch

    began, before = time.perf_counter(), time.process_time()
    elsewhere = run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    busy = time.process_time() - before + (elsewhere if isinstance(elsewhere, float) else 0.0)
    return time.perf_counter() - began, busy


def in_turn(baseline: Work, candidate: Work, rounds: int = 5, warm: bool = True) -> tuple[list[float], dict[str, Any]]:
    """Compare two ways of doing the same, in turn, so that whatever else the machine does falls on both.

    Parameters
    ----------
    baseline, candidate
        Each is done once for nothing, then ``rounds`` times, one after the other.
    rounds
        Number of rounds.
    warm
        Whether to do each once for nothing; otherwise that has been seen to.

    Returns
    -------
    values
        For each round the candidate's speed over the baseline's.
    detail
        ``baseline_per_second`` and ``candidate_per_second``: the amount done per second in each round;
        ``candidate_per_processor_second`` and ``ratio_by_processor_time``: the same, and the median of the same ratio,
        by the time that the process was given of the CPU, which on a busy machine says more.
    """
    if warm:
        baseline.run()
        candidate.run()
    speeds: tuple[list[float], list[float]] = ([], [])
    busy: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for kept, held, work in zip(speeds, busy, (baseline, candidate), strict=True):
            seconds, processor = seconds_of(work.run)
            kept.append(work.amount / seconds)
            held.append(work.amount / max(processor, 1e-9))
    values = [fast / slow for slow, fast in zip(*speeds, strict=True)]
    return values, {
        "baseline_per_second": speeds[0],
        "candidate_per_second": speeds[1],
        "candidate_per_processor_second": busy[1],
        "ratio_by_processor_time": statistics.median(fast / slow for slow, fast in zip(*busy, strict=True)),
    }
