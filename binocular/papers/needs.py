"""What claims are judged on: studies of the library, reared or taken up, and measured where a claim asks for it."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import shutil
import sys
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.papers.claims import Need, Scale
from binocular.papers.costs import duration_words
from binocular.stimuli.errors import BadInput, CannotRead, MissingData
from binocular.store.sealing import atomic_write

if TYPE_CHECKING:
    from binocular.probes.base import Probe
    from binocular.protocols import Protocol
    from binocular.store.study import Study

__all__ = ["Measure", "StudyFailed", "StudyNeed", "both_scales"]


class StudyFailed(RuntimeError):
    """Subjects of a study could not be reared: a fault, and not something that the machine lacks."""


@dataclass(frozen=True)
class Measure:
    """A probe that is taken from the snapshots of a finished study.

    Attributes
    ----------
    probe
        Its name, see ``binocular measure --list``.
    settings
        Texts ``field=value``.
    sites
        Where; of no consequence for a probe of the network as a whole.
    when
        ``"branches"`` or ``"end"``, see `binocular.runs.measuring.measure_study`.
    """

    probe: str
    settings: tuple[str, ...] = ()
    sites: tuple[str, ...] = ("representation",)
    when: str = "branches"


@dataclass(frozen=True)
class StudyNeed:
    """A study of a protocol of the library.

    Attributes
    ----------
    key
        Name of its folder: lower case, digits and hyphens.
    protocol
        Name of a protocol of the library, or the path of a ``.toml`` file.
    settings
        Texts ``field=value`` that change it, as with ``binocular run --set``.
    measures
        Probes taken when it is reared.
    graphics_card
        Whether rearing it on a CPU takes so long that it is done only where ``--device cpu`` asks for it.
    instead
        Settings that take other images where the set is not on this machine; the study then says so in its deviations.
    """

    key: str
    protocol: str
    settings: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    graphics_card: bool = False
    instead: tuple[str, ...] = ()

    def load(self) -> Protocol:
        """Return the checked protocol."""
        from binocular.protocols import load_protocol

        return load_protocol(self.protocol, self.settings)

    def with_seeds(self, seeds: Sequence[int]) -> StudyNeed:
        """Return the same need with other seeds."""
        return replace(self, settings=(*self.settings, f"seeds={list(seeds)}"))

    def _with_images_there(self) -> Protocol:
        """Return the protocol, with other images where its own are not on this machine."""
        from binocular.protocols import load_protocol

        protocol = self.load()
        if self.instead:
            try:
                protocol.stimulus.content()
            except MissingData as error:
                other = load_protocol(self.protocol, (*self.settings, *self.instead))
                told = f"Other images ({', '.join(self.instead)}), because {error}."
                return other.model_copy(update={"deviations": (told, *other.deviations)})
        return protocol

    @property
    def command(self) -> str:
        """The command that rears the same study by itself."""
        settings = [part for text in self.settings for part in ("--set", text)]
        return shlex.join(["binocular", "run", self.protocol, *settings])

    def pieces(self, seeds: Sequence[int] = ()) -> dict[Hashable, float]:
        """Return the epochs to be reared; see `binocular.papers.claims.Need`."""
        states, seconds, own = _epochs(self)
        return {(state, seed): seconds for seed in seeds or own for state in states}

    def expected(self, seeds: Sequence[int] = ()) -> str:
        """Return what rearing it takes, in words."""
        from binocular.store.provenance import usable_cores

        pieces = self.pieces(seeds)
        if self.graphics_card:
            return f"{len(pieces)} subject-epochs, needs a GPU"
        seconds = sum(pieces.values()) / usable_cores()
        time = "" if math.isnan(seconds) else f", about {duration_words(seconds)} on {usable_cores()} cores"
        return f"{len(pieces)} subject-epochs{time}"

    def obtain(self, folder: Path, device: str, quiet: bool) -> Study:
        """Rear the study, or take it up, and take its measures; see `binocular.papers.claims.Need`.

        Finished histories of other studies in the folder are used where they are the same; further seeds of the same
        study that are there are left out of what is returned.

        Raises
        ------
        BadInput
            If there is no GPU where one is needed, or what the protocol asks for is not there.
        StudyFailed
            If a subject could not be reared.
        """
        from binocular.probes.registry import probe_from
        from binocular.runs.measuring import measure_study
        from binocular.runs.planning import usable_device
        from binocular.runs.progress import progress_for
        from binocular.runs.running import run_study
        from binocular.store.study import load_study

        if self.graphics_card and device == "auto" and usable_device(device) != "cuda":
            raise BadInput("needs a GPU that torch can use (CUDA); --device cpu rears it nevertheless, in weeks")
        asked, own = self._with_images_there(), Path(folder) / self.key
        protocol = _with_seeds_there(asked, own)
        probes = [(measure, probe_from(measure.probe, measure.settings)) for measure in self.measures]
        _link_finished(protocol, Path(folder), own, device)
        progress = progress_for(quiet)
        if progress is not None:
            print(f"{self.key}:", file=sys.stderr, flush=True)
        outcome = run_study(protocol, own, device, progress, self.command, processes=True, allow_large=None)
        if outcome.failures:
            (condition, seed), cause = next(iter(outcome.failures.items()))
            raise StudyFailed(
                f"{len(outcome.failures)} subjects of {self.key} failed; {condition}, seed {seed}: {cause}"
            )
        study = load_study(outcome.study)
        for measure, probe in probes:
            if not _measured(study, measure, probe):
                if not quiet:
                    print(f"measuring {probe.name}", file=sys.stderr, flush=True)
                measure_study(outcome.study, probe, measure.sites, measure.when, device)
                study = load_study(outcome.study)
        return study if protocol is asked else self.only_seeds(study, asked.seed_list)

    def only_seeds(self, study: Study, seeds: Sequence[int]) -> Study:
        """Return what was obtained without the subjects of other seeds."""
        conditions = (
            replace(condition, subjects=tuple(subject for subject in condition.subjects if subject.seed in seeds))
            for condition in study.conditions
        )
        return replace(study, conditions=tuple(conditions))


@lru_cache
def _epochs(need: StudyNeed) -> tuple[frozenset[str], float, tuple[int, ...]]:
    """Return which epochs a subject of a study is reared for, as states after them, the seconds of one, and the seeds.

    The states are the same in studies that share them (`binocular.rearing.tree`), whether or not their images are here.
    """
    from binocular.rearing.tree import chain, identity_of
    from binocular.report.showing import expected_seconds

    protocol = need.load()
    begun = identity_of(protocol.model_dump(mode="json", include={"stimulus", "network", "training"}))
    courses = [condition.epoch_conditions() for condition in protocol.resolved_conditions()]
    states = frozenset(state for epochs in courses for state in chain(begun, epochs)[1:])
    seconds = None if need.graphics_card else expected_seconds(protocol, 1, 1)
    return states, math.nan if seconds is None else seconds, protocol.seed_list


def both_scales(*needs: tuple[Need, Need]) -> dict[Scale, tuple[Need, ...]]:
    """Return by scale what comes as pairs, one for the laboratory and one as published."""
    return {"lab": tuple(lab for lab, _ in needs), "paper": tuple(paper for _, paper in needs)}


def _with_seeds_there(protocol: Protocol, own: Path) -> Protocol:
    """Return the protocol of the study in a folder where it is the same with more seeds, so that none is lost.

    The file of the same study with fewer seeds makes way: every subject of it will be in the new one.
    """
    from binocular.protocols import parse_protocol
    from binocular.store.opening import opened
    from binocular.store.tables import plain_attributes

    try:
        with opened(own / "study.h5") as file:
            there = parse_protocol(str(plain_attributes(file)["protocol"]))
    except CannotRead:
        raise
    except (BadInput, KeyError):
        return protocol
    if there.model_copy(update={"seeds": protocol.seeds}) != protocol:
        return protocol
    known, asked = set(there.seed_list), set(protocol.seed_list)
    if known < asked:
        (own / "study.h5").unlink()
    return there if known > asked else protocol


def _link_finished(protocol: Protocol, folder: Path, own: Path, device: str) -> None:
    """Take over finished nodes of the same histories from the studies beside this one.

    Node files are written once and replaced as a whole, so that a link is as good as a copy and takes no room. Whether
    a node fits to the last detail is checked when the study is run.
    """
    others = [other / "nodes" for other in sorted(folder.glob("*")) if other != own and (other / "nodes").is_dir()]
    if not others:
        return
    from binocular.rearing.tree import chain
    from binocular.runs.planning import plan_study

    plan = plan_study(protocol, device).plan
    for seed in protocol.seed_list:
        origin = plan.origin(seed)
        for condition in protocol.resolved_conditions():
            for state in chain(origin, condition.epoch_conditions()):
                here = own / "nodes" / f"{state}.h5"
                there = next((other / here.name for other in others if (other / here.name).is_file()), None)
                if there is not None and not here.exists():
                    here.parent.mkdir(parents=True, exist_ok=True)
                    try:
                        os.link(there, here)
                    except OSError:  # no links on this disk; what cannot be copied is reared
                        with contextlib.suppress(OSError, BadInput), atomic_write(here) as temporary:
                            shutil.copyfile(there, temporary)


def _measured(study: Study, measure: Measure, probe: Probe) -> bool:
    """Whether every subject has the measure, taken with the same settings."""
    from binocular.probes.base import NETWORK

    wanted = {probe.site_name(site) for site in (measure.sites if probe.scope == "site" else (NETWORK,))}
    settings = probe.model_dump(mode="json")
    subjects = [subject for condition in study.conditions for subject in condition.subjects]
    found = (subject.measures.get((probe.name, site)) for subject in subjects for site in wanted)
    return all(record is not None and record.settings == settings for record in found)
