"""The rows that one subject has in each tidy table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from binocular.dominance import groups_of
from binocular.store import schema
from binocular.store.exports.table import KEY, Block, Column, Subject
from binocular.store.tables import read_dataset, read_table, subgroup

__all__ = ["PHASE", "dominance_rows", "groups_rows", "history_rows", "phases_rows", "sites_of", "units_rows"]

PHASE = {
    **KEY,
    "phase": Column("integer", "1", "index of the phase, counted from 0"),
    "phase_name": Column("text", "1", "name of the phase"),
    "start": Column("integer", "epoch", "epochs completed when it begins"),
    "stop": Column("integer", "epoch", "epochs completed when it ends"),
    "eye": Column("text", "1", "eye that something is done to: left, right or both", "normal vision"),
    "deficits": Column("text", "1", "kinds of deficits, joined by +", "normal vision"),
    "in_words": Column("text", "1", "what happens in it, in words", "not given"),
    "parameters": Column("text", "1", "the deficits with all their parameters, JSON"),
}


def sites_of(subject: Subject) -> list[str]:
    """Return the sites at which a subject was probed."""
    return [str(site) for site in subgroup(subject.group, "probes")] if "probes" in subject.group else []


def phases_rows(subject: Subject) -> Iterator[Block]:
    """Give the phases a subject lived through."""
    for index, phase in enumerate(json.loads(subject.attributes["phases"])):
        deficits = phase["deficits"]
        eyes = {str(deficit.get("eye", "both")) for deficit in deficits}
        yield rows_of(
            subject,
            phase=[index],
            phase_name=[phase["name"]],
            start=[phase["start"]],
            stop=[phase["stop"]],
            eye=[eyes.pop() if len(eyes) == 1 else "both" if eyes else None],
            deficits=[" + ".join(str(deficit.get("kind")) for deficit in deficits) or None],
            in_words=[phase.get("description")],
            parameters=[json.dumps(deficits, ensure_ascii=False)],
        )


def history_rows(subject: Subject) -> Iterator[Block]:
    """Give the epochs a subject was reared through."""
    yield rows_of(subject, **read_table(subgroup(subject.group, "history")))


def units_rows(subject: Subject) -> Iterator[Block]:
    """Give the units of a subject at each checkpoint."""
    for site in sites_of(subject):
        columns = read_table(subgroup(subject.group, f"probes/{site}"))
        checkpoints, units = columns["rsv"].shape
        group = groups_of(columns["rsv"][..., None]) @ np.arange(1, 8)
        yield rows_of(
            subject,
            site=site,
            epoch=np.repeat(columns["epoch"], units),
            unit=np.tile(columns["unit"], checkpoints),
            **{name: values.ravel() for name, values in columns.items() if values.ndim == 2},
            group=[int(value) or None for value in group.ravel()],
        )


def dominance_rows(subject: Subject) -> Iterator[Block]:
    """Give a subject's indices of ocular dominance at each checkpoint."""
    for site in sites_of(subject):
        columns = read_table(subgroup(subject.group, f"dominance/{site}"))
        silent = read_dataset(subject.group[f"probes/{site}/n_silent"])  # type: ignore[arg-type]
        indices = {name: columns[name] for name in ("epoch", *schema.MEASURES)}
        yield rows_of(subject, site=site, **indices, n_silent=silent)


def groups_rows(subject: Subject) -> Iterator[Block]:
    """Give a subject's ocular-dominance groups at each checkpoint."""
    for site in sites_of(subject):
        columns = read_table(subgroup(subject.group, f"dominance/{site}"))
        checkpoints, groups = columns["groups"].shape
        yield rows_of(
            subject,
            site=site,
            epoch=np.repeat(columns["epoch"], groups),
            group=np.tile(columns["group"], checkpoints),
            units=columns["groups"].ravel(),
        )


def rows_of(subject: Subject, **columns: Any) -> Block:
    return {"condition": subject.condition, "seed": subject.seed, **columns}
