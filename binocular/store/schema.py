"""The file format ``binocular/2``: one table, read by the writer and by the verifier.

A study is an HDF5 file. Every dataset carries ``units``, ``long_name`` and ``checksum`` and has a dimension scale on
each axis, so that it opens in h5py, xarray, h5dump and MATLAB alike. The layout:

======================================  =============================================================================
``/``                                   attributes: see `ROOT_ATTRIBUTES`
``/conditions/<condition>/``            attributes: see `CONDITION_ATTRIBUTES`
``/conditions/<condition>/<seed>/``     attributes: see `SUBJECT_ATTRIBUTES`
``.../history/``                        `HISTORY` and one accuracy per task
``.../probes/<site>/``                  `PROBES`; attributes: `SITE_ATTRIBUTES`
``.../dominance/<site>/``               `DOMINANCE`, all computed from ``rsv``
``.../measures/<probe>/<site>/``        what other probes found; attributes: `MEASURE_ATTRIBUTES`, `SITE_ATTRIBUTES`
``/summary/dominance/<site>/``          `SUMMARY_DOMINANCE`, one row per condition and checkpoint
``/summary/vision/``                    `SUMMARY_VISION` and the tasks, one row per condition, at the end of rearing
``/tree/``                              `TREE`, the phase tree as it was reared
``/failures/``                          `FAILURES`, subjects that could not be reared, and why
======================================  =============================================================================

What a later probe measures lies in a file of its own beside the study (see `binocular.store.measures`);
``probes/<site>/odi`` is filled from there.

The datasets of a measure describe themselves: `Field.attributes` are written on each, and `Field.of` reads them back.
So a file can be read and verified without the probe that made it.

Files of version 1 stay readable: they have the fields of a table that are there ``since`` then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

__all__ = [
    "CONDITION_ATTRIBUTES",
    "DOMINANCE",
    "FAILURES",
    "HISTORY",
    "MEASURES",
    "MEASURE_ATTRIBUTES",
    "PROBES",
    "ROOT_ATTRIBUTES",
    "SCHEMA",
    "SIGN_CONVENTION",
    "SITE_ATTRIBUTES",
    "SUBJECT_ATTRIBUTES",
    "SUBJECT_SCHEMA",
    "SUMMARY_DOMINANCE",
    "SUMMARY_VISION",
    "TREE",
    "VERSION",
    "VISION",
    "Field",
    "at_checkpoint",
    "coordinate",
    "history_fields",
    "measure_fields",
    "vision_fields",
]

VERSION = 2
SCHEMA = f"binocular/{VERSION}"
SUBJECT_SCHEMA = f"binocular-subject/{VERSION}"
SIGN_CONVENTION = "+1 left eye only, -1 right eye only"

Kind = Literal["float64", "int64", "string"]
Missing = Literal["never", "allowed", "silent", "all-silent"]


@dataclass(frozen=True)
class Field:
    """What one dataset may hold.

    Attributes
    ----------
    dims
        Names of the dimensions, in order; each is a dataset of the same group that serves as dimension scale.
    kind
        ``"float64"``, ``"int64"`` or ``"string"`` (variable-length UTF-8).
    units, long_name
        Stored as attributes of the dataset. ``units`` is ``"1"`` for a pure number.
    low, high
        Allowed range, both ends included; None = no bound.
    missing
        Where NaN may stand: ``"never"``; ``"allowed"`` (a test that was not given, a spread that a single value does
        not have); ``"silent"`` (exactly the silent units, where ``rsv`` is NaN); ``"all-silent"`` (only where every
        unit of the checkpoint is silent).
    required
        False for a dataset that is there only if it was measured.
    since
        First version of the format that has it.
    """

    dims: tuple[str, ...]
    kind: Kind
    units: str
    long_name: str
    low: float | None = None
    high: float | None = None
    missing: Missing = "never"
    required: bool = True
    since: int = 1

    def attributes(self) -> dict[str, Any]:
        """Return what is written on the dataset besides its checksum."""
        span = {"valid_min": self.low, "valid_max": self.high}
        kinds = {"missing": self.missing} if self.kind == "float64" else {}
        return {
            "units": self.units,
            "long_name": self.long_name,
            **{name: float(end) for name, end in span.items() if end is not None},
            **kinds,
        }

    @classmethod
    def of(cls, dims: tuple[str, ...], kind: str, attributes: Mapping[str, Any]) -> Field:
        """Return what a dataset of some dimensions and type says of itself by its attributes; see `attributes`.

        Raises
        ------
        ValueError
            If it has another type than the format knows, or says nothing.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"it has type {kind}; expected {', '.join(get_args(Kind))}")
        if absent := {"units", "long_name"} - set(attributes):
            raise ValueError(f"the attribute {min(absent)} is missing")
        missing = attributes.get("missing", "allowed")
        return cls(
            dims,
            kind,  # type: ignore[arg-type]
            str(attributes["units"]),
            str(attributes["long_name"]),
            attributes.get("valid_min"),
            attributes.get("valid_max"),
            missing if missing in get_args(Missing) else "allowed",
        )

    def problems(self, name: str, values: np.ndarray, sizes: Mapping[str, int]) -> list[str]:
        """Say what is wrong with the values of a dataset of some name, by itself, in a sentence per fault.

        Rules that span several datasets (silent units, sums of groups) are the verifier's. ``sizes`` are the lengths of
        the dimensions of its group.
        """
        shape = tuple(sizes[dim] for dim in self.dims)
        if values.shape != shape:
            return [f"{name} has shape {values.shape}; expected {shape}, [{', '.join(self.dims)}]"]
        if self.kind == "string":
            plain = all(isinstance(text, str) for text in values.ravel())
            return [] if plain else [f"{name} holds something that is not text"]
        if values.dtype != np.dtype(self.kind):
            return [f"{name} has type {values.dtype}; expected {self.kind}"]
        found = []
        nan = np.isnan(values)
        if self.missing == "never" and nan.any():
            found.append(f"{name} has {int(nan.sum())} missing values (NaN); none is allowed")
        if np.isinf(values).any():
            found.append(f"{name} has infinite values")
        if self.low is not None and np.any(values[~nan] < self.low):
            found.append(f"{name} falls to {np.min(values[~nan]):g}; at least {self.low:g} is allowed")
        if self.high is not None and np.any(values[~nan] > self.high):
            found.append(f"{name} rises to {np.max(values[~nan]):g}; at most {self.high:g} is allowed")
        return found


