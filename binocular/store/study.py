"""A study in memory: what figures, tables and reports are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.dominance import N_GROUPS, group_shares, groups_of
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.conditions import Condition, StudyData
from binocular.store.overview import html_table
from binocular.store.records import SiteRecord, SubjectRecord

if TYPE_CHECKING:
    import pandas

__all__ = ["Condition", "Study", "load_study"]


@dataclass(frozen=True, repr=False)
class Study(StudyData):
    """A study: its attributes and its conditions, in order; see `binocular.store.conditions.StudyData`."""

    def __repr__(self) -> str:
        names = ", ".join(f"{condition.name} ({len(condition.subjects)})" for condition in self.conditions)
        return f"<Study {self.title!r}: subjects {names}; areas {', '.join(self.sites)}>"

    def history(self) -> pandas.DataFrame:
        """Return one row per epoch of each subject: loss, accuracies and tasks, NaN where they were not tested."""
        return _joined(key | dict(subject.history) for key, subject in self._subjects())

    def units(self, *areas: str) -> pandas.DataFrame:
        """Return one row per unit, checkpoint and area of each subject, with what `unit_columns` says of it.

        Parameters
        ----------
        areas
            Names among `sites`; all of them by default.
        """
        from binocular.store.tidy import unit_columns

        return _joined(key | unit_columns(record) for key, record in self._records(areas))

    def groups(self, *areas: str) -> pandas.DataFrame:
        """Return one row per ocular-dominance group, checkpoint and area of each subject: its units and their share."""
        frames = []
        for key, record in self._records(areas):
            counts = groups_of(record.values["rsv"])
            epoch, group = np.repeat(record.epoch, N_GROUPS), np.tile(np.arange(1, N_GROUPS + 1), len(record.epoch))
            share = group_shares(counts).ravel()
            frames.append(key | {"epoch": epoch, "group": group, "units": counts.ravel(), "share": share})
        return _joined(frames)

    def _subjects(self) -> Iterator[tuple[dict[str, Any], SubjectRecord]]:
        """Give each subject with the columns that say which one it is."""
        for condition in self.conditions:
            for subject in condition.subjects:
                yield {"condition": condition.name, "seed": subject.seed}, subject

    def _records(self, areas: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], SiteRecord]]:
        for area in areas:
            if area not in self.sites:
                raise BadInput(f"the study has no area {area!r}; accepted are {', '.join(self.sites)}")
        for key, subject in self._subjects():
            for area in areas or self.sites:
                if area in subject.sites:
                    yield key | {"area": area}, subject.sites[area]

    def _repr_html_(self) -> str:
        """Return the table of the conditions at the end of rearing, which a notebook shows."""
        return html_table(self)


@own_settings()
def load_study(path: Path | str) -> Study:
    """Read a whole study into memory.

    Parameters
    ----------
    path
        A ``study.h5``, or the folder that holds one.

    Raises
    ------
    BadInput
        As `binocular.open_study`.

    Examples
    --------
    >>> load_study("results/nothing-here")
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: results/nothing-here does not exist; expected a study.h5 written by binocular
    """
    from binocular.store.opening import check_study
    from binocular.store.reading import reading

    with reading(check_study(path)) as reader:
        stored = reader.contents()
    return Study(stored.attributes, stored.conditions, stored.failures)


def _joined(frames: Iterable[Any]) -> pandas.DataFrame:
    import pandas

    made = [pandas.DataFrame(frame) for frame in frames]
    return pandas.concat(made, ignore_index=True) if made else pandas.DataFrame()
