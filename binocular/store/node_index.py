"""The index of an output folder's nodes: who is there, how far, for how long, without reading the files again.

``nodes/index.json`` holds the facts of each node file beside the size, the times and the inode of the file they were
read from. A file that is still the same is not read or hashed again; any other is, and must hold what its name says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from binocular.store.sealing import atomic_write
from binocular.store.snapshots import NodeFacts, NodeRecord, Place, node_path, read_node

__all__ = ["NodeEntry", "NodeIndex"]

_FORMAT = "binocular-node-index/1"


@dataclass
class NodeEntry(NodeFacts):
    """What is known of a node file.

    Attributes
    ----------
    checkpoints, has_state
        Epochs (completed) at which it was probed, and whether the state was kept.
    stamp
        Size, time of the last change of content and of the file's entry (ns), and inode of the file.
    """

    checkpoints: list[int] = field(default_factory=list)
    has_state: bool = False
    stamp: list[int] = field(default_factory=list)


class NodeIndex:
    """The nodes of an output folder.

    Parameters
    ----------
    folder
        The output folder; only one process at a time may write an index, the one that holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "nodes" / "index.json"
        self._entries = self._read()
        self._changed = False

    def entry(self, identity: str) -> NodeEntry | None:
        """Return what is known of a node, or None where there is no whole file of it."""
        path = node_path(self.folder, identity)
        known, stamp = self._entries.get(identity), _stamp(path)
        if stamp is None:
            return None
        if known is not None and known.stamp == stamp:
            return known
        record = read_node(path)
        if record is None:
            return None
        self._entries[identity] = NodeEntry(
            **record.facts(), checkpoints=record.checkpoints, has_state=bool(record.state), stamp=stamp
        )
        self._changed = True
        return self._entries[identity]

    def entries(self) -> list[NodeEntry]:
        """Return all that was known of earlier runs, whether the files are still there or not."""
        return list(self._entries.values())

    def finished(self, node: Place, checkpoints: Iterable[int], measures: str) -> list[NodeEntry]:
        """Return the files that make up a node which has been reared and measured as wanted, the last one first.

        An earlier study may have cut the same history at other epochs: the first file may begin before the node, and
        several may lead to its end. Empty where the node, or a part of it, has to be reared.
        """
        parts: list[NodeEntry] = []
        identity, stop = node.identity, node.stop
        while True:
            entry = self.entry(identity)
            if entry is None or (entry.seed, entry.stop, entry.done) != (node.seed, stop, stop):
                return []
            if entry.measures != measures or (entry.start == node.start and entry.parent != node.parent):
                return []
            parts.append(entry)
            if entry.start <= node.start:
                break
            identity, stop = entry.parent, entry.start
        there = {epoch for entry in parts for epoch in entry.checkpoints if epoch > node.start or epoch == 0}
        return parts if set(checkpoints) <= there else []

    def seconds(self, node: Place, parts: Iterable[NodeEntry]) -> float:
        """Return the time that the epochs of a node took, from the files that make it up; NaN where there are none."""
        shares = [part.seconds * (part.stop - max(part.start, node.start)) / (part.stop - part.start) for part in parts]
        return sum(shares) if shares else float("nan")

    def record(self, node: Place, parts: Iterable[NodeEntry]) -> NodeRecord | None:
        """Return the record of a node, without its state, from the files that make it up."""
        found: NodeRecord | None = None
        for part in parts:
            record = read_node(node_path(self.folder, part.identity), state=False)
            if record is None:
                return None
            found = record if found is None else record.followed_by(found)
        return None if found is None else found.since(node.start)

    def save(self) -> None:
        """Write the index if anything has changed."""
        if not self._changed:
            return
        with atomic_write(self._path) as temporary:
            kept = {identity: asdict(entry) for identity, entry in self._entries.items()}
            temporary.write_text(json.dumps({"format": _FORMAT, "nodes": kept}), encoding="utf-8")
        self._changed = False

    def _read(self) -> dict[str, NodeEntry]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            if stored["format"] != _FORMAT:
                return {}
            entries = {identity: NodeEntry(**entry) for identity, entry in stored["nodes"].items()}
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):  # one that is none is made anew
            return {}
        return {identity: entry for identity, entry in entries.items() if entry.identity == identity}


def _stamp(path: Path) -> list[int] | None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]
