"""Keeps the numbers of the README in a small file, and draws its tables from that file.

``python docs/results_tables.py results/monocular-deprivation`` takes the table of conditions of a study into
``data/results/FOLDER.json``, with command, date, device and versions; without an argument the tables in README.md are
drawn anew from those files. A test fails while they are not what the files say. What each eye tells by itself is
measured before: ``binocular measure results/monocular-deprivation --probe one-eye --when end``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from binocular.store.conditions import Condition
    from binocular.store.records import SubjectRecord

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "results"
README = ROOT / "README.md"
COLUMNS = {
    "opening": "cells of the open eye (groups 6, 7) at the opening",
    "end": "at the end",
    "CBI": "CBI at the end",
    "stereopsis": "stereopsis",
    "left": "left (fellow) eye alone",
    "right": "right (treated) eye alone",
}
_MARK = re.compile(r"<!-- results: ([^>]+) -->\n.*?<!-- end -->", re.S)


def take(folder: Path) -> Path:
    """Write what the tables need of a study; return the file."""
    from binocular.store.study import load_study

    study = load_study(folder)
    attributes = {name: str(study.attributes[name]) for name in ("command", "finished", "device", "versions")}
    seeds = [int(seed) for seed in study.attributes["seeds"]]
    rows = [_row(condition) for condition in study.reared]
    path = FOLDER / f"{folder.name}.json"
    path.write_text(json.dumps({**attributes, "seeds": seeds, "conditions": rows}, indent=1) + "\n")
    return path


def _row(condition: Condition) -> dict[str, Any]:
    """Return what is kept of a condition; an eye that was not tested alone has no interval."""
    import numpy as np

    from binocular.store.statistics import interval

    first = condition.subjects[0]
    epochs = first.sites[condition.default_site].epoch.tolist()
    closures = [
        (phase["stop"], deficit["eye"]) for phase in first.phases for deficit in phase["deficits"] if "eye" in deficit
    ]
    opening, eye = (epochs.index(closures[0][0]), closures[0][1]) if closures else (-1, condition.treated_eye)
    # Group 1 belongs to the right eye and group 7 to the left one: the outer groups of the eye that stayed open.
    left_closed = eye == "left" or (eye, condition.treated_eye) in (("fellow", "right"), ("treated", "left"))
    outer = slice(0, 2) if left_closed else slice(5, 7)
    cells = {
        "opening": interval(condition.shares(checkpoint=opening)[:, outer].sum(1)),
        "end": interval(condition.shares()[:, outer].sum(1)),
        "CBI": condition.at_end("cbi"),
        "stereopsis": condition.vision_at_end("stereopsis"),
    }
    alone = np.array([one for subject in condition.subjects if (one := _one_eye(subject)) is not None])
    cells |= {eye: interval(alone[:, e]) for e, eye in enumerate(("left", "right")) if len(alone)}
    return {
        "name": condition.name,
        "label": condition.label,
        "n": len(condition.subjects),
        "groups": np.nanmean(condition.shares(), axis=0).round(4).tolist(),
        "cells": {name: [float(x.mean), float(x.low), float(x.high)] for name, x in cells.items()},
    }


def _one_eye(subject: SubjectRecord) -> np.ndarray | None:
    """Return what a readout tells with each eye, ``[eye]``, in the first task of the stimulus, which one eye can do."""
    from binocular.probes.base import NETWORK

    record = subject.measures.get(("one-eye", NETWORK))
    return None if record is None else record.values["accuracy"][-1, :, 1]


def table(*names: str) -> str:
    """Return the tables of some files as one in Markdown, each after the first below a line with its command."""
    lines = [f"| condition | n | {' | '.join(COLUMNS.values())} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    for number, name in enumerate(names):
        kept = json.loads((FOLDER / f"{name}.json").read_text())
        if number:
            changed = " ".join(re.findall(r"--set (?!'?seeds)(\S+)", kept["command"]))
            lines.append(f"| *`{changed.strip(chr(39))}`* |{' |' * (len(COLUMNS) + 1)}")
        for row in kept["conditions"]:
            cells = (_text(*row["cells"][column]) if column in row["cells"] else "" for column in COLUMNS)
            lines.append(f"| {row['label']} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_sources(names)])


def _sources(names: Sequence[str]) -> list[str]:
    kept = [json.loads((FOLDER / f"{name}.json").read_text()) for name in names]
    commands = [re.sub(r" --(out|timings) \S+| --quiet", "", one["command"]) for one in kept]
    told = dict.fromkeys(f"`{command}` ({one['finished'][:10]})" for command, one in zip(commands, kept, strict=True))
    return [f"*Means [95 % t intervals] over n subjects: {'; '.join(told)}.*"]


def _text(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def filled(text: str) -> str:
    """Return a page with its tables drawn anew."""
    return _MARK.sub(lambda found: f"<!-- results: {found[1]} -->\n{table(*found[1].split())}\n<!-- end -->", text)


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(take(Path(folder)))
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
