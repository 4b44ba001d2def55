"""What a fact may be tested on: each measure takes the subjects of a condition and gives a number, resampled.

A cell *listens to* an eye where it is in one of the six groups that hear it: 1 to 6 for the deprived eye, 2 to 7 for
the fellow eye; it is *binocular* where it listens to both, in groups 2 to 6. The page, the tables and the facts use the
words in this sense.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from binocular.compare.declared_rows import MEASURE_NAMES
from binocular.compare.resampling import CBI_WEIGHTS, DRAWS, cbi_of, generator, spread_of_mean
from binocular.compare.samples import Sample, accuracies, seen_alone
from binocular.probes.disparity import Disparity
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition

__all__ = ["AGAINST_NORMAL", "MEASURES", "OF_SHARES", "disparity_by_unit", "disparity_correlations"]

Resampled = tuple[float, np.ndarray] | str
"""A number with its resamplings, ``[draw]``, or why it is not there."""
Measure = Callable[[Sample, Sample | None], Resampled]
"""Of the subjects, and normal subjects of the same age where there are any."""

# Measures of the shares alone, [draw, 7] to [draw]; group 1 = deprived eye only, 7 = fellow eye only.
OF_SHARES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "binocular share": lambda shares: shares[:, 1:6].sum(1),
    "least influence": lambda shares: np.minimum(shares[:, :6].sum(1), shares[:, 1:].sum(1)),
    "deprived influence": lambda shares: shares[:, :6].sum(1),
    "fellow only": lambda shares: shares[:, 6],
    "deprived dominated": lambda shares: _dominated(np.clip(shares, 0, None)),
    "cbi": cbi_of,
    "fellow bias": lambda shares: (1 - shares @ CBI_WEIGHTS) / 2,
    "mi": lambda shares: shares @ np.abs(CBI_WEIGHTS),
}


def _dominated(shares: np.ndarray) -> np.ndarray:
    """Share of the deprived eye among the units that prefer an eye; a half where none does."""
    deprived, fellow = shares[:, :3].sum(1), shares[:, 4:].sum(1)
    found = _ratio(deprived, deprived + fellow)
    return np.where(np.isnan(found), 0.5, found)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)


def _of_shares(name: str) -> Measure:
    def measure(sample: Sample, baseline: Sample | None) -> Resampled:
        if np.isnan(sample.shares).any():
            return "all units are silent"
        return float(OF_SHARES[name](sample.shares[None])[0]), OF_SHARES[name](sample.resampled)

    return measure


def _against_normal(name: str, combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Measure:
    def measure(sample: Sample, baseline: Sample | None) -> Resampled:
        if baseline is None:
            return "no normal condition to compare with"
        if np.isnan(sample.shares).any() or np.isnan(baseline.shares).any():
            return "all units are silent"
        of = OF_SHARES[name]
        value = combine(of(sample.shares[None]), of(baseline.shares[None]))[0]
        if not np.isfinite(value):
            return "normal subjects have no unit of that kind"
        return float(value), combine(of(sample.resampled), of(baseline.resampled))

    return measure


def _unit_monocularity(sample: Sample, baseline: Sample | None) -> Resampled:
    """Median of |RSV| over units, mean over subjects; subjects (n - 1 of n) and their units are resampled."""
    values = [np.abs(units) for units in sample.values if len(units)]
    if not values:
        return "all units are silent"
    rng, draws = generator(f"unit-mi/{sample.name}/{sample.site}/{sample.epoch}"), DRAWS // 4
    drawn = [units[rng.integers(0, len(units), size=(draws, len(units)))] for units in values]
    medians = np.array([np.median(units, axis=1) for units in drawn])
    if len(values) > 1:
        picked = rng.integers(0, len(values), size=(len(values) - 1, draws))
        medians = medians[picked, np.arange(draws)]
    return float(np.mean([np.median(units) for units in values])), medians.mean(0)


def _lost(seen: Callable[[Condition, str, int], np.ndarray], words: str, missing: str) -> Measure:
    """Accuracy of normal subjects less that of these; both means spread as Student's t over subjects."""

    def measure(sample: Sample, baseline: Sample | None) -> Resampled:
        if baseline is None:
            return "no normal condition to compare with"
        rng = generator(f"{words}/{sample.name}/{sample.epoch}")
        eye = sample.treatment.deprived_eye
        found = []
        for one in (baseline, sample):
            values = seen(one.condition, eye, one.epoch)
            values = values[~np.isnan(values)]
            if not len(values):
                return missing
            found.append((values.mean(), spread_of_mean(values, rng)))
        (normal, spread), (these, their_spread) = found
        return float(normal - these), normal - these + spread - their_spread

    return measure


