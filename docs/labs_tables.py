"""Keeps what repetitions of the labs and litters of the teaching page gave, and draws the tables of two pages from it.

``python docs/labs_tables.py build/labs/repeated.jsonl --command "labs/repeating.py --first-seed 3000"`` keeps the
repetitions that ``labs/repeating.py`` wrote, ``python docs/labs_tables.py results/teaching-lab`` a study of the
teaching page's experiments; without an argument the tables of docs/labs.md and docs/lab.md are drawn anew. A test
fails while they are not what the files in data/results say. A row of a key whose expression was changed has to be
repeated before it is shown: its old values say nothing about it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from binocular.store.records import SubjectRecord

ROOT = Path(__file__).resolve().parents[1]
REPEATED = ROOT / "data" / "results" / "labs-repeated.json"
LITTERS = ROOT / "data" / "results" / "teaching-lab.json"
SCORES = {"stereopsis": "depth", "accuracy_left_only": "left eye alone", "accuracy_right_only": "right eye alone"}
_MARK = re.compile(r"<!-- results: ([\w-]+) -->\n.*?<!-- end -->", re.S)

sys.path.insert(0, str(ROOT / "labs"))

from notebooks import LABS, Check, checks_of, key_of  # noqa: E402
from repeating import INSTRUCTIONS, held  # noqa: E402


def _checks(lab: Path) -> tuple[Check, ...]:
    return checks_of(key_of(lab).read_text(encoding="utf-8"))


def take_repeated(path: Path, command: str) -> dict[str, Any]:
    """Return the repetitions of the labs with the values of every row of their keys, as plain data."""
    from binocular.store.provenance import device_name, versions

    runs = [json.loads(line) for line in path.read_text().splitlines()]
    labs = {}
    for lab in LABS:
        mine = sorted((run for run in runs if run["lab"] == lab.stem), key=lambda run: run["seeds"])
        columns = zip(*(run["values"] for run in mine), strict=True)
        rows = [
            {"expression": check.expression, "values": values}
            for check, values in zip(_checks(lab), columns, strict=True)
        ]
        labs[lab.stem] = {"runs": [[run["seeds"], run["instructions"]] for run in mine], "rows": rows}
    finished = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).isoformat(timespec="seconds")
    return {
        "command": command,
        "finished": finished,
        "device": device_name("cpu"),
        "versions": versions(),
        "labs": labs,
    }


def take_litters(folder: Path) -> dict[str, Any]:
    """Return what the page on the teaching lab needs of a study of its experiments, as plain data."""
    from binocular.store.study import load_study
    from binocular.store.summary import last_value

    def last(subject: SubjectRecord, name: str) -> float:
        return round(float(last_value(subject.history[name])), 4)

    study = load_study(folder)
    rows = []
    for condition in study.reared:
        histograms = [dominance.groups[-1] for dominance in condition.dominance("first_binocular")]
        rows.append(
            {
                "label": condition.label,
                "epoch": int(condition.subjects[0].sites["first_binocular"].epoch[-1]),
                "seeds": [subject.seed for subject in condition.subjects],
                "groups": [[int(count) for count in groups] for groups in histograms],
                **{name: [last(subject, name) for subject in condition.subjects] for name in SCORES},
            }
        )
    kept = {name: str(study.attributes[name]) for name in ("command", "finished", "device")}
    return {**kept, "versions": study.versions, "conditions": rows}


def _repeated() -> str:
    """Return a row for each lab: of its key's rows, in how many repetitions each held."""
    kept = json.loads(REPEATED.read_text())
    names = ", ".join(INSTRUCTIONS)
    lines = [
        f"| lab | repetitions ({names} instructions) | in how many each row of its key held |",
        "|---|---|---|",
    ]
    for lab in LABS:
        found = kept["labs"][lab.stem]
        checks = _checks(lab)
        if [row["expression"] for row in found["rows"]] != [check.expression for check in checks]:
            raise ValueError(
                f"{lab.name}: its key is not the one that was repeated; run labs/repeating.py {lab.name[0]}"
            )
        counts = [held(check, row["values"]) for check, row in zip(checks, found["rows"], strict=True)]
        kinds = [sum(kind == name for _, kind in found["runs"]) for name in INSTRUCTIONS]
        runs = f"{len(found['runs'])} ({', '.join(map(str, kinds))})"
        lines.append(f"| {lab.stem.replace('-', ' ').capitalize()} | {runs} | {', '.join(map(str, counts))} |")
    return "\n".join([*lines, "", _source(kept)])


def _litters() -> str:
    """Return a row for each experiment: the default litter, and the least and the most of the others."""
    import numpy as np

    from binocular.dominance import contralateral_bias

    kept = json.loads(LITTERS.read_text())
    columns = ("cells in groups 6 and 7, of 72", "CBI (0.5 = balance)", *SCORES.values())
    lines = [f"| experiment | at epoch | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for row in kept["conditions"]:
        groups = np.array(row["groups"])
        told = [f"{row['label']} | {row['epoch']}"]
        scores = [(row[name], 2) for name in SCORES]
        for values, digits in ((groups[:, 5:].sum(1), 0), (contralateral_bias(groups), 2), *scores):
            first, *rest = values
            told.append(f"{first:.{digits}f}; {min(rest):.{digits}f} to {max(rest):.{digits}f}")
        lines.append(f"| {' | '.join(told)} |")
    seeds = kept["conditions"][0]["seeds"]
    told = f"Litter {seeds[0]}; least to most of litters {seeds[1]} to {seeds[-1]}."
    return "\n".join([*lines, "", told, "", _source(kept)])


def _source(kept: dict[str, Any]) -> str:
    shown = ", ".join(f"{name} {kept['versions'][name]}" for name in ("binocular-lab", "torch"))
    return f"*`{kept['command']}` ({kept['finished'][:10]}; {shown}; {kept['device']}).*"


TABLES = {"labs-repeated": _repeated, "teaching-lab": _litters}
PAGES = (ROOT / "docs" / "labs.md", ROOT / "docs" / "lab.md")


def filled(text: str) -> str:
    """Return a page with its tables drawn anew."""
    return _MARK.sub(lambda found: f"<!-- results: {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep what is named, and draw the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("found", nargs="*", type=Path, help="repetitions (.jsonl) or the folder of a study")
    parser.add_argument("--command", default="", help="how the repetitions were made")
    asked = parser.parse_args(arguments)
    for path in asked.found:
        repeated = path.suffix == ".jsonl"
        kept = take_repeated(path, asked.command) if repeated else take_litters(path)
        text = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), json.dumps(kept, indent=1))
        (REPEATED if repeated else LITTERS).write_text(text + "\n")
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
