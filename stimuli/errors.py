"""The one error a user can cause."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "BadInput",
    "CannotRead",
    "CannotWrite",
    "MissingData",
    "finding",
    "in_short",
    "printable",
    "shortened",
    "warn",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What ends a line, what a terminal obeys, and what turns the direction of a line."""
_LONGEST_WORD, _LONGEST = 200, 3_000


class BadInput(ValueError):
    """Input that cannot be used: a file, a field or a value.

    The message is one sentence for the person at the keyboard: it names the file and the field and says what
    would be accepted. The command line prints it and ends with exit code 2. What is very long in it, because a value
    was, is shortened.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(shortened(str(message)))


class CannotRead(BadInput):
    """A file that cannot be read now, whatever it holds: it is not damaged, and nothing is done over because of it."""


class CannotWrite(BadInput):
    """A file that cannot be written; whatever else is worked out will not be kept either."""


class MissingData(BadInput):
    """A published set of images that is not on this machine; everything else may be well."""


def in_short(error: BaseException) -> str:
    """Return kind and first line of an error that somebody else's code raised."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


@contextmanager
def finding(words: str) -> Iterator[None]:
    """Make `BadInput` that begins with these words of whatever a user's own code raises: a finding, and not a crash."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{words}: {in_short(error)}") from error


def printable(text: str, but: str = "") -> str:
    r"""Return a text that stays on its line and that no terminal obeys.

    Line breaks and other control characters, which a text from a file and the name of a file can have, are shown as
    ``\n`` or ``\x1b``.

    Parameters
    ----------
    text, but
        The text, and characters that may stay as they are.
    """
    return _CONTROL.sub(lambda found: found[0] if found[0] in but else repr(found[0])[1:-1], text)


def shortened(text: str) -> str:
    """Return a text to be read in one line.

    It is `printable`; very long words, and what is beyond a length to be read, are left out and counted.
    """
    text = printable(text)
    words = (
        word if len(word) <= _LONGEST_WORD else f"{word[:80]}...({len(word) - 120} more characters)...{word[-40:]}"
        for word in re.split(r"(\s)", text)
    )
    text = "".join(words)
    if len(text) <= _LONGEST:
        return text
    left_out = len(text) - _LONGEST + 1000
    return f"{text[: _LONGEST - 2000]} ...({left_out} more characters)... {text[-1000:]}"


def warn(text: str) -> None:
    """Tell what does not stop the work, as a warning of the logger ``binocular``, in one line that is `shortened`."""
    logging.getLogger("binocular").warning("binocular: %s", shortened(text))
