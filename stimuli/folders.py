"""A folder of class folders as an image set."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from binocular.stimuli.errors import BadInput
from binocular.stimuli.images import TEST_SHARE, ImageData, Request, first_in_turn
from binocular.stimuli.pictures import PICTURE_ENDINGS, Whites, is_grey, path_text, read_picture
from binocular.stimuli.places import from_home

__all__ = ["ClassFolders", "class_folders", "divide", "folder_files", "key_of", "load_folder", "without_colour"]

_OF_THE_SYSTEM = {
    "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found",
    "thumbs.db", "ehthumbs.db", "desktop.ini",
}  # fmt: skip


def load_folder(request: Request) -> ImageData:
    """Load a folder of class folders, or one with such folders named train and test.

    Parameters
    ----------
    request
        Its ``path`` is the folder. Classes are its folders, sorted by name; without train and test ``divide`` says
        which files are for which. Pictures come to ``size`` by ``read_picture``, and are grey where all of them are.

    Returns
    -------
    ImageData
        The pictures; only those asked for are read. What was passed over is counted in its ``notes``.

    Raises
    ------
    BadInput
        If the folder, a class or a picture cannot be used.
    """
    if request.path is None:
        raise BadInput(
            'stimulus.path is missing; dataset "folder" needs a folder with one folder of pictures per class'
        )
    root = from_home(request.path)
    if not root.is_dir():
        raise BadInput(f"stimulus.path: {root} is not a folder; it should hold one folder of pictures per class")
    found = class_folders(root, request.test_share)
    chosen: dict[str, list[tuple[Path, int]]] = {}
    for part, pairs in found.files.items():
        order = first_in_turn(np.array([label for _, label in pairs]), request.number(part), part, path_text(root))
        chosen[part] = [pairs[place] for place in order]
    grey, mixed = without_colour([path for pairs in chosen.values() for path, _ in pairs], request.grey)
    size, whites = request.size or 32, Whites(request.bit_depth)
    images = {
        part: np.stack([read_picture(path, size, grey, whites=whites) for path, _ in pairs])
        for part, pairs in chosen.items()
    }
    whites.check(root)
    labels = {part: np.array([label for _, label in pairs], np.int64) for part, pairs in chosen.items()}
    return ImageData(images, labels, found.names, (*found.notes, *mixed))


@dataclass(frozen=True)
class ClassFolders:
    """What lies in a folder of class folders.

    Attributes
    ----------
    names
        Of the classes, sorted.
    files
        Pictures of the parts ``"train"`` and ``"test"``, each with the number of its class.
    notes
        What was passed over, one sentence each.
    """

    names: tuple[str, ...]
    files: dict[str, list[tuple[Path, int]]]
    notes: tuple[str, ...]


def class_folders(root: Path, test_share: float = TEST_SHARE) -> ClassFolders:
    """Say what lies in a folder of class folders, or in one with such folders named train and test.

    Parameters
    ----------
    root
        The folder.
    test_share
        As for `divide`.

    Raises
    ------
    BadInput
        If there are no two classes, one of them is empty, or train and test differ in them.
    """
    passed = Counter[str]()
    has_parts = (root / "train").is_dir() and (root / "test").is_dir()
    classes = _classes(root / "train" if has_parts else root, passed)
    tested = _classes(root / "test", passed) if has_parts else {}
    if has_parts:
        _check_same(classes, tested, root)
    files: dict[str, list[tuple[Path, int]]] = {"train": [], "test": []}
    for label, (name, folder) in enumerate(classes.items()):
        if has_parts:
            found = {"train": _pictures(folder, passed), "test": _pictures(tested[name], passed)}
        else:
            found = divide(_pictures(folder, passed), folder, test_share)
        for part, paths in found.items():
            files[part] += [(path, label) for path in paths]
    notes = tuple(f"{path_text(root)}: passed over {count} {what}" for what, count in sorted(passed.items()))
    return ClassFolders(tuple(classes), files, notes)


def without_colour(paths: Sequence[Path], wanted: bool | None) -> tuple[bool, tuple[str, ...]]:
    """Say whether pictures are read without colour, and what a person should know of that.

    Parameters
    ----------
    paths
        The pictures.
    wanted
        What is asked for; None for without colour where none of them has any.
    """
    if wanted is not None:
        return wanted, ()
    n_grey = sum(map(is_grey, paths))
    if n_grey in (0, len(paths)):
        return n_grey > 0, ()
    return False, (f"{n_grey} of {len(paths)} pictures are stored without colour and shown in all three channels",)


def folder_files(request: Request) -> dict[str, Path]:
    """Return all pictures below a folder, by their path inside it; none where there is no such folder."""
    root = from_home(request.path or "")
    if request.path is None or not root.is_dir():
        return {}
    return {key_of(path.relative_to(root).as_posix()): path for path in pictures_below(root)}


def pictures_below(folder: Path) -> Iterator[Path]:
    """Yield all pictures in a folder and in those within it, except hidden ones, in no order."""
    for path in folder.rglob("*"):
        if path.suffix.lower() in PICTURE_ENDINGS and path.name[0] != "." and path.is_file():
            yield path


def key_of(name: str) -> str:
    """Return a name as it is known on every machine: macOS may keep letters and their accents apart, Linux does not."""
    return unicodedata.normalize("NFC", name)


def _entries(folder: Path) -> list[tuple[str, Path]]:
    """Return what a folder holds, by key and in an order that is the same on every machine."""
    try:
        return sorted((key_of(entry.name), entry) for entry in folder.iterdir())
    except OSError as error:
        raise BadInput(f"{path_text(folder)} cannot be read ({error.strerror}); name a folder that can") from None


def _passed_over(name: str) -> bool:
    """Say whether an entry is hidden or one that an operating system or a file server leaves beside the pictures."""
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def _classes(folder: Path, passed: Counter[str]) -> dict[str, Path]:
    """Return the class folders in a folder by name, sorted.

    Raises
    ------
    BadInput
        If there are fewer than two, or two whose names differ in their bytes only.
    """
    classes: dict[str, Path] = {}
    for key, entry in _entries(folder):
        if _passed_over(key):
            passed["companions of the system"] += 1
        elif not entry.is_dir():
            passed["files beside the class folders"] += 1
        else:
            name = path_text(Path(key))
            if name in classes:
                raise BadInput(f"{path_text(folder)} holds two folders that are both written {name}; rename one")
            classes[name] = entry
    if len(classes) < 2:
        raise BadInput(
            f"{path_text(folder)} holds {len(classes)} folders; it should hold one folder of pictures for each class"
        )
    return classes


def _check_same(train: dict[str, Path], test: dict[str, Path], root: Path) -> None:
    for name in sorted(set(train) ^ set(test)):
        part = "test" if name in train else "train"
        raise BadInput(
            f"{path_text(root / part)}/{name} is missing; the folders train and test should hold the same classes"
        )


def _pictures(folder: Path, passed: Counter[str]) -> list[Path]:
    """Return the pictures of a class, sorted by name."""
    found = []
    for key, entry in _entries(folder):
        if _passed_over(key):
            passed["companions of the system"] += 1
        elif not entry.is_file():
            passed["folders within classes"] += 1
        elif entry.suffix.lower() not in PICTURE_ENDINGS:
            passed[f"files that do not end with {', '.join(PICTURE_ENDINGS)}"] += 1
        else:
            found.append(entry)
    if not found:
        endings = ", ".join(PICTURE_ENDINGS)
        raise BadInput(f"{path_text(folder)} holds no picture; accepted are files that end with {endings}")
    return found


def divide(pictures: list[Path], folder: Path, test_share: float = TEST_SHARE) -> dict[str, list[Path]]:
    """Divide the pictures of a class between training and test by a hash of class and file name.

    Parameters
    ----------
    pictures
        Files of one class, in any order.
    folder
        Folder of the class, for the message.
    test_share
        About which share of them is for tests.

    Returns
    -------
    dict
        Files of the parts ``"train"`` and ``"test"``, sorted. A file keeps its part on every machine, however its
        system writes accents, and when other files come or go, unless a part would be left empty.

    Raises
    ------
    BadInput
        If there are fewer than two files.
    """
    if len(pictures) < 2:
        raise BadInput(
            f"{path_text(folder)} holds one picture; a class needs at least one to learn from and one to test with"
        )

    def key(path: Path) -> tuple[str, str]:
        return key_of(path.name), path.name

    def lot(path: Path) -> float:
        # Names that are not UTF-8 come with surrogates in place of their bytes.
        name = key_of(f"{path.parent.name}/{path.name}").encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(name, digest_size=8).digest(), "big") / 2**64

    drawn = sorted(pictures, key=lambda path: (lot(path), key(path)))
    n_test = sum(lot(path) < test_share for path in drawn)
    n_test = min(max(1, n_test), len(drawn) - 1)
    return {"train": sorted(drawn[n_test:], key=key), "test": sorted(drawn[:n_test], key=key)}
