"""From what is written to what is reared: arithmetic, sweeps, ages."""

from __future__ import annotations

import ast
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.protocols.arithmetic import ExpressionError, evaluate
from binocular.protocols.loading import protocol_from
from binocular.stimuli.errors import BadInput


def protocol(*conditions: dict, **fields: object) -> dict:
    return {"title": "t", "stimulus": {"kind": "stereo-scenes"}, "conditions": list(conditions), **fields}


def histories(raw: dict) -> dict[str, list[int]]:
    return {c.name: [phase.epochs for phase in c.phases] for c in protocol_from(raw).conditions}


# ------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("-2 * -(3 - 5)", -4),
        ("7 // 2", 3),
        ("6 / 2", 3),
        ("7 / 2", 3.5),
        ("2.5 * 2", 5.0),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("total - onset - 1", 49),
        ("min(total, onset) + max(1, 2, 3)", 13),
        ("round(2.5) + round(3.49)", 6),
        ("total", 60),
        ("eye", "left"),
    ],
)
def test_values_of_expressions(text: str, value: object) -> None:
    result = evaluate(text, {"total": 60, "onset": 10, "eye": "left"})
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lacks a number at its end"),
        ("1 +", "lacks a number at its end"),
        ("1 2", "does not go on"),
        ("(1", "lacks ')'"),
        ("1 / (2 - 2)", "divides by zero"),
        ("1 // 0", "divides by zero"),
        ("onse + 1", "did you mean 'onset'"),
        ("eye + 1", "no number"),
        ("2 ** 3", "before '*'"),
        ("__import__('os')", "unknown sign"),
        ("min()", "lacks a number"),
        ("round(1, 2)", "takes 1"),
        ("9e14 * 9e14", "larger than"),
        ("1" * 500, "at most 200"),
        ("1e999", "larger than"),
    ],
)
def test_what_is_no_expression(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate(text, {"onset": 3, "eye": "left"})
    assert words in str(error.value)


@settings(max_examples=300)
@given(
    st.recursive(
        st.integers(0, 50).map(str),
        lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        max_leaves=8,
    )
)
def test_agrees_with_python(text: str) -> None:
    operations = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int)
            return node.value
        assert isinstance(node, ast.BinOp)
        return operations[type(node.op)](value(node.left), value(node.right))

    assert evaluate(text, {}) == value(ast.parse(text, mode="eval").body)


@settings(max_examples=500)
@given(st.text(alphabet="0123456789.eE+-*/() ,abminmaxround=\x00é", max_size=30))
def test_no_text_breaks_the_calculator(text: str) -> None:
    try:
        evaluate(text, {"a": 1, "b": 2.5})
    except ExpressionError as error:
        assert "\n" not in str(error).strip()


# ------------------------------------------------------------------ sweeps


def test_product_and_zip() -> None:
    condition = {
        "name": "md-{onset}-{duration}",
        "label": "from {onset}",
        "sweep": {"onset": [0, 10], "duration": [5, 20]},
        "phases": [{"epochs": "= onset"}, {"epochs": "= duration"}, {"epochs": "= total - onset - duration"}],
    }
    values = {"total": "= 3 * fifteen", "fifteen": 15}
    with pytest.raises(BadInput, match="unknown name 'fifteen'"):
        protocol_from(protocol(condition, values=values))
    values = {"fifteen": 15, "total": "= 3 * fifteen"}
    assert histories(protocol(condition, values=values)) == {
        "md-0-5": [0, 5, 40],
        "md-0-20": [0, 20, 25],
        "md-10-5": [10, 5, 30],
        "md-10-20": [10, 20, 15],
    }
    zipped = {**condition, "sweep_mode": "zip"}
    assert histories(protocol(zipped, values=values)) == {"md-0-5": [0, 5, 40], "md-10-20": [10, 20, 15]}
    first = protocol_from(protocol(zipped, values=values)).conditions[0]
    assert first.values == {"onset": 0, "duration": 5}
    assert first.label == "from 0"


def test_swept_text_and_strengths() -> None:
    condition = {
        "name": "{eye}-{factor}",
        "sweep": {"eye": ["left", "right"], "factor": [2, 4.5]},
        "phases": [{"epochs": 1, "deficits": [{"kind": "blur", "eye": "= eye", "factor": "= factor"}]}],
    }
    names = [c.name for c in protocol_from(protocol(condition)).conditions]
    assert names == ["left-2", "left-4.5", "right-2", "right-4.5"]


