"""The qualitative facts: each is tested on the conditions in which the same was done.

What is tested, on whom, and by which criterion stands in ``fact_tests.csv``. It is the same for every study, and was
settled before any study of the library was compared. The verdict is

- ``holds``: the 95 % interval of our number meets the criterion from end to end;
- ``does not hold``: it fails it from end to end;
- ``undecided``: the interval reaches across the criterion, or there is none, as with a single subject where only
  subjects vary;
- ``not in this study``: no condition of the study is like what was done, or what is needed was not measured.

Where several conditions qualify, the verdict is that of the longest deficit (of normal subjects, the longest rearing);
the others are kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from binocular.compare.collection import Literature
from binocular.compare.declared_rows import FactTestRow
from binocular.compare.measured import AGAINST_NORMAL, MEASURES, OF_SHARES
from binocular.compare.resampling import ends
from binocular.compare.rows import days_of
from binocular.compare.samples import Moment, Sample, baseline_of, samples_of
from binocular.dominance import contralateral_bias
from binocular.store.statistics import Interval, verdict_of
from binocular.store.study import Study

__all__ = ["FactVerdict", "Tested", "evaluate_facts"]


@dataclass(frozen=True)
class Tested:
    """One condition on which a fact was tested."""

    condition: str
    label: str
    treatment: str
    estimate: Interval
    subjects: int
    verdict: str
    baseline: str


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
    elsewhere
        The verdict at other places of the network, by site.
    moments
        The verdict where the deficit ended (``deficit``) and at the ``end`` of rearing.
    """

    test: FactTestRow
    published: str
    evidence: str
    reference: str
    verdict: str
    tested: tuple[Tested, ...] = ()
    why: str = ""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    moments: Mapping[str, str] = field(default_factory=dict)


def evaluate_facts(study: Study, literature: Literature, site: str, at: Moment = "recorded") -> list[FactVerdict]:
    """Test every fact on a study.

    Parameters
    ----------
    study, literature, site
        The study in memory; the facts and their tests; and whose units are counted.
    at
        ``"recorded"``: each test at its own moment, that at which the animals were examined (the end of rearing where
        it names none); or all at the end of rearing, or where each deficit ended.
    """
    samples: dict[Moment, list[Sample]] = {moment: samples_of(study, site, moment) for moment in ("end", "deficit")}
    own = at == "recorded"
    return [
        _evaluate(test, study, samples[test.moment or "end" if own else at], literature) for test in literature.tests
    ]


def _evaluate(test: FactTestRow, study: Study, samples: list[Sample], literature: Literature) -> FactVerdict:
    published, scale = _published(test, literature), literature.scale(test.species)
    done = [sample for sample in samples if sample.treatment.name in test.treatments]
    fitting = [sample for sample in done if _in_time(test, sample, literature)]
    fitting.sort(key=lambda sample: (-sample.treatment.duration, -sample.treatment.epochs))
    tested, reasons = [], []
    for sample in fitting:
        baseline = baseline_of(study, sample)
        found = MEASURES[test.measure](sample, baseline)
        if isinstance(found, str):
            reasons.append(found)
            continue
        estimate = _with_interval(test.measure, *found)
        against = baseline if test.measure in AGAINST_NORMAL else None
        tested.append(Tested(
            sample.name, sample.label, sample.treatment.sentence(scale), estimate, len(sample.counted),
            verdict_of(estimate, test.at_least, test.at_most),
            "" if against is None else f"{against.name} at epoch {against.epoch}",
        ))  # fmt: skip
    if tested:
        return FactVerdict(test, *published, tested[0].verdict, tuple(tested))
    if reasons:
        why = reasons[0]
    elif done:
        why = f"done at another age, for a shorter time or in another dose: {done[0].treatment.sentence(scale)}"
    else:
        why = "no condition with this treatment: " + " or ".join(test.treatments)
    return FactVerdict(test, *published, "not in this study", (), why)


def _with_interval(measure: str, value: float, resampled: np.ndarray) -> Interval:
    """Return a number with its 95 % interval, cut to 0 and 1 where no share or index can leave them."""
    if np.isnan(resampled).any():
        return Interval(value)
    low, high = ends(resampled)
    if measure in OF_SHARES:
        low, high = float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))
    return Interval(value, low, high, how="bootstrap")


def _in_time(test: FactTestRow, sample: Sample, literature: Literature) -> bool:
    """Whether onset (or reversal) and length of the deficit lie where the fact was observed, by the declared scale."""
    scale, treatment = literature.age_scale(test.species), sample.treatment
    both_open = 1 - treatment.share
    most = 1.0 if test.both_open_to is None else test.both_open_to
    if not (test.both_open_from or 0.0) - 1e-9 <= both_open <= most + 1e-9:
        return False
    if not any((test.onset_from, test.onset_to, test.duration_from, test.recovery_from)):
        return True
    if scale is None or treatment.start is None:
        return False
    onset = scale.age(treatment.start) * scale.unit_days
    lasted = (treatment.duration, sample.epoch - (treatment.stop or 0))
    duration, recovery = (epochs / scale.epochs_per_unit * scale.unit_days for epochs in lasted)
    least = ((onset, test.onset_from), (duration, test.duration_from), (recovery, test.recovery_from))
    late = test.onset_to is not None and onset > days_of(test.onset_to) + 1e-9
    return not late and all(bound is None or found >= days_of(bound) - 1e-9 for found, bound in least)


def _published(test: FactTestRow, literature: Literature) -> tuple[str, str, str]:
    if test.published in literature.facts:
        fact = literature.facts[test.published]
        return fact.words, fact.evidence, fact.reference
    record = literature.histograms[test.published]
    if test.measure in OF_SHARES:
        number = OF_SHARES[test.measure](record.shares[None])[0]
        words = f"{test.measure} of {record.name}: {number:.2f}"
    else:
        words = f"CBI of {record.name}: {contralateral_bias(record.counts):.2f}"
    return words, f"derived from the histogram, which is {record.evidence}", record.reference
