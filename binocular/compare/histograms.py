"""Histogram beside histogram: the subjects of each condition and a published record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from binocular.compare.collection import Literature
from binocular.compare.published import HistogramRecord
from binocular.compare.resampling import (
    CBI_WEIGHTS,
    DRAWS,
    HistogramTest,
    cbi_of,
    ends,
    generator,
    histogram_test,
    resample_cells,
    resample_shares,
)
from binocular.compare.samples import Moment, Sample
from binocular.compare.treatments import Treatment
from binocular.dominance import monocularity
from binocular.store.statistics import Interval

__all__ = [
    "HistogramComparison",
    "UnitDistance",
    "compare_histograms",
    "epoch_recorded",
    "estimates",
    "like_for_like",
    "unlike",
]


@dataclass(frozen=True)
class UnitDistance:
    """Kolmogorov-Smirnov distance of the unit values from those of a published histogram with fine bins.

    The cumulative shares are compared at the edges of the published bins and nowhere between, so that ``value`` can
    only be smaller than the distance of the unit values themselves. ``detectable`` is the distance from which on it is
    more than the sampling of our subjects and units gives in 95 of 100 cases; the number of units behind the published
    bins is not known, and they are taken as they are.
    """

    value: float
    detectable: float
    edges: int


@dataclass(frozen=True)
class HistogramComparison:
    """A condition and a published record.

    Attributes
    ----------
    sample, record, like
        What is compared, and whether the record is the nearest to what was done to the subjects (`like_for_like`).
    test
        The distances and the verdict.
    ours, theirs
        Estimates of ``cbi``, ``mi`` and ``group 1`` to ``group 7`` (shares), group 1 = deprived eye only.
    units
        Distance of the unit values, where the record has them.
    twins
        Distance (Wasserstein-1 over groups) between this animal and others to which the same was done for as long: the
        yardstick for ours.
    elsewhere
        The same comparison at other places of the network: by site, distance and verdict.
    marks
        The subjects where the deficit ended and at the end of rearing, as far as these are two moments.
    """

    sample: Sample
    record: HistogramRecord
    like: bool
    test: HistogramTest
    ours: dict[str, Interval]
    theirs: dict[str, Interval]
    units: UnitDistance | None = None
    twins: tuple[float, ...] = ()
    elsewhere: Mapping[str, HistogramTest] = field(default_factory=dict)
    marks: tuple[Sample, ...] = ()

    @property
    def verdict(self) -> str:
        """``"consistent"``, ``"different"`` or ``"not comparable"``."""
        return self.test.verdict


def estimates(shares: np.ndarray, resampled: np.ndarray) -> dict[str, Interval]:
    """Return CBI, MI and the share of each group with their intervals.

    Parameters
    ----------
    shares, resampled
        ``[7]``, adding up to 1, and the same resampled, ``[draw, 7]``.
    """
    if np.isnan(shares).any():
        return dict.fromkeys(("cbi", "mi", *(f"group {group}" for group in range(1, 8))), Interval(float("nan")))
    found = {
        "cbi": _estimate(cbi_of(shares), cbi_of(resampled)),
        "mi": _estimate(monocularity(shares), resampled @ np.abs(CBI_WEIGHTS)),
    }
    for group in range(7):
        found[f"group {group + 1}"] = _estimate(shares[group], resampled[:, group])
    return found


def _estimate(value: ArrayLike, resampled: np.ndarray) -> Interval:
    low, high = np.clip(ends(resampled), 0, 1)
    return Interval(float(value), float(low), float(high), how="bootstrap")  # type: ignore[arg-type]


def compare_histograms(sample: Sample, record: HistogramRecord, like: bool = False) -> HistogramComparison:
    """Compare the subjects of a condition with a published histogram.

    Parameters
    ----------
    sample, record, like
        Subjects and published histogram; and whether the two are like for like, to be kept with the result.
    """
    rng = generator(f"histogram/{sample.name}/{sample.site}/{sample.epoch}/{record.id}")
    test = histogram_test(sample.counts, record.shares, record.cells, rng)
    theirs = estimates(record.shares, resample_cells(record.shares, record.cells, DRAWS, rng))
    if record.cells is None:
        theirs = {name: Interval(estimate.mean) for name, estimate in theirs.items()}
    units = _unit_distance(sample, record, rng) if record.units is not None else None
    return HistogramComparison(sample, record, like, test, estimates(sample.shares, sample.resampled), theirs, units)


def epoch_recorded(treatment: Treatment, record: HistogramRecord, literature: Literature) -> int | None:
    """Return the epoch at which subjects are to be compared with a record: that of its animals' recording.

    Parameters
    ----------
    treatment, literature
        What was done to the subjects, and what holds the scale of age of the species.
    record
        Recorded where the treatment ended, or some time after it (in a reverse suture: after the reversal, while the
        eye that saw first was still closed).

    Returns
    -------
    int or None
        In epochs of rearing; None for the end of rearing, as for normal subjects and published networks.
    """
    if treatment.start is None or treatment.stop is None or record.is_network:
        return None
    if record.recovery is None:
        return treatment.stop
    reversed_ = record.treatment == "reverse suture"
    later = literature.epochs_in(record.species, record.recovery)
    if later is None:
        return treatment.stop if reversed_ else None
    return min(round(treatment.start + later), treatment.stop) if reversed_ else round(treatment.stop + later)


def _unit_distance(sample: Sample, record: HistogramRecord, rng: np.random.Generator) -> UnitDistance | None:
    assert record.units is not None
    edges = record.units.edges
    counts = np.array([np.histogram(values, edges)[0] for values in sample.values]).reshape(-1, len(edges) - 1)
    counts = counts[counts.sum(1) > 0]
    if not len(counts):
        return None
    ours = (counts / counts.sum(1, keepdims=True)).mean(0)
    theirs = np.cumsum(record.units.shares)
    value = float(np.abs(np.cumsum(ours) - theirs).max())
    resampled = resample_shares(counts, DRAWS // 4, rng) - ours
    null = np.abs(np.cumsum(resampled, axis=1)).max(1)
    return UnitDistance(value, float(np.quantile(null, 0.95)), len(edges) - 2)


_CLOSE = 5.0
"""Epochs between two onsets that count as the same age."""
_AS_LONG = 2.0
"""Factor within which two lengths of a treatment count as the same."""
_NEITHER = 10.0
"""A species is passed over whose nearest onset lies this many epochs farther away than another species' one."""