def _relapse(sample: Sample, baseline: Sample | None) -> Resampled:
    """CBI where the treatment ended less CBI now: what was gained and then lost; seeds are resampled together."""
    if sample.treatment.stop is None or sample.epoch <= sample.treatment.stop:
        return "no rearing after the treatment"
    then = sample.at(sample.treatment.stop)
    if np.isnan(then.shares).any() or np.isnan(sample.shares).any():
        return "all units are silent"
    return float(cbi_of(then.shares) - cbi_of(sample.shares)), cbi_of(then.resampled) - cbi_of(sample.resampled)


def disparity_by_unit(subject: SubjectRecord, site: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return how well each unit tells disparity, and how far it prefers an eye.

    Parameters
    ----------
    subject
        Measured with the probe ``disparity`` at the site, or not.
    site
        Where its units were recorded.

    Returns
    -------
    tuple or None
        Disparity discrimination index and |RSV|, each ``[unit]``, 0 to 1, NaN for silent units; None where they were
        not measured at the same units.
    """
    record, recorded = subject.measures.get((Disparity.name, site)), subject.sites.get(site)
    if record is None or recorded is None:
        return None
    index, rsv = record.values["discrimination_index"][-1], np.abs(recorded.values["rsv"][-1])
    return (index, rsv) if len(index) == len(rsv) else None


def disparity_correlations(condition: Condition, site: str) -> np.ndarray:
    """Return the rank correlation over units of both numbers of `disparity_by_unit`, by measured subject.

    Parameters
    ----------
    condition, site
        Of a study, and where its units were recorded.
    """
    from scipy.stats import spearmanr

    found = [pair for subject in condition.subjects if (pair := disparity_by_unit(subject, site)) is not None]
    return np.array([float(spearmanr(*pair, nan_policy="omit")[0]) for pair in found])  # type: ignore[arg-type]


def _disparity_correlation(sample: Sample, baseline: Sample | None) -> Resampled:
    """Mean rank correlation over subjects, spread as t."""
    values = disparity_correlations(sample.condition, sample.site)
    values = values[~np.isnan(values)]
    if not len(values):
        return "disparity was not measured at these units (binocular measure STUDY --probe disparity)"
    spread = spread_of_mean(values, generator(f"disparity/{sample.name}/{sample.site}"))
    return float(values.mean()), values.mean() + spread


AGAINST_NORMAL: dict[str, Measure] = {
    "shift from normal": _against_normal("cbi", lambda one, normal: normal - one),
    "binocular relative to normal": _against_normal("binocular share", lambda one, normal: _ratio(one, normal)),
    "mi above normal": _against_normal("mi", lambda one, normal: one - normal),
    "stereopsis lost": _lost(
        lambda condition, eye, epoch: accuracies(condition, "stereopsis", epoch),
        "stereopsis", "stereopsis was not tested",
    ),
    "deprived vision lost": _lost(
        seen_alone, "the deprived eye alone",
        "what one eye tells was not measured then (binocular measure STUDY --probe one-eye)",
    ),
}  # fmt: skip
MEASURES: dict[str, Measure] = {
    **{name: _of_shares(name) for name in OF_SHARES},
    "median unit mi": _unit_monocularity,
    "relapse": _relapse,
    "disparity correlation": _disparity_correlation,
    **AGAINST_NORMAL,
}
"""How each measure is taken, by name; ``shift from normal`` is CBI of normal subjects of the same age less that of
these (positive: towards the fellow eye)."""
assert set(MEASURES) == set(MEASURE_NAMES)
