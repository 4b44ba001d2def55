"""Starting the command line, wherever it is: any output, any working folder, any settings of other programs.

All that can go wrong, from the first import on, ends here in one line and an exit code.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
from typing import IO, NoReturn

__all__ = ["main"]

_AT_HOME = re.compile(r"(--[\w-]+=)?(~(?:/.*)?)", re.DOTALL)
_EMPTY = re.compile(r"--[\w-]+=")
_SAYS_ALL = ("backslashreplace", "ignore", "namereplace", "replace", "xmlcharrefreplace")


def main() -> None:
    """Run the command line; bad input ends with one sentence and exit code 2."""
    try:
        try:
            _prepare()
            from binocular.cli import app

            _refuse_empty(sys.argv[1:])
            app(args=[_expanded(argument) for argument in sys.argv[1:]])
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        _end(130, "stopped")
    except BrokenPipeError:
        _end(1)
    except Exception as error:
        if os.environ.get("BINOCULAR_DEBUG"):
            raise
        _end(*_told(error))


def _prepare() -> None:
    _need_no_folder()
    signal.signal(signal.SIGTERM, _interrupt)
    _open_streams()
    os.environ["MPLBACKEND"] = "Agg"  # nothing is shown here, whatever a notebook around this has set
    # The processes that are started from here do not look for modules in the working folder; nor does this one.
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    # An empty entry, such as a colon too many leaves behind, is the working folder.
    sys.path[:] = [folder for folder in sys.path if folder]
    if "PYTHONPATH" in os.environ:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, os.environ["PYTHONPATH"].split(os.pathsep)))


def _need_no_folder() -> None:
    """Start again without the working folder among those of the modules, where that folder was deleted.

    Python 3.13.0 asks for that folder whenever a module lacks a name, and then fails without an exception, unless it
    was started with ``-P``: no package could be imported.
    """
    try:
        os.getcwd()  # noqa: PTH109 - nothing else is imported yet
    except OSError:
        if not sys.flags.safe_path:
            os.execv(sys.executable, [sys.executable, "-P", *sys.orig_argv[1:]])


def _open_streams() -> None:
    """Let every text be written: a closed stream swallows it, and what an encoding cannot say is written as escapes."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed; a file that is opened later must not take its number
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open for good
        elif hasattr(stream, "reconfigure") and stream.errors not in _SAYS_ALL:
            stream.reconfigure(errors="backslashreplace")


def _expanded(argument: str) -> str:
    """Replace a ``~`` that the shell has left, as in ``--out=~/results``."""
    found = _AT_HOME.fullmatch(argument)
    return (found[1] or "") + os.path.expanduser(found[2]) if found else argument  # noqa: PTH111 - a part of a text


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse what an unset variable of a shell leaves, as in ``--out "$OUT"``: it would mean the working folder."""
    from binocular.stimuli.errors import BadInput

    for before, argument in zip(["", *arguments], arguments, strict=False):
        if not argument or _EMPTY.fullmatch(argument):
            name = argument.rstrip("=") or (before if before.startswith("--") else "") or "one of the arguments"
            raise BadInput(f"{name} is empty; give a value, or leave it out")


def _told(error: Exception) -> tuple[int, str]:
    """Return the exit code of an error and what is said of it."""
    from binocular.stimuli.errors import BadInput, shortened

    if isinstance(error, BadInput):
        return 2, str(error)
    if isinstance(error, OSError):
        said = str(error.strerror or error)
        return 2, shortened(f"{error.filename}: {said}" if error.filename else said)
    what = shortened(f"{type(error).__name__}: {error}")
    return 70, f"a fault of binocular itself: {what} (BINOCULAR_DEBUG=1 shows where)"


def _end(code: int, text: str = "") -> NoReturn:
    if text:
        with contextlib.suppress(OSError):
            print(f"binocular: {text}", file=sys.stderr, flush=True)
    for stream in (sys.stdout, sys.stderr):
        _give_up(stream)
    sys.exit(code)


def _give_up(stream: IO[str]) -> None:
    """Let a stream that can no longer be written swallow what is left, so that Python does not complain at its end."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
