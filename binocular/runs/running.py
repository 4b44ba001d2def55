"""Running a study: what is not yet reared is reared, and all is put together; any kill leaves a state that resumes."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from binocular import protocols
from binocular.rearing.stopwatch import timed
from binocular.rearing.tree import Node
from binocular.runs.changes import changes, check_folder, differing_fields
from binocular.runs.checking import check_protocol
from binocular.runs.cluster import check_cluster, rear_on_dask
from binocular.runs.collecting import subject_record, tree_record
from binocular.runs.planning import StudyPlan
from binocular.runs.processes import rear_in_processes, worth_processes
from binocular.runs.progress import Lines
from binocular.runs.scheduling import epochs_left, rear_here
from binocular.stimuli.errors import BadInput, CannotRead, warn
from binocular.stimuli.surroundings import own_settings
from binocular.store.folder import folder_lock, try_folder
from binocular.store.node_index import NodeIndex
from binocular.store.opening import opened
from binocular.store.ownership import own_files, remove_leftovers, set_aside
from binocular.store.provenance import device_name, now, origin, spanning, usable_cores, versions
from binocular.store.records import SubjectRecord
from binocular.store.snapshots import node_path, prune_node
from binocular.store.tables import plain_attributes
from binocular.store.writing import ConditionHeader, StudyHeader, write_study

__all__ = ["Outcome", "Progress", "device_name", "run_study", "versions"]

_ROOM_FOR_STATES = 2_000_000_000  # bytes


class Progress(Protocol):
    """What a run tells the person who waits; see `binocular.runs.progress`."""

    def start(self, epochs: int, done: int) -> None:
        """Rearing begins: epochs of the whole study, and epochs found done."""

    def epoch(self, node: Node) -> None:
        """One epoch of a node is done; called from several threads."""

    def close(self) -> None:
        """Rearing ended, for whatever reason."""


@dataclass
class Outcome:
    """How a run ended.

    Attributes
    ----------
    study
        The study file.
    failures
        For each (condition, seed) that could not be reared, the cause in one line.
    reared, found
        Epochs reared in this run, and epochs found done.
    """

    study: Path
    failures: dict[tuple[str, int], str] = field(default_factory=dict)
    reared: int = 0
    found: int = 0


@own_settings()
def run_study(
    protocol: protocols.Protocol,
    folder: Path | str,
    device: str = "auto",
    progress: Progress | bool | None = None,
    command: str = "",
    fresh: bool = False,
    dask: str = "",
    keep: str = "auto",
    processes: bool = False,
    allow_large: bool | None = False,
    option: str = "--out",
) -> Outcome:
    """Rear, measure and store all subjects of a protocol.

    Parameters
    ----------
    protocol
        A checked protocol.
    folder
        Output folder; what an earlier run left there is taken up.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    progress
        Told about each epoch; True prints a plain line every few seconds, as suits a notebook.
    command
        The command line, kept in the study.
    fresh
        Forget what earlier runs reared in this folder.
    keep
        States kept when all is done: ``"all"``, so that a later study can begin with any of them, ``"ends"``, those of
        the subjects at their last epoch, or ``"auto"``, all of them as long as they take less than 2 GB.
    dask
        Where to rear: number of workers or address of a scheduler, see `binocular.runs.cluster`; here where it is
        empty.
    processes
        Whether a study that is long enough may be reared in several processes of this machine, as the command line
        does: faster, and the same to the last bit. A script needs ``if __name__ == "__main__":`` for that.
    allow_large
        Let a study begin that is too large for what is there, see `binocular.runs.sizes`.
    option
        How messages call what named the folder.

    Returns
    -------
    Outcome
        Where the study lies and what failed.

    Raises
    ------
    BadInput
        If the protocol asks for something that cannot be had, the folder is in use, the disk is too small, or what
        lies in the folder cannot be read now.
    KeyboardInterrupt
        If the run was interrupted; the state is saved.

    Examples
    --------
    One subject for one epoch, and the same again, which finds it done.

    >>> import tempfile
    >>> from binocular import protocols
    >>> protocol = protocols.parse_protocol('''
    ... title = "One epoch"
    ... seeds = 1
    ... stimulus = { kind = "stereo-scenes", n_train = 20, n_test = 20 }
    ... network = { options = { width = 2 } }
    ... probes = { n_stimuli = 4, bootstrap = 0 }
    ... conditions = [{ name = "normal", phases = [{ epochs = 1 }] }]
    ... ''')
    >>> folder = tempfile.mkdtemp()
    >>> first, again = run_study(protocol, folder), run_study(protocol, folder)
    >>> first.study.name, first.reared, again.reared
    ('study.h5', 1, 0)
    >>> run_study(protocol, folder, device="abacus")
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: ...abacus...
    """
    if keep not in ("auto", "all", "ends"):
        raise BadInput(f"--keep: '{keep}' is not known; accepted: auto, all, ends")
    if dask:
        check_cluster(dask)
    if progress is True:
        progress = Lines(sys.stdout)
    folder = Path(folder)
    check_folder(folder, fresh, option)
    with timed("planning"):
        found = check_protocol(protocol, device, allow_large, command)
        study, state_bytes = found.study, found.state_bytes
    for note in found.notes:
        warn(note)
    with folder_lock(folder, option):
        try_folder(folder, option)
        remove_leftovers(folder)
        for path in own_files(folder) if fresh else ():
            path.unlink(missing_ok=True)
        index = NodeIndex(folder)
        outstanding = study.outstanding(index)
        for node in {node.identity for node in study.tree.nodes()} - {node.identity for node in outstanding}:
            node_path(folder, node, done=False).unlink(missing_ok=True)  # of a kill behind the last step of a node
        for change in changes(study, outstanding, index):
            warn(change)
        _set_aside_other_study(folder, protocol)
        _check_disk(folder, len(outstanding) + usable_cores(), state_bytes, option)
        todo = sum(epochs_left(node, folder) for node in outstanding)
        total = study.tree.epochs_shared
        with timed("rearing"):
            counts = total, total - todo
            failed = _rear(study, outstanding, folder, progress or None, counts, dask, processes)
        outcome = Outcome(folder / "study.h5", reared=todo, found=total - todo)
        for subject, path in study.tree.path.items():
            causes = [failed[identity] for identity in path if identity in failed]
            if causes:
                outcome.failures[subject] = causes[0]
        with timed("writing"):
            _assemble(study, folder, outcome, index)
        if not outcome.failures:
            _prune(study, index, keep)
            _say_what_others_began(folder)
        index.save()
    return outcome


def _say_what_others_began(folder: Path) -> None:
    """Tell of half-reared states in the folder of a study that is complete; nobody knows here whether they are wanted.

    They are not removed: the protocol whose run was stopped need not have left anything else.
    """
    begun = [path.stat().st_size for path in (folder / "nodes").glob("*.rearing.h5")]
    if begun:
        warn(
            f"{folder / 'nodes'} holds half-reared states of other studies ({len(begun)}, {sum(begun) / 1e6:.1f} MB): "
            "a run that was stopped takes its own up; if there is none to take up, delete *.rearing.h5 there"
        )


def _prune(study: StudyPlan, index: NodeIndex, keep: str) -> None:
    entries = [entry for node in study.tree.nodes() if (entry := index.entry(node.identity)) is not None]
    if keep == "all" or (keep == "auto" and sum(entry.stamp[0] for entry in entries) < _ROOM_FOR_STATES):
        return
    ends = {path[-1] for path in study.tree.path.values()}
    for entry in entries:
        if entry.identity not in ends and entry.has_state:
            prune_node(node_path(index.folder, entry.identity))


def _rear(
    study: StudyPlan,
    outstanding: Sequence[Node],
    folder: Path,
    progress: Progress | None,
    counts: tuple[int, int],
    dask: str,
    processes: bool,
) -> dict[str, str]:
    """Rear what is outstanding: on a cluster, in processes of this machine if they are worth it, or in threads."""
    on_epoch = (lambda node: None) if progress is None else progress.epoch
    if progress is not None:
        progress.start(*counts)
    try:
        if dask:
            return rear_on_dask(study, outstanding, folder, on_epoch, dask)
        if processes and worth_processes(study, outstanding):
            return rear_in_processes(study, outstanding, folder, on_epoch)
        return rear_here(study, outstanding, folder, on_epoch)
    finally:
        if progress is not None:
            progress.close()


def _assemble(study: StudyPlan, folder: Path, outcome: Outcome, index: NodeIndex) -> None:
    protocol, told = study.protocol, []

    def subjects() -> Iterator[SubjectRecord]:
        for condition in protocol.resolved_conditions():
            for seed in protocol.seed_list:
                record = subject_record(study, condition, seed, index)
                if record is None:
                    outcome.failures.setdefault((condition.name, seed), "its files are missing or damaged")
                else:
                    yield record

    # When and how the subjects were reared is known from the files of their nodes, before any of these is read again.
    for identities in study.tree.path.values():
        entries = [index.entry(identity) for identity in identities]
        told += [entry.provenance for entry in entries if entry is not None]
    reared = spanning(told) or origin(study.plan.device, study.plan.command)
    header = StudyHeader(
        title=protocol.title,
        protocol=protocol.to_toml(),
        protocol_hash=protocol.hash(),
        created=reared["began"],
        **{name: reared[name] for name in ("finished", "versions", "device", "command")},
        treated_eye=protocol.treated_eye,
        conditions=[ConditionHeader(c.name, c.label, c.values) for c in protocol.resolved_conditions()],
        seeds=protocol.seed_list,
        assembled=now(),
    )
    size = sum(entry.stamp[0] for node in study.tree.nodes() if (entry := index.entry(node.identity)) is not None)
    write_study(
        outcome.study, header, subjects(), tree_record(study, index), outcome.failures, folder / "measures", size
    )


def _set_aside_other_study(folder: Path, protocol: protocols.Protocol) -> None:
    """Rename a study of another protocol, and its figures, that lie where ours will be; nothing is lost."""
    try:
        with opened(folder / "study.h5", seal="ignored") as file:
            about = plain_attributes(file)
    except CannotRead:
        raise
    except BadInput:
        return
    other = str(about.get("protocol_hash"))
    other = other if re.fullmatch(r"\w{1,64}", other) else "unknown"
    if other != protocol.hash():
        differences = differing_fields(str(about.get("protocol", "")), protocol.to_toml())
        warn(
            f"{folder} holds the study '{about.get('title')}' of another protocol ({differences}); its file becomes "
            f"study-{other}.h5, and its report and figures are renamed likewise"
        )
        set_aside(folder, other)


def _check_disk(folder: Path, states: int, state_bytes: int, option: str) -> None:
    needed = 2 * states * (state_bytes + 200_000)  # states, histories and probes, subjects and study
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInput(
            f"{option}: {folder} has {free / 1e6:.0f} MB free and the study needs about {needed / 1e6:.0f} MB; "
            "free some room or name a folder on another disk"
        )
