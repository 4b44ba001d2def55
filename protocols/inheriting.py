"""What a protocol takes from another one: the setting of its ``base``, and the conditions of those it ``include``s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from binocular.stimuli.errors import BadInput

from .checked import Checked
from .sentences import sentence
from .sweeps import expand

__all__ = ["INHERITED", "Taken", "inherit"]

INHERITED = ("treated_eye", "seeds", "values", "age_scale", "stimulus", "network", "training", "probes", "figures")
"""What comes from a base. Who is told (title, reference, description, deviations) and the conditions do not."""
SETTING = ("treated_eye", "stimulus", "network", "training")
DEEPEST = 8
Find = Callable[[str, str], Mapping[str, Any]]


class Taken(Checked):
    """The fields of a protocol as it is written that are gone once it is read."""

    base: str | None = Field(
        default=None, min_length=1, description="protocol, by name or path, whose setting this one takes over"
    )
    include: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="protocols of the same setting whose conditions are added"
    )


def inherit(raw: Mapping[str, Any], source: str, find: Find, depth: int = 0) -> dict[str, Any]:
    """Return a protocol's table as if everything had been written into it.

    Parameters
    ----------
    raw
        As read from TOML. ``base = "monocular-deprivation"`` takes over the other protocol's `INHERITED` tables: a key
        that both have is this protocol's, tables are merged key by key. ``include = ["dark-rearing"]`` adds the
        conditions of other protocols of the same setting behind its own; a condition that is there already, with the
        same name and phases, is taken once.
    source
        Name of the file, for messages.
    find
        Called with what ``base`` or ``include`` names and the field, gives that protocol's table as read.
    depth
        How many protocols stand between this one and the one that was asked for.

    Returns
    -------
    dict
        The table without ``base`` and ``include``.

    Raises
    ------
    BadInput
        For a name that leads nowhere or in a circle, an included protocol of another setting, and two conditions of
        one name that differ.
    """
    named = {key: raw[key] for key in Taken.model_fields if key in raw}
    if not named:
        return dict(raw)
    if depth > DEEPEST:
        raise BadInput(f"{source}: base or include leads back to itself, or through more than {DEEPEST} protocols")
    try:
        taken = Taken.model_validate(named)
    except ValidationError as error:
        raise BadInput(f"{source}: {sentence(error, named)}") from None
    table = {key: value for key, value in raw.items() if key not in named}
    if taken.base is not None:
        base = inherit(find(taken.base, f"{source}: base"), taken.base, find, depth + 1)
        table |= {key: _merged(base[key], table.get(key)) for key in INHERITED if key in base}
    for index, name in enumerate(taken.include):
        field = f"include[{index}]"
        other = inherit(find(name, f"{source}: {field}"), name, find, depth + 1)
        _check_setting(table, other, source, field, name)
        table["conditions"] = _joined(table.get("conditions", []), _conditions(other, name), source, name)
    return table


def _merged(base: Any, own: Any) -> Any:
    """Return what stands in the base, with what this protocol says in its place."""
    if own is None:
        return base
    if isinstance(base, dict) and isinstance(own, dict):
        return base | {key: _merged(base.get(key), value) for key, value in own.items()}
    return own


def _check_setting(table: Mapping[str, Any], other: Mapping[str, Any], source: str, field: str, name: str) -> None:
    for part in SETTING:
        if table.get(part) != other.get(part):
            raise BadInput(
                f"{source}: {field} is '{name}', whose {part} differs from this protocol's; accepted is a protocol of "
                "the same setting (of the same base)"
            )


def _conditions(table: Mapping[str, Any], name: str) -> list[Any]:
    try:
        found = expand(table).get("conditions", [])
    except ValidationError as error:
        raise BadInput(f"{name}: {sentence(error, table)}") from None
    return found if isinstance(found, list) else [found]


def _joined(own: Any, added: list[Any], source: str, name: str) -> Any:
    """Return the conditions with those that are added, each once."""
    if not isinstance(own, list | tuple):
        return own  # the check of the whole protocol says what is wrong with it
    joined = list(own)
    there = {one["name"]: one for one in joined if isinstance(one, dict) and isinstance(one.get("name"), str)}
    for condition in added:
        known = there.get(condition.get("name")) if isinstance(condition, dict) else None
        if known is None:
            joined.append(condition)
            if isinstance(condition, dict) and isinstance(condition.get("name"), str):
                there[condition["name"]] = condition
        elif known.get("phases") != condition.get("phases"):
            raise BadInput(
                f"{source}: '{name}' has a condition '{condition['name']}' of other phases than the one that is here "
                "already; accepted are conditions of one name where they are the same"
            )
    return joined
