"""Measuring a finished study again: its snapshots are loaded, a probe looks at each, the study is built anew.

Snapshots are the untrained network, which the seed gives, and the states at the ends of the branches of the phase tree
that a subject went through, which rearing left in the study's folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from binocular import protocols
from binocular.networks.build import network_of
from binocular.networks.sites import REPRESENTATION, resolve_site, site_name
from binocular.probes.base import Probe
from binocular.probes.normalisation import adapted
from binocular.probes.recording import units_at
from binocular.probes.registry import probe_from
from binocular.probes.taking import stacked, take, units_of
from binocular.protocols import parse_protocol
from binocular.rearing.cohort import restored
from binocular.rearing.randomness import OwnStreams
from binocular.runs.changes import check_unchanged
from binocular.runs.planning import usable_device
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.folder import folder_lock
from binocular.store.measures import Measures, measure_path, measures_of, write_measure
from binocular.store.opening import opened, study_file
from binocular.store.ownership import remove_leftovers
from binocular.store.places import check_output
from binocular.store.provenance import now, usable_cores, versions
from binocular.store.records import MeasureRecord, SubjectRecord, TreeRecord
from binocular.store.snapshots import node_path, read_node
from binocular.store.study import Study, load_study
from binocular.store.tables import read_table, subgroup
from binocular.store.writing import ConditionHeader, StudyHeader, write_study

__all__ = ["measure_study"]


_Snapshot = tuple[int, dict[str, torch.Tensor]]
"""An epoch (completed) and the state then; no state for the untrained network, which the seed gives."""


@own_settings()
def measure_study(
    path: Path | str,
    probe: Probe | str,
    sites: Sequence[str] = (),
    when: str = "branches",
    device: str = "cpu",
    on_subject: Callable[[int, int], None] | None = None,
) -> Path:
    """Measure every subject of a study with one probe and add what was found to the study.

    Parameters
    ----------
    path
        A ``study.h5``, or the folder that holds one; the snapshots lie in the same folder.
    probe
        What to measure: a probe, or a name of `binocular.probes.PROBES` for one with its usual settings.
    sites
        Where; by default the probe's usual site if the study recorded there, else the representation. Of no consequence
        for a probe of the network as a whole.
    when
        ``"branches"``: the untrained network and the end of every branch of the phase tree that a subject went through;
        ``"end"``: the untrained network and the end of rearing.
    device
        ``"auto"`` (CUDA where there is one), ``"cpu"`` or ``"cuda"``.
    on_subject
        Called before the first and after each subject, from several threads, with how many are done and of how many.

    Returns
    -------
    Path
        The study, built again with the measures in it. Other measures are kept; one of the same probe at the same site
        is replaced.

    Raises
    ------
    BadInput
        If the study cannot be read, nothing can be written beside it, a snapshot is missing, stimuli or network have
        changed since, or the network has no such site.
    """
    if when not in ("branches", "end"):
        raise BadInput(f"--when: '{when}' is not known; accepted: branches, end")
    device = usable_device(device)
    probe = probe_from(probe) if isinstance(probe, str) else probe
    path = study_file(path)
    study = load_study(path)
    sites = sites or (probe.usual_site if probe.usual_site in study.sites else REPRESENTATION,)
    folder = path.parent
    for place in (path, folder / "measures"):
        check_output(place, "STUDY", folder=place != path)
    protocol = parse_protocol(str(study.attributes["protocol"]), f"{path}: protocol")
    subjects = study.subjects
    if not subjects:
        raise BadInput(f"{path} has no subjects to measure; accepted is a study with at least one")
    with folder_lock(folder, "STUDY"):
        remove_leftovers(folder)
        for subject in subjects:  # nothing is measured unless all can be
            _snapshots(folder, subject, when, load=False)
        check_unchanged(folder, protocol, subjects)
        stimuli = {seed: protocol.stimulus.build(seed, device) for seed in {subject.seed for subject in subjects}}

        done: list[str] = []
        if on_subject is not None:
            on_subject(0, len(subjects))

        def one(subject: SubjectRecord) -> None:
            torch.set_num_threads(1)
            stimulus = stimuli[subject.seed]
            found = _measured(protocol, stimulus, subject, probe, sites, _snapshots(folder, subject, when))
            identity = subject.subject_id
            kept = {key: m for key, m in measures_of(folder / "measures", identity).items() if key[0] == probe.name}
            write_measure(measure_path(folder, identity, probe.name), identity, {**kept, **found})
            done.append(identity)
            if on_subject is not None:
                on_subject(len(done), len(subjects))

        threads = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(usable_cores() if device == "cpu" else 1, "measuring") as pool:
                list(pool.map(one, subjects))
        finally:
            torch.set_num_threads(threads)
        any_stimulus = next(iter(stimuli.values()))
        _rebuild(path, study, [_with_units(subject, protocol, any_stimulus) for subject in subjects])
    return path


def _with_units(subject: SubjectRecord, protocol: protocols.Protocol, stimulus: StimulusSet) -> SubjectRecord:
    """Say what the units of a study of version 1 are: channels at each place where the name says so, else pooled."""
    if all(record.units is not None for record in subject.sites.values()):
        return subject
    spec = protocol.network
    network = network_of(spec, stimulus.shape, stimulus.n_classes, subject.seed)
    network = network.to(stimulus.labels["test"].device).eval()
    names = {site: site_name(site, "map" if site.endswith(".map") else "pooled") for site in subject.sites}
    units = units_at(network, stimulus.shape, [resolve_site(network, name) for name in names.values()])
    sites = {names[site]: replace(record, units=units[names[site]]) for site, record in subject.sites.items()}
    return replace(subject, sites=sites)


def _measured(
    protocol: protocols.Protocol,
    stimulus: StimulusSet,
    subject: SubjectRecord,
    probe: Probe,
    sites: Sequence[str],
    snapshots: Sequence[_Snapshot],
) -> Measures:
    """Measure snapshots of one subject, on the device of its stimuli; return a record per site, with a row for each."""
    device = stimulus.labels["test"].device
    spec, seed = protocol.network, subject.seed
    streams = OwnStreams(seed, device)
    rows: dict[str, list[dict[str, np.ndarray]]] = {}
    epochs, units = [], {}
    for epoch, state in snapshots:
        network = restored(network_of(spec, stimulus.shape, stimulus.n_classes, seed), state)
        network = network.to(device).eval()
        if protocol.probes.normalisation == "adapted":
            with streams.within("adapted", epoch):
                network = adapted(network, stimulus, seed)
        epochs.append(epoch)
        with streams.within(f"probe/{probe.name}/network", epoch):
            taken = take(probe, network, stimulus, seed, sites)
        for site, row in taken.items():
            rows.setdefault(site, []).append(row)
        units = units or units_of(probe, network, stimulus, sites)
    settings, measured_with = probe.model_dump(mode="json"), versions()
    return {
        (probe.name, site): MeasureRecord(
            np.array(epochs), stacked(probe, found), probe.columns, units.get(site), settings, measured_with
        )
        for site, found in rows.items()
    }


def _snapshots(folder: Path, subject: SubjectRecord, when: str, load: bool = True) -> list[_Snapshot]:
    """Return a subject's snapshots from the untrained network on; states only if they are to be loaded."""
    found: list[_Snapshot] = []
    identity, last = subject.subject_id, True
    while True:
        record = read_node(node_path(folder, identity))
        wanted = last or when == "branches"
        if record is None or (wanted and not record.state):
            what = "is missing or damaged" if record is None else "was given up after the run (--keep)"
            remedy = "rear the study again in this folder" + ("" if last else ", or measure with --when end")
            epoch = subject.phases[-1]["stop"] if last else found[-1][0]
            raise BadInput(
                f"{node_path(folder, identity)}: the snapshot of condition {subject.condition}, seed {subject.seed}, "
                f"{'at' if last else 'before'} epoch {epoch} {what}; {remedy}"
            )
        if wanted and (last or record.stop < found[-1][0]):
            found.append((record.stop, record.state if load else {}))
        if record.start == 0 or when == "end":
            return [(0, {}), *reversed(found)]
        identity, last = record.parent, False


def _rebuild(path: Path, study: Study, subjects: Sequence[SubjectRecord]) -> None:
    """Write the study again from what was in it, with the measures that lie beside it."""
    about = study.attributes
    header = StudyHeader(
        **{name: about[name] for name in ("title", "protocol", "protocol_hash", "created", "finished")},
        **{name: about[name] for name in ("device", "command", "treated_eye")},
        versions=study.versions,
        conditions=[ConditionHeader(c.name, c.label, c.values) for c in study.conditions],
        seeds=about["seeds"],
        assembled=now(),
    )
    write_study(path, header, subjects, _tree(path), dict(study.failures), path.parent / "measures")


def _tree(path: Path) -> TreeRecord | None:
    with opened(path) as file:
        if "tree" not in file:
            return None
        columns = read_table(subgroup(file, "tree"))
    columns.pop("node")
    texts = {name: [str(text) for text in columns.pop(name)] for name in ("identity", "parent", "conditions")}
    return TreeRecord(**texts, **columns)  # type: ignore[arg-type]
