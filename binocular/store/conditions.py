"""A condition of a study: its subjects, and what is said of them over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from binocular.dominance import N_GROUPS, Dominance, dominance_of, group_shares
from binocular.stimuli.errors import BadInput
from binocular.store.records import SubjectRecord
from binocular.store.statistics import Interval, interval
from binocular.store.summary import last_value

__all__ = ["Condition", "in_order", "in_words"]

_NAMED_SITES = {"first_binocular": "first binocular cells", "representation": "representation"}


def in_order(sites: Iterable[str]) -> tuple[str, ...]:
    """Return names of sites with the first binocular cells first, then the representation, then the others by name."""
    first = list(_NAMED_SITES)
    return tuple(sorted(sites, key=lambda name: (first.index(name) if name in first else len(first), name)))


def in_words(site: str) -> str:
    """Return what people call the units of a site."""
    return _NAMED_SITES.get(site, f"site {site}")


@dataclass(frozen=True, repr=False)
class Condition:
    """A condition and its subjects, in order of their seeds.

    What is said of units is said of `default_site` where no site is named.

    Attributes
    ----------
    name, label, values
        Name in the file and in words, and the swept values.
    treated_eye
        ``"right"`` or ``"left"``.
    """

    name: str
    label: str
    subjects: tuple[SubjectRecord, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    treated_eye: str = "right"

    def __repr__(self) -> str:
        return f"<Condition {self.name!r}: seeds {', '.join(str(subject.seed) for subject in self.subjects) or 'none'}>"

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites at which its subjects were measured, in the order of `in_order`."""
        return in_order({site for subject in self.subjects for site in subject.sites})

    @property
    def default_site(self) -> str:
        """The first binocular cells where they were measured, else the representation."""
        return self.sites[0] if self.sites else "representation"

    def dominance(self, site: str | None = None) -> list[Dominance]:
        """Return the ocular dominance of each subject probed at a site, all checkpoints."""
        site = site or self.default_site
        return [
            dominance_of(subject.sites[site].values["rsv"], self.treated_eye)
            for subject in self.subjects
            if site in subject.sites
        ]

    def untrained(self, site: str) -> list[np.ndarray]:
        """Return the units in each group before rearing, ``[7]`` for each subject that was probed then and later."""
        found = zip(self.dominance(site), (s.sites[site] for s in self.subjects if site in s.sites), strict=True)
        return [dominance.groups[0] for dominance, record in found if record.epoch[0] == 0 and len(record.epoch) > 1]

    def common_checkpoints(self, site: str) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the epochs at which all seeds measured at a site were probed, and the RSV of each there."""
        records = [subject.sites[site] for subject in self.subjects if site in subject.sites]
        common = sorted(set(records[0].epoch).intersection(*(record.epoch for record in records[1:])))
        return np.array(common), [record.values["rsv"][np.isin(record.epoch, common)] for record in records]

    def at_end(self, measure: str, site: str | None = None) -> Interval:
        """Return a measure of `Dominance` (a field's name) at the last checkpoint, over seeds."""
        return interval([getattr(one, measure)[-1] for one in self.dominance(site) if len(one.groups)])

    def group_at_end(self, group: int, site: str | None = None) -> Interval:
        """Return the share of units in one of the groups 1 to 7 at the last checkpoint, over seeds."""
        if group not in range(1, 8):
            raise BadInput(f"there is no group {group!r}; accepted are 1 (right eye only) to 7 (left eye only)")
        return interval(self.shares(site)[:, group - 1])

    def vision_at_end(self, task: str = "test_accuracy") -> Interval:
        """Return a column of the history, such as ``"stereopsis"``, at the end of rearing, over seeds.

        Raises
        ------
        BadInput
            If no subject was tested in it.
        """
        known = list(dict.fromkeys(name for subject in self.subjects for name in subject.history))
        if task not in known:
            raise BadInput(f"{self.name} was not tested in {task!r}; accepted are {', '.join(known)}")
        return interval(self.last(task))

    def last(self, task: str) -> list[float]:
        """Return the last value of a column of the history for each subject that has it; NaN if it was never taken."""
        return [last_value(subject.history[task]) for subject in self.subjects if task in subject.history]

    def shares(self, site: str | None = None, checkpoint: int = -1) -> np.ndarray:
        """Return the share of units in each group, ``[seed, 7]``; silent units are in no group.

        NaN where all units of a subject are silent.
        """
        counts = np.array([dominance.groups[checkpoint] for dominance in self.dominance(site)]).reshape(-1, N_GROUPS)
        return group_shares(counts)
