"""Keeps the numbers of the README in a small file, and draws its tables from that file.

``python docs/results_tables.py results/monocular-deprivation`` takes the table of conditions of a study into
``data/results/FOLDER.json``, with command, date, device and versions; without an argument the tables in README.md are
drawn anew from those files. A test fails while they are not what the files say.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "results"
README = ROOT / "README.md"
COLUMNS = {
    "opening": "groups 6 and 7 at the opening",
    "end": "groups 6 and 7 at the end",
    "CBI": "CBI at the end",
    "stereopsis": "stereopsis",
    "fellow": "left (fellow) eye alone",
    "treated": "right (treated) eye alone",
}
_MARK = re.compile(r"<!-- results: (\S+) -->\n.*?<!-- end -->", re.S)


def take(folder: Path) -> Path:
    """Write what the tables need of a study; return the file."""
    import numpy as np

    from binocular.store.statistics import interval
    from binocular.store.study import load_study

    study = load_study(folder)
    rows = []
    for condition in study.conditions:
        first = condition.subjects[0]
        epochs = first.sites[condition.default_site].epoch.tolist()
        closures = [phase["stop"] for phase in first.phases if phase["deficits"]]
        opening = epochs.index(closures[0]) if closures else -1
        cells = {
            "opening": interval(condition.shares(checkpoint=opening)[:, 5:].sum(1)),
            "end": interval(condition.shares()[:, 5:].sum(1)),
            "CBI": condition.at_end("cbi"),
            "stereopsis": condition.vision_at_end("stereopsis"),
            "fellow": condition.vision_at_end("accuracy_left_only"),
            "treated": condition.vision_at_end("accuracy_right_only"),
        }
        kept = {name: [float(cells[name].mean), float(cells[name].low), float(cells[name].high)] for name in COLUMNS}
        groups = np.nanmean(condition.shares(), axis=0).round(4).tolist()
        rows.append({"name": condition.name, "label": condition.label, "n": len(condition.subjects), "groups": groups})
        rows[-1]["cells"] = kept
    attributes = {name: str(study.attributes[name]) for name in ("command", "finished", "device", "versions")}
    path = FOLDER / f"{folder.name}.json"
    path.write_text(json.dumps({**attributes, "conditions": rows}, indent=1) + "\n")
    return path


def table(name: str) -> str:
    """Return the table of a file as Markdown."""
    rows = json.loads((FOLDER / f"{name}.json").read_text())["conditions"]
    lines = [f"| condition | {' | '.join(COLUMNS.values())} |", f"|---|{'---|' * len(COLUMNS)}"]
    for row in rows:
        cells = (_text(*row["cells"][column]) for column in COLUMNS)
        lines.append(f"| {row['label']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _text(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def filled(text: str) -> str:
    """Return a page with its tables drawn anew."""
    return _MARK.sub(lambda found: f"<!-- results: {found[1]} -->\n{table(found[1])}\n<!-- end -->", text)


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(take(Path(folder)))
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
