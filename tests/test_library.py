"""The library: each protocol loads without torch, and no damage to one breaks the loader."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tomllib
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.protocols import library_names, load_protocol, parse_protocol, protocol_from
from binocular.stimuli.errors import BadInput

NAMES = library_names()
LIBRARY = resources.files("binocular.protocols") / "library"
TEXTS = {name: (LIBRARY / f"{name}.toml").read_text("utf-8") for name in NAMES}


def test_the_main_protocols_are_there() -> None:
    assert {"monocular-deprivation", "deprivation-duration", "strabismus"} <= set(NAMES)
    main = load_protocol("monocular-deprivation")
    assert [c.name for c in main.conditions] == ["normal", "deprived-early", "deprived-late", "both-eyes"]


@pytest.mark.parametrize("name", NAMES)
def test_each_protocol_is_complete_and_expands(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.title
    assert protocol.reference
    assert protocol.description
    assert protocol.deviations
    assert all(sentence.endswith(".") for sentence in protocol.deviations)
    conditions = protocol.resolved_conditions()
    assert len({condition.name for condition in conditions}) == len(conditions)
    assert len({condition.label for condition in conditions}) == len(conditions)
    for condition in conditions:
        epochs = condition.epoch_conditions()
        assert len(epochs) == condition.epochs
        assert all(epoch.learning_rate > 0 for epoch in epochs)
        assert "treated" not in json.dumps([epoch.identity() for epoch in epochs])
        assert "fellow" not in json.dumps([epoch.identity() for epoch in epochs])
    again = parse_protocol(protocol.to_toml())
    assert again == protocol
    assert again.hash() == protocol.hash()
    assert set(protocol.timeline()) == {condition.name for condition in conditions}


def test_titles_are_unique() -> None:
    assert len({load_protocol(name).title for name in NAMES}) == len(NAMES)


def test_nothing_here_needs_torch() -> None:
    code = """
import sys
from binocular import protocols
for name in protocols.library_names():
    protocol = protocols.load_protocol(name)
    protocol.timeline()
    [epoch.identity() for condition in protocol.resolved_conditions() for epoch in condition.epoch_conditions()]
    protocol.to_toml(), protocol.hash()
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# ------------------------------------------------------------------ fuzzing: a protocol or BadInput, nothing else


def check(content: bytes | str) -> bool:
    """Load; a protocol must then do all that protocols do. Returns whether it was one."""
    try:
        protocol = parse_protocol(content, "fuzzed.toml")
    except BadInput as error:
        assert str(error).startswith("fuzzed.toml")
        return False
    if sum(condition.epochs for condition in protocol.conditions) < 20_000:
        assert protocol.timeline()
    assert parse_protocol(protocol.to_toml()) == protocol
    return True


PIECES = [
    "=",
    "{",
    "}",
    "[",
    "]",
    "[[",
    '"',
    "'",
    '"""',
    "\\",
    "-",
    "1e999",
    "nan",
    "null",
    "= 1 / 0",
    "\x00",
    "é",
    "\n",
    "#",
    "99999999999999999999",
    "1979-05-27T07:32:00Z",
    "true",
    "epochs",
    '"treated"',
    "{a}",
    ",",
    ".",
    "\u2028",
    "0x1F",
    "_",
]


def damaged(text: str, seed: int, strikes: int) -> str:
    """Damage a text at random: characters, pieces, lines and numbers."""
    chance = random.Random(seed)
    for _ in range(strikes):
        place, other = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        lines = text.split("\n")
        line = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                text = text[:place] + chance.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + chance.randrange(1, 6) :]
            case 2:
                text = "\n".join(lines[:line] + lines[line + 1 :])
            case 3:
                text = "\n".join([*lines[: line + 1], *lines[line:]])
            case 4:
                chance.shuffle(lines)
                text = "\n".join(lines) if strikes > 4 else text
            case 5:
                text = text[:place] + chance.choice("0123456789.-abcx") + text[place + 1 :]
            case 6:
                text = text[:place] + text[other : other + 30] + text[place:]
        if not text:
            break
    return text


@settings(max_examples=400)
@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.integers(1, 6))
def test_no_damage_to_a_file_breaks_the_loader(name: str, seed: int, strikes: int) -> None:
    check(damaged(TEXTS[name], seed, strikes))


@settings(max_examples=100)
@given(st.sampled_from(NAMES), st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_no_bytes_break_the_loader(name: str, place: int, inserted: bytes) -> None:
    content = TEXTS[name].encode()
    place %= len(content)
    check(content[:place] + inserted + content[place + len(inserted) :])


LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["= 1 / 0", "= x", "=", "= 2 * 3", "treated", "blur", "{x}", [], {}, [[1]], {"a": 1}, 10**30, -1, 0]
    ),
)


def replaced(node: Any, path: list[int], value: Any) -> Any:
    """Put a value somewhere into nested data; the path is read modulo what is there."""
    if isinstance(node, dict) and node and path:
        key = sorted(node)[path[0] % len(node)]
        return {**node, key: replaced(node[key], path[1:], value)}
    if isinstance(node, list) and node and path:
        index = path[0] % len(node)
        return [replaced(item, path[1:], value) if i == index else item for i, item in enumerate(node)]
    return value


@settings(max_examples=400)
@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.lists(st.integers(0, 50), min_size=1, max_size=6), LEAF), min_size=1, max_size=2),
)
def test_no_value_in_any_place_breaks_the_check(name: str, changes: list) -> None:
    table = tomllib.loads(TEXTS[name])
    for path, value in changes:
        table = replaced(table, path, value)
    try:
        protocol = protocol_from(table)
    except BadInput:
        return
    assert parse_protocol(protocol.to_toml()) == protocol


def test_every_deficit_in_the_library_fits_its_stimuli() -> None:
    import torch

    from binocular.stimuli import stream

    sets = {}
    for name in NAMES:
        small = ["stimulus.n_train=20", "stimulus.n_test=20"]
        if load_protocol(name).stimulus.kind == "split-images":
            small += ["stimulus.dataset=photographs"]
        protocol = load_protocol(name, small)
        key = protocol.stimulus.model_dump_json()
        stimulus = sets[key] if key in sets else sets.setdefault(key, protocol.stimulus.build(0))
        index = torch.arange(20)
        views, labels = stimulus.views("train", index, stream(0, "stimulus")), stimulus.labels["train"][index]
        epochs = [epoch for c in protocol.resolved_conditions() for epoch in c.epoch_conditions()]
        for deficit in {repr(d): d for epoch in epochs for d in epoch.deficits}.values():
            seen, taught = deficit(views, labels, stream(0, "deficit"))
            assert seen.shape == views.shape
            assert torch.isfinite(seen).all()
            assert int(taught.max()) < stimulus.n_classes
