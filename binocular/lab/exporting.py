"""The page as files: the classic experiments reared beforehand, for a browser without server, network or installation.

A browser does not let a page from a file load modules or fetch data. So the page's scripts are joined into one plain
script, and the subjects lie in another one that assigns them to a variable.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.dominance import contralateral_bias
from binocular.lab.animals import animals
from binocular.lab.reading import tracks_of
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.places import check_output
from binocular.store.sealing import atomic_write

if TYPE_CHECKING:
    from binocular.lab.tracks import Track
    from binocular.protocols import Protocol
    from binocular.runs.running import Progress

__all__ = ["MARK", "export_lab"]

MARK = "binocular-lab.txt"
"""The file by which a folder of ours is known: only such a folder, or an empty one, is written to."""
_SCRIPTS = ("charts.js", "words.js", "pathways.js", "lab.js")


def export_lab(
    protocol: Protocol, folder: Path, litters: int = 3, progress: Progress | bool | None = None, command: str = ""
) -> Path:
    """Rear the experiments of the lab and write the page with them.

    Parameters
    ----------
    protocol
        Settings and experiments, as for `binocular.lab.Session`.
    folder
        Where the site goes; what it was reared from lies in ``reared`` below it, so that writing it again is quick.
    litters
        Subjects of each experiment: seeds 0, 1, 2 and so on, unless the protocol lists seeds.
    progress, command
        As for `binocular.runs.running.run_study`.

    Returns
    -------
    Path
        The page, ``index.html``.

    Raises
    ------
    BadInput
        If the folder holds something else, or the experiments cannot be reared.
    """
    if litters < 1:
        raise BadInput(f"--litters: {litters} is no number of litters; accepted: 1 or more")
    check_output(folder, "--export", folder=True)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise BadInput(f"{folder} holds something else; name an empty folder, or one that this command wrote")
    if isinstance(protocol.seeds, int):
        protocol = protocol.model_copy(update={"seeds": litters})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Written by 'binocular lab --export', which may write here again.\n", encoding="utf-8")
    outcome = run_study(
        protocol, folder / "reared", "cpu", progress, command=command, allow_large=None, option="--export"
    )
    tracks = tracks_of(outcome.study, outcome.study.name)
    with atomic_write(folder / "study.h5") as temporary:
        shutil.copyfile(outcome.study, temporary)
    _write(folder / "lab.toml", protocol.to_toml())
    _write(folder / "cells.csv", "\n".join(_rows(tracks)) + "\n")
    found: dict[str, Any] = {
        "experiments": [
            {
                "name": condition.name,
                "label": condition.label or condition.name,
                "phases": [phase.sentence() for phase in condition.phases],
            }
            for condition in protocol.resolved_conditions()
        ],
        "animals": animals(),
        "tracks": [track.message() for track in tracks],
        "downloads": {"study.h5": "all numbers (HDF5)", "cells.csv": "histograms (CSV)", "lab.toml": "the protocol"},
    }
    # '<' is escaped, so that no label can end the script.
    data = json.dumps(found, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    _write(folder / "data.js", f"window.BINOCULAR = {data};\n")
    _write(folder / "lab.js", _joined())
    for name in ("lab.css", "icon.svg"):
        _write(folder / name, _part(name))
    page = folder / "index.html"
    _write(page, _static(_part("index.html")))
    return page


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _part(name: str) -> str:
    return (resources.files("binocular.lab") / "page" / name).read_text(encoding="utf-8")


def _joined() -> str:
    """Return the scripts of the page as one, without imports and exports; no name is used by two of them."""
    texts = []
    for name in _SCRIPTS:
        text = re.sub(r"^import \{[^}]*\} from [^;]*;\n", "", _part(name), flags=re.MULTILINE)
        texts.append(f"// {name}\n" + re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return "(() => {\n'use strict';\n" + "\n".join(texts) + "})();\n"


def _static(page: str) -> str:
    page = page.replace('<script type="module" src="page/lab.js"></script>\n', "")
    page = page.replace("<body>", '<body class="static">').replace('="page/', '="')
    return page.replace("</body>", '<script src="data.js"></script>\n<script src="lab.js"></script>\n</body>')


def _rows(tracks: Sequence[Track]) -> Iterable[str]:
    """Yield the histograms of all subjects at all ages, as lines of comma-separated values."""
    yield "experiment,litter,age,area,group_1,group_2,group_3,group_4,group_5,group_6,group_7,silent,cbi,stereopsis"
    for track in tracks:
        name = track.name.rsplit("/", 1)[0]
        for frame in track.frames:
            for area, units in frame.message()["areas"].items():
                bias = float(contralateral_bias(np.array(units["groups"])))
                depth = frame.scores.get("stereopsis")
                values = [name, track.seed, frame.age, area, *units["groups"], units["silent"], f"{bias:.4f}"]
                yield ",".join(str(value) for value in [*values, "" if depth is None else f"{depth:.4f}"])
