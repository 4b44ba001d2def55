"""Running benchmarks and keeping what came out as JSON."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from binocular.bench.base import Case, Measured, Suite
from binocular.bench.machine import describe_machine, matrix_rate
from binocular.bench.registry import CASES, case_named
from binocular.runs.running import versions
from binocular.stimuli.errors import BadInput
from binocular.store.sealing import atomic_write

__all__ = ["SCHEMA", "chosen_cases", "measure_cases", "run_benchmarks", "write_record"]

SCHEMA = "binocular-benchmarks/1"


def chosen_cases(suite: str, names: Sequence[str] = ()) -> list[Case]:
    """Return the cases of a suite, or those named.

    Parameters
    ----------
    suite
        ``quick`` or ``full``.
    names
        Of cases.

    Raises
    ------
    BadInput
        If there is no such suite or no such case.
    """
    if suite not in ("quick", "full"):
        raise BadInput(f"--suite: there is no suite '{suite}'; accepted: quick, full")
    if names:
        return [case_named(name) for name in dict.fromkeys(names)]
    return list(CASES)


def run_benchmarks(
    suite: Suite = "quick",
    names: Sequence[str] = (),
    command: str = "",
    on_case: Callable[[Case], None] | None = None,
) -> dict[str, Any]:
    """Measure a suite, or some cases with the effort of that suite.

    Parameters
    ----------
    suite
        ``"quick"`` (few rounds) or ``"full"``.
    names
        Cases to measure; all of the suite by default.
    command
        The command line, kept in the record.
    on_case
        Called before each case.

    Returns
    -------
    dict
        JSON-able: ``schema``, ``suite``, ``date``, ``command``, ``machine``, ``versions`` and ``cases``, each with
        ``values`` per round, ``median``, ``minimum``, ``maximum``, the ``limit`` beside them and whether it is ``met``.

    Raises
    ------
    BadInput
        If there is no such suite or no such case.
    """
    return measure_cases(chosen_cases(suite, names), suite, command, on_case)


def measure_cases(
    cases: Sequence[Case], suite: Suite, command: str, on_case: Callable[[Case], None] | None = None
) -> dict[str, Any]:
    """Measure cases, one after the other, and describe the machine; see `run_benchmarks`.

    Parameters
    ----------
    cases
        In order.
    suite
        ``quick`` or ``full``.
    command
        How it was asked for, noted in the record.
    on_case
        Called before each case.
    """
    machine = describe_machine()
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "suite": suite,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "machine": machine,
        "versions": versions(),
        "cases": [],
    }
    machine["matrix_rate_gflops"] = {p: round(matrix_rate(p), 1) for p in ("float32", "bfloat16")}
    for case in cases:
        if on_case is not None:
            on_case(case)
        record["cases"].append(_row(case, case.measure(suite)))
    machine["load_after"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return record


def _row(case: Case, measured: Measured) -> dict[str, Any]:
    row: dict[str, Any] = {"name": case.name, "title": case.title, "unit": case.unit}
    row |= {"sense": case.sense, "limit": case.limit}
    if measured.skipped:
        return row | {"skipped": measured.skipped}
    figures = {"median": measured.median, "minimum": min(measured.values), "maximum": max(measured.values)}
    return row | {
        **figures,
        "met": case.met(measured.median),
        "values": list(measured.values),
        "baseline": measured.baseline,
        "detail": dict(measured.detail),
    }


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record, whole or not at all.

    Parameters
    ----------
    path
        A JSON file; replaced if it exists, its folder made if missing.
    record
        As from `run_benchmarks`.

    Raises
    ------
    BadInput
        If the folder cannot be written.
    """
    with atomic_write(path) as temporary:
        text = json.dumps(_rounded(record), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Keep five digits; a benchmark has no more."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