def coordinate(name: str, kind: Kind, units: str, long_name: str, low: float | None = None) -> dict[str, Field]:
    """Return the entry of a dimension: the values along it, the same at every checkpoint.

    Parameters
    ----------
    name, kind
        Of the dimension, and the type of its values.
    units, long_name, low
        Of the values (``1`` for none), what they are in words, and the least that they can be.
    """
    return {name: Field((name,), kind, units, long_name, low)}


def at_checkpoint(
    dims: str,
    units: str,
    long_name: str,
    low: float | None = None,
    high: float | None = None,
    missing: Missing = "allowed",
    kind: Kind = "float64",
) -> Field:
    """Return the entry of a dataset that is measured at each checkpoint; ``dims`` are the further ones, by spaces.

    Parameters
    ----------
    dims
        Names of the further dimensions, separated by spaces.
    units, long_name
        As for `coordinate`.
    low, high
        Between which the values lie.
    missing, kind
        Where NaN may stand for a value (see `Field`), and the type of the values.
    """
    return Field(("checkpoint", *dims.split()), kind, units, long_name, low, high, missing)


ROOT_ATTRIBUTES: Mapping[str, str] = {
    "schema": "name and version of the format, binocular/2",
    "title": "title of the protocol",
    "protocol": "the resolved protocol, TOML",
    "protocol_hash": "hash of the protocol",
    "created": "start of the study, ISO 8601 with time zone",
    "finished": "end of the study, ISO 8601 with time zone; empty while it is incomplete",
    "versions": "versions of the software, JSON",
    "device": "what the subjects were reared on",
    "command": "the command line",
    "sign_convention": SIGN_CONVENTION,
    "treated_eye": "left or right; the other one is the fellow eye",
    "complete": "1 if every condition has every seed and nothing failed, else 0",
    "seeds": "seeds of the protocol",
}
"""Attributes of the root. All are strings but ``complete`` (0 or 1) and ``seeds`` (integers)."""

CONDITION_ATTRIBUTES: Mapping[str, str] = {
    "label": "name of the condition in words",
    "values": "the swept values, JSON",
}

SUBJECT_ATTRIBUTES: Mapping[str, str] = {
    "subject_id": "identity of the subject: a hash of everything that decides its weights",
    "seed": "seed of the subject",
    "phases": "the phases it lived through, JSON",
    "attributes": "further facts about the subject, JSON",
}

