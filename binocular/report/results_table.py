"""The table of conditions in a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from binocular.report.terminal import print_fitting
from binocular.store.overview import condition_table, how_to_read
from binocular.store.study import Study, load_study

__all__ = ["print_table", "rich_table"]


def rich_table(study: Study, width: int = 80) -> Table:
    """Return the table for a terminal of some width; the interval is given for CBI alone, to keep it narrow.

    Parameters
    ----------
    study, width
        A study in memory, and the terminal's width in characters.
    """
    rows = condition_table(study)
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
    console = Console()
    print_fitting(console, rich_table(study, width=console.width))
    console.print(how_to_read(study), style="dim", markup=False, highlight=False)
