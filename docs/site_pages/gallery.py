"""The gallery: every stimulus, deficit and figure, drawn by the code when the site is built.

The figures come from one small study, reared while the site is built: a picture of the kind of figure and not a result.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["gallery_pages"]

_STUDY = """
title = "A small study for the gallery"
seeds = 2
[stimulus]
kind = "stereo-scenes"
n_train = 100
n_test = 100
[network]
options = { width = 3 }
[training]
batch_size = 25
evaluate_every = 2
[probes]
every = 2
n_stimuli = 8
bootstrap = 0
[[conditions]]
name = "normal"
label = "both eyes open"
phases = [{ epochs = 8 }]
[[conditions]]
name = "closed"
label = "one eye closed"
phases = [{ epochs = 4, deficits = [{ kind = "occlusion", eye = "right" }] }, { epochs = 4 }]
"""


def gallery_pages(folder: Path) -> dict[str, str]:
    """Draw the gallery into a folder and return its pages."""
    return {
        "gallery-stimuli.md": _page("Stimuli", _STIMULI, _stimuli(), folder),
        "gallery-deficits.md": _page("Deficits and treatments", _DEFICITS, _deficits(), folder),
        "gallery-figures.md": _page("Figures", _FIGURES, _figures(), folder),
    }


_STIMULI = (
    "What the two eyes see, with the fields of each kind. `binocular show-stimulus PROTOCOL` draws it for a protocol."
)
_DEFICITS = (
    "What can be done to the eyes, or to what is taught, in a phase: drawn on the same scenes, each kind as it is by "
    "default, the right eye being the treated one (a blur by the factor 4, because it has no default). The fields are "
    "those of the tables in a protocol. The permutation of labels and the sham leave the pictures as they are."
)
_FIGURES = (
    "What can be drawn from a study, by name: `binocular plot STUDY --figure NAME`, or "
    "`binocular.figure_of(study, name)` in Python. The study here is a small one that was reared when this page was "
    "built: **look at the kind of figure, not at the numbers**."
)

_STRENGTHS: dict[str, dict[str, Any]] = {"blur": {"factor": 4}, "label-permutation": {"n_classes": 8}}
"""For kinds that have no strength by default."""

Entry = tuple[str, str, str, "Figure"]
"""Name, text, text below the picture, and the picture."""


def _page(title: str, about: str, entries: Iterator[Entry], folder: Path) -> str:
    parts = [f"# {title}", about]
    for name, text, below, figure in entries:
        picture = f"{title.split()[0].lower()}-{name}.png"
        figure.savefig(folder / picture, dpi=130)
        parts += [f"## {name}", text, f"![{name}]({picture})", below]
    return "\n\n".join(part for part in parts if part) + "\n"


def _stimuli() -> Iterator[Entry]:
    from binocular.stimuli.registry import STIMULI
    from binocular.stimuli.sheets import OVERVIEWS, overview
    from site_pages.reference import field_table

    for kind in OVERVIEWS:
        fields = {"dataset": "photographs"} if kind == "split-images" else {}
        model = STIMULI.find(kind) if kind in STIMULI else _gratings()
        about = (model.__doc__ or "").strip().splitlines()[0]
        yield kind, about, field_table(model), overview(kind, **fields)


def _gratings() -> Any:
    from binocular.stimuli.gratings import Gratings

    return Gratings


def _deficits() -> Iterator[Entry]:
    from binocular.protocols import DEFICITS, deficit_from, parse_protocol
    from binocular.stimuli.sheets import show
    from binocular.stimuli.streams import stream
    from site_pages.reference import field_table

    scenes = parse_protocol(_STUDY).stimulus.build(0)
    for kind, model in DEFICITS.items():
        deficit = deficit_from({"kind": kind, **_STRENGTHS.get(kind, {})}).resolved("right")

        def change(views: Any, labels: Any, deficit: Any = deficit) -> Any:
            return deficit(views, labels, stream(0, "gallery"))[0]

        about = (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        yield kind, about, field_table(model), show(scenes, 8, heading=deficit.sentence(), change=change)


def _figures() -> Iterator[Entry]:
    import binocular
    from binocular.protocols import parse_protocol
    from binocular.report.figures import FIGURES

    with tempfile.TemporaryDirectory() as room:
        path = binocular.run_study(parse_protocol(_STUDY), room).study
        for probe in sorted({drawing.probe for drawing in FIGURES.values() if drawing.probe}):
            binocular.measure_study(path, probe)
        study = binocular.load_study(path)
    for name, drawing in FIGURES.items():
        needs = f"Needs the probe: `binocular measure STUDY --probe {drawing.probe}`." if drawing.probe else ""
        yield name, drawing.caption, needs, binocular.figure_of(study, name)
