"""What benchmarks found, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from binocular.report.terminal import print_fitting

__all__ = ["print_record"]


def print_record(record: Mapping[str, Any]) -> None:
    """Print a record of `binocular.bench.run_benchmarks`."""
    machine = record["machine"]
    rates = ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in machine["matrix_rate_gflops"].items())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("case", "figure", "lowest", "highest", "limit", "", "what"):
        number = heading in ("figure", "lowest", "highest")
        table.add_column(heading, no_wrap=heading != "what", justify="right" if number else "left")
    busy = (machine["load_before"] or 0) > 0.5 * machine["cores"]
    for row in record["cases"]:
        table.add_row(*_cells(row, busy))
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    console.print(f"{machine['processor']}, {machine['cores']} cores; matrices: {rates}", highlight=False)
    if busy:
        warning = f"load {machine['load_before']:.1f} before: other work was running; verdicts with ? may be wrong"
        console.print(warning, style="yellow", highlight=False)
    print_fitting(console, table)


def _cells(row: Mapping[str, Any], busy: bool) -> tuple[str, ...]:
    limit = "" if row["limit"] is None else f"{row['sense']} {_figure_text(row['limit'], row['unit'])}"
    if "skipped" in row:
        return row["name"], "-", "", "", limit, "not measured", row["skipped"]
    figures = (_figure_text(row[key], row["unit"]) for key in ("median", "minimum", "maximum"))
    mark = "?" if busy else ""
    verdict = {None: "", True: f"[green]met{mark}[/green]", False: f"[red]not met{mark}[/red]"}[row["met"]]
    return row["name"], *figures, limit, verdict, row["title"]


def _figure_text(value: float, unit: str) -> str:
    return (f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}").strip()
