"""From what a person writes to what is reared: expressions, ages and swept conditions become plain phases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from binocular.stimuli.wording import nearest

from .arithmetic import ExpressionError, Value, evaluate
from .checked import complain
from .training import AgeScale

__all__ = ["expand"]

TEXT_FIELDS = {"title", "reference", "description", "deviations"}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
MOST_CONDITIONS = 5_000
MODES = ("product", "zip")


def expand(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a protocol's table with sweeps laid out and every number settled.

    Parameters
    ----------
    raw
        As read from TOML. ``[values]`` holds named numbers. A condition with ``sweep = { duration = [2, 5] }`` becomes
        one condition for each combination (``sweep_mode = "product"``, the default) or for each position of the lists
        (``"zip"``); ``{duration}`` in its name and label is replaced. Text that begins with ``=`` is an expression in
        these names. Instead of ``epochs`` a phase may give ``until_age`` (the age at which it ends) or ``age_span``
        (how long it lasts), in the unit of ``[age_scale]``.

    Returns
    -------
    dict
        The table, to be checked as a Protocol. Whatever has not the expected shape is left for that check to name.

    Raises
    ------
    pydantic.ValidationError
        With the path of the culprit.
    """
    values = _protocol_values(raw.get("values", {}))
    table = {
        key: value if key in TEXT_FIELDS or key in ("conditions", "values") else _settled(value, values, (key,))
        for key, value in raw.items()
    }
    if values:
        table["values"] = values
    conditions = raw.get("conditions")
    if isinstance(conditions, list | tuple):
        scale = _age_scale(table.get("age_scale"))
        expanded: list[Any] = []
        for index, condition in enumerate(conditions):
            expanded.extend(_expand_condition(condition, values, scale, ("conditions", index)))
            if len(expanded) > MOST_CONDITIONS:
                raise complain("Protocol", ("conditions",), f"are more than {MOST_CONDITIONS} with all sweeps laid out")
        table["conditions"] = expanded
    return table


def _settled(node: Any, names: Mapping[str, Value], where: tuple[str | int, ...]) -> Any:
    """Return plain data with every expression (text that begins with '=') replaced by its value."""
    if isinstance(node, str) and node.startswith("="):
        try:
            return evaluate(node[1:], names)
        except ExpressionError as error:
            raise complain("Protocol", where, str(error), node) from None
    if isinstance(node, dict):
        return {key: _settled(value, names, (*where, key)) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_settled(value, names, (*where, index)) for index, value in enumerate(node)]
    return node


def _protocol_values(given: Any) -> dict[str, Any]:
    """Settle ``[values]`` from top to bottom: an expression may use what stands above it."""
    if not isinstance(given, dict):
        raise complain("Protocol", ("values",), f"is {given!r}, but must be a table of named numbers", given)
    values: dict[str, Any] = {}
    for name, value in given.items():
        _check_name(name, ("values",))
        values[name] = _check_value(_settled(value, values, ("values", name)), ("values", name))
    return values


def _check_name(name: str, where: tuple[str | int, ...]) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        what = "is no name for a value; accepted are letters, digits and '_', not beginning with a digit"
        raise complain("Protocol", (*where, name), what, name)


def _check_value(value: Any, where: tuple[str | int, ...]) -> Value:
    if not isinstance(value, bool | int | float | str):
        raise complain("Protocol", where, f"is {value!r}, but must be a number or text", value)
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise complain("Protocol", where, f"is {value}, but must be a finite number", value)
    return value


def _age_scale(given: Any) -> AgeScale | None:
    if given is None:
        return None
    try:
        return AgeScale.model_validate(given)
    except ValidationError:
        return None  # the check of the whole protocol names what is wrong with it


def _expand_condition(
    condition: Any, values: Mapping[str, Value], scale: AgeScale | None, where: tuple[str | int, ...]
) -> list[Any]:
    if not isinstance(condition, dict):
        return [condition]
    sweep = condition.get("sweep")
    if "sweep_mode" in condition and condition["sweep_mode"] not in MODES:
        what = (
            f"is {condition['sweep_mode']!r}, but must be 'product' (every combination) or 'zip' (position by position)"
        )
        raise complain("Protocol", (*where, "sweep_mode"), what)
    rows = (
        [{}] if sweep is None else _sweep_rows(sweep, condition.get("sweep_mode", "product"), values, (*where, "sweep"))
    )
    expanded = []
    for row in rows:
        plain = {key: value for key, value in condition.items() if key not in ("sweep", "sweep_mode")}
        names = {**values, **row}
        if sweep is not None:
            if "values" not in plain:
                plain["values"] = row
            for key in ("name", "label"):
                if isinstance(plain.get(key), str):
                    plain[key] = _fill(plain[key], names, (*where, key))
        phases = _settled(plain.get("phases"), names, (*where, "phases"))
        if phases is not None:
            plain["phases"] = _ages_to_epochs(phases, scale, (*where, "phases"))
        expanded.append(plain)
    return expanded


