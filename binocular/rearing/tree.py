"""The phase tree: conditions that share a beginning share its computation.

Every state of a subject has an identity, a chained hash of everything that decided its weights: what stimulus, network,
training and seed, and what each epoch so far did. Two conditions whose identities agree up to an epoch are one branch
of the tree up to there, and a state that has been reared once is never reared again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from binocular.protocols import EpochConditions

__all__ = ["Node", "PhaseTree", "chain", "identity_of"]


def identity_of(content: Mapping[str, Any], before: str = "") -> str:
    """Hash a JSON-able mapping, and what came before it, to 24 hexadecimal digits.

    Parameters
    ----------
    content, before
        What decides the state, and the identity of the state before it.
    """
    text = before + json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def chain(origin: str, epochs: Sequence[EpochConditions]) -> list[str]:
    """Return the identity of the state before the first epoch and after each one, ``len(epochs) + 1`` in all.

    Parameters
    ----------
    origin, epochs
        Identity before the first epoch, and what happens in each, in order.
    """
    identities = [origin]
    for epoch in epochs:
        identities.append(identity_of(epoch.identity(), identities[-1]))
    return identities


@dataclass
class Node:
    """A stretch of epochs that some conditions of one seed have in common.

    Attributes
    ----------
    identity, parent
        Identities of the states at its end and at its beginning; the latter may be the untrained network's.
    seed, start, stop
        Seed of the subject, and its epochs, half open.
    epochs
        What each of its epochs does.
    checkpoints
        Epochs (completed) at which probes are taken, within ``start`` (if this is 0) to ``stop``.
    conditions
        Names of the conditions that pass through it.
    """

    identity: str
    parent: str
    seed: int
    start: int
    stop: int
    epochs: tuple[EpochConditions, ...]
    checkpoints: set[int] = field(default_factory=set)
    conditions: list[str] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        """Whether it begins with the untrained network."""
        return self.start == 0


class PhaseTree:
    """All subjects of a study as a forest, one tree per seed.

    Parameters
    ----------
    subjects
        For each subject its condition, seed, origin (identity of the untrained network), what its epochs do, and the
        epochs at which it is probed.
    """

    def __init__(self, subjects: Iterable[tuple[str, int, str, Sequence[EpochConditions], Iterable[int]]]) -> None:
        subjects = list(subjects)
        chains = [chain(origin, epochs) for _, _, origin, epochs, _ in subjects]
        boundaries = _boundaries(chains)
        self.graph = nx.DiGraph()
        self.path: dict[tuple[str, int], list[str]] = {}
        for (condition, seed, origin, epochs, checkpoints), states in zip(subjects, chains, strict=True):
            cuts = [0] + [e for e in range(1, len(states)) if states[e] in boundaries]
            path: list[str] = []
            parent = origin
            for start, stop in itertools.pairwise(cuts):
                identity = states[stop]
                if identity not in self.graph:
                    node = Node(identity, parent, seed, start, stop, tuple(epochs[start:stop]))
                    self.graph.add_node(identity, node=node)
                    if path:
                        self.graph.add_edge(parent, identity)
                node = self.node(identity)
                node.checkpoints |= {c for c in checkpoints if start < c <= stop or c == start == 0}
                node.conditions.append(condition)
                path.append(identity)
                parent = identity
            self.path[condition, seed] = path

    def node(self, identity: str) -> Node:
        """Return a node by its identity."""
        return self.graph.nodes[identity]["node"]

    def nodes(self) -> list[Node]:
        """Return all nodes, parents before children, longest remaining branch first."""
        remaining: dict[str, int] = {}
        for identity in reversed(list(nx.topological_sort(self.graph))):
            node = self.node(identity)
            after = [remaining[child] for child in self.graph.successors(identity)]
            remaining[identity] = node.stop - node.start + max(after, default=0)
        order = nx.lexicographical_topological_sort(
            self.graph, key=lambda identity: f"{-remaining[identity] + 10**9:010d} {self.node(identity).seed:020d}"
        )
        return [self.node(identity) for identity in order]

    @property
    def epochs_shared(self) -> int:
        """Epochs to be reared when common beginnings are reared once."""
        return sum(node.stop - node.start for node in self.nodes())

    @property
    def epochs_alone(self) -> int:
        """Epochs that would be reared if every subject were reared by itself."""
        return sum(sum(self.node(i).stop - self.node(i).start for i in path) for path in self.path.values())


def _boundaries(chains: Sequence[Sequence[str]]) -> set[str]:
    """States at which a branch ends or branches part."""
    followers: dict[str, set[str]] = {}
    ends = set()
    for states in chains:
        ends.add(states[-1])
        for state, following in itertools.pairwise(states):
            followers.setdefault(state, set()).add(following)
    return ends | {state for state, after in followers.items() if len(after) > 1}
