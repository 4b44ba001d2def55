"""Published records by their id, all histograms turned the same way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from binocular.compare.declared_rows import AgeScaleRow, FactTestRow
from binocular.compare.published import HistogramRecord, animal_histogram, network_histograms
from binocular.compare.reading import Line, read_folder, shipped_folder
from binocular.compare.rows import DurationRow, FactRow, PartsRow, ProfileRow, RecoveryRow, days_of, treatment_in_words
from binocular.stimuli.errors import BadInput
from binocular.stimuli.wording import nearest

__all__ = ["Literature", "load_literature"]


@dataclass(frozen=True)
class Literature:
    """All published records.

    Attributes
    ----------
    histograms, facts
        By id.
    profiles, durations, recoveries
        Curves: the points of each species (or system), in the order of the table.
    scales
        The declared scales, by lower-case name of the species.
    tests
        What of the facts is tested.
    tables
        Every checked row of every file, the networks' tables included, by name of file.
    parts
        Shares of one eye, both and the other, by what was done; of several rows the last one stands.
    """

    histograms: Mapping[str, HistogramRecord]
    facts: Mapping[str, FactRow]
    profiles: Mapping[str, tuple[ProfileRow, ...]]
    durations: Mapping[str, tuple[DurationRow, ...]]
    recoveries: Mapping[str, tuple[RecoveryRow, ...]]
    scales: Mapping[str, AgeScaleRow]
    tests: tuple[FactTestRow, ...]
    tables: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    parts: Mapping[str, PartsRow] = field(default_factory=dict)

    def scale(self, species: str) -> AgeScaleRow | None:
        """Return the declared scale of a species, by its first words: "kitten P29" has that of the kitten."""
        words = species.lower().replace(",", " ").split()
        found = (self.scales.get(" ".join(words[:count])) for count in range(len(words), 0, -1))
        return next((scale for scale in found if scale is not None), None)

    def age_scale(self, species: str) -> AgeScaleRow | None:
        """Return the declared scale of a species that has ages; None for networks, whose unit is the epoch."""
        scale = self.scale(species)
        return None if scale is None or scale.unit == "epoch" else scale

    def epoch_of(self, species: str, age: str | None) -> float | None:
        """Return the epoch of an age such as ``"10 weeks"`` by the declared scale; None without age or scale."""
        scale = self.age_scale(species)
        return None if age is None or scale is None else scale.epoch(days_of(age) / scale.unit_days)

    def epochs_in(self, species: str, time: str | None) -> float | None:
        """Return how many epochs a time such as ``"18 months"`` lasts by the declared scale; None without either."""
        scale = self.age_scale(species)
        return None if time is None or scale is None else days_of(time) / scale.unit_days * scale.epochs_per_unit

    @property
    def curve_ids(self) -> dict[str, tuple[str, str]]:
        """Ids of the curves: what they are (``profile``, ``duration``, ``recovery``) and of whom."""
        kinds = {"profile": self.profiles, "duration": self.durations, "recovery": self.recoveries}
        return {_slug(f"{kind}_{name}"): (kind, name) for kind, names in kinds.items() for name in names}

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids that can be asked for: histograms, curves and tests of facts."""
        return (*self.histograms, *self.curve_ids, *(test.id for test in self.tests))

    def select(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the ids that are asked for, checked.

        A fact may be named by its own id or by that of its test.

        Raises
        ------
        BadInput
            For an id that is not there.
        """
        chosen: list[str] = []
        for wanted in ids:
            of_fact = [test.id for test in self.tests if test.published == wanted and wanted in self.facts]
            if wanted not in self.ids and not of_fact:
                raise BadInput(
                    f"there is no published record {wanted!r}{nearest(wanted, self.ids)}; "
                    f"accepted are {', '.join(self.ids)}"
                )
            chosen += [wanted] if wanted in self.ids else of_fact
        return tuple(dict.fromkeys(chosen))


def _slug(text: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


def load_literature(folder: Path | str | None = None) -> Literature:
    """Read the published numbers that ship with binocular, and those of a folder of one's own.

    Parameters
    ----------
    folder
        Tables in the same format (``docs/literature-format.md``), added to those that ship; an age scale and a test
        of the same name take the place of the shipped one, a histogram or a fact of the same id is not accepted.

    Raises
    ------
    BadInput
        For a row that is not accepted, naming file, line and column.
    """
    tables = _shipped()
    if folder is not None:
        added = read_folder(Path(folder), of_user=True)
        tables = {name: [*lines, *added[name]] for name, lines in tables.items()}
    return _collect(tables)


@lru_cache(maxsize=1)
def _shipped() -> dict[str, list[Line]]:
    return read_folder(shipped_folder())


def _collect(tables: Mapping[str, list[Line]]) -> Literature:
    histograms = {row.id: animal_histogram(row) for row in _once(tables["od_histograms.csv"])}
    for line, record in network_histograms(tables):
        if record.id in histograms:
            raise line.wrong("removal_epoch", line.row.removal_epoch, "one that no other row of the deficit has")
        histograms[record.id] = record
    facts = {row.id: row for row in _once(tables["facts.csv"])}
    scales: dict[str, AgeScaleRow] = {}
    for line in tables["age_scales.csv"]:
        scales.update(dict.fromkeys(line.row.names, line.row))
    tests: dict[str, FactTestRow] = {}
    for line in tables["fact_tests.csv"]:
        row: FactTestRow = line.row
        if row.published not in facts and row.published not in histograms:
            raise line.wrong("published", row.published, "the id of a fact or of a histogram in the tables")
        if row.species.lower() not in scales:
            raise line.wrong("species", row.species, f"a species of age_scales.csv: {', '.join(scales)}")
        tests[row.id] = row
    return Literature(
        histograms=histograms,
        facts=facts,
        profiles=_by(tables["age_profiles.csv"], "species"),
        durations=_by(tables["duration_curves.csv"], "species"),
        recoveries=_by(tables["acuity_recovery.csv"], "system"),
        scales=scales,
        tests=tuple(tests.values()),
        parts={treatment_in_words(line.row.condition): line.row for line in tables["od_parts.csv"]},
        tables={name: tuple(line.row for line in lines) for name, lines in tables.items()},
    )


def _once(lines: Iterable[Line]) -> Iterator[Any]:
    """Yield rows that are known by their id."""
    known = set()
    for line in lines:
        if line.row.id in known:
            raise line.wrong("id", line.row.id, "an id that no other row has")
        known.add(line.row.id)
        yield line.row


def _by(lines: Iterable[Line], column: str) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for line in lines:
        name = getattr(line.row, column)
        found[name] = (*found.get(name, ()), line.row)
    return found