def test_expressions_reach_other_tables() -> None:
    raw = protocol({"name": "a", "phases": [{"epochs": 8}]}, values={"n": 8}, probes={"every": "= n // 2"})
    assert protocol_from(raw).probes.every == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sweep": {"d": [1, 2], "e": [1]}, "sweep_mode": "zip"}, "differ in length: d has 2, e has 1"),
        ({"sweep": {"d": []}}, "conditions.a.sweep.d is [], but must be a list"),
        ({"sweep": {"d": 3}}, "conditions.a.sweep.d is 3"),
        ({"sweep": [1]}, "conditions.a.sweep is [1]"),
        ({"sweep": {"d": [1, [2]]}}, "conditions.a.sweep.d[1] is [2]"),
        ({"sweep": {"two words": [1]}}, "is no name"),
        ({"sweep": {"d": [1]}, "sweep_mode": "all"}, "must be 'product'"),
        ({"sweep": {"d": [1]}, "name": "a-{e}"}, "conditions.a-{e}.name uses '{e}'"),
        ({"sweep": {"d": [1, 1]}}, "needs a name of its own"),
        ({"sweep": {"d": list(range(100)), "e": list(range(100))}}, "makes 10000 conditions"),
        ({"sweep": {"d": [0.5]}, "phases": [{"epochs": "= d"}]}, "phases[0].epochs is 0.5, but must be a whole number"),
        ({"sweep": {"d": [-5]}, "phases": [{"epochs": "= d"}]}, "phases[0].epochs is -5, but must be 0 or more"),
        ({"phases": [{"epochs": "= dd"}]}, "unknown name 'dd'"),
        ({"phases": [{"until_age": 3}]}, "needs a valid [age_scale]"),
    ],
)
def test_sweeps_that_cannot_be_laid_out(change: dict, words: str) -> None:
    with pytest.raises(BadInput) as error:
        protocol_from(protocol({"name": "a", "phases": [{"epochs": 1}], **change}))
    assert words in str(error.value)


# ------------------------------------------------------------------ ages


def aged(phases: list[dict], **scale: object) -> dict:
    return protocol({"name": "a", "phases": phases}, age_scale={"epochs_per_unit": 4, "start_age": 3, **scale})


def test_ages_become_epochs() -> None:
    raw = aged([{"until_age": 5}, {"age_span": 2.5}, {"epochs": 3}, {"until_age": 10}])
    assert histories(raw) == {"a": [8, 10, 3, 7]}
    stretches = protocol_from(raw).timeline()["a"]
    assert [(s.start, s.stop, s.age_start, s.age_stop) for s in stretches] == [
        (0, 8, 3, 5),
        (8, 18, 5, 7.5),
        (18, 21, 7.5, 8.25),
        (21, 28, 8.25, 10),
    ]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=12), st.floats(0.1, 9))
def test_rounding_does_not_add_up(spans: list[float], epochs_per_unit: float) -> None:
    ages = [0.5]
    for span in spans:
        ages.append(ages[-1] + span)
    phases = [{"until_age": age} for age in ages]
    (lengths,) = histories(aged([*phases, {"epochs": 1}], epochs_per_unit=epochs_per_unit, start_age=0)).values()
    epoch = 0
    for length, age in zip(lengths, ages, strict=False):
        epoch += length
        assert abs(epoch - age * epochs_per_unit) <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ([{"until_age": 2}], "phases[0].until_age is 2, but must not end before the phase begins, at 3 weeks"),
        ([{"age_span": -1}], "must not end before"),
        ([{"until_age": 5, "epochs": 3}], "exactly one of epochs, until_age and age_span"),
        ([{"until_age": 5, "age_span": 3}], "exactly one of"),
        ([{"until_age": "5"}], "is '5', but must be a number of weeks"),
        ([{"until_age": 1e300}], "must be a number of weeks"),
    ],
)
def test_ages_that_cannot_be(phases: list[dict], words: str) -> None:
    with pytest.raises(BadInput) as error:
        protocol_from(aged(phases))
    assert words in str(error.value)
