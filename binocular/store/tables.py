"""Tables of the schema in and out of HDF5 groups: units, names, dimension scales, checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5o, h5p, h5s, h5t  # type: ignore[attr-defined]

from binocular.store.container import PLAIN
from binocular.store.schema import Field
from binocular.store.sealing import atomic_write, seal
from binocular.store.vetting import trust

__all__ = [
    "ATTRIBUTES_CHECKSUM",
    "CHECKSUM",
    "attributes_checksum",
    "checksum",
    "conforming",
    "new_file",
    "plain_attributes",
    "read_arrays",
    "read_dataset",
    "read_table",
    "stored_fields",
    "subgroup",
    "write_arrays",
    "write_attributes",
    "write_table",
]

CHECKSUM = "checksum"
ATTRIBUTES_CHECKSUM = "attributes_checksum"
_COMPRESS_FROM = 4096
_CHUNK_AT_MOST = 1 << 20
_IN_MEMORY = 256 << 20
# Object headers of HDF5 1.8: read by every current library, smaller than the oldest ones and checksummed.
_LIBRARY = ("v108", "v110")


def checksum(values: np.ndarray) -> str:
    """Return the SHA-256 of an array: its type, its shape and its bytes (texts as UTF-8, each ended by a zero byte)."""
    if values.dtype == object:
        kind, content = "string", b"".join(str(text).encode() + b"\0" for text in values.ravel())
    else:
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        kind, content = values.dtype.name, little.tobytes()
    return hashlib.sha256(f"{kind} {list(values.shape)} ".encode() + content).hexdigest()


def attributes_checksum(attributes: Mapping[str, Any]) -> str:
    """Return the SHA-256 of attributes as sorted JSON, its own entry left out."""
    content = {key: value for key, value in attributes.items() if key != ATTRIBUTES_CHECKSUM}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def plain_attributes(owner: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Return attributes as text, numbers and lists; those of other kinds, such as references, are left out."""
    attributes = owner.attrs
    plain = (key for key in attributes if attributes.get_id(key).get_type().get_class() in PLAIN)
    return {key: _plain(attributes[key]) for key in plain}


def _plain(value: Any) -> Any:
    if isinstance(value, h5py.Empty):  # how netCDF writes a text of no length
        return "" if h5py.check_string_dtype(value.dtype) is not None else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def write_attributes(group: h5py.Group, attributes: Mapping[str, Any]) -> None:
    """Write attributes (text, integers, lists of integers) and their checksum.

    Parameters
    ----------
    group, attributes
        Open for writing, where attributes of the same names are replaced; values by name.
    """
    for key, value in attributes.items():
        group.attrs[key] = np.asarray(value, dtype=np.int64) if not isinstance(value, str) else value
    group.attrs[ATTRIBUTES_CHECKSUM] = attributes_checksum(plain_attributes(group))


def subgroup(parent: h5py.Group, name: str) -> h5py.Group:
    """Return a group inside a group; KeyError if there is none of that name.

    Parameters
    ----------
    parent, name
        The group, and a path below it.
    """
    item = parent[name]
    if not isinstance(item, h5py.Group):
        raise KeyError(f"{parent.name}/{name} is not a group")
    return item


def _sizes(fields: Mapping[str, Field], columns: Mapping[str, np.ndarray]) -> dict[str, int]:
    return {name: len(columns[name]) for name, field in fields.items() if field.dims == (name,)}