SITE_ATTRIBUTES: Mapping[str, str] = {
    "unit_kind": "cell, centre, pooled or map: what is counted as a unit",
    "module": "dotted name of the part of the network whose output was recorded",
    "depth": "place among the areas of the network, 0 = the first binocular one; -1 = none of them",
    "channels": "channels of the output",
    "map_height": "rows of its map",
    "map_width": "columns of its map",
    "places": "[row, column] of each place recorded at, JSON; empty for pooled units",
}
"""What the units of a site are, from version 2 on. Units are in order of channels, then of places."""

MEASURE_ATTRIBUTES: Mapping[str, str] = {
    "columns": "names of the datasets, JSON",
    "settings": "settings of the probe, JSON",
    "versions": "versions of the software it was measured with, JSON",
}

_CHECKPOINT = {
    **coordinate("checkpoint", "int64", "1", "checkpoint, counted from 0", 0),
    "epoch": at_checkpoint(
        "", "epoch", "epochs of rearing completed; 0 is the untrained network", 0, None, "never", "int64"
    ),
}
_UNIT = coordinate("unit", "int64", "1", "unit of the site, counted from 0", 0)
_GROUP = {
    "group": Field(("group",), "int64", "1", "ocular-dominance group, 1 right eye only to 7 left eye only", 1, 7),
}


def _accuracy(words: str, dims: tuple[str, ...] = ("epoch",)) -> Field:
    return Field(dims, "float64", "1", f"accuracy {words}", 0, 1, "allowed")


HISTORY: Mapping[str, Field] = {
    "epoch": Field(("epoch",), "int64", "epoch", "epochs of rearing completed", 1),
    "phase": Field(("epoch",), "int64", "1", "index of the phase this epoch belonged to", 0),
    "learning_rate": Field(("epoch",), "float64", "1", "learning rate", 0),
    "train_loss": Field(("epoch",), "float64", "nat", "training loss, mean over the epoch", missing="allowed"),
    "train_accuracy": _accuracy("on the training stimuli"),
    "test_accuracy": _accuracy("on the test stimuli, both eyes"),
    "accuracy_left_only": _accuracy("of the left eye, the right one grey"),
    "accuracy_right_only": _accuracy("of the right eye, the left one grey"),
}
"""Columns of the history; any further column is the accuracy in a task of that name (see `history_fields`)."""

VISION = ("test_accuracy", "accuracy_left_only", "accuracy_right_only")
"""Accuracies of every study on its test stimuli; the tasks of its stimulus come on top."""

_VARIANCE = "response^2"
_RSV = "relative source variance, +1 left eye only; NaN = silent unit"
_RSV_SE = "standard error of rsv, bootstrap over stimuli"
_INTERACTION = "share of the variance that neither eye explains alone; NaN = silent unit"
_ODI = "ocular dominance index from gratings to one eye, +1 left eye only; NaN = no response, or not measured"
_N_SILENT = "units whose two source variances lie below the floor"

PROBES: Mapping[str, Field] = {
    **_CHECKPOINT,
    **_UNIT,
    "rsv": at_checkpoint("unit", "1", _RSV, -1, 1, "silent"),
    "rsv_se": replace(at_checkpoint("unit", "1", _RSV_SE, 0), required=False),
    "sv_left": at_checkpoint("unit", _VARIANCE, "source variance of the left eye", 0, None, "never"),
    "sv_right": at_checkpoint("unit", _VARIANCE, "source variance of the right eye", 0, None, "never"),
    "interaction": replace(at_checkpoint("unit", "1", _INTERACTION, 0, 1, "silent"), required=False),
    "odi": replace(at_checkpoint("unit", "1", _ODI, -1, 1), required=False),
    "n_silent": at_checkpoint("", "unit", _N_SILENT, 0, None, "never", "int64"),
}

MEASURES: Mapping[str, Field] = {
    "cbi": at_checkpoint("", "1", "contralateral bias index, 1 = treated eye only", 0, 1, "all-silent"),
    "mi": at_checkpoint("", "1", "group monocularity index, 1 = all monocular", 0, 1, "all-silent"),
    "binocular_share": at_checkpoint("", "1", "share of units in groups 2 to 6", 0, 1, "all-silent"),
    "mean_rsv": at_checkpoint("", "1", "mean relative source variance, +1 left eye only", -1, 1, "all-silent"),
    "median_unit_mi": at_checkpoint("", "1", "median unit monocularity, median of |rsv|", 0, 1, "all-silent"),
}
"""Indices of ocular dominance, one per checkpoint; the methods are in `binocular.dominance`."""

