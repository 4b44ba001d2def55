"""One row per condition: the table that ends a run and stands in the report."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.store.statistics import Interval, interval
from binocular.store.study import Condition, Study, load_study
from binocular.store.summary import last_value

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Cell", "Row", "condition_table", "end_group", "html_table", "print_table", "rich_table"]

_EYES = {"accuracy_left_only": "left only", "accuracy_right_only": "right only"}


@dataclass(frozen=True)
class Cell:
    """A mean over seeds with its 95 % interval; ``low`` and ``high`` are NaN for a single seed."""

    mean: float
    low: float
    high: float
    n: int

    def text(self, with_interval: bool = True, digits: int = 2) -> str:
        """Return the cell in print, such as ``0.12 [0.08, 0.16]``; a dash where nothing was measured."""
        return Interval(self.mean, self.low, self.high, self.n).text(with_interval, digits)


@dataclass(frozen=True)
class Row:
    """A condition with its number of seeds and its cells by column name, in order."""

    name: str
    label: str
    seeds: int
    cells: dict[str, Cell]


def end_group(study: Study) -> int:
    """Return the group of the units that belong to the fellow eye alone: 7 if it is the left, 1 if the right."""
    return 7 if study.fellow_eye == "left" else 1


def condition_table(study: Study, site: str = "representation") -> list[Row]:
    """Return one row per condition, with everything at the end of rearing.

    Parameters
    ----------
    study
        The study in memory.
    site
        Site of the measures of dominance.

    Returns
    -------
    list of Row
        Cells ``CBI``, ``group 7`` (of the fellow eye; ``group 1`` where the left eye was treated), ``binocular``,
        ``mean RSV``, one per task (``accuracy`` where there is none), ``left only``, ``right only``
        (accuracy with the other eye grey).
        Shares and accuracies are between 0 and 1. A condition without subjects has cells without a value.
    """
    return [_row(condition, study, site) for condition in study.conditions]


def _row(condition: Condition, study: Study, site: str) -> Row:
    group = end_group(study)
    cells = {
        "CBI": _cell(condition.at_end("cbi", site)),
        f"group {group}": _cell(interval(condition.shares(site)[:, group - 1])),
        "binocular": _cell(condition.at_end("binocular_share", site)),
        "mean RSV": _cell(condition.at_end("mean_rsv", site)),
    }
    columns = {task: task for task in study.tasks} or {"test_accuracy": "accuracy"}
    for column, name in {**columns, **_EYES}.items():
        values = [last_value(subject.history[column]) for subject in condition.subjects if column in subject.history]
        cells[name] = _cell(interval(values))
    return Row(condition.name, condition.label, len(condition.subjects), cells)


def _cell(found: Interval) -> Cell:
    return Cell(float(found.mean), float(found.low), float(found.high), int(found.n))


def rich_table(study: Study, site: str = "representation", width: int = 80) -> Table:
    """Return the table for a terminal of some width; the interval is given for CBI alone, to keep it narrow."""
    from rich.table import Table
    from rich.text import Text

    rows = condition_table(study, site)
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


def html_table(study: Study, site: str = "representation") -> str:
    """Return the table as HTML for a notebook, every cell with its interval, and how to read it."""
    rows = condition_table(study, site)
    names = list(rows[0].cells) if rows else []
    head = "".join(f"<th>{escape(name)}</th>" for name in ("condition", "n", *names))
    body = "".join(
        f"<tr><td>{escape(row.label)}</td><td>{row.seeds}</td>"
        + "".join(f"<td>{cell.text()}</td>" for cell in row.cells.values())
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(_how_to_read(study))}</p>"


def _how_to_read(study: Study) -> str:
    several = any(len(condition.subjects) > 1 for condition in study.conditions)
    spread = "[..] 95 % interval over seeds" if several else "one seed, so no interval"
    return f"CBI 1 = {study.treated_eye} (treated) eye only, 0 = {study.fellow_eye} (fellow) eye only; {spread}"


def print_table(study_path: Path | str) -> None:
    """Print the table of a study file, and how to read it."""
    from rich.console import Console

    study = load_study(study_path)
    console = Console()
    console.print(rich_table(study, width=console.width))
    console.print(_how_to_read(study), style="dim", markup=False, highlight=False)
