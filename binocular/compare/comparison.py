"""A study beside the published data: histograms, curves, recovery and facts in one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from binocular.compare.collection import Literature, load_literature
from binocular.compare.curves import CurveComparison, compare_curves
from binocular.compare.facts import FactVerdict, evaluate_facts
from binocular.compare.histograms import HistogramComparison, compare_histograms, epoch_recorded, like_for_like
from binocular.compare.recovery import Recovery, recoveries
from binocular.compare.samples import Moment, Sample, sample_of, samples_of
from binocular.dominance import wasserstein
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.study import Study

__all__ = ["Comparison", "compare_study"]

_MAP = "representation.map"
_BOTH_ENDS = ("first_binocular", "representation")
"""The places at which verdicts are given: where the eyes first meet, and the last layer."""


@dataclass(frozen=True)
class Comparison:
    """Everything that is compared.

    Attributes
    ----------
    study, literature
        Ours, and the published records.
    chosen
        Ids that were asked for; empty = all.
    site, at, elsewhere
        Whose units, and when; and further sites at which the verdicts are taken too.
    histograms
        Every condition with the records asked for; by default with every animal's, and the networks' like for like.
    curves, recovery, facts
        See their modules.
    """

    study: Study
    literature: Literature
    chosen: tuple[str, ...]
    site: str
    at: Moment
    histograms: tuple[HistogramComparison, ...]
    curves: tuple[CurveComparison, ...]
    recovery: tuple[Recovery, ...]
    facts: tuple[FactVerdict, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[HistogramComparison, ...]:
        """The histograms to look at: those asked for; else those like for like; all of animals where none is."""
        animals_first = sorted(self.histograms, key=lambda found: found.record.is_network)
        if self.chosen:
            return tuple(animals_first)
        like = tuple(found for found in animals_first if found.like)
        return like or tuple(found for found in animals_first if not found.record.is_network)


@own_settings()
def compare_study(
    study: Study,
    ids: Sequence[str] = (),
    literature: Literature | Path | str | None = None,
    site: str | None = None,
    at: Moment = "recorded",
) -> Comparison:
    """Compare a study with published data.

    Parameters
    ----------
    study
        The study in memory, see `binocular.store.study.load_study`.
    ids
        Records to compare with (`Literature.ids`); all by default.
    literature
        The published records, or a folder of tables to add to those that ship with binocular.
    site
        Site of the units, the study's default one if None: the first binocular cells where they were recorded. Networks
        whose units were those of the last layer are compared with ``representation.map`` or ``representation`` where
        the study has it.
    at
        By default each published row at the moment at which its animals were ``"recorded"``; or all at the ``"end"`` of
        rearing, or where each ``"deficit"`` ended.

    Raises
    ------
    BadInput
        For an id or a site that is not there, a study without subjects, or a bad table.
    """
    if not isinstance(literature, Literature):
        literature = load_literature(literature)
    chosen = literature.select(ids)
    if not study.reared:
        raise BadInput("the study has no subject yet; `binocular run` rears them")
    site = site or study.default_site
    if site not in study.sites:
        raise BadInput(f"the study has no site {site!r}; accepted are {', '.join(study.sites)}")
    samples = samples_of(study, site, at)
    elsewhere = tuple(name for name in _BOTH_ENDS if name in study.sites and name != site)
    wanted = [record for name, record in literature.histograms.items() if not chosen or name in chosen]
    of_networks = next((name for name in (_MAP, "representation") if name in study.sites), site)
    compared = []
    for sample in samples:
        condition = sample.condition
        there = [one for one in elsewhere if one in condition.sites]
        alike = [record.id for record in like_for_like(sample, list(literature.histograms.values()), literature, at)]
        order = {name: rank for rank, name in enumerate(alike)}
        marks = _marks(sample)
        for record in sorted(wanted, key=lambda one: order.get(one.id, len(order))):
            # Networks that were treated otherwise are compared only when they are asked for.
            if record.is_network and not chosen and record.id not in order:
                continue
            epoch = epoch_recorded(sample.treatment, record, literature) if at == "recorded" else sample.epoch
            ours = of_networks if record.is_network and of_networks in condition.sites else site
            found = compare_histograms(sample_of(condition, ours, epoch), record, record.id in order)
            tests = {
                name: compare_histograms(sample_of(condition, name, epoch), record).test
                for name in there
                if not record.is_network
            }
            others = (other.shares for other in literature.histograms.values() if record.twin_of(other))
            twins = tuple(float(wasserstein(record.shares, shares)) for shares in others)
            compared.append(replace(found, twins=twins, elsewhere=tests, marks=marks))
    curves = [found for found in compare_curves(study, literature, site, at) if not chosen or found.id in chosen]
    asked = not chosen or any(name.startswith("recovery_") for name in chosen)
    sites = {name: evaluate_facts(study, literature, name, at) for name in elsewhere}
    moments = {moment: evaluate_facts(study, literature, site, moment) for moment in ("deficit", "end")}
    facts = []
    for index, found in enumerate(evaluate_facts(study, literature, site, at)):
        if not chosen or found.test.id in chosen:
            said = [{name: tests[index].verdict for name, tests in each.items()} for each in (sites, moments)]
            facts.append(replace(found, elsewhere=said[0], moments=said[1]))
    return Comparison(
        study, literature, chosen, site, at, tuple(compared), tuple(curves),
        tuple(recoveries(samples)) if asked else (), tuple(facts), elsewhere,
    )  # fmt: skip


def _marks(sample: Sample) -> tuple[Sample, ...]:
    """Return the subjects where their deficit ended and at the end of rearing, where these are two moments."""
    both = sample.at(sample.treatment.stop), sample.at(None)
    return both if both[0].epoch != both[1].epoch else ()
