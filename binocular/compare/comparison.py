"""A study beside the published data: histograms, curves, recovery and facts in one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from binocular.compare.collection import Literature, load_literature
from binocular.compare.curves import CurveComparison, compare_curves
from binocular.compare.facts import FactVerdict, evaluate_facts
from binocular.compare.histograms import HistogramComparison, compare_histograms, like_for_like, twin_distances
from binocular.compare.recovery import Recovery, recoveries
from binocular.compare.samples import Moment, samples_of
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
    study
        Ours.
    literature
        The published records.
    chosen
        Ids that were asked for; empty = all.
    site, at
        Whose units, and when.
    elsewhere
        Further sites at which the verdicts are taken too.
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
    at: Moment = "end",
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
        ``"end"`` of rearing, or where each ``"deficit"`` ended.

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
    there = {name: {sample.name: sample for sample in samples_of(study, name, at)} for name in elsewhere}
    wanted = [record for name, record in literature.histograms.items() if not chosen or name in chosen]
    of_networks = next((name for name in (_MAP, "representation") if name in study.sites), site)
    of_network = {s.name: s for s in samples_of(study, of_networks, at)}
    compared = []
    for sample in samples:
        alike = [record.id for record in like_for_like(sample, list(literature.histograms.values()), literature)]
        order = {name: rank for rank, name in enumerate(alike)}
        for record in sorted(wanted, key=lambda one: order.get(one.id, len(order))):
            # Networks that were treated otherwise are compared only when they are asked for.
            if record.is_network and not chosen and record.id not in order:
                continue
            ours = of_network.get(sample.name, sample) if record.is_network else sample
            found = compare_histograms(ours, record, record.id in order)
            others = {} if record.is_network else {name: there[name].get(sample.name) for name in there}
            tests = {name: compare_histograms(one, record).test for name, one in others.items() if one is not None}
            twins = twin_distances(record, literature.histograms.values())
            compared.append(replace(found, twins=twins, elsewhere=tests))
    curves = [found for found in compare_curves(study, literature, site, at) if not chosen or found.id in chosen]
    asked = not chosen or any(name.startswith("recovery_") for name in chosen)
    others = {name: {one.test.id: one.verdict for one in evaluate_facts(study, literature, name, at)} for name in there}
    facts = [
        replace(found, elsewhere={name: verdicts[found.test.id] for name, verdicts in others.items()})
        for found in evaluate_facts(study, literature, site, at)
        if not chosen or found.test.id in chosen
    ]
    return Comparison(
        study=study,
        literature=literature,
        chosen=chosen,
        site=site,
        at=at,
        histograms=tuple(compared),
        curves=tuple(curves),
        recovery=tuple(recoveries(study, samples)) if asked else (),
        facts=tuple(facts),
        elsewhere=elsewhere,
    )
