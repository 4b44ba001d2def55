"""Classes of a user, named as ``module:Class``: who may bring them, how they are found, and what their code is.

Importing a module runs it. A study or a protocol that came from elsewhere may name a module of the folder it lies in;
such a name is refused until a person has named the class (on the command line, in an override, or by importing its
module in Python) or has said that all code a protocol names may be run.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib
import importlib.metadata
import inspect
import re
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from binocular.stimuli.errors import BadInput, in_short

__all__ = [
    "Refused",
    "allow",
    "allow_all",
    "check_place",
    "code_of",
    "find_class",
    "give",
    "is_reference",
    "is_shipped",
    "load_class",
    "look_in",
    "looked_in",
    "reference_of",
    "references_in",
]

# A name is looked for from its first letter only and never given back, so that very long texts are read once.
_REFERENCE = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*+:[A-Za-z_]\w*")
_allowed: set[str] = set()
_given: dict[str, Any] = {}
_beside: list[str] = []
_trusted = False
_first_seen: WeakKeyDictionary[type, str] = WeakKeyDictionary()
_last_read: WeakKeyDictionary[type, tuple[tuple[Path, ...], tuple[object, ...], str]] = WeakKeyDictionary()


def references_in(texts: Iterable[str]) -> set[str]:
    """Return everything of the form ``module:Class`` in texts, such as the overrides of a command line."""
    return {found for text in texts for found in _REFERENCE.findall(text)}


def is_reference(text: str) -> bool:
    """Say whether a text is of the form ``module:Class``."""
    return bool(_REFERENCE.fullmatch(text))


def allow(references: Iterable[str]) -> None:
    """Let these classes, ``module:Class``, be imported: a person has named them."""
    _allowed.update(references)


def allow_all() -> None:
    """Let every class that a protocol or a study names be imported, until the process ends."""
    global _trusted
    _trusted = True


def look_in(*folders: Path | str) -> None:
    """Look for the modules of a user in these folders, too: a protocol that lies there names classes of theirs.

    Nothing is imported by that. The folder that was named last comes first, and the working folder after all of them.
    """
    for folder in reversed(folders):
        place = str(Path(folder).absolute())
        _beside[:] = [place, *(other for other in _beside if other != place)]


def looked_in() -> tuple[str, ...]:
    """Return the folders of `look_in`, for other processes."""
    return tuple(_beside)


def give(found: Any) -> str:
    """Take a class that a person has handed over in Python, and return the name by which a protocol may ask for it.

    It is known in this process only, unless its module can be imported.
    """
    reference = f"{found.__module__}:{found.__name__}"
    _given[reference] = found
    return reference


def check_place(reference: str, folder: Path) -> None:
    """Raise `Refused` for a name of a protocol whose module lies beside another protocol only, that was read before.

    A process goes on looking in the folders of all protocols that it has read, because each of them may yet be reared.

    Parameters
    ----------
    reference, folder
        The name, ``module:Class``, and the folder of the protocol that holds it.
    """
    top = reference.partition(":")[0].partition(".")[0]
    used = getattr(sys.modules.get(top), "__file__", None)
    elsewhere = {place for place in _beside if not _same_file(Path(place), folder)}
    if reference in _given or (used is not None and not {str(above) for above in Path(used).parents} & elsewhere):
        return
    own = [*sys.path, str(folder.absolute()), *_working_folder()]
    importlib.invalidate_caches()
    if PathFinder.find_spec(top, own) is None and PathFinder.find_spec(top, [*elsewhere]) is not None:
        raise Refused(_nowhere(reference, top, [folder.absolute()]))


class Refused(Exception):
    """A name for which there is no class that may be used; the text follows the name of the field that holds it."""


def load_class(reference: str, field: str, base: type) -> Any:
    """Return a class that is named as ``module:Class``, importing its module if that is allowed.

    Parameters
    ----------
    reference
        The name; the folders of protocols are looked at last, and then the working folder.
    field
        Where the name was given, for messages.
    base
        What it must be a subclass of, where nobody but a file has named it.

    Raises
    ------
    BadInput
        If nobody has allowed it, the module cannot be imported or has no such class.
    """
    try:
        return find_class(reference, base, makers=True)
    except Refused as error:
        raise BadInput(f"{field} {error}") from error.__cause__


def find_class(reference: str, base: type | None, makers: bool = False) -> Any:
    """Return what is named as ``module:name``; see `load_class`.

    Parameters
    ----------
    reference
        The name.
    base
        What it must be a subclass of; None for a function, which only a person can have named.
    makers
        Whether a person may name something else that makes an object of that kind.

    Raises
    ------
    Refused
        If nobody has allowed it, the module cannot be imported or has nothing of the name and kind.
    """
    if reference in _given:
        return _given[reference]
    module_name, _, name = reference.partition(":")
    if not _REFERENCE.fullmatch(reference):
        stem = Path(module_name.replace("\\", "/")).name.removesuffix(".py")
        raise Refused(
            f"is {reference!r}, which is not of the form module:Class; accepted is a module's name without folder and "
            f"ending, such as {stem if stem.isidentifier() else 'mine'}:{name or 'Class'}, run in its folder"
        )
    named = _trusted or reference in _allowed
    if not named and (base is None or module_name not in sys.modules):
        how = f"import {module_name}" if base is not None else f"binocular.stimuli.user_code.allow(['{reference}'])"
        raise Refused(
            f"names the {'class' if base else 'function'} {reference}, and code that a file names is not run unless "
            f"you say so: allow it with --trust-code, or name it yourself on the command line (in Python, {how})"
        )
    found = getattr(_module(module_name, reference), name, None)
    if found is None or not ((makers and named and callable(found)) or _is_a(found, base)):
        kind = "function" if base is None else f"class of the kind {base.__name__}"
        there = [n for n, value in vars(sys.modules[module_name]).items() if _is_own(value, module_name, base)]
        what = f"has no '{name}'" if found is None else f"has '{name}', which is no {kind}"
        close = difflib.get_close_matches(name, there, n=1) if found is None else []
        hint = f"; did you mean '{module_name}:{close[0]}'?" if close else ""
        accepted = f"accepted: {', '.join(there)}" if there else f"it has no {kind}"
        raise Refused(f"names {reference}, but the module {what}{hint}; {accepted}")
    return found


def _module(name: str, reference: str) -> Any:
    try:
        with _own_folders_last():
            _refuse_another(name, reference, deep=name not in sys.modules)
            return importlib.import_module(name)
    except Refused:
        raise
    except (Exception, SystemExit) as error:  # whatever a user's module does while it is imported
        if isinstance(error, ModuleNotFoundError) and error.name in (name, name.partition(".")[0]):
            raise Refused(_nowhere(reference, error.name, _beside)) from error
        raise Refused(f"names {reference}, which cannot be imported: {in_short(error)}") from error


def _nowhere(reference: str, module: str, folders: Iterable[Path | str]) -> str:
    looked = ", ".join(["in the working folder", *(f"in {folder}" for folder in folders)])
    return (
        f"names {reference}, which cannot be imported: there is no module {module} {looked} or among the installed "
        f"packages; put {module.partition('.')[0]}.py beside the protocol, or run in its folder"
    )


def _refuse_another(name: str, reference: str, deep: bool) -> None:
    """Raise `Refused` where Python would give a module of another folder than that which is looked in first.

    A process has one module of a name: after ``mine`` of one protocol's folder, that of another's would not be found,
    nor a ``helpers`` that it imports (``deep``).
    """
    names, seen = [name], set()
    while names:
        top = names.pop().partition(".")[0]
        if top in seen or top in ("binocular", "torch") or top in sys.stdlib_module_names:
            continue
        seen.add(top)
        spec = PathFinder.find_spec(top)
        there = Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None
        if there is None or _is_installed(there):
            continue
        used = getattr(sys.modules.get(top), "__file__", None)
        if used is not None and not _same_file(Path(used), there):
            raise Refused(
                f"names {reference}, but this process uses another module {top} already, {used} in place of {there}; "
                "start Python anew, or give one of them another name"
            )
        if deep:
            with suppress(OSError, SyntaxError, ValueError), _PARSING:
                names += _imports(ast.parse(there.read_bytes()), top if there.name == "__init__.py" else "")


def _same_file(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def _is_a(found: Any, base: type | None) -> bool:
    return callable(found) if base is None else isinstance(found, type) and issubclass(found, base)


def _is_own(found: Any, module: str, base: type | None) -> bool:
    """Whether something is defined in a module and of the kind that is looked for there."""
    own = getattr(found, "__module__", "") == module and not getattr(found, "__name__", "_").startswith("_")
    return own and (inspect.isfunction(found) if base is None else _is_a(found, base))


def reference_of(found: Any) -> str:
    """Return the name, ``module:Class``, of a class or function."""
    return f"{found.__module__}:{found.__qualname__}"


@contextmanager
def _own_folders_last() -> Iterator[None]:
    """Let modules beside a protocol and of the working folder be found, after all others."""
    added = [place for place in dict.fromkeys([*_beside, *_working_folder()]) if place not in sys.path]
    sys.path.extend(added)
    if added:
        importlib.invalidate_caches()
    try:
        yield
    finally:
        for place in added:
            if place in sys.path:
                sys.path.remove(place)


def _working_folder() -> list[str]:
    with suppress(OSError):  # the folder was deleted
        return [str(Path.cwd())]
    return []


def is_shipped(cls: Any) -> bool:
    """Whether a class comes with this project; its code is then known by the version of rearing.

    What a person handed over and is no class, as something that copies a network with its weights, does not, though it
    bears the name of one that does.
    """
    return isinstance(cls, type) and cls.__module__.partition(".")[0] == "binocular"


def code_of(cls: Any) -> str:
    """Return a digest of the code behind a class: its module, the local modules this imports, and what they build on.

    Of installed packages that are imported the version counts; the standard library and torch are left to the versions
    that stand beside this digest.

    Raises
    ------
    BadInput
        If a module was edited after it was imported: what would run is no longer what lies in the file.
    """
    try:
        paths, stamps, known = _last_read.get(cls, ((), (), ""))
    except TypeError:  # something that makes a class, and cannot be kept track of
        return _digest_of(cls)[0]
    if paths and _stamps(paths) == stamps:  # it is asked for at every epoch of every subject
        return known
    found, paths = _digest_of(cls)
    if _first_seen.setdefault(cls, found) != found:
        raise BadInput(
            f"the code of {cls.__module__}:{cls.__qualname__} was edited after it was imported, so that the old code "
            "would run; start Python anew, or reload the module"
        )
    _last_read[cls] = (paths, _stamps(paths), found)
    return found


def _digest_of(cls: Any) -> tuple[str, tuple[Path, ...]]:
    """Return the digest of the code behind a class, and the local files that it is made from."""
    digest = hashlib.sha256()
    local: dict[str, bytes] = {}
    packages: set[str] = set()
    with _own_folders_last():
        _collect(cls.__module__, local, packages)
        paths = tuple(path for name in local if (path := _place(name)[0]) is not None)
    if not local:
        local[cls.__module__] = _source(cls)
    for name, source in sorted(local.items()):
        digest.update(repr((name, hashlib.sha256(source).hexdigest())).encode())
    for package in sorted(packages):
        digest.update(repr((package, _version(package))).encode())
    return digest.hexdigest()[:24], paths


def _stamps(paths: Sequence[Path]) -> tuple[object, ...]:
    """Return what changes when one of these files does."""
    try:
        return tuple((about.st_mtime_ns, about.st_size, about.st_ino) for about in (path.stat() for path in paths))
    except OSError:
        return (None,)


def _source(cls: Any) -> bytes:
    """Return the source of a class that lies in no file, such as one of a notebook."""
    try:
        with _PARSING:  # to find a class in its module, Python parses it
            return inspect.getsource(cls).encode()
    except (OSError, TypeError):
        return b"".join(value.__code__.co_code for value in vars(cls).values() if inspect.isfunction(value))


_PARSING = threading.Lock()
"""Held while a module is parsed: in CPython 3.11 two threads that parse at once end in a SystemError (gh-106905)."""


def _collect(name: str, local: dict[str, bytes], packages: set[str]) -> None:
    """Add the source of a local module and of those it imports; note the installed packages."""
    top = name.partition(".")[0]
    if name in local or top in ("binocular", "torch") or (top in sys.stdlib_module_names and name != "__main__"):
        return
    path, is_package = _place(name)
    if path is None:
        return
    if _is_installed(path):
        packages.add(top)
        return
    try:
        local[name] = source = path.read_bytes()
        with _PARSING:
            tree = ast.parse(source)
    except OSError:
        return
    except (SyntaxError, ValueError):  # a compiled module: its bytes say all
        tree = ast.Module([], [])
    around = name if is_package else name.rpartition(".")[0]
    for wanted in (around, *_imports(tree, around)):  # the package around a module is run first
        if wanted:
            _collect(wanted, local, packages)


def _place(name: str) -> tuple[Path | None, bool]:
    """Return where a module lies, and whether it is a package, without running anything."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return (Path(file) if file else None), hasattr(module, "__path__")
    within: list[str] | None = None
    found = None
    for part in name.split("."):
        found = PathFinder.find_spec(part, within)
        if found is None:
            return None, False
        within = list(found.submodule_search_locations or ())
    place = None if found is None or not found.has_location else found.origin
    return (Path(place) if place else None), bool(within)


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[: i + 1]) for i in range(len(parts)))
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_installed(path: Path) -> bool:
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return any(part in ("site-packages", "dist-packages") for part in path.parts) or any(
        place and path.is_relative_to(place) for place in places
    )


def _version(package: str) -> str:
    versions = []
    for distribution in _distributions().get(package, []):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{distribution} {importlib.metadata.version(distribution)}")
    return ", ".join(sorted(set(versions))) or "unknown"


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
