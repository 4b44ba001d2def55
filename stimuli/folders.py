"""A folder of class folders as an image set."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import numpy as np
from binocular.stimuli.errors import BadInput
from binocular.stimuli.formats import PICTURE_ENDINGS, is_grey, read_class_names, read_picture
from binocular.stimuli.images import ImageData, Request, first_in_turn

__all__ = ["TEST_SHARE", "divide", "load_folder"]

TEST_SHARE = 0.2
"""Share of the files of a class folder that go to the test part, where the folder does not say."""


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
        The pictures; only those asked for are read.

    Raises
    ------
    BadInput
        If the folder, a class or a picture cannot be used.
    """
    if request.path is None:
        raise BadInput(
            'stimulus.path is missing; dataset "folder" needs a folder with one folder of pictures per class'
        )
    root = Path(request.path).expanduser()
    if not root.is_dir():
        raise BadInput(f"stimulus.path: {root} is not a folder; it should hold one folder of pictures per class")
    has_parts = (root / "train").is_dir() and (root / "test").is_dir()
    class_names = read_class_names(root / "train" if has_parts else root)
    files: dict[str, list[tuple[Path, int]]] = {"train": [], "test": []}
    for label, name in enumerate(class_names):
        if has_parts:
            found = {part: _pictures(root / part / name) for part in files}
        else:
            found = divide(_pictures(root / name), root / name)
        for part, paths in found.items():
            files[part] += [(path, label) for path in paths]
    chosen: dict[str, list[tuple[Path, int]]] = {}
    for part, pairs in files.items():
        order = first_in_turn(np.array([label for _, label in pairs]), request.number(part), part, str(root))
        chosen[part] = [pairs[place] for place in order]
    grey = all(is_grey(path) for pairs in chosen.values() for path, _ in pairs)
    size = request.size or 32
    return ImageData(
        {part: np.stack([read_picture(path, size, grey) for path, _ in pairs]) for part, pairs in chosen.items()},
        {part: np.array([label for _, label in pairs], np.int64) for part, pairs in chosen.items()},
        class_names,
    )


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a class, sorted by name."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is missing; the folders train and test should hold the same classes")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_ENDINGS and path.is_file())
    if not found:
        raise BadInput(f"{folder} holds no picture; accepted are files that end with {', '.join(PICTURE_ENDINGS)}")
    return found


def divide(pictures: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Divide the pictures of a class between training and test by a hash of class and file name.

    Parameters
    ----------
    pictures
        Files of one class, in any order.
    folder
        Folder of the class, for the message.

    Returns
    -------
    dict
        Files of the parts ``"train"`` and ``"test"``, sorted; about ``TEST_SHARE`` of them are test. A file keeps its
        part on every machine and when other files come or go, unless a part would be left empty.

    Raises
    ------
    BadInput
        If there are fewer than two files.
    """
    if len(pictures) < 2:
        raise BadInput(f"{folder} holds one picture; a class needs at least one to learn from and one to test with")

    def lot(path: Path) -> float:
        digest = blake2b(f"{path.parent.name}/{path.name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    drawn = sorted(pictures, key=lot)
    n_test = sum(lot(path) < TEST_SHARE for path in drawn)
    n_test = min(max(1, n_test), len(drawn) - 1)
    return {"train": sorted(drawn[n_test:]), "test": sorted(drawn[:n_test])}
