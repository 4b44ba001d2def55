"""One row per condition at the end of rearing: the table that ends a run, stands in the report and shows a study."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from binocular.store.conditions import StudyData, in_words
from binocular.store.statistics import Interval, interval

__all__ = ["AreaRow", "ConditionRow", "area_table", "condition_table", "end_group", "how_to_read", "html_table"]

_EYES = {"accuracy_left_only": "left only", "accuracy_right_only": "right only"}


@dataclass(frozen=True)
class ConditionRow:
    """A condition with its number of seeds and its cells by column name, in order."""

    name: str
    label: str
    seeds: int
    cells: dict[str, Interval]


def end_group(study: StudyData) -> int:
    """Return the group of the units that belong to the fellow eye alone: 7 if it is the left, 1 if the right."""
    return 7 if study.fellow_eye == "left" else 1


def condition_table(study: StudyData, site: str | None = None) -> list[ConditionRow]:
    """Return one row per condition, with everything at the end of rearing.

    Parameters
    ----------
    study, site
        A study in memory, and the site of the measures of dominance: its default one if None.

    Returns
    -------
    list of ConditionRow
        Cells ``CBI``, ``group 7`` (of the fellow eye; ``group 1`` where the left eye was treated), ``binocular``,
        ``mean RSV``, one per task (``accuracy`` where there is none), ``left only``, ``right only``
        (accuracy with the other eye grey).
        Shares and accuracies are between 0 and 1. A condition without subjects has cells without a value.
    """
    site, group = site or study.default_site, end_group(study)
    accuracies = {task: task for task in study.tasks} or {"test_accuracy": "accuracy"}
    rows = []
    for condition in study.conditions:
        cells = {
            "CBI": condition.at_end("cbi", site),
            f"group {group}": condition.group_at_end(group, site),
            "binocular": condition.at_end("binocular_share", site),
            "mean RSV": condition.at_end("mean_rsv", site),
            **{name: interval(condition.last(column)) for column, name in (accuracies | _EYES).items()},
        }
        rows.append(ConditionRow(condition.name, condition.label, len(condition.subjects), cells))
    return rows


@dataclass(frozen=True)
class AreaRow:
    """A condition at one area: the site, what and how many its units are, and its cells by column name, in order."""

    label: str
    site: str
    area: str
    units: str
    cells: dict[str, Interval]


def area_table(study: StudyData) -> list[AreaRow]:
    """Return ocular dominance at the end of rearing through the areas, one row per condition and area.

    Returns
    -------
    list of AreaRow
        Cells ``binocular`` (share of groups 2 to 6), ``median |RSV|``, ``CBI`` and ``group 1`` to ``group 7`` (shares).
        Empty where fewer than two areas were measured.
    """
    rows = []
    for condition in study.through_areas:
        for site in study.areas:
            records = [subject.sites[site] for subject in condition.subjects]
            silent = sum(int(record.n_silent[-1]) for record in records) / len(records)
            units = f"{records[0].values['rsv'].shape[1]} {study.unit_word(site)}"
            units += f", {silent:.3g} silent" if silent else ""
            cells = {
                "binocular": condition.at_end("binocular_share", site),
                "median |RSV|": condition.at_end("median_unit_mi", site),
                "CBI": condition.at_end("cbi", site),
                **{f"group {group}": condition.group_at_end(group, site) for group in range(1, 8)},
            }
            rows.append(AreaRow(condition.label, site, in_words(site), units, cells))
    return rows


def how_to_read(study: StudyData) -> str:
    """Return what the table needs beside it: which eye is which, and what the intervals are."""
    several = any(len(condition.subjects) > 1 for condition in study.conditions)
    spread = "[..] 95 % interval over seeds" if several else "one seed, so no interval"
    units = in_words(study.default_site)
    return (
        f"{units}: CBI 1 = {study.treated_eye} (treated) eye only, 0 = {study.fellow_eye} (fellow) eye only; {spread}"
    )


def html_table(study: StudyData) -> str:
    """Return the table as HTML for a notebook, every cell with its interval, and how to read it."""
    import pandas

    rows = [
        {"condition": row.label, "n": row.seeds, **{name: cell.text() for name, cell in row.cells.items()}}
        for row in condition_table(study)
    ]
    return f"{pandas.DataFrame(rows).to_html(index=False, border=0)}<p>{escape(how_to_read(study))}</p>"
