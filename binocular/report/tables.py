"""Tables in a terminal: the conditions of a study, and the headline numbers of a probe, at the end and untrained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from binocular.probes.base import Probe
from binocular.probes.registry import PROBES, probe_type
from binocular.report.terminal import Terminal, print_fitting
from binocular.store.statistics import Interval, interval
from binocular.store.study import Condition, Study, load_study

__all__ = ["headline_cells", "list_probes", "print_measure", "print_table", "rich_table"]


def rich_table(study: Study, width: int = 80) -> Table:
    """Return the table for a terminal of some width; the interval is given for CBI alone, to keep it narrow.

    Parameters
    ----------
    study, width
        A study in memory, and the terminal's width in characters.
    """
    rows = study.condition_table()
    narrow = width < 110
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0) if narrow else (0, 2, 0, 0), header_style="bold")
    table.add_column("condition")
    table.add_column("n", justify="right")
    for name in rows[0].cells if rows else ():
        table.add_column(name.replace(" ", "\n") if narrow else name, justify="right", no_wrap=True)
    for row in rows:
        cells = [cell.text(with_interval=name == "CBI") for name, cell in row.cells.items()]
        table.add_row(
            Text(row.label), str(row.seeds), *(cell.replace(" [", "\n[") if narrow else cell for cell in cells)
        )
    return table


def print_table(study_path: Path | str) -> None:
    """Print the table of a study file, and how to read it."""
    study = load_study(study_path)
    console = Terminal()
    print_fitting(console, rich_table(study, width=console.width))
    console.print(study.how_to_read(), style="dim", markup=False, highlight=False)


def headline_cells(condition: Condition, probe: type[Probe], site: str, row: int) -> dict[str, Interval]:
    """Return a probe's headline numbers over the seeds of a condition, by name; empty where nothing was measured.

    Parameters
    ----------
    condition, probe, site
        Of a study in memory; what was measured, and where.
    row
        Checkpoint: 0 the untrained network, -1 the end of rearing.
    """
    key = probe.name, site
    found: list[Mapping[str, np.ndarray]] = [
        probe.headlines(subject.measures[key].values) for subject in condition.subjects if key in subject.measures
    ]
    cells = {}
    for name in found[0] if found else ():
        cells[name] = interval([np.asarray(values[name], float)[row] for values in found])
    return cells


def print_measure(study_path: Path | str, probe: type[Probe]) -> None:
    """Print a probe's headline numbers: a row per condition at the end of rearing, and one for the untrained nulls.

    Parameters
    ----------
    study_path, probe
        A ``study.h5`` or its folder, and a probe whose columns it holds.
    """
    study = load_study(study_path)
    sites = {site for c in study.reared for s in c.subjects for of, site in s.measures if of == probe.name}
    for site in sorted(sites):
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(f"{probe.name}, {site}")
        rows = [(condition.label, headline_cells(condition, probe, site, -1)) for condition in study.reared]
        rows.append(("untrained", headline_cells(study.reared[0], probe, site, 0)))
        for name in rows[-1][1]:
            table.add_column(name, justify="right")
        for label, cells in rows:
            table.add_row(Text(label), *(cell.text().replace(" [", "\n[") for cell in cells.values()))
        print_fitting(Terminal(), table)
    Terminal().print("means over seeds [95 % interval]", style="dim", markup=False, highlight=False)


def list_probes(only: str | None = None) -> None:
    """Print the probes with one line each; the settings of one of them if it is named."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("probe", "measures") if only is None else ("setting", "default", "meaning"):
        table.add_column(heading)
    if only is None:
        for name in PROBES.names():
            table.add_row(name, probe_type(name).about)
    else:
        for name, field in probe_type(only).model_fields.items():
            table.add_row(name, str(field.default), field.description or "")
    print_fitting(Terminal(), table)
