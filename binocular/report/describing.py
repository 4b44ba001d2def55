"""What a protocol can hold: every field with its type, default, range and meaning, and an example that loads.

All of it is read from the models that check protocols, and from the constructors of networks, so that the command
line, the documentation and the schema for editors say the same.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError
from rich.table import Table
from rich.text import Text

from binocular.networks.build import NETWORKS
from binocular.probes.registry import PROBES, probe_type
from binocular.protocols import Protocol
from binocular.protocols.deficits import DEFICITS
from binocular.protocols.figures import OWN_FIGURES
from binocular.protocols.inheriting import Taken
from binocular.protocols.objectives import OBJECTIVES
from binocular.protocols.phases import Phase
from binocular.protocols.schema import Condition
from binocular.protocols.training import NetworkSpec, ProbePlan, Training
from binocular.report.figures.drawing import FIGURES, drawing_of
from binocular.report.terminal import Terminal, print_fitting
from binocular.stimuli.errors import BadInput
from binocular.stimuli.kinds import Kinds
from binocular.stimuli.registry import STIMULI
from binocular.stimuli.wording import number_text

__all__ = ["TOPICS", "Description", "FieldText", "describe", "print_descriptions", "schema_for_editors", "words_of"]


@dataclass(frozen=True)
class FieldText:
    """One field: its name, type with range, default (empty where it has to be given) and meaning."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Description:
    """One table of a protocol, or one kind of what can stand there.

    Attributes
    ----------
    name, about
        As it is written in a protocol, and one sentence.
    fields, example
        In order, and TOML that says it.
    """

    name: str
    about: str
    fields: list[FieldText] = field(default_factory=list)
    example: str = ""


def describe(topic: str, only: str = "") -> list[Description]:
    """Return what can stand in one place of a protocol.

    Parameters
    ----------
    topic
        A name in `TOPICS`.
    only
        One kind, such as ``blur``, or ``module:Class`` of a user's own (of figures ``module:function``); all where
        empty.

    Raises
    ------
    BadInput
        If there is no such topic or kind.

    Examples
    --------
    >>> blur, = describe("deficits", "blur")
    >>> next(field.default for field in blur.fields if field.name == "eye")
    '"treated"'
    """
    if topic not in TOPICS:
        raise BadInput(f"describe: there is nothing called '{topic}'; accepted: {', '.join(TOPICS)}")
    kinds = _KINDS.get(topic)
    if topic == _FIGURES:
        return [_figure(name) for name in ([only] if only else [*FIGURES, *OWN_FIGURES.of_packages])]
    if kinds is None:
        found = list(_TABLES[topic]())
        chosen = [description for description in found if only in ("", description.name)]
        if not chosen:
            raise BadInput(f"describe {topic}: there is no '{only}'; accepted: {', '.join(d.name for d in found)}")
        return chosen
    names, of_kind = kinds
    where = f"describe {topic}: the kind"
    return [of_kind(name, names.named(name, where)) for name in ([only] if only else names.names())]


def _about(cls: Any) -> str:
    return re.sub(r"``?([^`]*)``?", r"\1", (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " "))


def _of_model(name: str, model: type[BaseModel], place: str) -> Description:
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    fields, example = [], {}
    for key, about in schema.get("properties", {}).items():
        default = "" if key in required else _toml(about["default"] if "default" in about else _made(model, key))
        fields.append(FieldText(key, words_of(about), default, about.get("description", "")))
        if about.get("default") not in (None, [], {}, "") and len(example) < 4:
            example[key] = about["default"]
    example = _enough(model, example, schema) if example else example
    return Description(name, _about(model), fields, place.format(_toml(example)) if example else "")


def _made(model: type[BaseModel], key: str) -> Any:
    """Return the default that a function makes, as an empty table."""
    return next(
        field.get_default(call_default_factory=True, validated_data={})
        for name, field in model.model_fields.items()
        if key in (name, field.alias)
    )


