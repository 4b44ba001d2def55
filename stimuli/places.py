"""Where data sets lie: a path, the folder that BINOCULAR_DATA names, the system's places, or a checked download."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from binocular.stimuli.errors import BadInput, MissingData

__all__ = [
    "CIFAR10",
    "ENVIRONMENT_VARIABLE",
    "FASHION_MNIST",
    "DataSource",
    "find",
    "find_file",
    "from_home",
]

ENVIRONMENT_VARIABLE = "BINOCULAR_DATA"
"""Environment variable that names a folder of data sets."""


def from_home(path: Path | str) -> Path:
    """Return a path whose ``~`` is somebody's home; where none is known, as of a user without an account, it stays."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - that of Path raises an error there


@dataclass(frozen=True)
class DataSource:
    """Where a data set can come from.

    Attributes
    ----------
    name
        Name of the set, as in a protocol.
    folders
        Names that its folder goes by.
    system
        Places where distributions install it.
    address
        Public address to which the names of ``files`` are appended.
    files
        What to download: names, with checksums (``"md5:..."``) as published by the makers of the set. They are compared
        after a download only: distributions pack the same content anew, so that other copies have other checksums.
    advice
        How to get it by hand.
    """

    name: str
    folders: tuple[str, ...]
    system: tuple[str, ...]
    address: str
    files: Mapping[str, str]
    advice: str


CIFAR10 = DataSource(
    name="cifar-10",
    folders=("cifar-10-batches-bin", "cifar-10-binary", "cifar-10", "cifar10"),
    system=("/usr/share/datasets/cifar-10", "/usr/share/datasets/cifar-10-batches-bin"),
    address="https://www.cs.toronto.edu/~kriz/",
    files={"cifar-10-binary.tar.gz": "md5:c32a1d4ab5d03f1284b67883e8d13530"},
    advice="download https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (the binary version)",
)

FASHION_MNIST = DataSource(
    name="fashion-mnist",
    folders=("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw"),
    system=("/usr/share/datasets/fashion-mnist",),
    address="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    files={
        "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    },
    advice="install the Debian package dataset-fashion-mnist",
)


def find_file(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of several names that is a file in a folder, or None.

    Parameters
    ----------
    folder
        Where to look.
    names
        In the order in which they are tried.
    """
    return next((folder / name for name in names if (folder / name).is_file()), None)


def find(source: DataSource, path: str | None, download: bool, holds: Callable[[Path], bool]) -> Path:
    """Return the place of a data set.

    Parameters
    ----------
    source
        The set.
    path
        Place given by the user, the only one looked at then. Otherwise come the folder named by BINOCULAR_DATA, the
        system's places and earlier downloads.
    download
        Fetch the set where it is in none of them.
    holds
        Says whether a place holds the set.

    Returns
    -------
    pathlib.Path
        A place for which ``holds`` is true.

    Raises
    ------
    BadInput
        If the set is nowhere, with the places and how to get it (`MissingData` where no place was given); or if its
        download fails.
    """
    looked = _candidates(source, path)
    for place in looked:
        if holds(place):
            return place
    if path is not None:
        raise BadInput(f"stimulus.path: {source.name} is not in {path}; {source.advice}, or leave path out")
    if download:
        place = _download(source)
        if holds(place):
            return place
        raise BadInput(f"{place} does not hold {source.name} after its download; remove it and run again")
    variable = "" if os.environ.get(ENVIRONMENT_VARIABLE) else f", and {ENVIRONMENT_VARIABLE} names no folder"
    raise MissingData(
        f"{source.name} is in none of {', '.join(str(place) for place in looked)}{variable}; {source.advice}, give its "
        "place as stimulus.path, or allow stimulus.download = true"
    )


def _candidates(source: DataSource, path: str | None) -> list[Path]:
    """Return the places to look at, in order."""
    if path is not None:
        given = from_home(path)
        return [given, *(given / name for name in source.folders)]
    shared = os.environ.get(ENVIRONMENT_VARIABLE)
    places = []
    if shared:
        root = from_home(shared)
        places += [*(root / name for name in source.folders), root]
    return [*places, *(Path(place) for place in source.system), _kept(source)]


def _kept(source: DataSource) -> Path:
    """Return the folder that downloads of a set go to."""
    shared = os.environ.get(ENVIRONMENT_VARIABLE)
    if shared:
        return from_home(shared) / source.folders[0]
    import pooch

    return Path(pooch.os_cache("binocular-lab")) / source.folders[0]


def _download(source: DataSource) -> Path:
    """Fetch the files of a set, each checked before it gets its name, and return their folder."""
    import pooch

    folder = _kept(source)
    for name, checksum in source.files.items():
        address = source.address + name
        try:
            pooch.retrieve(address, known_hash=checksum, fname=name, path=folder)
        except (OSError, ValueError) as error:
            reason = "what came has another checksum" if isinstance(error, ValueError) else type(error).__name__
            raise BadInput(
                f"{source.name} cannot be downloaded from {address} into {folder} ({reason}); {source.advice} and give "
                "its place as stimulus.path"
            ) from None
    return folder
