"""``--set``: every field of a protocol can be reached from outside."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.protocols import Protocol, load_protocol
from binocular.protocols.overrides import apply_overrides, parse_override
from binocular.stimuli.errors import BadInput

NAME = "monocular-deprivation"


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("training.learning_rate=0.01", ("training", "learning_rate"), 0.01),
        ("training.lr=1e-2", ("training", "learning_rate"), 0.01),
        ("seeds = 5", ("seeds",), 5),
        ("seeds=[1, 2]", ("seeds",), [1, 2]),
        ("treated_eye=left", ("treated_eye",), "left"),
        ("title='a=b'", ("title",), "a=b"),
        ("a.b[3].c=true", ("a", "b", "3", "c"), True),
        ('conditions."a.b".label=x y', ("conditions", "a.b", "label"), "x y"),
        ("stimulus={kind = 'x', n = 3}", ("stimulus",), {"kind": "x", "n": 3}),
        ("x=1\ny=2", ("x",), "1\ny=2"),
        ("x=", ("x",), ""),
    ],
)
def test_paths_and_values(text: str, path: tuple, value: object) -> None:
    assert parse_override(text) == (path, value)


@pytest.mark.parametrize("text", ["training.lr", "=3", ".a=1", "a..b=1", "a.=1", "a[b]=1", 'a"=1', "\udce9=1"])
def test_what_is_no_override(text: str) -> None:
    with pytest.raises(BadInput, match="--set") as error:
        load_protocol(NAME, [text])
    str(error.value).encode()


def test_later_overrides_win_and_the_table_is_not_changed() -> None:
    raw: dict[str, Any] = {"a": {"b": 1, "c": [{"name": "x", "d": 1}]}}
    changed, waiting = apply_overrides(raw, ["a.b=2", "a.b=3", "a.c.x.d=4", "e.f=5"])
    assert changed == {"a": {"b": 3, "c": [{"name": "x", "d": 4}]}, "e": {"f": 5}}
    assert raw == {"a": {"b": 1, "c": [{"name": "x", "d": 1}]}}
    assert waiting == []


def get(protocol: Protocol) -> dict[str, Any]:
    phase = protocol.conditions[1].phases[0]
    return {
        "phase": phase,
        "deficit": phase.deficits[0],
        "training": protocol.training,
        "stimulus": protocol.stimulus,
        "network": protocol.network.options,
    }


@pytest.mark.parametrize(
    ("text", "part", "field", "value"),
    [
        ("conditions.deprived-early.phases.0.epochs=7", "phase", "epochs", 7),
        ("conditions.deprived-early.phases[0].epochs=7", "phase", "epochs", 7),
        ("conditions.1.phases.deprivation.epochs=7", "phase", "epochs", 7),
        ("conditions.deprived-early.phases.0.deficits.occlusion.contrast=0.1", "deficit", "contrast", 0.1),
        ("conditions.deprived-early.phases.0.clock=phase", "phase", "clock", "phase"),
        ("training.lr=0.1", "training", "learning_rate", 0.1),
        ("stimulus.size=20", "stimulus", "size", 20),
    ],
)
def test_every_depth_is_reached(text: str, part: str, field: str, value: object) -> None:
    assert getattr(get(load_protocol(NAME, [text]))[part], field) == value


def test_every_field_of_every_table_is_reached() -> None:
    """Each field of the protocol, written back as it is, loads to an equal protocol."""
    import json
    import tomllib

    protocol = load_protocol(NAME)
    table = tomllib.loads(protocol.to_toml())

    def leaves(node: Any, path: str) -> list[tuple[str, Any]]:
        if isinstance(node, dict):
            return [leaf for key, value in node.items() for leaf in leaves(value, f"{path}.{key}" if path else key)]
        if isinstance(node, list) and node and isinstance(node[0], dict):
            return [leaf for index, value in enumerate(node) for leaf in leaves(value, f"{path}[{index}]")]
        return [(path, node)]

    found = leaves(table, "")
    assert len(found) > 80
    for path, value in found:
        assert load_protocol(NAME, [f"{path}={json.dumps(value, ensure_ascii=False)}"]) == protocol


def test_a_swept_condition_can_be_named_as_written_or_as_made() -> None:
    made = load_protocol("deprivation-duration", ["conditions.closed-5.phases.1.epochs=3"])
    assert {c.name: c.epochs for c in made.conditions}["closed-5"] == 8
    assert {c.name: c.epochs for c in made.conditions}["closed-2"] == 22
    written = load_protocol("deprivation-duration", ["conditions.closed-{duration}.sweep.duration=[4]"])
    assert [c.name for c in written.conditions] == ["closed-4"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trainin.lr=1", "did you mean 'training'"),
        ("training.learning_rat=1", "did you mean 'learning_rate'"),
        ("network.width=3", "did you mean 'options.width'"),
        ("conditions.deprived-erly.label=x", "did you mean 'deprived-early'"),
        ("conditions.normal.phases.3.epochs=1", "accepted is 0 to 0"),
        ("title.x=3", "a single value"),
        ("training.lr=fast", "training.learning_rate is 'fast', but must be a number, without quotation marks"),
    ],
)
def test_overrides_that_lead_nowhere(text: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        load_protocol(NAME, [text])
    assert words in str(error.value)


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=40),
        st.tuples(
            st.sampled_from(
                ["conditions.normal", "training", "conditions[0].phases[0]", "stimulus", "seeds", "probes", ""]
            ),
            st.sampled_from(["", ".epochs", ".lr", ".0", ".size", ".sweep", ".deficits", ".x"]),
            st.one_of(
                st.text(max_size=20), st.sampled_from(["nan", "-1", "[]", "{}", "1979-05-27", "'= 1/0'", "[[1]]"])
            ),
        ).map(lambda parts: f"{parts[0]}{parts[1]}={parts[2]}"),
    )
)
def test_no_override_breaks_the_loader(text: str) -> None:
    try:
        load_protocol(NAME, [text])
    except BadInput as error:
        str(error).encode()


@pytest.mark.parametrize(("old", "new"), [("true", "noise"), ("false", "none")])
def test_a_field_can_be_set_by_its_former_name(old: str, new: str, caplog) -> None:
    protocol = load_protocol("monocular-deprivation", [f"stimulus.fresh_noise={old}"])
    assert caplog.messages == [f"binocular: stimulus.fresh_noise = {old} is now stimulus.fresh = '{new}'"]
    assert protocol.stimulus.fresh == new  # type: ignore[attr-defined]
