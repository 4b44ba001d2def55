"""Texts and tables in a terminal: of any width, and obeying nothing that a file says."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Column, Table

from binocular.stimuli.errors import printable

__all__ = ["Terminal", "print_fitting"]


class Terminal(Console):
    """A terminal that shows the control characters of a text, such as a title in a study from elsewhere, as escapes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render something; what rich itself says to the terminal is no text and stays."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, but="\n"), segment.style)


def print_fitting(console: Console, table: Table) -> None:
    """Print a table; where the terminal is too narrow for its words, row by row, each value under its heading's name.

    Nothing is cut off: a table that lost its first column would not say what its numbers are of.

    Parameters
    ----------
    console, table
        Whose width counts, and what to print.
    """
    gaps = sum(table.padding[1::2]) * (len(table.columns) - 1)
    if sum(_least_width(console, column) for column in table.columns) + gaps <= console.width:
        console.print(table)
        return
    names = [str(column.header).replace("\n", " ") for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        console.print(cells[0], style="bold")
        for name, cell in zip(names[1:], cells[1:], strict=True):
            said = cell.replace("\n", " ") if isinstance(cell, str) else cell
            console.print(f"  {name}: " if name else "  ", said, sep="", highlight=False)


def _least_width(console: Console, column: Column) -> int:
    """Return the width that a column needs so that no word of it is cut."""
    found = [console.measure(cell) for cell in (column.header, *column.cells)]
    least = max(width.maximum if column.no_wrap else width.minimum for width in found)
    return min(least, column.min_width or 12) if column.overflow == "fold" else least
