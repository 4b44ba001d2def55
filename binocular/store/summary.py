"""From subjects to conditions: means over seeds with their 95 % intervals (`binocular.store.statistics`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from binocular.dominance import Dominance, dominance_of, group_shares
from binocular.store.records import SubjectRecord
from binocular.store.schema import HISTORY, MEASURES, VISION
from binocular.store.statistics import Interval, interval

__all__ = ["SubjectOutcome", "last_value", "summarise_dominance", "summarise_vision"]


def last_value(column: ArrayLike) -> float:
    """Return the last value of a column of the history that is not NaN; NaN if there is none."""
    values = np.asarray(column, dtype=np.float64)
    given = values[~np.isnan(values)]
    return float(given[-1]) if len(given) else float("nan")


@dataclass(frozen=True)
class SubjectOutcome:
    """What the summary needs of one subject.

    Attributes
    ----------
    epochs, dominance
        For each site the epochs of its checkpoints and the indices there.
    n_units, n_silent
        For each site the number of its units, and how many of them are silent at each checkpoint.
    vision
        The accuracies at the end of rearing, by name, tasks included.
    """

    condition: str
    seed: int
    epochs: dict[str, np.ndarray]
    dominance: dict[str, Dominance]
    n_units: dict[str, int]
    n_silent: dict[str, np.ndarray]
    vision: dict[str, float]

    @classmethod
    def of(cls, subject: SubjectRecord, treated_eye: str) -> SubjectOutcome:
        """Return the outcome of one subject, whose ``left`` or ``right`` eye is the treated one."""
        tasks = [name for name in subject.history if name not in HISTORY]
        return cls(
            condition=subject.condition,
            seed=subject.seed,
            epochs={site: np.asarray(record.epoch) for site, record in subject.sites.items()},
            dominance={site: dominance_of(record.values["rsv"], treated_eye) for site, record in subject.sites.items()},
            n_units={site: record.values["rsv"].shape[1] for site, record in subject.sites.items()},
            n_silent={site: np.asarray(record.n_silent) for site, record in subject.sites.items()},
            vision={name: last_value(subject.history[name]) for name in (*VISION, *tasks) if name in subject.history},
        )


def _by_condition(outcomes: Iterable[SubjectOutcome], conditions: Sequence[str]) -> dict[str, list[SubjectOutcome]]:
    found: dict[str, list[SubjectOutcome]] = {name: [] for name in conditions}
    for outcome in outcomes:
        found.setdefault(outcome.condition, []).append(outcome)
    return {name: members for name, members in found.items() if members}


def _columns(name: str, rows: Sequence[Interval]) -> dict[str, np.ndarray]:
    return {
        name + suffix: np.array([getattr(row, part) for row in rows])
        for suffix, part in (("", "mean"), ("_low", "low"), ("_high", "high"), ("_n", "n"))
    }


def summarise_dominance(
    outcomes: Sequence[SubjectOutcome], conditions: Sequence[str] = ()
) -> dict[str, dict[str, np.ndarray]]:
    """Return the tables of ``/summary/dominance``, one per site.

    Parameters
    ----------
    outcomes, conditions
        One per subject; the order of the conditions, after which others come as they appear.

    Returns
    -------
    dict
        For each site the columns of `binocular.store.schema.SUMMARY_DOMINANCE`: one row per condition and epoch at
        which at least one of its subjects was probed.
    """
    members = _by_condition(outcomes, conditions)
    sites = list(dict.fromkeys(site for outcome in outcomes for site in outcome.dominance))
    return {site: _site_table(site, members) for site in sites}


def _site_table(site: str, members: Mapping[str, list[SubjectOutcome]]) -> dict[str, np.ndarray]:
    rows: list[tuple[str, int, list[tuple[SubjectOutcome, int]]]] = []
    for condition, subjects in members.items():
        probed = [subject for subject in subjects if site in subject.dominance]
        for epoch in sorted({int(epoch) for subject in probed for epoch in subject.epochs[site]}):
            places = [(subject, np.flatnonzero(subject.epochs[site] == epoch)) for subject in probed]
            rows.append((condition, epoch, [(subject, int(place[-1])) for subject, place in places if len(place)]))
    columns: dict[str, np.ndarray] = {
        "row": np.arange(len(rows), dtype=np.int64),
        "group": np.arange(1, 8, dtype=np.int64),
        "condition": np.array([condition for condition, _, _ in rows], dtype=object),
        "epoch": np.array([epoch for _, epoch, _ in rows], dtype=np.int64),
        "n_units": np.array([sum(one.n_units[site] for one, _ in there) for *_, there in rows], dtype=np.int64),
        "n_silent": np.array([sum(one.n_silent[site][at] for one, at in there) for *_, there in rows], dtype=np.int64),
    }
    for name in MEASURES:
        over_seeds = [interval([getattr(one.dominance[site], name)[at] for one, at in there]) for *_, there in rows]
        columns |= _columns(name, over_seeds)
    shares = [interval(group_shares([one.dominance[site].groups[at] for one, at in there])) for *_, there in rows]
    return columns | _columns("group_share", shares)


def summarise_vision(outcomes: Sequence[SubjectOutcome], conditions: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Return the table of ``/summary/vision``: per condition the accuracies at the end of rearing, with intervals.

    Parameters
    ----------
    outcomes, conditions
        As for `summarise_dominance`.
    """
    members = _by_condition(outcomes, conditions)
    names = list(dict.fromkeys((*VISION, *(name for outcome in outcomes for name in outcome.vision))))
    columns: dict[str, np.ndarray] = {"condition": np.array(list(members), dtype=object)}
    for name in names:
        rows = [interval([subject.vision.get(name, np.nan) for subject in group]) for group in members.values()]
        columns.update(_columns(name, rows))
    return columns
