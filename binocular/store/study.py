"""A study in memory: what figures, tables and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from binocular.stimuli.surroundings import own_settings
from binocular.store.conditions import Condition, StudyData
from binocular.store.overview import html_table

__all__ = ["Condition", "Study", "load_study"]


@dataclass(frozen=True)
class Study(StudyData):
    """A study: its attributes and its conditions, in order; see `binocular.store.conditions.StudyData`."""

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
