"""What is said before a run: what lies in its folder, and what has changed since subjects were reared there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from binocular.protocols import Protocol
from binocular.rearing.tree import Node
from binocular.runs.planning import StudyPlan, behind
from binocular.stimuli.errors import BadInput
from binocular.store.node_index import NodeEntry, NodeIndex
from binocular.store.ownership import own_files, strangers
from binocular.store.places import check_output
from binocular.store.records import SubjectRecord

__all__ = ["changes", "check_folder", "check_unchanged", "differing_fields"]

_WORDS = {
    "stimulus.files": "the files of the stimuli (what lies in them, or how they are called)",
    "stimulus.code": "the code of the stimuli",
    "stimulus.values": "what the stimuli hold",
    "network.code": "the code of the network",
    "network.start": "what the network begins with (its code, or a file of weights)",
    "torch": "the version of torch",
    "version": "the version of binocular's rearing",
}
_MOST = 4  # differences that are named


def check_folder(folder: Path, fresh: bool, option: str = "--out") -> None:
    """Make sure that a run may write into a folder, before anything is done.

    Parameters
    ----------
    folder, fresh, option
        The output folder, which need not exist; whether everything is to be reared anew; and how messages call the
        option that named the folder.

    Raises
    ------
    BadInput
        If no folder can be there; if it holds files that are not of this project, and no study or nodes of an earlier
        run; or if ``fresh`` would rear everything anew in a folder whose places for nodes and measures hold files of
        somebody else.
    """
    check_output(folder, option, folder=True)
    foreign = strangers(folder)
    ours = bool(own_files(folder)) or any(path not in foreign for path in folder.glob("*.h5"))
    in_the_way = [path for path in foreign if path.parent != folder or path.name in ("study.h5", "nodes", "measures")]
    if fresh and in_the_way:
        raise BadInput(
            f"--fresh: {_named(in_the_way, folder)} in {folder} was not written by binocular and is not removed; move "
            "it elsewhere, or name another folder"
        )
    if foreign and (not ours or folder / "study.h5" in foreign):
        raise BadInput(
            f"{option}: {folder} holds {_named(foreign, folder)}, which binocular did not write; name a new or an "
            "empty folder, or one of an earlier run"
        )


def _named(paths: Sequence[Path], folder: Path) -> str:
    names = [path.relative_to(folder).as_posix() for path in paths[:3]]
    return ", ".join(names) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def changes(study: StudyPlan, outstanding: Sequence[Node], index: NodeIndex) -> Iterator[str]:
    """Yield one sentence for what makes subjects be reared anew that were reared in this folder from other things.

    Only subjects whose settings are the same count: another width of the network is another study, and nobody wonders
    that it is reared.

    Parameters
    ----------
    study, outstanding, index
        The plan, the nodes to rear, and what was reared in the folder before.
    """
    reared: dict[int, list[NodeEntry]] = {}
    for entry in index.entries():
        if entry.made:
            reared.setdefault(entry.seed, []).append(entry)
    found: dict[str, set[int]] = {}
    for seed in dict.fromkeys(node.seed for node in outstanding if node.is_root):
        now = study.plan.made(seed)
        earlier = [entry for entry in reared.get(seed, []) if _settings(entry.made) == _settings(now)]
        if not earlier or any(entry.made == now for entry in earlier):
            continue
        latest = max(earlier, key=lambda entry: str(entry.provenance.get("finished", "")))
        what = [_WORDS.get(name, name) for name in _differences(latest.made, now)]
        found.setdefault(" and ".join(dict.fromkeys(what)), set()).add(seed)
    for what, seeds in found.items():
        numbers = ", ".join(map(str, sorted(seeds)[:8])) + (" ..." if len(seeds) > 8 else "")
        yield f"{what} changed since this folder's subjects were reared; anew: all of seed {numbers}"


def check_unchanged(folder: Path, protocol: Protocol, subjects: Iterable[SubjectRecord]) -> None:
    """Make sure that stimuli and network are still those with which the subjects of a folder were reared.

    Parameters
    ----------
    folder, protocol, subjects
        The output folder, held by this process; the study's protocol; and whom to measure.

    Raises
    ------
    BadInput
        If the files or the code of the stimuli, or the code or the weights of the network, have changed since.
    """
    now, index = behind(protocol), NodeIndex(folder)
    for subject in subjects:
        entry = index.entry(subject.subject_id)
        made = entry.made if entry else {}
        before = {part: made.get(part, {}) for part in now}
        known = {part: {key: value for key, value in now[part].items() if key in before[part]} for part in now}
        names = [name for name in _differences(before, known) if name in _WORDS]  # settings are the study's own
        if made.get("torch") != torch.__version__ and names == ["network.start"]:
            continue  # another version may draw other weights
        if names:
            raise BadInput(
                f"{' and '.join(_WORDS[name] for name in names)} changed since condition {subject.condition}, seed "
                f"{subject.seed}, was reared in {folder}; put back what it was, or run the study anew there"
            )


def _settings(made: Mapping[str, Any]) -> object:
    """Return what a protocol and the command line settle; the rest is what lies behind the names in them."""
    stimulus, network = made.get("stimulus", {}), made.get("network", {})
    rest = {name: made.get(name) for name in ("device", "precision", "packing", "optimiser", "seed")}
    return stimulus.get("settings"), network.get("settings"), rest


def _differences(before: Any, after: Any, name: str = "") -> list[str]:
    """Return the dotted names of what differs; below ``code`` only that it does."""
    if before == after:
        return []
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)) or name.endswith(".code"):
        return [name]
    keys = dict.fromkeys([*before, *after])
    return [
        found for key in keys for found in _differences(before.get(key), after.get(key), f"{name}.{key}".lstrip("."))
    ]


def differing_fields(before: str, after: str) -> str:
    """Return in a few words in which fields two protocols, given as TOML, differ.

    Parameters
    ----------
    before, after
        The protocols.
    """
    try:
        names = _differences(tomllib.loads(before), tomllib.loads(after))
    except tomllib.TOMLDecodeError:
        return "it cannot be read"
    told = ", ".join(names[:_MOST])
    return f"other {told}" + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