def like_for_like(
    sample: Sample, records: Sequence[HistogramRecord], literature: Literature, at: Moment = "recorded"
) -> list[HistogramRecord]:
    """Return the records that are like for like with a condition, the most alike first.

    The treatment must be the same. Among the networks that of the nearest length of the deficit is taken. Among the
    animals of a species those are preferred that were recorded as the subjects were (or can be, each row at a moment of
    its own), at the end of the treatment or after a recovery, then those of the nearest onset in epochs (by the
    declared scale of the species, and not before rearing begins), then those of the nearest end. Where no animal of the
    species was treated at about the same age, the nearest younger and the nearest older one are both taken; a species
    whose animals were all treated at quite another age than another species' is passed over.

    Parameters
    ----------
    sample, records, literature, at
        Of one condition; all published histograms; what holds the age scales; and when the subjects are compared.
    """
    same = [record for record in records if record.treatment == sample.treatment.name]
    found = _nearest_networks(sample, [record for record in same if record.is_network], literature)
    by_species: dict[str, list[tuple[tuple[bool, float, float], float, HistogramRecord]]] = {}
    for record in same:
        away = None if record.is_network else _away(sample, record, literature, at)
        if away is not None:
            by_species.setdefault(record.species, []).append((*away, record))
    chosen = []
    for animals in by_species.values():
        animals.sort(key=lambda one: one[0])
        key, onset, record = animals[0]
        chosen.append((key, record))
        beyond = [one for one in animals if one[0][0] == key[0] and (one[1] > 0) != (onset > 0)]
        if abs(onset) > _CLOSE and beyond:
            chosen.append((beyond[0][0], beyond[0][2]))
    least = min((key[1] for key, _ in chosen), default=0.0)
    near = {record.species for key, record in chosen if key[1] <= least + _NEITHER}
    chosen.sort(key=lambda one: one[0])
    return [*(record for _, record in chosen if record.species in near), *found]


def unlike(treatment: Treatment, record: HistogramRecord, literature: Literature) -> str:
    """Say in what an animal is not comparable with the subjects, though none is nearer.

    Comparable is what began at the same age, within five epochs, and lasted for as long, within a factor of two, by the
    declared scale of the species; time before rearing begins does not count. A reverse suture begins with the reversal
    and lasts until the recording.

    Parameters
    ----------
    treatment, record, literature
        What was done to the subjects; an animal to which the same was done; and what holds the age scales.

    Returns
    -------
    str
        What is different, in epochs; nothing where it is comparable, or there is no age to compare.
    """
    began = literature.epoch_of(record.species, record.began)
    if began is None or treatment.start is None or treatment.stop is None:
        return ""
    told = []
    away = max(began, 0.0) - treatment.start
    if abs(away) > _CLOSE:
        told.append(f"begun {abs(away):.0f} epochs {'later' if away > 0 else 'earlier'}")
    lasted = literature.epochs_in(
        record.species, record.recovery if record.treatment == "reverse suture" else record.duration
    )
    if lasted is not None:
        lasted = max(began + lasted, 0.0) - max(began, 0.0)
        if not 1 / _AS_LONG <= lasted / treatment.duration <= _AS_LONG:
            told.append(f"lasted {lasted:.0f} epochs and not {treatment.duration}")
    return ", ".join(told)


def _nearest_networks(
    sample: Sample, records: Sequence[HistogramRecord], literature: Literature
) -> list[HistogramRecord]:
    """Return of each published series of networks the one of the nearest length of the deficit."""
    scale = literature.scale("network")
    per_epoch = scale.epochs_per_unit if scale else 1.0
    series: dict[str, list[HistogramRecord]] = {}
    for record in records:
        series.setdefault(record.id.rsplit("_", 1)[0], []).append(record)

    def away(record: HistogramRecord) -> float:
        return abs(sample.treatment.duration - float((record.duration or "0").split()[0]) * per_epoch)

    return [min(members, key=away) for members in series.values()]


def _away(
    sample: Sample, record: HistogramRecord, literature: Literature, at: Moment
) -> tuple[tuple[bool, float, float], float] | None:
    """Return how far a record is from what was done: what it is sorted by, and the onset less ours in epochs."""
    if record.treatment == "normal":
        return (False, 0.0, 0.0), 0.0
    treatment, began = sample.treatment, literature.epoch_of(record.species, record.began)
    if began is None or treatment.start is None or treatment.stop is None:
        return None
    lasted = literature.epochs_in(record.species, record.duration) or 0.0
    onset, end = max(began, 0.0) - treatment.start, max(began + lasted, 0.0) - treatment.stop
    if at == "recorded":  # what ended with the treatment cannot be met after a recovery; all else can
        otherwise = bool(record.recovery) and treatment.epochs <= treatment.stop
    else:
        otherwise = bool(record.recovery) != (sample.epoch > treatment.stop)
    otherwise = otherwise and record.treatment != "reverse suture"
    return (otherwise, abs(onset), abs(end)), onset
