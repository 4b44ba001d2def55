"""From a name or a file to a checked protocol, with one sentence for whatever is wrong."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import Refused, allow, check_place, is_reference, look_in, references_in
from binocular.stimuli.wording import nearest

from .inheriting import inherit
from .overrides import apply_overrides
from .schema import Protocol, texts_in
from .sentences import path_text, sentence
from .sweeps import expand

__all__ = ["library_names", "load_protocol", "parse_protocol", "protocol_from"]

LARGEST_FILE = 4_000_000


def library_names() -> tuple[str, ...]:
    """Return the names of the protocols in the library, sorted."""
    files = (file.name for file in _library().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def _library() -> Traversable:
    return resources.files("binocular.protocols") / "library"


def load_protocol(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Protocol:
    """Return a checked protocol.

    Parameters
    ----------
    name_or_path
        A name from the library, or the path of a TOML file (anything that ends in ``.toml`` or contains a slash).
    overrides
        Fields to replace, as ``"training.learning_rate=0.01"``; see ``binocular.protocols.overrides.parse_override``.

    Returns
    -------
    Protocol
        With sweeps laid out.

    Raises
    ------
    BadInput
        With one sentence that names the file, the field and what would be accepted.

    Examples
    --------
    >>> protocol = load_protocol("monocular-deprivation", ["treated_eye=left"])
    >>> protocol.treated_eye
    'left'
    >>> load_protocol("monocular-deprivation", ["training.batchsize=10"])
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: ...batchsize...
    """
    given = str(name_or_path)
    if isinstance(name_or_path, Path) or given.endswith(".toml") or "/" in given or "\\" in given:
        path = Path(given)
        return parse_protocol(_read(path), given, overrides, path.parent)
    names = library_names()
    if given not in names:
        hint = _nearest_file(Path(f"{given}.toml")) or nearest(given, names)
        raise BadInput(
            f"there is no protocol named '{given}'{hint}; 'binocular list' shows all names, and the path of "
            "a .toml file is accepted too"
        )
    return parse_protocol((_library() / f"{given}.toml").read_bytes(), f"{given}.toml", overrides)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        known = path.stem in library_names()
        hint = f" (the library has '{path.stem}', given without .toml)" if known else _nearest_file(path)
        raise BadInput(
            f"there is no file {path}; accepted is the path of a .toml file or a name of 'binocular list'{hint}"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"{str(path)!r} cannot be read ({reason}); accepted is a protocol in a readable .toml file"
        ) from None
    if len(content) > LARGEST_FILE:
        raise BadInput(f"{path} is larger than {LARGEST_FILE // 1_000_000} MB; accepted is a protocol in a .toml file")
    return content


def _nearest_file(path: Path) -> str:
    """Return "; did you mean 'x.toml'?" for the protocol in the same folder whose name is nearest, or nothing."""
    try:
        there = [file.name for file in path.parent.iterdir() if file.suffix == ".toml"]
    except (OSError, ValueError):
        return ""
    close = difflib.get_close_matches(path.name, there, n=1, cutoff=0.7)
    return f"; did you mean '{path.with_name(close[0])}'?" if close else ""


def _named(name: str, field: str, folder: Path | None) -> dict[str, Any]:
    """Return the table of a protocol that another one names: one of the library, or a file beside it."""
    names = library_names()
    if name in names:
        return _parsed((_library() / f"{name}.toml").read_bytes(), name, None)
    if folder is None or not name.endswith(".toml"):
        beside = "" if folder is None else ", or a .toml file beside this one"
        raise BadInput(
            f"{field}: there is no protocol named {name!r}{nearest(name, names)}; accepted is a name of "
            f"'binocular list'{beside}"
        )
    return _parsed(_read(folder / name), name, folder)


def parse_protocol(
    content: bytes | str, source: str = "protocol", overrides: Sequence[str] = (), folder: Path | None = None
) -> Protocol:
    """Return the protocol that a text in TOML describes.

    Parameters
    ----------
    content
        The text, or its bytes in UTF-8.
    source
        Name of the file, for messages.
    overrides
        Fields to replace. A class of a user that they name, ``module:Class``, may be imported from then on.
    folder
        Folder of the file, from which a relative ``stimulus.path`` or ``network.weights`` starts, and the path of a
        ``base``.

    Raises
    ------
    BadInput
        With one sentence that names the source, the line or the field, and what would be accepted.
    """
    return protocol_from(_parsed(content, source, folder), source, overrides, folder)


def _parsed(content: bytes | str, source: str, folder: Path | None) -> dict[str, Any]:
    """Return the table of a text in TOML, or say what is wrong with the text."""
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise BadInput(
                f"{source}, line {line}: byte {content[error.start]:#04x} is not UTF-8; accepted is TOML text"
            ) from None
    try:
        raw = tomllib.loads(content)
    except RecursionError:
        raise BadInput(f"{source} is nested too deeply; accepted is a protocol as TOML text") from None
    except ValueError as error:
        raise BadInput(f"{source} is not valid TOML: {_toml_problem(str(error), content)}") from None
    if folder is not None:
        _settle_place(raw, folder)
        if references_in([content]):
            look_in(folder)
    return raw


def _settle_place(raw: dict[str, Any], folder: Path) -> None:
    """Let a relative path in a file start from the file, so that the same file means the same from every folder.

    Where nothing lies there it starts from the working folder, as a path on the command line does.
    """
    for table, field in (("stimulus", "path"), ("network", "weights")):
        given = raw[table].get(field) if isinstance(raw.get(table), dict) else None
        if not isinstance(given, str) or not given or given.startswith("~"):
            continue
        try:
            here = (folder / given).absolute()
            if not Path(given).is_absolute() and here.exists():
                raw[table] = {**raw[table], field: str(here)}
        except (OSError, ValueError):  # a name that no file can have is refused with the rest
            continue


def _check_places(table: Any, folder: Path, source: str) -> None:
    """Raise `BadInput` where code is named that lies beside another protocol than this one."""
    for where, text in texts_in(table, ()):
        if is_reference(text):
            try:
                check_place(text, folder)
            except Refused as error:
                raise BadInput(f"{source}: {path_text(where, table)} {error}") from None


def _toml_problem(message: str, content: str) -> str:
    """Return what the parser found wrong, with the line and in words for people."""
    last = content.rstrip("\n").count("\n") + 1
    message = message.replace("at end of document", f"at line {last}, the last one")
    message = message.replace("Cannot overwrite a value", "A key is given twice")
    return message[:1].lower() + message[1:]


def protocol_from(
    raw: Mapping[str, Any], source: str = "protocol", overrides: Sequence[str] = (), folder: Path | None = None
) -> Protocol:
    """Return the protocol that plain data describe; see `parse_protocol`.

    Parameters
    ----------
    raw
        Tables, lists, text and numbers, as TOML has them.
    source
        Name of the file, for messages.
    overrides
        As ``field=value``.
    folder
        Folder of the file, from which the path of a ``base`` starts; None where names of the library alone are taken.
    """
    table: Any = inherit(raw, source, lambda name, field: _named(name, field, folder))
    allow(references_in(overrides))
    try:
        table, waiting = apply_overrides(table, overrides, last=False)
        table = expand(table)
        if waiting:
            # What a sweep has made can be changed by its own name.
            table = expand(apply_overrides(table, waiting)[0])
        if folder is not None:
            _check_places(table, folder, source)
        return Protocol.model_validate(table)
    except ValidationError as error:
        raise BadInput(f"{source}: {sentence(error, table)}") from None
    except RecursionError:
        raise BadInput(f"{source} is nested too deeply; accepted is a protocol as TOML text") from None
