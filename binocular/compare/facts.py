"""The qualitative facts: each is tested on the conditions in which the same was done.

What is tested, on whom, and by which criterion stands in ``fact_tests.csv``. It is the same for every study, and was
settled before any study of the library was compared. The verdict is

- ``holds``: the 95 % interval of our number meets the criterion from end to end;
- ``does not hold``: it fails it from end to end;
- ``undecided``: the interval reaches across the criterion;
- ``not in this study``: no condition of the study is like what was done, or what is needed was not measured.

Where several conditions qualify, the verdict is that of the longest deficit (of normal subjects, the longest rearing);
the others are kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from binocular.compare.collection import Literature
from binocular.compare.declared_rows import MEASURE_NAMES, FactTestRow
from binocular.compare.histograms import Estimate
from binocular.compare.resampling import CBI_WEIGHTS, DRAWS, ends, generator, spread_of_mean
from binocular.compare.rows import days_of
from binocular.compare.samples import Moment, Sample, accuracies, baseline_of, condition_named, samples_of
from binocular.dominance import contralateral_bias
from binocular.store.study import Study

__all__ = ["MEASURES", "FactVerdict", "Tested", "evaluate_facts", "verdict_of"]

Resampled = tuple[float, np.ndarray] | str
"""A number with its resamplings, ``[draw]``, or why it is not there."""


@dataclass(frozen=True)
class Tested:
    """One condition on which a fact was tested."""

    condition: str
    label: str
    treatment: str
    estimate: Estimate
    subjects: int
    verdict: str
    baseline: str = ""


@dataclass(frozen=True)
class FactVerdict:
    """A fact, what was published, our number and the verdict.

    Attributes
    ----------
    test
        The row of ``fact_tests.csv``.
    published, evidence, reference
        The published number in words, and its provenance.
    verdict
        See the top of this module.
    tested
        Conditions that qualify, the one of the verdict first.
    why
        Why nothing could be tested; empty if something was.
    """

    test: FactTestRow
    published: str
    evidence: str
    reference: str
    verdict: str
    tested: tuple[Tested, ...] = ()
    why: str = ""


def verdict_of(estimate: Estimate, at_least: float | None, at_most: float | None) -> str:
    """Return ``holds``, ``does not hold`` or ``undecided`` for a number with its interval."""
    low, high = estimate.low, estimate.high
    if np.isnan([low, high]).any():
        low = high = estimate.value
    below = -np.inf if at_least is None else at_least
    above = np.inf if at_most is None else at_most
    if below <= low and high <= above:
        return "holds"
    return "does not hold" if high < below or low > above else "undecided"


def evaluate_facts(study: Study, literature: Literature, site: str, at: Moment = "end") -> list[FactVerdict]:
    """Test every fact on a study.

    Parameters
    ----------
    study
        The study in memory.
    literature
        The facts and their tests.
    site
        Whose units are counted.
    at
        At the end of rearing, or where each deficit ended.
    """
    samples = samples_of(study, site, at)
    return [_evaluate(test, study, samples, literature) for test in literature.tests]


def _evaluate(test: FactTestRow, study: Study, samples: list[Sample], literature: Literature) -> FactVerdict:
    published, evidence, reference = _published(test, literature)
    done = [sample for sample in samples if sample.treatment.name in test.treatments]
    fitting = [sample for sample in done if _in_time(test, sample, literature)]
    fitting.sort(key=lambda sample: (-sample.treatment.duration, -sample.treatment.epochs))
    tested, reasons = [], []
    for sample in fitting:
        baseline = baseline_of(study, sample)
        found = MEASURES[test.measure](study, sample, baseline)
        if isinstance(found, str):
            reasons.append(found)
            continue
        value, resampled = found
        estimate = _with_interval(test.measure, value, resampled)
        tested.append(
            Tested(
                condition=sample.name,
                label=sample.label,
                treatment=sample.treatment.sentence(literature.scale(test.species)),
                estimate=estimate,
                subjects=len(sample.heard),
                verdict=verdict_of(estimate, test.at_least, test.at_most),
                baseline=f"{baseline.name} at epoch {baseline.epoch}"
                if baseline and test.measure in _AGAINST_NORMAL
                else "",
            )
        )
    if tested:
        return FactVerdict(test, published, evidence, reference, tested[0].verdict, tuple(tested))
    if reasons:
        why = reasons[0]
    elif done:
        why = "done at another age or for a shorter time: " + done[0].treatment.sentence(literature.scale(test.species))
    else:
        why = "no condition with this treatment: " + " or ".join(test.treatments)
    return FactVerdict(test, published, evidence, reference, "not in this study", (), why)


def _with_interval(measure: str, value: float, resampled: np.ndarray) -> Estimate:
    """Return a number with its 95 % interval, cut to 0 and 1 where no share or index can leave them."""
    if np.isnan(resampled).any():
        return Estimate(value)
    low, high = ends(resampled)
    if measure in _OF_SHARES:
        low, high = float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))
    return Estimate(value, low, high)


def _in_time(test: FactTestRow, sample: Sample, literature: Literature) -> bool:
    """Whether onset (or reversal) and length of the deficit lie where the fact was observed, by the declared scale."""
    scale, treatment = literature.scale(test.species), sample.treatment
    bounds = (test.onset_from, test.onset_to, test.duration_from)
    if all(bound is None for bound in bounds):
        return True
    if scale is None or scale.unit == "epoch" or treatment.start is None:
        return False
    onset = scale.age(treatment.start) * scale.unit_days
    duration = treatment.duration / scale.epochs_per_unit * scale.unit_days
    return (
        (test.onset_from is None or onset >= days_of(test.onset_from) - 1e-9)
        and (test.onset_to is None or onset <= days_of(test.onset_to) + 1e-9)
        and (test.duration_from is None or duration >= days_of(test.duration_from) - 1e-9)
    )


def _published(test: FactTestRow, literature: Literature) -> tuple[str, str, str]:
    if test.published in literature.facts:
        fact = literature.facts[test.published]
        return fact.words, fact.evidence, fact.reference
    record = literature.histograms[test.published]
    if test.measure in _OF_SHARES:
        number = _OF_SHARES[test.measure](record.shares[None])[0]
        words = f"{test.measure} of {record.name}: {number:.2f}"
    else:
        words = f"CBI of {record.name}: {contralateral_bias(record.counts):.2f}"
    return words, f"derived from the histogram, which is {record.evidence}", record.reference


# Measures of the shares alone, [draw, 7] to [draw]; group 1 = deprived eye only, 7 = fellow eye only.
_OF_SHARES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "binocular share": lambda shares: shares[:, 1:6].sum(1),
    "least influence": lambda shares: np.minimum(shares[:, :6].sum(1), shares[:, 1:].sum(1)),
    "deprived influence": lambda shares: shares[:, :6].sum(1),
    "fellow only": lambda shares: shares[:, 6],
    "deprived dominated": lambda shares: _dominated(np.clip(shares, 0, None)),
    "cbi": lambda shares: (1 + shares @ CBI_WEIGHTS) / 2,
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


def _of_shares(name: str) -> Callable[[Study, Sample, Sample | None], Resampled]:
    def measure(study: Study, sample: Sample, baseline: Sample | None) -> Resampled:
        if np.isnan(sample.shares).any():
            return "all units are silent"
        return float(_OF_SHARES[name](sample.shares[None])[0]), _OF_SHARES[name](sample.resampled)

    return measure


def _against_normal(
    name: str, combine: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Callable[[Study, Sample, Sample | None], Resampled]:
    def measure(study: Study, sample: Sample, baseline: Sample | None) -> Resampled:
        if baseline is None:
            return "no normal condition to compare with"
        if np.isnan(sample.shares).any() or np.isnan(baseline.shares).any():
            return "all units are silent"
        of = _OF_SHARES[name]
        value = combine(of(sample.shares[None]), of(baseline.shares[None]))[0]
        if not np.isfinite(value):
            return "normal subjects have no unit of that kind"
        return float(value), combine(of(sample.resampled), of(baseline.resampled))

    return measure


def _unit_monocularity(study: Study, sample: Sample, baseline: Sample | None) -> Resampled:
    """Median of |RSV| over units, mean over subjects; subjects (n - 1 of n) and their units are resampled."""
    values = [np.abs(units) for units in sample.values if len(units)]
    if not values:
        return "all units are silent"
    rng = generator(f"unit-mi/{sample.name}/{sample.site}/{sample.epoch}")
    medians = []
    for units in values:
        picked = rng.integers(0, len(units), size=(DRAWS // 4, len(units)))
        medians.append(np.median(units[picked], axis=1))
    return float(np.mean([np.median(units) for units in values])), _over_subjects(np.array(medians), rng)


def _over_subjects(per_subject: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return means over drawn subjects, from ``[subject, draw]`` to ``[draw]``."""
    count, draws = per_subject.shape
    if count == 1:
        return per_subject[0]
    picked = rng.integers(0, count, size=(count - 1, draws))
    return per_subject[picked, np.arange(draws)].mean(0)