def _enough(model: type[BaseModel], example: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example that is accepted: one more of the fields may have to be given, as the strength of a blur."""
    optional = [key for key, about in schema["properties"].items() if about.get("default") is None]
    for more in ({}, *({key: value} for value in (4, 2.0) for key in optional)):
        try:
            model.model_validate(example | more)
        except ValidationError:
            continue
        return example | more
    return example


def _protocol() -> Description:
    """Return the fields of a protocol, with those that are gone once it is read."""
    found = _of_model("protocol", Protocol, "")
    return replace(found, fields=found.fields + _of_model("", Taken, "").fields)


_LIMITS = {
    "minimum": "{} or more", "exclusiveMinimum": "above {}", "maximum": "{} or less", "exclusiveMaximum": "below {}",
}  # fmt: skip


def words_of(about: Mapping[str, Any]) -> str:
    """Return the type and range of a field of a JSON schema in words.

    Examples
    --------
    >>> words_of({"type": "number", "minimum": 0, "exclusiveMaximum": 1}), words_of({"enum": ["a", "b"]})
    ('number, 0 or more, below 1', '"a" or "b"')
    """
    if "$ref" in about:
        return "table"
    if "const" in about:
        return json.dumps(about["const"])
    if "enum" in about:
        return " or ".join(json.dumps(value) for value in about["enum"])
    if "anyOf" in about:
        parts = (words_of(part) for part in about["anyOf"] if part.get("type") != "null")
        return " or ".join(dict.fromkeys(parts))
    kind = {"integer": "whole number", "string": "text", "boolean": "true or false", "object": "table"}
    words = [kind.get(str(about.get("type")), str(about.get("type", "value")))]
    if about.get("type") == "array":
        words = [f"list of {words_of(about['items'])}" if "items" in about else "list"]
    return ", ".join([*words, *(text.format(number_text(about[key])) for key, text in _LIMITS.items() if key in about)])


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(part) for part in value)}]"
    return tomli_w.dumps({"x": value}).strip().removeprefix("x = ")


def _network(name: str, cls: Any) -> Description:
    # Python 3.13 takes the indentation of docstrings away.
    text = inspect.cleandoc(cls.__doc__ or "")
    meanings = dict(re.findall(r"^(\w+)\n((?: {4}.*\n?)+)", text + "\n", re.M))
    fields, example = [], {}
    for parameter in list(inspect.signature(cls).parameters.values())[2:]:
        needed = parameter.default is parameter.empty
        meaning = re.sub(r"\s+", " ", meanings.get(parameter.name, "")).strip().replace("``", "")
        kind = "value" if parameter.annotation is parameter.empty else str(parameter.annotation)
        kind = kind.replace("typing.", "").split("[")[0]
        kind = " or ".join(_PLAIN.get(part.strip(), part.strip()) for part in kind.split("|"))
        fields.append(FieldText(parameter.name, kind, "" if needed else _toml(parameter.default), meaning))
        if needed:
            example[parameter.name] = "torchvision.models:resnet18"
        elif not isinstance(parameter.default, bool) and parameter.default not in (None, "") and len(example) < 2:
            example[parameter.name] = parameter.default
    return Description(name, _about(cls), fields, f'network = {{ kind = "{name}", options = {_toml(example)} }}')


_PLAIN = {
    "int": "whole number", "float": "number", "str": "text", "bool": "true or false", "Mapping": "table",
    "None": "none",
}  # fmt: skip


def _probe(name: str, _: Any) -> Description:
    cls = probe_type(name, "describe probes: the kind")
    found = _of_model(name, cls, "{}")
    example = f'probes = {{ also = ["{name}"] }}' if name != "source-variance" else "probes = { n_stimuli = 48 }"
    return Description(name, cls.about, found.fields, example)


def _figure(name: str) -> Description:
    """Return how to read a figure; those that ship need not be asked for."""
    drawing = drawing_of(name)
    needs = f" It needs the probe {drawing.probe}." if drawing.probe else ""
    return Description(name, drawing.caption + needs, [], "" if name in FIGURES else f'figures = ["{name}"]')


_TABLES: dict[str, Callable[[], Iterator[Description]]] = {
    "protocol": lambda: iter([_protocol()]),
    "conditions": lambda: iter([_of_model("condition", Condition, ""), _of_model("phase", Phase, "")]),
    "training": lambda: iter([_of_model("training", Training, "training = {}")]),
    "network": lambda: iter([_of_model("network", NetworkSpec, "network = {}")]),
    "measuring": lambda: iter([_of_model("probes", ProbePlan, "probes = {}")]),
}
_KINDS: dict[str, tuple[Kinds, Callable[[str, Any], Description]]] = {
    "networks": (NETWORKS, _network),
    "stimuli": (STIMULI, partial(_of_model, place="stimulus = {}")),
    "deficits": (DEFICITS, partial(_of_model, place="deficits = [{}]")),
    "objectives": (OBJECTIVES, partial(_of_model, place="objective = {}")),
    "probes": (PROBES, _probe),
}
_FIGURES = "figures"
TOPICS = (*_TABLES, *_KINDS, _FIGURES)
"""What can be described; ``network`` is the table of a protocol, ``networks`` the kinds and their options."""


def print_descriptions(found: Iterable[Description]) -> None:
    """Print descriptions: a table of the fields of each, and its example."""
    console = Terminal()
    for description in found:
        console.print(Text.assemble((description.name, "bold"), f"  {description.about}"))
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("field", "type", "default", "meaning"):
            table.add_column(heading)
        for told in description.fields:
            table.add_row(*(Text(text) for text in (told.name, told.kind, told.default or "(needed)", told.meaning)))
        if description.fields:
            print_fitting(console, table)
        if description.example:
            console.print(Text(f"example: {description.example}"), soft_wrap=True)
        console.print()


_EXPRESSION = {"type": "string", "pattern": "^="}


def schema_for_editors() -> dict[str, Any]:
    """Return the JSON schema of a protocol as it is written, sweeps, ages and expressions included."""
    schema = Protocol.model_json_schema()
    known = schema["$defs"]
    for place, kinds in (("Deficit", DEFICITS), ("Objective", OBJECTIVES), ("StimulusConfig", STIMULI)):
        outside = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "pattern": ":"}}}
        known[place] = {"anyOf": [outside]}
        for kind in kinds.names():
            model = kinds.find(kind)
            own = model.model_json_schema()
            known |= own.pop("$defs", {})
            own["required"] = ["kind"]
            own["properties"]["kind"] = {"const": kind}
            for former in getattr(model, "former_names", ()):
                own["properties"][former] = {}
            known[f"{place}.{kind}"] = own
            known[place]["anyOf"].append({"$ref": f"#/$defs/{place}.{kind}"})
    phase, condition = known["Phase"], known["Condition"]
    phase["properties"] |= {name: {"type": ["number", "string"]} for name in ("until_age", "age_span")}
    phase["required"] = []
    condition["properties"]["sweep"] = {"type": "object", "additionalProperties": {"type": "array"}}
    condition["properties"]["sweep_mode"] = {"enum": ["product", "zip"]}
    condition["properties"]["name"].pop("pattern", None)
    # What a base gives need not be written, nor conditions of one's own where others are included.
    schema["properties"] |= Taken.model_json_schema()["properties"]
    schema["allOf"] = [
        {"anyOf": [{"required": [own]}, {"required": [instead]}]}
        for own, instead in (("stimulus", "base"), ("conditions", "include"))
        if own in schema["required"]
    ]
    schema["required"] = [name for name in schema["required"] if name not in ("stimulus", "conditions")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_open_to_expressions(schema)}


def _open_to_expressions(node: Any) -> Any:
    """Let every number and every choice be an expression too, as a protocol may write it."""
    if isinstance(node, list):
        return [_open_to_expressions(part) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("number", "integer", "boolean") or "enum" in node:
        outer = {key: node[key] for key in ("description", "default", "title") if key in node}
        return {**outer, "anyOf": [{key: value for key, value in node.items() if key not in outer}, _EXPRESSION]}
    return {key: _open_to_expressions(value) for key, value in node.items()}
