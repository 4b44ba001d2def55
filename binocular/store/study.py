"""A study in memory: what figures, tables and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.conditions import Condition, StudyData
from binocular.store.overview import html_table

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
        """Return one row per epoch of each subject; see `binocular.store.frames.history_frame`."""
        from binocular.store.frames import history_frame

        return history_frame(self.conditions)

    def units(self, *areas: str) -> pandas.DataFrame:
        """Return one row per unit, checkpoint and area of each subject; see `binocular.store.frames.units_frame`.

        Parameters
        ----------
        areas
            Names among `sites`; all of them by default.
        """
        from binocular.store.frames import units_frame

        return units_frame(self.conditions, self._known(areas))

    def groups(self, *areas: str) -> pandas.DataFrame:
        """Return one row per ocular-dominance group, checkpoint and area; see `binocular.store.frames.groups_frame`."""
        from binocular.store.frames import groups_frame

        return groups_frame(self.conditions, self._known(areas))

    def _known(self, areas: tuple[str, ...]) -> tuple[str, ...]:
        for area in areas:
            if area not in self.sites:
                raise BadInput(f"the study has no area {area!r}; accepted are {', '.join(self.sites)}")
        return areas or self.sites

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
    from binocular.store.reading import read_contents

    stored = read_contents(check_study(path))
    treated_eye = stored.attributes["treated_eye"]
    conditions = (Condition(c.name, c.label, c.subjects, c.values, treated_eye) for c in stored.conditions)
    return Study(stored.attributes, tuple(conditions), stored.failures)