DOMINANCE: Mapping[str, Field] = {
    **_CHECKPOINT,
    **_GROUP,
    "groups": at_checkpoint("group", "unit", "units in each ocular-dominance group", 0, None, "never", "int64"),
    **MEASURES,
}


def _with_interval(name: str, field: Field, dims: tuple[str, ...]) -> dict[str, Field]:
    """Return mean, both ends of the interval and the number of seeds of one measure."""
    about = field.long_name.split(";")[0]

    def of(what: str, low: float | None = None, high: float | None = None) -> Field:
        return Field(dims, "float64", field.units, f"{about}: {what}", low, high, "allowed")

    return {
        name: of("mean over seeds", field.low, field.high),
        f"{name}_low": of("lower end of the 95 % t interval over seeds; NaN for a single seed"),
        f"{name}_high": of("upper end of the 95 % t interval over seeds; NaN for a single seed"),
        f"{name}_n": Field(dims, "int64", "1", f"{about}: seeds in the mean", 0),
    }


def _intervals(fields: Mapping[str, Field], dims: tuple[str, ...]) -> dict[str, Field]:
    return {key: value for name, field in fields.items() for key, value in _with_interval(name, field, dims).items()}


SUMMARY_DOMINANCE: Mapping[str, Field] = {
    "row": Field(("row",), "int64", "1", "row, counted from 0", 0),
    **_GROUP,
    "condition": Field(("row",), "string", "1", "condition"),
    "epoch": Field(("row",), "int64", "epoch", "epochs of rearing completed", 0),
    "n_units": Field(("row",), "int64", "unit", "units recorded from, all seeds together", 0, since=2),
    "n_silent": Field(("row",), "int64", "unit", "of these, silent ones", 0, since=2),
    **_intervals(MEASURES, ("row",)),
    **_with_interval(
        "group_share",
        Field((), "float64", "1", "share of units in each ocular-dominance group", 0, 1),
        ("row", "group"),
    ),
}

SUMMARY_VISION: Mapping[str, Field] = {
    "condition": Field(("condition",), "string", "1", "condition"),
    **_intervals({name: HISTORY[name] for name in VISION}, ("condition",)),
}
"""Vision at the end of rearing: the last time each accuracy was taken."""

TREE: Mapping[str, Field] = {
    "node": Field(("node",), "int64", "1", "node, in order of rearing, counted from 0", 0),
    "identity": Field(("node",), "string", "1", "hash of everything that decides the weights at the end of the node"),
    "parent": Field(("node",), "string", "1", "identity of the node before it; empty for a beginning"),
    "seed": Field(("node",), "int64", "1", "seed"),
    "start": Field(("node",), "int64", "epoch", "epochs completed at the beginning of the node", 0),
    "stop": Field(("node",), "int64", "epoch", "epochs completed at its end", 0),
    "seconds": Field(("node",), "float64", "s", "time spent on the node", 0, None, "allowed"),
    "conditions": Field(("node",), "string", "1", "conditions that pass through the node, comma separated"),
}

FAILURES: Mapping[str, Field] = {
    "failure": Field(("failure",), "int64", "1", "failure, counted from 0", 0),
    "condition": Field(("failure",), "string", "1", "condition of the subject that failed"),
    "seed": Field(("failure",), "int64", "1", "its seed"),
    "cause": Field(("failure",), "string", "1", "what went wrong"),
}

_TASK = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def _task(name: str, dims: tuple[str, ...]) -> Field:
    if not _TASK.fullmatch(name):
        raise ValueError(f"a task's name may hold letters, digits, - and _, not {name!r}")
    return _accuracy(f"in the task {name}", dims)


def history_fields(columns: Iterable[str]) -> dict[str, Field]:
    """Return the table of a history with these columns: `HISTORY`, and an accuracy for each further name."""
    return {**HISTORY, **{name: _task(name, ("epoch",)) for name in columns if name not in HISTORY}}


def measure_fields(columns: Mapping[str, Field]) -> dict[str, Field]:
    """Return the table of ``measures/<probe>/<site>`` for a probe with these columns."""
    return {**_CHECKPOINT, **columns, **_CHECKPOINT}


def vision_fields(tasks: Iterable[str]) -> dict[str, Field]:
    """Return the table of ``/summary/vision`` for a study with these tasks."""
    return {**SUMMARY_VISION, **_intervals({name: _task(name, ()) for name in tasks}, ("condition",))}
