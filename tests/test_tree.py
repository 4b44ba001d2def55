"""The phase tree by hand-made histories."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from binocular.rearing.tree import PhaseTree, chain


@dataclass(frozen=True)
class Epoch:
    """As much of an epoch's conditions as the tree looks at."""

    what: str

    def identity(self) -> dict[str, Any]:
        return {"what": self.what}


def _tree(histories, seeds=(0,)):
    return PhaseTree(
        (name, seed, f"origin {seed}", [Epoch(c) for c in text], {0, len(text)})
        for name, text in histories.items()
        for seed in seeds
    )


def test_common_beginnings_are_reared_once():
    tree = _tree({"normal": "nnnnnn", "early": "ddnn", "late": "nnnddn", "short": "nnnn"})
    stretches = {
        name: [(tree.node(i).start, tree.node(i).stop) for i in tree.path[name, 0]]
        for name in ("normal", "early", "late", "short")
    }
    assert stretches == {
        "normal": [(0, 3), (3, 4), (4, 6)],
        "early": [(0, 4)],
        "late": [(0, 3), (3, 6)],
        "short": [(0, 3), (3, 4)],
    }
    assert tree.path["normal", 0][:2] == tree.path["short", 0]
    assert tree.epochs_alone == 20
    assert tree.epochs_shared == 6 + 4 + 3


def test_seeds_share_nothing():
    tree = _tree({"a": "nn", "b": "nn"}, seeds=(0, 1))
    assert tree.path["a", 0] == tree.path["b", 0]
    assert not set(tree.path["a", 0]) & set(tree.path["a", 1])


def test_checkpoints_are_collected_where_they_are_reached():
    tree = PhaseTree(
        [("a", 0, "o", [Epoch("n")] * 4, {0, 2, 4}), ("b", 0, "o", [Epoch("n")] * 2 + [Epoch("d")] * 2, {0, 1, 3, 4})]
    )
    first, last = (tree.node(i) for i in tree.path["b", 0])
    assert first.checkpoints == {0, 1, 2}
    assert last.checkpoints == {3, 4}
    assert first.conditions == ["a", "b"]


def test_identity_depends_on_everything_before():
    epochs = [Epoch("n"), Epoch("d"), Epoch("n")]
    assert chain("o", epochs) == chain("o", list(epochs))
    assert chain("o", epochs)[-1] != chain("p", epochs)[-1]
    assert chain("o", epochs)[2] != chain("o", [Epoch("d"), Epoch("n")])[2]


@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=4), st.text("nd", min_size=1, max_size=9), min_size=1, max_size=6
    )
)
def test_every_history_is_its_path(histories):
    tree = _tree(histories)
    for name, text in histories.items():
        nodes = [tree.node(identity) for identity in tree.path[name, 0]]
        assert "".join(epoch.what for node in nodes for epoch in node.epochs) == text
        assert nodes[0].start == 0 and nodes[-1].stop == len(text)
        assert all(a.stop == b.start and a.identity == b.parent for a, b in itertools.pairwise(nodes))
    prefixes = {text[:k] for text in histories.values() for k in range(1, len(text) + 1)}
    assert tree.epochs_shared == len(prefixes)
    position = {node.identity: i for i, node in enumerate(tree.nodes())}
    assert all(position[a] < position[b] for a, b in tree.graph.edges)
