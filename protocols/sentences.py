"""What pydantic found, as one sentence about the first culprit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from .checked import METRIC_PATTERN, NAME_PATTERN, nearest

__all__ = ["path_text", "sentence"]

KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotation marks",
    "bool_type": "true or false",
    "tuple_type": "a list in square brackets",
    "list_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


PATTERNS = {
    NAME_PATTERN: "consist of lower-case letters, digits, '.', '_' and '-', and begin with a letter or digit",
    METRIC_PATTERN: "consist of lower-case letters, digits and '_', such as 'stereopsis' or 'test_accuracy'",
}


def sentence(error: ValidationError, table: Any) -> str:
    """Return the first problem as one sentence.

    Parameters
    ----------
    error
        What pydantic found.
    table
        The data that were checked, for the names of conditions and phases.

    Returns
    -------
    str
        For example ``conditions.deprived-early.phases[1].epochs is -5, but must be 0 or more``.
    """
    problem = error.errors(include_url=False)[0]
    cause = problem.get("ctx", {}).get("error")
    if problem["type"] == "value_error" and cause is not None:
        return str(cause)
    return f"{path_text(problem['loc'], table)} {_what(problem)}"


def path_text(where: Sequence[str | int], table: Any) -> str:
    """Return a path as people write it: conditions by name, other items of lists by number.

    Parameters
    ----------
    where
        Keys and numbers from the outermost to the field.
    table
        The data that the path leads through.
    """
    text, node = "", table
    for step in where:
        siblings, node = node, _child(node, step)
        if isinstance(step, int):
            name = node.get("name") if isinstance(node, dict) and text == "conditions" else None
            text += f".{name}" if name and isinstance(name, str) and _unique(name, siblings) else f"[{step}]"
        else:
            text += f".{step}" if text else str(step)
    return text or "the protocol"


def _unique(name: str, siblings: Any) -> bool:
    return sum(isinstance(item, dict) and item.get("name") == name for item in siblings) == 1


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list | tuple) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _what(problem: Any) -> str:
    kind, limits, given = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind == "complaint":
        return problem["msg"]
    if kind in KINDS:
        quoted = isinstance(given, str) and kind in ("int_type", "float_type", "bool_type")
        return f"is {_shown(given)}, but must be {KINDS[kind]}{', without quotation marks' if quoted else ''}"
    for limit, words in (("ge", "{} or more"), ("gt", "more than {}"), ("le", "{} or less"), ("lt", "less than {}")):
        if limit in limits:
            return f"is {_shown(given)}, but must be {words.format(f'{limits[limit]:g}')}"
    if kind == "literal_error":
        accepted = [part.strip("'\"") for part in str(limits["expected"]).replace(" or ", ", ").split(", ")]
        hint = nearest(given, accepted) if isinstance(given, str) else ""
        return f"is {_shown(given)}, but must be {limits['expected']}{hint}"
    if kind == "string_pattern_mismatch":
        accepted = PATTERNS.get(limits.get("pattern", ""), f"match {limits.get('pattern')}")
        return f"is {_shown(given)}, but must {accepted}"
    if kind == "too_short":
        return f"must have at least {limits.get('min_length', 1)} item"
    if kind == "string_too_short":
        return "is empty, but must be text"
    if kind == "string_too_long":
        return f"has {len(given)} characters, but at most {limits['max_length']} are accepted"
    message = problem["msg"]
    return f"is {_shown(given)}: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
