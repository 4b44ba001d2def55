"""Running a study: what is not yet reared is reared, and all is put together; any kill leaves a state that resumes."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import logging
import platform
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from binocular.rearing.stopwatch import spending
from binocular.rearing.tree import Node
from binocular.runs.checking import check_protocol
from binocular.runs.collecting import subject_record, tree_record
from binocular.runs.planning import StudyPlan, usable_cores
from binocular.runs.scheduling import rear_here
from binocular.stimuli.errors import BadInput
from binocular.store.folder import folder_lock, try_folder
from binocular.store.opening import opened
from binocular.store.snapshots import node_path, partial_path, prune_node, read_node
from binocular.store.writing import ConditionHeader, StudyHeader, write_study, write_subject

if TYPE_CHECKING:
    from binocular import protocols

__all__ = ["Outcome", "Progress", "device_name", "run_study", "versions"]

_log = logging.getLogger("binocular")

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
    allow_large: bool = False,
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

    Returns
    -------
    Outcome
        Where the study lies and what failed.

    Raises
    ------
    BadInput
        If the protocol asks for something that cannot be had, the folder is in use, or the disk is too small.
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
    if progress is True:
        from binocular.runs.progress import Lines

        progress = Lines(sys.stdout)
    created, folder = _now(), Path(folder)
    with spending("planning"):
        found = check_protocol(protocol, device, allow_large)
        study, state_bytes = found.study, found.state_bytes
    for note in found.notes:
        _log.warning(note)
    with folder_lock(folder):
        if fresh:
            for part in ("nodes", "subjects", "measures"):
                shutil.rmtree(folder / part, ignore_errors=True)
        for debris in folder.rglob(".*.partial"):  # of a run that was killed in the middle of a write
            debris.unlink(missing_ok=True)
        try_folder(folder, (_subject_file(*subject) for subject in study.tree.path))
        outstanding = study.outstanding(folder)
        _check_disk(folder, len(outstanding) + usable_cores(), state_bytes)
        todo = sum(node.stop - node.start for node in outstanding) - _begun(outstanding, folder)
        total = study.tree.epochs_shared
        with spending("rearing"):
            rearing = _way_of_rearing(study, outstanding, dask, processes)
            failed = _rear(rearing, study, outstanding, folder, progress or None, (total, total - todo))
        outcome = Outcome(folder / "study.h5", reared=todo, found=total - todo)
        for subject, path in study.tree.path.items():
            causes = [failed[identity] for identity in path if identity in failed]
            if causes:
                outcome.failures[subject] = causes[0]
        with spending("writing"):
            _assemble(study, folder, outcome, created, command)
        if not outcome.failures:
            _prune(study, folder, keep, state_bytes)
    return outcome


def _prune(study: StudyPlan, folder: Path, keep: str, state_bytes: int) -> None:
    nodes = study.tree.nodes()
    if keep == "all" or (keep == "auto" and len(nodes) * state_bytes < _ROOM_FOR_STATES):
        return
    ends = {path[-1] for path in study.tree.path.values()}
    for node in nodes:
        if node.identity not in ends:
            prune_node(node_path(folder, node.identity))


_Rearing = Callable[[StudyPlan, Sequence[Node], Path, Callable[[Node], None] | None], dict[str, str]]


def _way_of_rearing(study: StudyPlan, outstanding: Sequence[Node], dask: str, processes: bool) -> _Rearing:
    if dask:
        from binocular.runs.cluster import rear_on_dask

        return partial(rear_on_dask, where=dask)
    if processes:
        from binocular.runs.processes import rear_in_processes, worth_processes

        if worth_processes(study, outstanding):
            return rear_in_processes
    return rear_here


def _rear(
    rearing: _Rearing,
    study: StudyPlan,
    outstanding: Sequence[Node],
    folder: Path,
    progress: Progress | None,
    counts: tuple[int, int],
) -> dict[str, str]:
    if progress is not None:
        progress.start(*counts)
    try:
        return rearing(study, outstanding, folder, None if progress is None else progress.epoch)
    finally:
        if progress is not None:
            progress.close()


def _begun(outstanding: Sequence[Node], folder: Path) -> int:
    """Epochs that an interrupted run has reared of nodes that are not done."""
    records = (read_node(partial_path(folder, node.identity)) for node in outstanding)
    return sum(record.done - record.start for record in records if record is not None)


def _assemble(study: StudyPlan, folder: Path, outcome: Outcome, created: str, command: str) -> None:
    protocol = study.protocol
    conditions = protocol.resolved_conditions()
    files = []
    for condition in conditions:
        for seed in protocol.seed_list:
            record = subject_record(study, condition, seed, folder, versions())
            if record is None:
                outcome.failures.setdefault((condition.name, seed), "its files are missing or damaged")
                continue
            files.append(folder / "subjects" / _subject_file(condition.name, seed))
            write_subject(files[-1], record)
    header = StudyHeader(
        title=protocol.title,
        protocol=protocol.to_toml(),
        protocol_hash=protocol.hash(),
        created=created,
        finished=_now(),
        versions=versions(),
        device=device_name(study.plan.device),
        command=command,
        treated_eye=protocol.treated_eye,
        conditions=[ConditionHeader(c.name, c.label, c.values) for c in conditions],
        seeds=protocol.seed_list,
    )
    _keep_other_study(outcome.study, protocol.hash())
    write_study(outcome.study, header, files, tree_record(study, folder), outcome.failures, folder / "measures")


def _subject_file(condition: str, seed: int) -> str:
    return f"{condition}.{seed}.h5"


def _keep_other_study(path: Path, protocol_hash: str) -> None:
    """Rename a study of another protocol that lies where ours will be written; nothing is lost."""
    try:
        with opened(path, seal="required") as file:
            other = str(file.attrs.get("protocol_hash"))
    except BadInput:
        return
    other = other if re.fullmatch(r"\w{1,64}", other) else "unknown"
    if other != protocol_hash:
        path.replace(path.with_name(f"study-{other}.h5"))


def _check_disk(folder: Path, states: int, state_bytes: int) -> None:
    needed = 2 * states * (state_bytes + 200_000)  # states, histories and probes, subjects and study
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInput(
            f"--out: {folder} has {free / 1e6:.0f} MB free and the study needs about {needed / 1e6:.0f} MB; "
            "free some room or name a folder on another disk"
        )


def versions() -> dict[str, str]:
    """Return the versions of the software that decides results."""
    found = {"python": platform.python_version()}
    for name in ("binocular-lab", "torch", "numpy", "h5py", "scikit-image"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def device_name(device: str) -> str:
    """Return what ``"cpu"`` or ``"cuda"`` is on this machine, in words."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {usable_cores()} cores"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
