"""What pydantic found, as one sentence about the first culprit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from binocular.stimuli.wording import of_the_input, what_is_wrong

from .checked import METRIC_PATTERN, NAME_PATTERN

__all__ = ["path_text", "sentence"]

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
    return f"{path_text(problem['loc'], table)} {what_is_wrong(problem, PATTERNS)}"


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
    for step in of_the_input(where, table):
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
