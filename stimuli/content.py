"""The content of the files that stimuli are made from, as one digest: what decides a result is what lies in them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from binocular.stimuli.errors import BadInput

__all__ = ["digest_of_files", "digest_of_values"]

_FORMAT = "binocular-digests/1"
_MOST = 1000
"""Sets of files that the memory of digests holds; the oldest go first."""
_SETTLED = 2.0
"""Seconds after which a further change of a file is sure to change its time, even on a coarse file system."""


def digest_of_files(files: Mapping[str, Path]) -> str:
    """Return a digest of what files hold and how they are called, wherever they lie.

    A set of files is read once: as long as the size, the times and the inode of every file stay the same, the digest is
    taken from a memory of digests in the user's cache folder.

    Parameters
    ----------
    files
        For each name (such as the path inside a data set) the file.

    Returns
    -------
    str
        24 hexadecimal digits, or nothing where there are no files.

    Raises
    ------
    BadInput
        If a file cannot be read.
    """
    if not files:
        return ""
    now, newest, digest = time.time(), 0.0, hashlib.sha256()
    stamps = hashlib.sha256()
    for name, path in sorted(files.items()):
        try:
            about = path.stat()
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
        newest = max(newest, about.st_mtime, about.st_ctime)
        stamp = (name, os.path.realpath(path), about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
        stamps.update(repr(stamp).encode("utf-8", "surrogateescape"))
    key = stamps.hexdigest()[:32]
    known = _remembered()
    if key in known:
        return known[key]
    for name, path in sorted(files.items()):
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
        digest.update(repr((name, content)).encode("utf-8", "surrogateescape"))
    found = digest.hexdigest()[:24]
    if now - newest > _SETTLED:
        _remember(known, key, found)
    return found


def digest_of_values(values: object) -> str:
    """Return a digest of the tensors, arrays and plain values that an object holds, however they are nested.

    Objects of other kinds count with what their own attributes hold; what they can do does not count.
    """
    digest = hashlib.sha256()
    _add(digest, values, {})
    return digest.hexdigest()[:24]


def _add(digest: hashlib._Hash, value: object, seen: dict[int, object]) -> None:
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        value = value.view(torch.int16).numpy() if value.dtype == torch.bfloat16 else value.numpy()
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(f"{value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        digest.update(repr(value).encode("utf-8", "surrogateescape"))
    elif id(value) not in seen:
        seen[id(value)] = value  # kept, for the number of an object that is gone is given to another one
        if isinstance(value, Mapping):
            for key in sorted(value, key=repr):
                digest.update(repr(key).encode("utf-8", "surrogateescape"))
                _add(digest, value[key], seen)
        elif isinstance(value, (list, tuple)):
            for item in value:
                _add(digest, item, seen)
        elif hasattr(value, "__dict__") and not isinstance(value, type) and not hasattr(value, "__get__"):
            # The hooks of a module are numbered by when they were made.
            _add(digest, {name: part for name, part in vars(value).items() if "hook" not in name}, seen)


def _memory() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path("~/.cache").expanduser())
    return Path(folder) / "binocular-lab" / "digests.json"


def _remembered() -> dict[str, str]:
    """Return the digests that are known; a memory that cannot be read is none."""
    with suppress(OSError, ValueError, RuntimeError):
        stored = json.loads(_memory().read_text(encoding="utf-8"))
        if isinstance(stored, dict) and stored.get("format") == _FORMAT and isinstance(stored.get("digests"), dict):
            return {str(key): str(digest) for key, digest in stored["digests"].items()}
    return {}


def _remember(known: dict[str, str], key: str, digest: str) -> None:
    """Note a digest; where nothing can be noted the files are read again next time."""
    kept = dict([*known.items(), (key, digest)][-_MOST:])
    with suppress(OSError, RuntimeError):
        path = _memory()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            partial.write_text(json.dumps({"format": _FORMAT, "digests": kept}), encoding="utf-8")
            partial.replace(path)
        finally:  # of a full disk nothing is taken
            partial.unlink(missing_ok=True)
