"""Published histograms as records, all turned the same way round."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from binocular.compare.reading import Line
from binocular.compare.rows import HistogramRow, days_of, treatment_in_words

__all__ = ["HistogramRecord", "UnitBins", "animal_histogram", "network_histograms"]


@dataclass(frozen=True)
class UnitBins:
    """Unit values as published, which is in bins.

    Attributes
    ----------
    edges
        Of RSV, ``[bin + 1]``, rising; +1 = fellow eye only, whichever eye that is.
    shares
        Share of the units in each bin, ``[bin]``, adding up to 1.
    """

    edges: np.ndarray
    shares: np.ndarray


@dataclass(frozen=True)
class HistogramRecord:
    """A published ocular-dominance histogram.

    Attributes
    ----------
    species, condition, treatment
        Who was examined; what had been done to them, in the words of the table; and the same in the words of
        `binocular.compare.declared_rows.TREATMENTS`, or nothing if it is none of these.
    onset, duration, recovery
        In the words of the table; None if not given. ``recovery`` is the time between the end of the treatment and the
        recording (in a reverse suture, between the reversal and the recording); None where the animals were recorded
        at the end of it, or were never treated.
    counts
        ``[7]``, group 1 = **treated (deprived) eye only**, group 7 = fellow eye only.
    cells
        Number of cells they are drawn from; None where it is not known, so that their sampling error is not either.
    units
        Unit values, where they were published.
    """

    id: str
    species: str
    condition: str
    treatment: str
    onset: str | None
    duration: str | None
    counts: np.ndarray
    cells: int | None
    evidence: str
    reference: str
    note: str = ""
    units: UnitBins | None = None
    recovery: str | None = None

    @property
    def shares(self) -> np.ndarray:
        """Share of the cells in each group, ``[7]``."""
        return self.counts / self.counts.sum()

    @property
    def is_network(self) -> bool:
        """Whether units of a network were counted and not cells."""
        return self.species == "network"

    @property
    def name(self) -> str:
        """Who, and what was done, for a reader: ``macaque, closed at 2 weeks for 18 months``."""
        if self.treatment not in ("one eye closed", "both eyes closed", "reverse suture") or self.onset is None:
            return f"{self.species}, {self.condition}" + (f" at {self.onset}" if self.onset else "")
        which = "both eyes closed" if self.treatment == "both eyes closed" else "closed"
        words = f"{self.species}, {which} " + ("from birth" if self.onset == "birth" else f"at {self.onset}")
        words += f" for {self.duration}" if self.duration else ""
        if self.treatment == "reverse suture":
            return words + ", then the other eye" + (f" for {self.recovery}" if self.recovery else "")
        return words + (f", then open for {self.recovery}" if self.recovery else "")

    @property
    def provenance(self) -> str:
        """How many cells, and how the numbers were obtained, in a few words."""
        return (f"{self.cells} cells" if self.cells else "units not counted") + f", {self.evidence}"

    @property
    def recorded(self) -> str:
        """When the animals were recorded; nothing where there is nothing to say."""
        if self.is_network or self.treatment == "normal":
            return ""
        return f"recorded {self.recovery} later" if self.recovery else "recorded at the end of the closure"

    @property
    def age(self) -> float:
        """Age in days at which what names the treatment began; 0 where none is given."""
        return days_of(self.began) if self.began else 0.0

    @property
    def began(self) -> str | None:
        """Age at which what names the treatment began: in a reverse suture that of the reversal."""
        if self.treatment == "reverse suture" and self.onset and self.duration:
            return f"{days_of(self.onset) + days_of(self.duration):g} days"
        return self.onset

    def twin_of(self, other: HistogramRecord) -> bool:
        """Whether this is another animal of the same species to which the same was done for as long."""
        same = operator.attrgetter("species", "treatment", "onset", "duration", "recovery")
        return not self.is_network and self.id != other.id and same(self) == same(other)


def animal_histogram(row: HistogramRow) -> HistogramRecord:
    """Return a row of ``od_histograms.csv`` as a record, turned so that group 1 is the treated eye only."""
    counts = np.array(row.counts)
    if row.group_1 == "fellow eye only":
        counts = counts[::-1].copy()
    return HistogramRecord(
        row.id, row.species, row.condition, treatment_in_words(row.condition), row.onset, row.duration, counts,
        row.cells_counted, row.evidence, row.reference, row.note, recovery=row.recovery,
    )  # fmt: skip


def network_histograms(tables: Mapping[str, list[Line]]) -> list[tuple[Line, HistogramRecord]]:
    """Return the histograms of Kleinman et al. 2023, whose treated view is the right and p1 the right only."""
    bins: dict[tuple[str, int], list[Line]] = {}
    for line in tables["kleinman_rsv_histograms.csv"]:
        bins.setdefault((line.row.deficit, line.row.removal_epoch), []).append(line)
    records = []
    for line in tables["kleinman_rsv_seven_bins.csv"]:
        row = line.row
        treatment = treatment_in_words(row.deficit) if row.removal_epoch else "normal"
        condition = f"{row.deficit} for {row.removal_epoch} epochs" if row.removal_epoch else f"no {row.deficit}"
        records.append((line, HistogramRecord(
            f"kleinman_{row.deficit}_{row.removal_epoch}", "network", condition, treatment, onset=None,
            duration=f"{row.removal_epoch} epochs", counts=np.array(row.counts), cells=None, evidence=row.evidence,
            reference=row.reference, units=_unit_bins(bins.get((row.deficit, row.removal_epoch), [])),
        )))  # fmt: skip
    return records


def _unit_bins(lines: list[Line]) -> UnitBins | None:
    if not lines:
        return None
    ordered = sorted(lines, key=lambda line: line.row.rsv_low)
    edges = [line.row.rsv_low for line in ordered] + [ordered[-1].row.rsv_high]
    for line, upper in zip(ordered, edges[1:], strict=True):
        if abs(line.row.rsv_high - upper) > 1e-9:
            raise line.wrong("rsv_high", line.row.rsv_high, f"{upper:g}, where the next bin begins")
    shares = np.array([line.row.fraction_of_units for line in ordered])
    if abs(shares.sum() - 1) > 0.01:
        raise ordered[-1].wrong(
            "fraction_of_units", shares[-1], f"such that the bins add up to 1 and not to {shares.sum():g}"
        )
    return UnitBins(np.array(edges), shares / shares.sum())
