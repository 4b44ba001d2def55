"""Keeps the numbers of studies in small files, and draws the tables of `PAGES` from them.

``python docs/results_tables.py results/monocular-deprivation`` takes the table of conditions of a study into
``data/results/FOLDER.json``, with command, date, device and versions; without an argument the tables are
drawn anew from those files. A test fails while they are not what the files say. What each eye tells by itself is
measured before, ``binocular measure results/monocular-deprivation --probe one-eye --when end``, and so is dominance by
gratings, ``--probe odi --site first_binocular``.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from binocular.store.conditions import Condition

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "results"
_DOCS = ROOT / "docs"
PAGES = (
    ROOT / "README.md",
    _DOCS / "controls.md",
    _DOCS / "theory.md",
    _DOCS / "what-protects.md",
    _DOCS / "howto" / "real-stereo.md",
)
COLUMNS = {
    "opening": "cells of the open eye (groups 6, 7) at the opening",
    "end": "at the end",
    "CBI": "CBI at the end",
    "stereopsis": "stereopsis",
    "left": "left (fellow) eye alone",
    "right": "right (treated) eye alone",
}
AGREEMENT = {
    "correlation": "rank correlation of ODI and RSV over cells",
    "odi": "median \\|ODI\\|",
    "rsv": "median \\|RSV\\|",
}
_MARK = re.compile(r"<!-- (results|agreement): ([^>]+) -->\n.*?<!-- end -->", re.S)


def take(folder: Path) -> Path:
    """Write what the tables need of a study; return the file."""
    from binocular.store.study import load_study

    study = load_study(folder)
    attributes = {name: str(study.attributes[name]) for name in ("command", "finished", "device", "versions")}
    attributes["command"] = attributes["command"].replace(f"--out {folder.resolve()}", f"--out {folder.name}")
    seeds = [int(seed) for seed in study.attributes["seeds"]]
    rows = [_row(condition) for condition in study.reared if len(condition.subjects) > 1]  # one has no interval
    path = FOLDER / f"{folder.name}.json"
    path.write_text(json.dumps({**attributes, "seeds": seeds, "conditions": rows}, indent=1) + "\n")
    return path


def _row(condition: Condition) -> dict[str, Any]:
    """Return what is kept of a condition; an eye that was not tested alone has no interval."""
    import numpy as np

    from binocular.compare.samples import seen_alone
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
    alone = {eye: seen_alone(condition, eye) for eye in ("left", "right")}
    cells |= {eye: interval(values) for eye, values in alone.items() if np.isfinite(values).all()}
    cells |= {name: interval(values) for name, values in _agreement(condition).items()}
    return {
        "name": condition.name,
        "label": condition.label,
        "n": len(condition.subjects),
        "groups": np.nanmean(condition.shares(), axis=0).round(4).tolist(),
        "cells": {name: [float(x.mean), float(x.low), float(x.high)] for name, x in cells.items()},
    }


def _agreement(condition: Condition) -> dict[str, list[float]]:
    """Return how dominance by gratings agrees with source variance in the first cells, by subject."""
    import numpy as np

    found = [s.measures.get(("odi", "first_binocular")) for s in condition.subjects]
    last = [{name: values[-1] for name, values in record.values.items()} for record in found if record is not None]
    if not last:
        return {}
    medians = {name: [float(np.nanmedian(np.abs(one[name]))) for one in last] for name in ("odi", "rsv")}
    return {"correlation": [float(one["rank_correlation"]) for one in last], **medians}


def agreement(name: str) -> str:
    """Return the table of how dominance by gratings and by source variance agree, as Markdown."""
    kept = json.loads((FOLDER / f"{name}.json").read_text())
    lines = [f"| condition | n | {' | '.join(AGREEMENT.values())} |", f"|---|---|{'---|' * len(AGREEMENT)}"]
    for row in kept["conditions"]:
        cells = (_text(*row["cells"][column]) for column in AGREEMENT)
        lines.append(f"| {row['label']} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_sources([name])])


def table(*names: str) -> str:
    """Return the tables of some files as one in Markdown, each after the first below a line with its command."""
    lines = [f"| condition | n | {' | '.join(COLUMNS.values())} |", f"|---|---|{'---|' * len(COLUMNS)}"]
    for number, name in enumerate(names):
        kept = json.loads((FOLDER / f"{name}.json").read_text())
        if number:
            words = shlex.split(kept["command"])
            sets = [value for flag, value in pairwise(words) if flag == "--set" and not value.startswith("seeds")]
            lines.append(f"| *`{' '.join(sets)}`* |{' |' * (len(COLUMNS) + 1)}")
        for row in kept["conditions"]:
            cells = (_text(*row["cells"][column]) if column in row["cells"] else "" for column in COLUMNS)
            lines.append(f"| {row['label']} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_sources(names)])


def _sources(names: Sequence[str]) -> list[str]:
    kept = [json.loads((FOLDER / f"{name}.json").read_text()) for name in names]
    commands = [re.sub(r" --(out|timings) \S+| --quiet", "", one["command"]).replace("'\"'\"'", "") for one in kept]
    told = dict.fromkeys(f"`{command}` ({one['finished'][:10]})" for command, one in zip(commands, kept, strict=True))
    return [f"*Means [95 % t intervals] over n subjects: {'; '.join(told)}.*"]


def _text(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def filled(text: str) -> str:
    """Return a page with its tables drawn anew."""

    def drawn(found: re.Match[str]) -> str:
        kind, names = found[1], found[2].split()
        return f"<!-- {kind}: {found[2]} -->\n{table(*names) if kind == 'results' else agreement(*names)}\n<!-- end -->"

    return _MARK.sub(drawn, text)


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(take(Path(folder)))
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
