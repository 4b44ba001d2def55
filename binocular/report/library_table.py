"""The protocols that ship, in a terminal."""

from __future__ import annotations

from rich.table import Table

from binocular.protocols import library_names, load_protocol
from binocular.report.terminal import Terminal, print_fitting

__all__ = ["print_library"]


def print_library() -> None:
    """Print the names of the protocols with the experiment that each follows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("protocol", no_wrap=True)
    table.add_column("experiment")
    for name in library_names():
        protocol = load_protocol(name)
        table.add_row(name, f"{protocol.title}\n[dim]{protocol.reference}[/dim]")
    print_fitting(Terminal(), table)
