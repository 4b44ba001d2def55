"""What is said of a protocol's fields comes from the models that check them, and every example loads."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest

from binocular.networks.build import NETWORKS
from binocular.protocols import library_names, protocol_from
from binocular.protocols.deficits import DEFICITS
from binocular.report.describing import TOPICS, describe, schema_for_editors
from binocular.report.figures.drawing import FIGURES
from binocular.stimuli.errors import BadInput
from tests.console import assert_one_sentence, binocular
from tests.tiny import TOML


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_has_a_meaning_and_every_example_loads(topic):
    for found in describe(topic):
        assert found.about, found.name
        for field in found.fields:
            assert field.kind and (field.meaning or field.name in ("kind", "shape")), f"{found.name}.{field.name}"
        if not found.example:
            continue
        example, table = tomllib.loads(found.example), tomllib.loads(TOML)
        if topic == "deficits" or topic == "objectives":
            table["conditions"] = [{"name": "one", "phases": [{"epochs": 2, **example}]}]
        else:
            table |= example
        protocol_from(table, found.name)


def test_a_topic_holds_all_kinds_and_one_can_be_picked():
    assert [d.name for d in describe("deficits")] == list(DEFICITS)
    assert [d.name for d in describe("networks")] == list(NETWORKS)
    (blur,) = describe("deficits", "blur")
    assert {field.name for field in blur.fields} == set(DEFICITS["blur"].model_fields)
    with pytest.raises(BadInput, match="nothing called 'deficit'; accepted: protocol, "):
        describe("deficit")
    with pytest.raises(BadInput, match="the kind is 'blurr', but must be one of: blur, "):
        describe("deficits", "blurr")


def test_figures_are_described_by_how_they_are_read():
    found = describe("figures")
    assert [figure.name for figure in found] == list(FIGURES)
    (tuning,) = describe("figures", "tuning")
    assert FIGURES["tuning"].caption in tuning.about and "odi" in tuning.about
    with pytest.raises(BadInput, match=r"no figure 'histogram'; accepted are dominance, .*module:function"):
        describe("figures", "histogram")


def test_the_schema_takes_every_protocol_of_the_library_and_no_slip():
    from importlib import resources

    validator = jsonschema.Draft202012Validator(schema_for_editors())
    for name in library_names():
        text = (resources.files("binocular.protocols") / "library" / f"{name}.toml").read_text(encoding="utf-8")
        wrong = [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(tomllib.loads(text))]
        assert not wrong, f"{name}: {wrong}"
    slip = tomllib.loads(TOML)
    slip["training"]["learning_rte"] = 0.1
    slip["probes"]["every"] = 0
    assert len(list(validator.iter_errors(slip))) == 2


def test_the_command_line_tells_it(tmp_path):
    said = binocular("describe", "deficits", "blur", cwd=tmp_path).stdout
    assert "factor" in said and "deficits = [{ " in said
    assert json.loads(binocular("describe", "--schema", cwd=tmp_path).stdout)["properties"]["stimulus"]
    assert "deficits" in binocular("describe", cwd=tmp_path).stdout
    assert_one_sentence(binocular("describe", "deficit", cwd=tmp_path), "accepted: protocol")
