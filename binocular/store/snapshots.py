"""Node files: the state at the end of a stretch of rearing and what was measured on the way.

One HDF5 file per node, named by the identity of its end state, holds weights, normalisation statistics and momentum as
plain arrays, and the history and probes of its epochs. The same format, under another name, holds a stretch that is
still being reared, so that a kill costs at most the last few seconds. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import torch

from binocular.stimuli.errors import BadInput, CannotRead
from binocular.store.opening import opened
from binocular.store.provenance import spanning
from binocular.store.tables import new_file, read_arrays, subgroup, write_arrays

__all__ = [
    "NodeFacts",
    "NodeRecord",
    "Place",
    "node_path",
    "prune_node",
    "read_node",
]

_FORMAT = "binocular-node/1"
_MAPPINGS = ("made", "provenance")


class Place(Protocol):
    """A node's place in a phase tree: `binocular.rearing.tree.Node`."""

    identity: str
    parent: str
    seed: int
    start: int
    stop: int


@dataclass
class NodeFacts:
    """What is known of a node besides its weights and its measures.

    Attributes
    ----------
    identity, parent
        Hashes of the states at its end and at its beginning.
    seed, start, stop
        Seed and epochs (half open).
    measures
        What was measured, as JSON; a node measured otherwise is reared again.
    done, seconds
        Epochs completed, counted from the beginning of rearing, and time spent.
    satisfied
        Whether the criterion of a phase that ends by criterion has been met and the rest of that phase is skipped.
    made
        What decided the untrained network (`binocular.rearing.plan.Plan.made`), JSON-able.
    provenance
        When, with what and where it was reared, see `binocular.store.provenance.origin`.
    """

    identity: str
    parent: str
    seed: int
    start: int
    stop: int
    measures: str
    done: int
    seconds: float = 0.0
    satisfied: bool = False
    made: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return them by name, in order."""
        return {fact.name: getattr(self, fact.name) for fact in fields(NodeFacts)}


@dataclass
class NodeRecord(NodeFacts):
    """A node as far as it has been reared.

    Attributes
    ----------
    state
        Weights, buffers and momentum after ``done`` epochs.
    history
        Columns over the completed epochs.
    probes
        Per site the columns over the checkpoints so far, first axis the checkpoint.
    """

    state: dict[str, torch.Tensor] = field(default_factory=dict)
    history: dict[str, np.ndarray] = field(default_factory=dict)
    probes: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def checkpoints(self) -> list[int]:
        """Epochs (completed) at which every site was probed."""
        epochs = [set(columns["epoch"].tolist()) for columns in self.probes.values()]
        return sorted(set.intersection(*epochs)) if epochs else []

    def belongs_to(self, node: Place) -> bool:
        """Whether it is the record of a node: what it holds is what the node is, and not only what it is called."""
        same = self.identity == node.identity and self.seed == node.seed and self.stop == node.stop
        return same and (self.start != node.start or self.parent == node.parent)

    def has_checkpoints(self, wanted: Iterable[int]) -> bool:
        """Whether it was probed at all wanted epochs that it has come to."""
        return {epoch for epoch in wanted if epoch <= self.done} <= set(self.checkpoints)

    def write(self, path: Path) -> None:
        """Write it to a file (see `node_path`) in one step: the file is there whole, or as it was before."""
        arrays = {f"state/{name}": value.numpy() for name, value in self.state.items()}
        arrays |= {f"history/{name}": values for name, values in self.history.items()}
        for site, columns in self.probes.items():
            arrays |= {f"probes/{site}/{name}": values for name, values in columns.items()}
        facts = {name: json.dumps(v, sort_keys=True) if isinstance(v, dict) else v for name, v in self.facts().items()}
        with new_file(path, estimate=sum(values.nbytes for values in arrays.values()) + 1000 * len(arrays)) as file:
            write_arrays(file, arrays)
            file.attrs.update({"format": _FORMAT, **facts, "satisfied": int(self.satisfied)})

    def followed_by(self, after: NodeRecord) -> NodeRecord:
        """Return one record for this stretch and the next one of the same subject, which begins where this one ends."""
        probes = dict(after.probes)
        for site, columns in self.probes.items():
            later = after.probes.get(site)
            probes[site] = columns if later is None else {n: np.concatenate([columns[n], later[n]]) for n in columns}
        both = {n: np.concatenate([v, after.history[n]]) if n in after.history else v for n, v in self.history.items()}
        return replace(
            after,
            parent=self.parent,
            start=self.start,
            seconds=self.seconds + after.seconds,
            provenance=spanning([self.provenance, after.provenance]),
            history=both or after.history,
            probes=probes,
        )

    def since(self, start: int) -> NodeRecord:
        """Return it without what came before an epoch; what was measured at its beginning belongs to the past too."""
        if self.start == start:
            return self
        history = {n: v[self.history["epoch"] > start] for n, v in self.history.items()}
        probes = {s: {n: v[columns["epoch"] > start] for n, v in columns.items()} for s, columns in self.probes.items()}
        share = (self.stop - start) / (self.stop - self.start)
        return replace(self, start=start, seconds=self.seconds * share, history=history, probes=probes)


def node_path(folder: Path, identity: str, done: bool = True) -> Path:
    """Where a node lies in an output folder.

    Parameters
    ----------
    folder, identity
        The output folder, and the node's 24 hexadecimal digits.
    done
        Whether the finished node is meant, or the file that stands for it while it is being reared.
    """
    return folder / "nodes" / f"{identity}{'' if done else '.rearing'}.h5"


def read_node(path: Path, state: bool = True) -> NodeRecord | None:
    """Read a node file.

    Parameters
    ----------
    path, state
        The file, called after the identity of the node; whether the state is wanted too.

    Returns
    -------
    NodeRecord or None
        None where there is no file, or the file is damaged, altered, of another format, or holds another node than its
        name says: such a node is reared again.

    Raises
    ------
    CannotRead
        If it cannot be read now, whatever it holds.
    """
    try:
        with opened(path, "the state of a node", seal="required") as file:
            if file.attrs.get("format") != _FORMAT:
                return None
            parts = {part: read_arrays(subgroup(file, part)) for part in map(str, file) if state or part != "state"}
            facts = _facts(file)
            if facts["identity"] != path.name.partition(".")[0]:
                return None
            record = NodeRecord(**facts, history=parts.get("history", {}))
            record.state = {name: torch.from_numpy(values) for name, values in parts.get("state", {}).items()}
            for name, values in parts.get("probes", {}).items():
                site, _, column = name.rpartition("/")
                record.probes.setdefault(site, {})[column] = values
            return record
    except CannotRead:
        raise
    except BadInput:
        return None


def _facts(file: h5py.File) -> dict[str, Any]:
    found = {
        fact.name: file.attrs.get(fact.name, "{}" if fact.name in _MAPPINGS else None) for fact in fields(NodeFacts)
    }
    for name, value in found.items():
        found[name] = json.loads(str(value)) if name in _MAPPINGS else value.item() if hasattr(value, "item") else value
        kind = dict if name in _MAPPINGS else str if name in ("identity", "parent", "measures") else (int, float)
        if not isinstance(found[name], kind):
            raise TypeError(f"{name} is of another type, or missing")
    return {**found, "satisfied": bool(found["satisfied"])}


def prune_node(path: Path) -> int:
    """Drop the state of a finished node and keep what was measured; return the bytes gained."""
    record, before = read_node(path), path.stat().st_size if path.is_file() else 0
    if record is None or not record.state:
        return 0
    record.state = {}
    record.write(path)
    return before - path.stat().st_size