def _stereopsis_lost(study: Study, sample: Sample, baseline: Sample | None) -> Resampled:
    """Accuracy on disparity alone, normal subjects less these; both means spread as Student's t over subjects."""
    if "stereopsis" not in study.tasks:
        return "no test of stereopsis"
    if baseline is None:
        return "no normal condition to compare with"
    rng = generator(f"stereopsis/{sample.name}/{sample.epoch}")
    means, spreads = [], []
    for one in (baseline, sample):
        values = accuracies(condition_named(study, one.name), "stereopsis", one.epoch)
        values = values[~np.isnan(values)]
        if not len(values):
            return "stereopsis was not tested"
        means.append(values.mean())
        spreads.append(spread_of_mean(values, rng))
    return float(means[0] - means[1]), means[0] - means[1] + spreads[0] - spreads[1]


_AGAINST_NORMAL: dict[str, Callable[[Study, Sample, Sample | None], Resampled]] = {
    "shift from normal": _against_normal("cbi", lambda one, normal: normal - one),
    "binocular relative to normal": _against_normal("binocular share", lambda one, normal: _ratio(one, normal)),
    "mi above normal": _against_normal("mi", lambda one, normal: one - normal),
    "stereopsis lost": _stereopsis_lost,
}
MEASURES: dict[str, Callable[[Study, Sample, Sample | None], Resampled]] = {
    **{name: _of_shares(name) for name in _OF_SHARES},
    "median unit mi": _unit_monocularity,
    **_AGAINST_NORMAL,
}
"""How each measure is taken, by name; ``shift from normal`` is CBI of normal subjects of the same age less that of
these (positive: towards the fellow eye)."""
assert set(MEASURES) == set(MEASURE_NAMES)