def _sweep_rows(
    sweep: Any, mode: str, values: Mapping[str, Value], where: tuple[str | int, ...]
) -> list[dict[str, Value]]:
    """Return the swept values of each condition."""
    if not isinstance(sweep, dict) or not sweep:
        raise complain(
            "Protocol", where, f"is {sweep!r}, but must be a table of lists such as {{ duration = [2, 5] }}", sweep
        )
    lists: dict[str, list[Value]] = {}
    for name, given in sweep.items():
        _check_name(name, where)
        if not isinstance(given, list | tuple) or not given:
            raise complain(
                "Protocol", (*where, name), f"is {given!r}, but must be a list of values such as [2, 5]", given
            )
        items = _settled(list(given), values, (*where, name))
        lists[name] = [_check_value(item, (*where, name, index)) for index, item in enumerate(items)]
    lengths = [len(items) for items in lists.values()]
    if mode == "zip":
        if len(set(lengths)) > 1:
            counts = ", ".join(f"{name} has {len(items)}" for name, items in lists.items())
            raise complain(
                "Protocol", where, f"goes through its lists side by side, but they differ in length: {counts}"
            )
        rows = zip(*lists.values(), strict=True)
    else:
        total = 1
        for length in lengths:
            total *= length
        if total > MOST_CONDITIONS:
            raise complain("Protocol", where, f"makes {total} conditions, but at most {MOST_CONDITIONS} are accepted")
        rows = itertools.product(*lists.values())
    return [dict(zip(lists, row, strict=True)) for row in rows]


def _fill(template: str, names: Mapping[str, Value], where: tuple[str | int, ...]) -> str:
    """Replace ``{name}`` in the name or label of a swept condition."""

    def value_of(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name not in names:
            what = f"uses '{{{name}}}', but must use names of the sweep: {', '.join(names)}{nearest(name, names)}"
            raise complain("Protocol", where, what, template)
        value = names[name]
        return f"{value:g}" if isinstance(value, float) else str(value)

    return PLACEHOLDER.sub(value_of, template)


def _ages_to_epochs(phases: Any, scale: AgeScale | None, where: tuple[str | int, ...]) -> Any:
    """Replace ``until_age`` and ``age_span`` by ``epochs``, counted so that rounding does not add up."""
    if not isinstance(phases, list):
        return phases
    epoch, result = 0, []
    for index, phase in enumerate(phases):
        given = [key for key in ("until_age", "age_span") if isinstance(phase, dict) and key in phase]
        if given:
            phase = _phase_by_age(phase, given, scale, epoch, (*where, index))
        epochs = phase.get("epochs") if isinstance(phase, dict) else getattr(phase, "epochs", 0)
        epoch += epochs if type(epochs) is int else 0
        result.append(phase)
    return result


def _phase_by_age(
    phase: dict[str, Any], given: list[str], scale: AgeScale | None, epoch: int, where: tuple[str | int, ...]
) -> dict[str, Any]:
    key = given[0]
    if len(given) > 1 or "epochs" in phase:
        both = " and ".join([*given, *(["epochs"] if "epochs" in phase else [])])
        raise complain("Protocol", where, f"gives {both}, but must give exactly one of epochs, until_age and age_span")
    if scale is None:
        raise complain("Protocol", (*where, key), "needs a valid [age_scale] with epochs_per_unit in the protocol")
    age = phase[key]
    if isinstance(age, bool) or not isinstance(age, int | float) or not abs(age) < 1e9:
        raise complain("Protocol", (*where, key), f"is {age!r}, but must be a number of {scale.unit}s", age)
    stop = scale.epoch(age if key == "until_age" else scale.age(epoch) + age)
    if stop < epoch:
        now = f"{scale.age(epoch):g} {scale.unit}s"
        raise complain(
            "Protocol", (*where, key), f"is {age:g}, but must not end before the phase begins, at {now}", age
        )
    return {**{name: value for name, value in phase.items() if name != key}, "epochs": stop - epoch}