def conforming(where: str, fields: Mapping[str, Field], columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return columns as the arrays of their fields.

    Parameters
    ----------
    where
        Name of the table, for messages.
    fields, columns
        As for `write_table`.

    Raises
    ------
    ValueError
        If a column is unknown, missing or breaks the schema.
    """
    if unknown := set(columns) - set(fields):
        raise ValueError(f"{where}: {', '.join(sorted(unknown))} is not in the schema")
    if absent := {name for name, field in fields.items() if field.required} - set(columns):
        raise ValueError(f"{where}: {', '.join(sorted(absent))} is missing")
    values = {
        name: np.asarray(columns[name], dtype=object if field.kind == "string" else field.kind)
        for name, field in fields.items()
        if name in columns
    }
    sizes = _sizes(fields, values)
    for name, array in values.items():
        if lost := set(fields[name].dims) - set(sizes):
            raise ValueError(f"{where}: {name} runs along {', '.join(sorted(lost))}, which is no coordinate")
        if problems := fields[name].problems(f"{where}/{name}", array, sizes):
            raise ValueError("; ".join(problems))
    return values


def write_table(group: h5py.Group, fields: Mapping[str, Field], columns: Mapping[str, Any]) -> None:
    """Write the columns of one group.

    Parameters
    ----------
    group
        An empty group.
    fields
        The table of the schema; a field of the name of its only dimension is the scale of that dimension.
    columns
        Values of each field; one that is not required may be missing.

    Raises
    ------
    ValueError
        If a column is unknown, missing or breaks the schema: a fault of the caller, found before it is on disk.
    """
    values = conforming(str(group.name), fields, columns)
    scales = {name: _dataset(group, name, fields[name], values[name]) for name in _sizes(fields, values)}
    for name, scale in scales.items():
        scale.make_scale(name)
    for name, array in values.items():
        if name not in scales:
            dataset = _dataset(group, name, fields[name], array)
            for axis, dim in enumerate(fields[name].dims):
                dataset.dims[axis].attach_scale(scales[dim])
    if "checkpoint" in fields:  # by this convention xarray keeps the epochs as a coordinate of the checkpoints
        group.attrs["coordinates"] = "epoch"


def _dataset(group: h5py.Group, name: str, field: Field, values: np.ndarray) -> h5py.Dataset:
    options: dict[str, Any] = {}
    if field.kind == "string":
        options["dtype"] = h5py.string_dtype()
    elif values.nbytes >= _COMPRESS_FROM:
        options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
        options["chunks"] = values.shape if values.nbytes <= _CHUNK_AT_MOST else True
    dataset = group.create_dataset(name, data=values, track_times=False, **options)
    dataset.attrs.update(field.attributes())
    dataset.attrs[CHECKSUM] = checksum(values)
    return dataset


def read_table(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return every dataset of a group as an array; texts as ``str`` objects. Groups inside it are left alone."""
    return {name: read_dataset(item) for name, item in group.items() if isinstance(item, h5py.Dataset)}


def stored_fields(group: h5py.Group) -> dict[str, Field]:
    """Return the fields of a table as the data sets of its group describe themselves.

    What a data set holds is its type, what its axes are its dimension scales, and the rest its attributes. One with an
    axis that has no scale in the group is left out, and so is one of a type that the format does not know.
    """
    datasets = {str(name): item for name, item in group.items() if isinstance(item, h5py.Dataset)}
    # Compared by place: h5py finds the name of an object behind a reference by searching through the whole file.
    scales = {h5o.get_info(item.id).addr: name for name, item in datasets.items() if item.is_scale}
    fields = {}
    for name, item in datasets.items():
        axes = [name] if item.is_scale and item.ndim == 1 else [_scale_of(dim, scales) for dim in item.dims]
        kind = "string" if h5py.check_string_dtype(item.dtype) is not None else item.dtype.name
        if None not in axes:
            with contextlib.suppress(ValueError):
                fields[name] = Field.of(tuple(axes), kind, plain_attributes(item))  # type: ignore[arg-type]
    return fields


def _scale_of(dimension: Any, scales: Mapping[int, str]) -> str | None:
    return scales.get(h5o.get_info(dimension[0].id).addr) if len(dimension) else None


def read_dataset(dataset: h5py.Dataset) -> np.ndarray:
    """Return a dataset as an array; texts as ``str`` objects."""
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return np.asarray(dataset.asstr()[()], dtype=object)
    return np.asarray(dataset[()])


def write_arrays(file: h5py.File, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays of numbers by their paths, without units and names.

    A node has some hundred small ones; an object of h5py for each would cost more than the writing.

    Parameters
    ----------
    file, arrays
        Open for writing, and values by path; the groups that paths name are made.
    """
    made, links = h5p.create(h5p.DATASET_CREATE), h5p.create(h5p.LINK_CREATE)
    made.set_obj_track_times(False)
    links.set_create_intermediate_group(True)
    links.set_char_encoding(h5t.CSET_UTF8)
    for path, values in arrays.items():
        values = np.asarray(values, order="C")
        kind, space = h5t.py_create(values.dtype, logical=True), h5s.create(h5s.SCALAR)
        if values.ndim:
            space = h5s.create_simple(values.shape)
        h5d.create(file.id, path.encode(), kind, space, made, links).write(h5s.ALL, h5s.ALL, values)


def read_arrays(group: h5py.Group) -> dict[str, np.ndarray]:
    """Return all data sets below a group as arrays, by their paths inside it; see `write_arrays`."""
    arrays: dict[str, np.ndarray] = {}

    def collect(path: bytes, about: h5o.ObjInfo) -> None:
        if about.type == h5o.TYPE_DATASET:
            dataset = h5d.open(group.id, path)
            values = np.empty(dataset.shape, dataset.dtype)
            dataset.read(h5s.ALL, h5s.ALL, values)
            arrays[path.decode()] = values

    h5o.visit(group.id, collect, info=True)
    return arrays


@contextlib.contextmanager
def new_file(path: Path, estimate: int) -> Iterator[h5py.File]:
    """Give an empty HDF5 file that takes its place, sealed, when the block ends well.

    It is built in memory and written in one go, because HDF5 itself does not survive a disk that fills up under it;
    only a study too large for that is built on disk, and then the space is checked beforehand.

    Parameters
    ----------
    path, estimate
        The file, replaced if it exists, and about how many bytes it will take.
    """
    with atomic_write(path, tidy=False) as temporary:
        if estimate <= _IN_MEMORY:
            with h5py.File(path.name, "w", driver="core", backing_store=False, libver=_LIBRARY) as file:
                yield file
                file.flush()
                image = file.id.get_file_image()
            temporary.write_bytes(image)
        else:
            if shutil.disk_usage(temporary.parent).free < estimate:
                raise OSError(28, os.strerror(28))
            with h5py.File(temporary, "w", libver=_LIBRARY, locking=False) as file:
                yield file
        seal(temporary)
    trust(path)
