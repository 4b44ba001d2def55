"""The one error a user can cause."""

from __future__ import annotations

__all__ = ["BadInput"]


class BadInput(ValueError):
    """Input that cannot be used: a file, a field or a value.

    The message is one sentence for the person at the keyboard: it names the file and the field and says what
    would be accepted. The command line prints it and ends with exit code 2.
    """
