"""What pydantic found wrong with one value, in words: what it is, and what would be accepted."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["nearest", "number_text", "of_the_input", "what_is_wrong"]

KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotation marks",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list in square brackets",
    "list_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_NO_TEXT = ("int_type", "int_parsing", "float_type", "float_parsing", "bool_type", "bool_parsing")
_ABSENT = object()
_LIMITS = (("ge", "{} or more"), ("gt", "more than {}"), ("le", "{} or less"), ("lt", "less than {}"))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known word nearest to a mistyped one, or nothing.

    Parameters
    ----------
    word
        The mistyped one.
    known
        What is accepted.
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def number_text(value: float) -> str:
    """Return a number as it is written in a protocol, to every digit: 2000000 and not 2e+06."""
    whole = isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15)
    return str(int(value)) if whole else f"{value:g}"


def of_the_input(where: Sequence[str | int], table: Any) -> tuple[str | int, ...]:
    """Return the steps of a path that the input has, and the last one where a key is missing or unknown.

    Between them pydantic names the alternatives of a type that it has tried, which are no part of the input.

    Parameters
    ----------
    where
        Keys and numbers from the outermost to the field.
    table
        The data that the path leads through.
    """
    steps, node = [], table
    for step in where:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list | tuple) and step < len(node) else _ABSENT
        elif isinstance(node, Mapping):
            node = node.get(step, _ABSENT)
        elif node is not _ABSENT:
            continue
        steps.append(step)
    return tuple(steps)


def what_is_wrong(problem: Any, patterns: Mapping[str, str] = {}) -> str:
    """Return what is wrong with one value, to follow the name of its field in a sentence.

    Parameters
    ----------
    problem
        One of the errors of a ``pydantic.ValidationError``.
    patterns
        What a text must do to match a pattern, in words, by pattern.
    """
    kind, limits, given = problem["type"], problem.get("ctx", {}), problem.get("input")
    if kind == "complaint":
        return problem["msg"]
    if kind == "missing":
        return "is missing"
    if kind in KINDS:
        quoted = isinstance(given, str) and kind in _NO_TEXT
        return f"is {_shown(given)}, but must be {KINDS[kind]}{', without quotation marks' if quoted else ''}"
    for limit, words in _LIMITS:
        if limit in limits:
            return f"is {_shown(given)}, but must be {words.format(number_text(limits[limit]))}"
    if kind == "literal_error":
        accepted = [part.strip("'\"") for part in str(limits["expected"]).replace(" or ", ", ").split(", ")]
        hint = nearest(given, accepted) if isinstance(given, str) else ""
        return f"is {_shown(given)}, but must be {limits['expected']}{hint}"
    if kind == "string_pattern_mismatch":
        pattern = limits.get("pattern", "")
        return f"is {_shown(given)}, but must {patterns.get(pattern, f'match {pattern}')}"
    if kind in ("too_short", "too_long"):
        most = kind == "too_long"
        number = limits.get("max_length" if most else "min_length", 1)
        return f"is {_shown(given)}, but must be a list of {'at most' if most else 'at least'} {number}"
    if kind == "string_too_short":
        return "is empty, but must be text"
    if kind == "string_too_long":
        return f"has {len(given)} characters, but at most {limits['max_length']} are accepted"
    message = problem["msg"]
    return f"is {_shown(given)}: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
