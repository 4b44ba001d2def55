"""What a user added to a study, such as a note among its attributes: kept when the study is put together again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py

from binocular.store.tables import ATTRIBUTES_CHECKSUM, attributes_checksum, plain_attributes

__all__ = ["add_attributes", "added_attributes"]

_LARGEST = 1 << 16  # bytes of all attributes of one group or data set that are carried over
# Those of HDF5 and netCDF themselves.
_MACHINERY = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS", "_Netcdf4", "_NC", "_FillValue")

Added = dict[str, dict[str, Any]]
"""Attributes by the name of the group or data set that they are on."""


def added_attributes(path: Path, protocol_hash: str) -> Added:
    """Return all attributes of an earlier study of the same protocol, from which `add_attributes` takes the new ones.

    A file that cannot be read, or is of another protocol, has nothing to give.

    Parameters
    ----------
    path, protocol_hash
        An earlier study, which need not exist, and the protocol of both.
    """
    found: Added = {}
    if not path.is_file():
        return found

    def collect(name: str, item: Any) -> None:
        attributes = {key: value for key, value in plain_attributes(item).items() if not key.startswith(_MACHINERY)}
        with suppress(TypeError, ValueError):
            if len(json.dumps(attributes)) <= _LARGEST:
                found[name] = attributes

    with suppress(OSError, KeyError, RuntimeError, ValueError, TypeError), h5py.File(path, "r", locking=False) as file:
        if plain_attributes(file).get("protocol_hash") != protocol_hash:
            return {}
        collect("/", file)
        file.visititems(collect)
    return found


def add_attributes(file: h5py.File, added: Added) -> None:
    """Put attributes that the new study does not have by itself where they were, as far as the place is still there.

    Parameters
    ----------
    file, added
        The new study, open for writing, and what `added_attributes` found.
    """
    for name, attributes in added.items():
        item = file.get(name)
        if not isinstance(item, h5py.Group | h5py.Dataset):
            continue
        missing = {key: value for key, value in attributes.items() if key not in item.attrs and value is not None}
        for key, value in missing.items():
            item.attrs[key] = value
        if missing and ATTRIBUTES_CHECKSUM in item.attrs:
            item.attrs[ATTRIBUTES_CHECKSUM] = attributes_checksum(plain_attributes(item))
