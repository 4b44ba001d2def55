"""Curves beside curves: the effect of a closure by its age and by its length, and vision long after it.

The effect of a condition is its *shift*: CBI of normal subjects of the same age less its own, so that 0 is no effect
and about 0.5 a complete takeover by the other eye. Published curves give effects relative to the largest of their
series, and so do ours beside them: the shift divided by the largest of its series, which is stated. Ages become epochs
by the one declared scale of the species. Nothing is fitted; between our own conditions lines are straight, and outside
the range of our conditions nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from binocular.compare.collection import Literature
from binocular.compare.declared_rows import AgeScaleRow
from binocular.compare.resampling import CBI_WEIGHTS, DRAWS, cbi_of, ends, generator, resample_cells
from binocular.compare.rows import DurationRow, ProfileRow, days_of
from binocular.compare.samples import Moment, Sample, baseline_of, samples_of
from binocular.store.statistics import Interval, verdict_of
from binocular.store.study import Study

__all__ = ["CurveComparison", "PublishedPoint", "Series", "compare_curves", "published_durations", "published_profiles"]

_CLOSURES = ("one eye closed", "one eye blurred")
_ADULT = "monkey_md_6yr"
"""The histogram whose CBI stands for no effect in the macaque, as in the rows of age_profiles.csv."""


@dataclass(frozen=True)
class PublishedPoint:
    """A published effect: where (in the unit of the species' scale), how large, and on what evidence.

    One that was made of words, or of the convention of its series, is drawn open and never fitted.
    """

    at: float
    effect: float
    evidence: str
    reference: str
    from_words: bool
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class Series:
    """Conditions that differ in one thing only: the onset, or the length, of the same deficit.

    Attributes
    ----------
    treatment, fixed
        What was done, and the length (for onsets) or the onset (for lengths) that all share, in epochs.
    epochs
        The onset or the length of each condition, ``[point]``, rising.
    shifts
        CBI of normal subjects of the same age less that of the condition, each with its 95 % interval.
    names
        The conditions.
    contrast
        Onsets: shift of the first less that of the last; lengths: of the last less that of the first.
    """

    treatment: str
    fixed: int
    epochs: np.ndarray
    shifts: tuple[Interval, ...]
    names: tuple[str, ...]
    contrast: Interval

    @property
    def largest(self) -> float:
        """The largest shift of the series, to which the others are relative."""
        return max(shift.mean for shift in self.shifts)

    def relative(self) -> list[Interval]:
        """Return the shifts relative to the largest; nothing where that is not above 0."""
        top = self.largest
        return [Interval(s.mean / top, s.low / top, s.high / top) for s in self.shifts] if top > 0 else []

    def at(self, epoch: float) -> float:
        """Return the relative effect between two conditions, on a straight line; NaN outside their range."""
        values = [estimate.mean for estimate in self.relative()]
        if not values or not self.epochs[0] - 1e-9 <= epoch <= self.epochs[-1] + 1e-9:
            return float("nan")
        return float(np.interp(epoch, self.epochs, values))


@dataclass(frozen=True)
class CurveComparison:
    """A published curve and our series beside it.

    Attributes
    ----------
    kind, scale
        ``profile`` or ``duration``; and the declared scale by which epochs become ages.
    points, series
        As published, and ours, which may be empty.
    ours_there
        For each series our relative effect at each published point, NaN outside our range.
    verdicts
        For each series: whether the effect falls with age (grows with length), ``holds`` / ``does not hold`` /
        ``undecided``, from the interval of `Series.contrast`.
    """

    id: str
    kind: str
    species: str
    scale: AgeScaleRow
    points: tuple[PublishedPoint, ...]
    series: tuple[Series, ...]
    ours_there: tuple[tuple[float, ...], ...]
    verdicts: tuple[str, ...]


def _series(study: Study, samples: Sequence[Sample], by_onset: bool) -> list[Series]:
    """Return series of closures: of the same length at different ages, or from the same onset for different times.

    Each has at least two conditions.
    """
    groups: dict[tuple[str, int], list[Sample]] = {}
    for sample in samples:
        treatment = sample.treatment
        if treatment.name not in _CLOSURES or treatment.start is None or np.isnan(sample.shares).any():
            continue
        groups.setdefault((treatment.name, treatment.duration if by_onset else treatment.start), []).append(sample)
    found = []
    for (name, fixed), members in sorted(groups.items()):
        place = {s.name: s.treatment.start if by_onset else s.treatment.duration for s in members}
        members.sort(key=lambda s: (place[s.name], s.treatment.epochs))
        drawn: dict[int | None, tuple[str, float, np.ndarray]] = {}
        for sample in members:
            baseline = baseline_of(study, sample)
            # Of conditions that differ in something else, such as the time after the deficit, the first stands.
            if baseline is None or np.isnan(baseline.shares).any() or place[sample.name] in drawn:
                continue
            value = float(cbi_of(baseline.shares) - cbi_of(sample.shares))
            drawn[place[sample.name]] = sample.name, value, (baseline.resampled - sample.resampled) @ CBI_WEIGHTS / 2
        if len(drawn) < 2:
            continue
        names, values, resampled = zip(*drawn.values(), strict=True)
        shifts = tuple(Interval(value, *ends(one)) for value, one in zip(values, resampled, strict=True))
        high, low = (0, -1) if by_onset else (-1, 0)
        contrast = Interval(values[high] - values[low], *ends(resampled[high] - resampled[low]))
        found.append(Series(name, fixed, np.array(list(drawn), float), shifts, names, contrast))
    return found


def _point(at: float, row: ProfileRow | DurationRow) -> PublishedPoint:
    assert row.relative_effect is not None
    return PublishedPoint(at, row.relative_effect, row.evidence, row.reference, row.from_words)


def published_profiles(literature: Literature) -> dict[str, tuple[PublishedPoint, ...]]:
    """Return the sensitive periods, age in the unit of the scale; species without a scale are left out.

    The macaque's profile is computed from its histograms by the rule that its rows state, so that it has intervals.
    """
    found: dict[str, tuple[PublishedPoint, ...]] = {}
    for species, rows in literature.profiles.items():
        scale = literature.age_scale(species)
        if scale is None:
            continue
        points = [
            _point(days_of(f"{row.age:g} {row.age_unit}") / scale.unit_days, row)
            for row in rows
            if not row.evidence.startswith("derived from od_histograms")
        ]
        if species == "macaque":
            points += _macaque(literature, scale)
        if points:
            found[species] = tuple(sorted(points, key=lambda point: point.at))
    return found


def _macaque(literature: Literature, scale: AgeScaleRow) -> list[PublishedPoint]:
    records = [
        record
        for record in literature.histograms.values()
        if record.species == "macaque" and record.treatment == "one eye closed" and record.onset and not record.recovery
    ]
    if _ADULT not in literature.histograms or len(records) < 2:
        return []
    adult = 2 * cbi_of(literature.histograms[_ADULT].shares)
    values = [1 - 2 * cbi_of(record.shares) / adult for record in records]
    found = []
    for record, value in zip(records, values, strict=True):
        cells = resample_cells(record.shares, record.cells, DRAWS, generator(f"profile/{record.id}"))
        found.append(PublishedPoint(
            days_of(record.onset or "birth") / scale.unit_days, float(value / max(values)),
            f"derived from {record.id}, which is {record.evidence}", record.reference, False,
            *ends((1 - 2 * cbi_of(cells) / adult) / max(values)),
        ))  # fmt: skip
    return found


def published_durations(literature: Literature) -> dict[str, tuple[PublishedPoint, ...]]:
    """Return the effects by length of closure, in days; rows without a number are left out."""
    found = {
        species: tuple(_point(row.duration_days, row) for row in rows if row.relative_effect is not None)
        for species, rows in literature.durations.items()
    }
    return {species: points for species, points in found.items() if points}


def compare_curves(study: Study, literature: Literature, site: str, at: Moment = "end") -> list[CurveComparison]:
    """Lay our series beside every published curve.

    Parameters
    ----------
    study, literature
        Ours, and the published curves.
    site, at
        Where in the network, and when.
    """
    samples = samples_of(study, site, at)
    curves = {
        "profile": (published_profiles(literature), _series(study, samples, by_onset=True)),
        "duration": (published_durations(literature), _series(study, samples, by_onset=False)),
    }
    found = []
    for name, (kind, species) in literature.curve_ids.items():
        scale = literature.age_scale(species)
        if scale is None or kind not in curves or species not in curves[kind][0]:
            continue
        published, series = curves[kind][0][species], tuple(curves[kind][1])
        epochs = [
            scale.epoch(point.at) if kind == "profile" else point.at / scale.unit_days * scale.epochs_per_unit
            for point in published
        ]
        there = tuple(tuple(one.at(epoch) for epoch in epochs) for one in series)
        verdicts = tuple(verdict_of(one.contrast, at_least=0) for one in series)
        found.append(CurveComparison(name, kind, species, scale, published, series, there, verdicts))
    return found
