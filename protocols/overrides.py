"""``--set a.b=c``: changing one field of a protocol from the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from binocular.stimuli.errors import BadInput
from binocular.stimuli.wording import nearest

__all__ = ["apply_overrides", "parse_override"]

ALIASES = {
    ("training", "lr"): ("training", "learning_rate"),
    ("training", "decay"): ("training", "learning_rate_decay"),
}
STEP = re.compile(r'"([^"]*)"|\[(\d+)\]|([^."\[\]]+)')
Path = tuple[str, ...]


def parse_override(text: str) -> tuple[Path, Any]:
    """Return the path and the value of one override.

    Parameters
    ----------
    text
        ``path=value``. Steps of the path are separated by dots; items of a list are named by number (``phases.0`` or
        ``phases[0]``), by their name or by their kind; a step that contains a dot goes in quotation marks. The value is
        read as TOML, and as text where it is none.

    Raises
    ------
    BadInput
        If there is no ``=`` or no path.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"--set {text!a}: is not text in UTF-8; accepted is training.learning_rate=0.01") from None
    path_text, equals, value_text = text.partition("=")
    if not equals:
        raise BadInput(
            f"--set {text}: no '=' in it; accepted is a field and its value, such as training.learning_rate=0.01"
        )
    path, place, path_text = [], 0, path_text.strip()
    while place < len(path_text):
        match = STEP.match(path_text, place)
        after = path_text[match.end() :] if match else ""
        if match is None or after == "." or (after and after[0] not in ".["):
            raise BadInput(
                f"--set {text}: '{path_text}' is no path; accepted are steps such as conditions.normal.phases[0].epochs"
            )
        path.append(next(group for group in match.groups() if group is not None).strip())
        place = match.end() + after.startswith(".")
    if not path:
        raise BadInput(f"--set {text}: no field before '='; accepted is a field such as training.learning_rate")
    return ALIASES.get(tuple(path), tuple(path)), _value(value_text.strip())


def _value(text: str) -> Any:
    if "\n" in text or "\r" in text:
        return text
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if set(parsed) == {"value"} else text


def apply_overrides(
    raw: dict[str, Any], overrides: Sequence[str], *, last: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """Return a protocol's table with fields replaced.

    Parameters
    ----------
    raw
        The table; it is not changed.
    overrides
        Texts as in `parse_override`, applied in order.
    last
        False to hand back overrides that name a condition which is not there yet, because a sweep makes it.

    Returns
    -------
    tuple
        The new table, and the overrides handed back.

    Raises
    ------
    BadInput
        If a path leads nowhere. Whether the field exists and the value fits is checked with the whole protocol.
    """
    waiting: list[str] = []
    for text in overrides:
        path, value = parse_override(text)
        if not last and path[0] == "conditions" and len(path) > 1 and not _has_item(raw.get("conditions"), path[1]):
            waiting.append(text)
            continue
        raw = _replaced(raw, path, value, f"--set {text}", ())
    return raw, waiting


def _has_item(items: Any, step: str) -> bool:
    return isinstance(items, list | tuple) and _find(list(items), step) is not None


def _find(items: list[Any], step: str) -> int | None:
    for index, item in enumerate(items):
        if step in _names(item):
            return index
    return int(step) if step.isascii() and step.isdigit() and len(step) < 9 and int(step) < len(items) else None


def _names(item: Any) -> list[str]:
    return [item[key] for key in ("name", "kind") if isinstance(item.get(key), str)] if isinstance(item, dict) else []


def _replaced(node: Any, path: Path, value: Any, source: str, done: Path) -> Any:
    if not path:
        return value
    step, here = path[0], ".".join(done) or "the protocol"
    if isinstance(node, dict):
        return {**node, step: _replaced(node.get(step, {}), path[1:], value, source, (*done, step))}
    if isinstance(node, list | tuple):
        items = list(node)
        index = _find(items, step)
        if index is None:
            names = [name for item in items for name in _names(item)]
            accepted = f"0 to {len(items) - 1}" if items else "nothing, it is empty"
            accepted += f", or one of: {', '.join(names)}" if names else ""
            raise BadInput(f"{source}: {here} has no item '{step}'; accepted is {accepted}{nearest(step, names)}")
        items[index] = _replaced(items[index], path[1:], value, source, (*done, step))
        return items
    raise BadInput(f"{source}: {here} is {node!r}, a single value, and has no field '{step}'; accepted is {here}=VALUE")
