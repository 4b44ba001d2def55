"""Claims that are looked at again after more seeds: when, declared beforehand, how far, and what came of it.

At a look every interval is as wide as the error that may have been spent by then asks for (`binocular.store.looks`, the
statistics of it). A number that is settled at a look stays so, with the interval of that look; further seeds are reared
for the others, until the claim holds or one number does not, which no seed can mend. The settings were chosen on pilot
seeds, and no pilot seed has a say in a verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from binocular.stimuli.errors import BadInput
from binocular.store.looks import LOOKS, coverages

__all__ = ["ERROR", "SPENDING", "Course", "Looks"]

ERROR, SPENDING = 0.05, "pocock"
"""How large a chance of a wrong decision is spent over the looks, and how."""


@dataclass(frozen=True)
class Looks:
    """When a claim is looked at.

    Attributes
    ----------
    after, first
        Numbers of seeds, ascending from at least 2; and the first seed, which the others follow.
    pilots
        Seeds on which the settings were chosen, or of which results were known; none of them decides anything.
    """

    after: tuple[int, ...] = LOOKS
    first: int = 200
    pilots: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if set(self.pilots) & set(self.seeds(self.after[-1])):
            raise ValueError(f"pilot seeds {self.pilots} must not be among those that decide, from {self.first}")

    @cached_property
    def coverage(self) -> dict[int, float]:
        """Coverage of the intervals at each look, 0 to 1, by its number of seeds."""
        return dict(zip(self.after, coverages(self.after, ERROR, SPENDING), strict=True))

    def seeds(self, look: int) -> tuple[int, ...]:
        """Return the seeds of a look."""
        return tuple(range(self.first, self.first + look))

    def until(self, last: int | None = None) -> tuple[int, ...]:
        """Return the looks that may be taken now.

        Raises
        ------
        BadInput
            If there is no look after so few seeds.
        """
        found = tuple(look for look in self.after if last is None or look <= last)
        if not found:
            raise BadInput(f"--until: {last} seeds are too few; the first look is after {self.after[0]}")
        return found

    def words(self) -> str:
        """Return what was declared, in a sentence or two."""
        after = [str(look) for look in self.after]
        several = f"{', '.join(after[:-1])} and {after[-1]}" if len(after) > 1 else after[0]
        coverage = [f"{100 * self.coverage[look]:.1f}" for look in self.after]
        pilots = (
            f"Settings were chosen, or earlier results known, on seeds {_listed(self.pilots)}; they decide nothing. "
            if self.pilots
            else ""
        )
        return (
            f"{pilots}Looked at after {several} seeds (from {self.first}), at intervals of {', '.join(coverage)} %: an "
            f"error of {100 * ERROR:g} % is spent over the looks (Pocock's kind; Lan & DeMets 1983)."
        )


@dataclass(frozen=True)
class Course:
    """How far a claim has been looked at.

    Attributes
    ----------
    looks, taken
        As declared, and the numbers of seeds at which it was looked at.
    seconds_per_seed
        Time of computing for one more seed of all it is judged on; NaN where it is not known.
    settled
        Whether the claim is decided, so that there is nothing further to look at.
    """

    looks: Looks
    taken: tuple[int, ...]
    seconds_per_seed: float
    settled: bool

    def further(self) -> Iterator[tuple[int, float]]:
        """Yield the looks that are left, each with the seconds of computing from here to there."""
        done = self.taken[-1] if self.taken else 0
        for look in self.looks.after:
            if look > done:
                yield look, (look - done) * self.seconds_per_seed


def _listed(seeds: Sequence[int]) -> str:
    if len(seeds) > 2 and tuple(seeds) == tuple(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return " and ".join(map(str, seeds)) if len(seeds) < 3 else ", ".join(map(str, seeds))
