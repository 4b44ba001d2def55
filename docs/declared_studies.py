"""Judges the two studies of 'Networks and animals' whose criteria stand at the head of their protocols.

``python docs/declared_studies.py results/after-the-opening results/after-the-opening-scenes results/stopping-rules``
keeps what decides, by subject, in ``data/results/after-the-opening.json`` and ``stopping-rules.json``. `animals_page`
draws the tables from them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from binocular.store.statistics import interval, overall, verdict_of

ROOT = Path(__file__).resolve().parents[1]
TURNING = ROOT / "data" / "results" / "after-the-opening.json"
STOPPING = ROOT / "data" / "results" / "stopping-rules.json"
DOSES = (2, 4, 8, 16)
TREATMENTS = {"reversed": "other eye closed", "inactivated": "other eye inactivated"}
CHANGES = ("statistics-renewed", "momentum-forgotten", "rate-a-tenth", "closed-on", "closed-with-noise")
_MARGIN = 0.05
_SCENES = "new scenes at every presentation"


def turning(found: dict[str, Any]) -> str:
    """Return one row per change made at the opening: the turn that is left, and whether the change accounts for it."""
    usual = np.array(found["turns"]["as-it-was"]["turn"])
    rows = []
    for name, one in found["turns"].items():
        left = np.array(one["turn"])
        judged = "–" if name == "as-it-was" else verdict_of(interval(left - usual / 2), at_most=0)
        rows.append([one["label"], str(len(left)), _text(left), _told(judged)])
    return table(["after ten epochs of closure", "n", "turn in ten more epochs", "accounts for the turn"], rows)


def stopping_rule(found: dict[str, Any]) -> str:
    """Return one row per treatment and dose, and the verdicts on the rule and on an optimum."""
    rows, told = [], []
    for treatment, label in TREATMENTS.items():
        distance = {dose: np.array(found["subjects"][f"{treatment}-{dose}"]["distance"]) for dose in DOSES}
        for dose in DOSES:
            rows.append([label, str(dose), str(len(distance[dose])), _text(distance[dose])])
        chosen = by_the_rule(found["subjects"], treatment)
        ruled = np.array([distance[dose][subject] for subject, dose in enumerate(chosen)])
        rows.append([label, f"by the rule: {', '.join(map(str, chosen))}", str(len(chosen)), _text(ruled)])
        gained = interval(distance[DOSES[-1]] - ruled)
        told.append(
            f"- {label}: that the rule beats the fixed dose of {DOSES[-1]} epochs "
            f"**{verdict_of(gained, at_least=_MARGIN)}** (gain {gained}); "
            f"that a dose is an optimum **{optimum(distance)}**."
        )
    head = ["treatment from 5 weeks", "epochs", "n", "distance of CBI from 0.5, 8 epochs later"]
    return table(head, rows) + "\n\n" + "\n".join(told)


def by_the_rule(subjects: dict[str, Any], treatment: str) -> list[int]:
    """Return the dose at which each subject is stopped: the shortest after which its cells do not prefer that eye."""
    medians = np.array([subjects[f"{treatment}-{dose}"]["median"] for dose in DOSES])
    return [next((d for d, m in zip(DOSES, column, strict=True) if m <= 0), DOSES[-1]) for column in medians.T]


def optimum(distance: dict[int, np.ndarray]) -> str:
    """Return whether the dose of the smallest mean distance is nearer than the shortest and the longest."""
    best = min(DOSES, key=lambda dose: distance[dose].mean())
    if best in (DOSES[0], DOSES[-1]):
        return "does not hold"
    return overall([verdict_of(interval(distance[end] - distance[best]), at_least=0) for end in (DOSES[0], DOSES[-1])])


def take_turning(folder: Path, scenes: Path) -> dict[str, Any]:
    """Return the turn of each subject: median RSV of the last layer at epoch 20 less that at epoch 10."""
    study, other = _study(folder), _study(scenes)
    found = {name: _turn(study, name) for name in ("as-it-was", *CHANGES)}
    found["scenes"] = _turn(other, "as-it-was") | {"label": _SCENES}
    return {"studies": [about(study), about(other)], "turns": found}


def take_stopping(folder: Path) -> dict[str, Any]:
    """Return, for each treatment, median RSV of first cells at its end and distance of CBI from balance at the last."""
    from binocular.compare.samples import sample_of, treatment_of
    from binocular.dominance import contralateral_bias

    study = _study(folder)
    found = {}
    for name in (f"{treatment}-{dose}" for treatment in TREATMENTS for dose in DOSES):
        condition = study.condition(name)
        treatment = treatment_of(condition)
        last = sample_of(condition, "first_binocular", None, treatment.deprived_eye)
        found[name] = {
            "seeds": [subject.seed for subject in condition.subjects],
            "median": [_median(subject, "first_binocular", treatment.stop) for subject in condition.subjects],
            "distance": [round(abs(float(contralateral_bias(row / row.sum())) - 0.5), 4) for row in last.counted],
        }
    return {"studies": [about(study)], "subjects": found}


def _turn(study: Any, name: str) -> dict[str, Any]:
    condition = study.condition(name)
    seeds = [subject.seed for subject in condition.subjects]
    turn = [_median(one, "representation", 20) - _median(one, "representation", 10) for one in condition.subjects]
    return {"label": condition.label, "seeds": seeds, "turn": [round(value, 4) for value in turn]}


def _median(subject: Any, site: str, epoch: int) -> float:
    """Return the median RSV, 1 for the left eye, which is the other eye in both protocols."""
    record = subject.sites[site]
    (row,) = np.flatnonzero(np.asarray(record.epoch) == epoch)
    return round(float(np.nanmedian(record.values["rsv"][row])), 4)


def _study(folder: Path) -> Any:
    from binocular.store.study import load_study

    return load_study(folder)


def about(study: Any) -> dict[str, str]:
    """Return how a study was reared; where it was written is nobody's business."""
    kept = {name: str(study.attributes[name]) for name in ("command", "finished", "device", "versions")}
    return kept | {"command": re.sub(r" --(out|timings) \S+| --quiet", "", kept["command"])}


def _text(values: np.ndarray) -> str:
    return str(interval(values)).replace("-", "−")


def _told(verdict: str) -> str:
    return {"holds": "yes", "does not hold": "no"}.get(verdict, verdict)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    told = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *told])


def read(path: Path) -> dict[str, Any]:
    """Return what was kept of a study."""
    return json.loads(path.read_text(encoding="utf-8"))


TABLES = {"turning": lambda _: turning(read(TURNING)), "rule": lambda _: stopping_rule(read(STOPPING))}

if __name__ == "__main__":
    first, scenes, stopping = map(Path, sys.argv[1:])
    for path, found in ((TURNING, take_turning(first, scenes)), (STOPPING, take_stopping(stopping))):
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
