"""A study in memory: what figures, tables and reports are made from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.dominance import N_GROUPS, group_shares, groups_of
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.conditions import Condition, in_order, in_words
from binocular.store.records import SiteRecord, SubjectRecord
from binocular.store.schema import HISTORY
from binocular.store.statistics import Interval, interval

if TYPE_CHECKING:
    import pandas

__all__ = ["AreaRow", "Condition", "ConditionRow", "Study", "load_study"]

_EYES = {"accuracy_left_only": "left only", "accuracy_right_only": "right only"}


@dataclass(frozen=True)
class ConditionRow:
    """A condition with its number of seeds and its cells by column name, in order."""

    name: str
    label: str
    seeds: int
    cells: dict[str, Interval]


@dataclass(frozen=True)
class AreaRow:
    """A condition at one area: the site, what and how many its units are, and its cells by column name, in order."""

    label: str
    site: str
    area: str
    units: str
    cells: dict[str, Interval]


@dataclass(frozen=True, repr=False)
class Study:
    """A study: its attributes and its conditions, in order.

    Attributes
    ----------
    attributes
        Those of the root, see `binocular.store.schema.ROOT_ATTRIBUTES`.
    failures
        For each (condition, seed) that could not be reared, why.
    """

    attributes: Mapping[str, Any]
    conditions: tuple[Condition, ...]
    failures: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = ", ".join(f"{condition.name} ({len(condition.subjects)})" for condition in self.conditions)
        return f"<Study {self.title!r}: subjects {names}; areas {', '.join(self.sites)}>"

    @property
    def title(self) -> str:
        """Title of the protocol."""
        return str(self.attributes["title"])

    @property
    def treated_eye(self) -> str:
        """``"left"`` or ``"right"``."""
        return str(self.attributes["treated_eye"])

    @property
    def fellow_eye(self) -> str:
        """The other eye."""
        return {"left": "right", "right": "left"}[self.treated_eye]

    def condition(self, name: str) -> Condition:
        """Return a condition by its name.

        Raises
        ------
        BadInput
            If the study has no condition of that name.
        """
        for condition in self.conditions:
            if condition.name == name:
                return condition
        known = ", ".join(condition.name for condition in self.conditions)
        raise BadInput(f"the study has no condition {name!r}; accepted are {known}")

    @property
    def complete(self) -> bool:
        """Whether every subject of the protocol is there."""
        return bool(self.attributes["complete"])

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the software it was reared with."""
        return json.loads(self.attributes["versions"])

    @property
    def subjects(self) -> list[SubjectRecord]:
        """All subjects, condition by condition."""
        return [subject for condition in self.conditions for subject in condition.subjects]

    @cached_property
    def reared(self) -> tuple[Condition, ...]:
        """The conditions that have at least one subject."""
        return tuple(condition for condition in self.conditions if condition.subjects)

    def measured_at(self, site: str) -> list[Condition]:
        """Return the conditions of which a subject was measured at a site."""
        return [condition for condition in self.reared if site in condition.sites]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The protocol as a table; empty where it cannot be read."""
        try:
            return tomllib.loads(str(self.attributes["protocol"]))
        except tomllib.TOMLDecodeError:
            return {}

    @cached_property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites at which subjects were measured, in the order of `in_order`."""
        return in_order({site for condition in self.conditions for site in condition.sites})

    @property
    def areas(self) -> tuple[str, ...]:
        """Names of the measured sites that are areas of the network, from the first one to the representation."""
        known = {site: record.units for subject in self.subjects for site, record in subject.sites.items()}
        depth = {site: units.depth for site, units in known.items() if units is not None and units.depth >= 0}
        return tuple(sorted((site for site in self.sites if site in depth), key=lambda site: depth[site]))

    @property
    def through_areas(self) -> tuple[Condition, ...]:
        """The conditions whose subjects were all measured at every area; none where there are fewer than two areas."""
        areas = self.areas if len(self.areas) > 1 else ()
        return tuple(c for c in self.reared if areas and all(area in s.sites for s in c.subjects for area in areas))

    @property
    def default_site(self) -> str:
        """The site that is meant where none is named: the first binocular cells, else the representation."""
        return self.sites[0] if self.sites else "representation"

    def unit_word(self, site: str | None = None) -> str:
        """Return what the units of a site are: ``cells`` where each is a channel at one place, else ``units``."""
        site = site or self.default_site
        known = [subject.sites[site].units for subject in self.subjects if site in subject.sites]
        return "cells" if known and all(u is not None and u.kind in ("cell", "centre") for u in known) else "units"

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks in which subjects were tested, beside the classes themselves."""
        names = (name for subject in self.subjects for name in subject.history)
        return tuple(dict.fromkeys(name for name in names if name not in HISTORY))

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

    @property
    def end_group(self) -> int:
        """Group of the units that belong to the fellow eye alone: 7 if it is the left, 1 if the right."""
        return 7 if self.fellow_eye == "left" else 1

    def condition_table(self, site: str | None = None) -> list[ConditionRow]:
        """Return one row per condition, with everything at the end of rearing, of the default site if none is named.

        Returns
        -------
        list of ConditionRow
            Cells ``CBI``, ``group 7`` (of the fellow eye; ``group 1`` where the left eye was treated), ``binocular``,
            ``mean RSV``, one per task (``accuracy`` where there is none), ``left only``, ``right only``
            (accuracy with the other eye grey).
            Shares and accuracies are between 0 and 1. A condition without subjects has cells without a value.
        """
        site, group = site or self.default_site, self.end_group
        accuracies = {task: task for task in self.tasks} or {"test_accuracy": "accuracy"}
        rows = []
        for condition in self.conditions:
            cells = {
                "CBI": condition.at_end("cbi", site),
                f"group {group}": condition.group_at_end(group, site),
                "binocular": condition.at_end("binocular_share", site),
                "mean RSV": condition.at_end("mean_rsv", site),
                **{name: interval(condition.last(column)) for column, name in (accuracies | _EYES).items()},
            }
            rows.append(ConditionRow(condition.name, condition.label, len(condition.subjects), cells))
        return rows

    def area_table(self) -> list[AreaRow]:
        """Return ocular dominance at the end of rearing through the areas, one row per condition and area.

        Returns
        -------
        list of AreaRow
            Cells ``binocular`` (share of groups 2 to 6), ``median |RSV|``, ``CBI`` and ``group 1`` to ``group 7``
            (shares). Empty where fewer than two areas were measured.
        """
        rows = []
        for condition in self.through_areas:
            for site in self.areas:
                records = [subject.sites[site] for subject in condition.subjects]
                silent = sum(int(record.n_silent[-1]) for record in records) / len(records)
                units = f"{records[0].values['rsv'].shape[1]} {self.unit_word(site)}"
                units += f", {silent:.3g} silent" if silent else ""
                cells = {
                    "binocular": condition.at_end("binocular_share", site),
                    "median |RSV|": condition.at_end("median_unit_mi", site),
                    "CBI": condition.at_end("cbi", site),
                    **{f"group {group}": condition.group_at_end(group, site) for group in range(1, 8)},
                }
                rows.append(AreaRow(condition.label, site, in_words(site), units, cells))
        return rows

    def how_to_read(self) -> str:
        """Return what the table needs beside it: which eye is which, and what the intervals are."""
        several = any(len(condition.subjects) > 1 for condition in self.conditions)
        spread = "[..] 95 % interval over seeds" if several else "one seed, so no interval"
        units = in_words(self.default_site)
        return (
            f"{units}: CBI 1 = {self.treated_eye} (treated) eye only, 0 = {self.fellow_eye} (fellow) eye only; {spread}"
        )

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook, every cell with its interval, and how to read it."""
        import pandas

        rows = [
            {"condition": row.label, "n": row.seeds, **{name: cell.text() for name, cell in row.cells.items()}}
            for row in self.condition_table()
        ]
        return f"{pandas.DataFrame(rows).to_html(index=False, border=0)}<p>{escape(self.how_to_read())}</p>"


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
    from binocular.store.reading import reading

    with reading(path) as reader:
        return Study(*reader.contents())


def _joined(frames: Iterable[Any]) -> pandas.DataFrame:
    import pandas

    made = [pandas.DataFrame(frame) for frame in frames]
    return pandas.concat(made, ignore_index=True) if made else pandas.DataFrame()
