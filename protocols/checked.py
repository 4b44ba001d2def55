"""The base of every checked table: unknown and missing keys are named, with what would be accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from binocular.stimuli.kinds import Kinds
from binocular.stimuli.user_code import Refused
from binocular.stimuli.wording import nearest

__all__ = [
    "METRIC_PATTERN",
    "NAME_PATTERN",
    "Checked",
    "Fraction",
    "Number",
    "Whole",
    "complain",
    "model_of_kind",
    "unknown_key",
]

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"
METRIC_PATTERN = r"^[a-z][a-z0-9_]*$"
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Fraction = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]


def unknown_key(key: object, known: Iterable[str], hint: str = "") -> str:
    """Return what is wrong with a key that a table does not have, and which keys it does.

    Parameters
    ----------
    key
        The key.
    known
        Keys that the table has.
    hint
        Advice that is better than the nearest word.
    """
    known = list(known)
    hint = hint or nearest(str(key), known)
    accepted = f"accepted here: {', '.join(known)}"
    return f"is not a known key{hint} ({accepted})" if hint else f"is not a known key; {accepted}"


def complain(title: str, where: tuple[str | int, ...], what: str, value: Any = None) -> ValidationError:
    """Return the error of one field.

    Parameters
    ----------
    title
        Name of the model.
    where
        Path to the field, relative to the model.
    what
        What is wrong and what would be accepted, to follow the name of the field in a sentence.
    value
        What was given.

    Returns
    -------
    ValidationError
        To be raised inside a validator: pydantic puts the path of the model before ``where``.
    """
    message = PydanticCustomError("complaint", what)  # type: ignore[arg-type]
    return ValidationError.from_exception_data(title, [InitErrorDetails(type=message, loc=where, input=value)])


def model_of_kind(kinds: Kinds, value: Any, example: str) -> Any:
    """Return the class that a table names by its ``kind``.

    Parameters
    ----------
    kinds
        Where it is looked for.
    value
        The table.
    example
        A table that would be accepted, as TOML.

    Raises
    ------
    pydantic.ValidationError
        If there is no such kind, or its code may not be run, or it is no table.
    """
    title = getattr(kinds.base, "__name__", "")
    if not isinstance(value, dict):
        raise complain(title, (), f"is {value!r}, but must be a table such as {example}", value)
    kind = value.get("kind")
    if not isinstance(kind, str):
        what = "is missing" if kind is None else f"is {kind!r}"
        raise complain(title, ("kind",), f"{what}, but must be one of: {kinds.accepted()}", kind)
    try:
        return kinds.find(kind)
    except Refused as error:
        raise complain(title, ("kind",), str(error), kind) from None


class Checked(BaseModel):
    """A frozen table that takes no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    newer: ClassVar[tuple[str, ...]] = ()
    """Fields that came later: where they say nothing new they are left out, so that older protocols keep their text,
    their hash and the identity of what was reared by them."""

    @model_serializer(mode="wrap")
    def _without_newer_defaults(self, handler: Any) -> dict[str, Any]:
        table = handler(self)
        for key in self.newer:
            if getattr(self, key) == type(self).model_fields[key].default:
                table.pop(key, None)
        return table

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = list(cls.model_fields)
        for key in data:
            if key not in known:
                raise complain(cls.__name__, (str(key),), unknown_key(key, known, cls._hint(str(key))), data[key])
        for key, field in cls.model_fields.items():
            if field.is_required() and key not in data:
                raise complain(cls.__name__, (key,), f"is missing; it gives: {field.description}", None)
        return data

    @classmethod
    def _hint(cls, key: str) -> str:
        """Advice for an unknown key, where a model knows better than the nearest word."""
        return ""
