"""Putting nodes together: a subject's record from the branch of the phase tree that it went through."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from binocular.probes.taking import probes_of, row_name
from binocular.protocols import ResolvedCondition
from binocular.runs.planning import StudyPlan
from binocular.store.node_index import NodeIndex
from binocular.store.provenance import spanning
from binocular.store.records import MeasureRecord, SiteRecord, SubjectRecord, TreeRecord
from binocular.store.snapshots import NodeRecord

__all__ = ["subject_record", "tree_record"]

_TRAINED = ("epoch", "learning_rate", "train_loss", "train_accuracy")


def subject_record(study: StudyPlan, condition: ResolvedCondition, seed: int, index: NodeIndex) -> SubjectRecord | None:
    """Assemble a subject from its nodes; None where one is missing.

    Only what the subject would have if it were reared by itself is kept: checkpoints and tests that other conditions
    asked for on a shared branch are left out.

    Parameters
    ----------
    study, condition, seed
        Whose record.
    index
        Of the folder where its nodes lie.
    """
    nodes = [study.tree.node(identity) for identity in study.tree.path[condition.name, seed]]
    records: list[NodeRecord] = []
    for node in nodes:
        record = index.record(node, index.finished(node, node.checkpoints, study.plan.measures))
        if record is None:
            return None
        records.append(record)
    reared = spanning([record.provenance for record in records])
    plan = study.protocol.probes
    checkpoints = np.array(plan.checkpoints(condition.epochs, condition.phase_ends()))
    history = {
        name: np.concatenate([record.history[name] for record in records if record.history])
        for name in next(record for record in records if record.history).history
    }
    epoch = history["epoch"].astype(np.int64)
    every = study.protocol.training.evaluate_every
    by_criterion = np.array([c.until is not None for c in condition.epoch_conditions()])[epoch - 1]
    kept = (epoch % every == 0) | np.isin(epoch, checkpoints) | by_criterion
    for name in history:
        if name not in _TRAINED:
            history[name] = np.where(kept, history[name], np.nan)
    stretches = condition.timeline()
    history["epoch"] = epoch
    history["phase"] = np.searchsorted([s.stop for s in stretches], epoch - 1, side="right")
    return SubjectRecord(
        condition=condition.name,
        seed=seed,
        subject_id=nodes[-1].identity,
        phases=[
            {
                "name": s.phase,
                "start": s.start,
                "stop": s.stop,
                "deficits": json.loads(json.dumps(list(s.deficits))),
                **({"objective": dict(s.objective)} if s.objective["kind"] != "classification" else {}),
                "description": s.sentence,
            }
            for s in stretches
        ],
        history=history,
        attributes={"reared": reared, "chance": study.chance},
        **_measured(study, _rows(records, checkpoints), reared.get("versions", {})),
    )


def _rows(records: list[NodeRecord], checkpoints: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return what was measured at a subject's own checkpoints, by the names of the rows (see `checkpoint_rows`)."""
    rows = {}
    for name in next(record for record in records if record.probes).probes:
        parts = [record.probes[name] for record in records if name in record.probes]
        merged = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
        kept = np.isin(merged["epoch"], checkpoints)
        rows[name] = {column: values[kept] for column, values in merged.items()}
    return rows


def _measured(study: StudyPlan, rows: dict[str, dict[str, np.ndarray]], versions: dict[str, str]) -> dict[str, Any]:
    """Return the sites and the measures of a subject from its rows, in the order in which they were taken."""
    sites: dict[str, SiteRecord] = {}
    measures: dict[tuple[str, str], MeasureRecord] = {}
    first, *others = probes_of(study.protocol.probes)
    for site, units in study.units.items():
        row = dict(rows.pop(row_name(first, site)))
        row.pop("unit")
        sites[site] = SiteRecord(row.pop("epoch"), row, n_silent=row.pop("n_silent"), units=units)
    for probe in others:
        for name in [name for name in rows if name.startswith(f"{probe.name}/")]:
            row, site = dict(rows[name]), name.partition("/")[2]
            epoch, texts = row.pop("epoch"), [column for column in row if row[column].dtype.kind == "S"]
            row |= {column: np.char.decode(row[column], "utf-8").astype(object) for column in texts}
            along = {column for column, field in probe.columns.items() if field.dims[0] == "checkpoint"}
            values = {column: found if column in along else found[0] for column, found in row.items()}
            measures[probe.name, site] = MeasureRecord(
                epoch, values, probe.columns, study.units.get(site), probe.model_dump(mode="json"), versions
            )
    return {"sites": sites, "measures": measures}


def tree_record(study: StudyPlan, index: NodeIndex) -> TreeRecord:
    """Describe the phase tree as it was reared; a node that is missing has spent NaN seconds.

    Parameters
    ----------
    study, index
        The plan, and what was reared.
    """
    nodes = study.tree.nodes()
    parts = [index.finished(node, node.checkpoints, study.plan.measures) for node in nodes]
    return TreeRecord(
        identity=[node.identity for node in nodes],
        parent=["" if node.is_root else node.parent for node in nodes],
        **{name: np.array([getattr(node, name) for node in nodes]) for name in ("seed", "start", "stop")},
        seconds=np.array([index.seconds(node, found) for node, found in zip(nodes, parts, strict=True)]),
        conditions=[",".join(node.conditions) for node in nodes],
    )
