"""A very small calculator, for numbers of a protocol that follow from others: ``"= total - onset - duration"``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from binocular.stimuli.wording import nearest

__all__ = ["ExpressionError", "evaluate"]

Value = bool | int | float | str
TOKEN = re.compile(
    r"\s*(?:(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+|\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(//|[-+*/(),]))", re.ASCII
)
LONGEST, LARGEST = 200, 1e15
FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {
    "min": (lambda *values: min(values), 1, 9),
    "max": (lambda *values: max(values), 1, 9),
    "round": (lambda value: math.floor(value + 0.5), 1, 1),
}


class ExpressionError(ValueError):
    """An expression that cannot be evaluated; the message continues a sentence that begins with the field's name."""


def evaluate(text: str, names: Mapping[str, Value]) -> Value:
    """Return the value of an expression.

    Parameters
    ----------
    text
        Numbers, names, ``+ - * / //``, brackets, ``min(...)``, ``max(...)`` and ``round(x)``, which rounds halves up. A
        name on its own may also stand for text.
    names
        Value of each name.

    Returns
    -------
    bool, int, float or str
        A whole number where the result is one and no decimal point was involved, or a division came out even.

    Raises
    ------
    ExpressionError
        If the text is no such expression, names something unknown, divides by zero or becomes too large.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"is an expression of {len(text)} characters, but at most {LONGEST} are accepted")
    lone = text.strip()
    if lone in names:
        return names[lone]
    return _Parser(_tokens(text), names, text.strip()).result()


def _tokens(text: str) -> list[str]:
    tokens, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            rest = text[place:].strip()[:1]
            raise ExpressionError(
                f"is the expression '{text.strip()}' with the unknown sign {rest!r}, but only numbers, names, "
                "+ - * / // ( ) min max round are accepted"
            )
        tokens.append(match[0].strip())
        place = match.end()
    return tokens


class _Parser:
    """Recursive descent: sum -> product -> signed -> atom."""

    def __init__(self, tokens: list[str], names: Mapping[str, Value], text: str) -> None:
        self.tokens, self.names, self.text = tokens, names, text
        self.place = 0

    def result(self) -> int | float:
        value = self.sum()
        if self.place < len(self.tokens):
            raise self.error(f"does not go on after '{' '.join(self.tokens[: self.place])}'")
        return value

    def error(self, what: str) -> ExpressionError:
        return ExpressionError(f"is the expression '{self.text}', which {what}")

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if token not in wanted:
            raise self.error(f"lacks {' or '.join(repr(sign) for sign in wanted)}")
        self.place += 1
        return token

    def checked(self, value: int | float) -> int | float:
        if not abs(value) <= LARGEST:
            raise self.error(f"becomes larger than {LARGEST:g}")
        return value

    def sum(self) -> int | float:
        value = self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.take("+", "-") == "+" else -1
            value = self.checked(value + sign * self.product())
        return value

    def product(self) -> int | float:
        value = self.signed()
        while self.peek() in ("*", "/", "//"):
            operation = self.take("*", "/", "//")
            other = self.signed()
            if operation == "*":
                value = self.checked(value * other)
                continue
            if other == 0:
                raise self.error("divides by zero")
            even = isinstance(value, int) and isinstance(other, int) and value % other == 0
            value = self.checked(value // other if operation == "//" or even else value / other)
        return value

    def signed(self) -> int | float:
        sign = 1
        while self.peek() in ("+", "-"):
            sign = sign if self.take("+", "-") == "+" else -sign
        return sign * self.atom()

    def atom(self) -> int | float:
        token = self.peek()
        self.place += 1
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token in FUNCTIONS and self.peek() == "(":
            return self.call(token)
        if re.match(r"[A-Za-z_]", token):
            return self.number_named(token)
        if token and token[0] in "0123456789.":
            return self.checked(int(token) if token.isdigit() else float(token))
        raise self.error(f"lacks a number {'at its end' if not token else f'before {token!r}'}")

    def number_named(self, name: str) -> int | float:
        if name not in self.names:
            known = ", ".join(self.names) or "none"
            raise self.error(f"uses the unknown name '{name}' (known here: {known}){nearest(name, self.names)}")
        value = self.names[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"calculates with '{name}', which is {value!r} and no number")
        return self.checked(value)

    def call(self, name: str) -> int | float:
        function, least, most = FUNCTIONS[name]
        self.take("(")
        values = [self.sum()]
        while self.peek() == ",":
            self.take(",")
            values.append(self.sum())
        self.take(")")
        if not least <= len(values) <= most:
            takes = least if least == most else f"{least} to {most}"
            raise self.error(f"gives {name} {len(values)} values, but it takes {takes}")
        return function(*values)
