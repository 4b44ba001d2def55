"""Every how-to guide does what it says: its files are written, its Python and its command lines are carried out."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from binocular.cli import app
from binocular.report.figures.drawing import FIGURES
from binocular.stimuli import user_code

GUIDES = sorted((Path(__file__).parents[1] / "docs" / "howto").glob("*.md"))
_BLOCK = re.compile(
    r"(?:`(?P<file>my_\w+\.\w+)`(?:(?!\n\n).)*?:\n\n)?^```(?P<language>\w+)\n(?P<block>.*?)^```",
    re.MULTILINE | re.DOTALL,
)

MADE = {
    "first-hour": ["seen.png", "hour/report.html", "hour-short/study.h5", "beside/comparison.json", "answer.png"],
    "run": ["first-look/study.h5", "first-look/report.html", "first-look/figures/dominance.png", "dominance.png"],
    "own-protocol": ["patched/study.h5"],
    "own-network": ["mine/study.h5"],
    "add-stimulus": ["checkers.png", "checkers/study.h5"],
    "real-stereo": ["my_pairs/disparity.npz", "my-pairs.png"],
    "own-pictures": ["my-pictures.png", "my-pairs.png", "my-arrays.png", "mine/study.h5", "bars/study.h5"],
    "add-deficit": ["overexposed.png", "overexposed/study.h5"],
    "add-probe": ["active/study.h5"],
    "add-figure": ["sorted.png", "sorted/figures/sorted-figure.svg"],
    "literature-table": ["first-look/comparison"],
}
SAID = {
    "first-hour": ["right eye closed 12 epochs: near from far 0."],
    "run": ["0 epochs reared, 188 found", "one eye closed early 0."],
    "own-protocol": ["['closed-1', 'closed-2']", "4 epochs", "my_objectives:Smoothed"],
    "own-network": ["my_networks:Small fits"],
    "add-stimulus": ["my_stimuli:Checkers", "normal"],
    "real-stereo": [],
    "own-pictures": ["0.5 right"],
    "add-deficit": ["right eye overexposed (nothing above 0.2)"],
    "add-probe": ["('checkpoint', 'unit') mean response to test stimuli"],
    "add-figure": [],
    "literature-table": ["cat, normal", "my_normal"],
}
# What takes minutes as it stands in a guide is made small here; all else is as it stands.
SMALLER = {"first-hour": {"seeds = 3": "seeds = 1", "n_train = 1000": "n_train = 50", "width = 8": "width = 2"}}


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, ...], Path]:
    """Return what runs of the guides have made so far, by their arguments: two guides begin with the same one."""
    return {}


def carry_out(arguments: list[str], made: dict[tuple[str, ...], Path]) -> None:
    """Run a line of a guide; a study that another guide has reared by the same line is taken over with all it made."""
    key = tuple(arguments)
    if key in made:
        shutil.copytree(made[key], made[key].name)
        return
    app(arguments, standalone_mode=False)
    if arguments[0] == "run":
        made[key] = Path(arguments[arguments.index("--out") + 1]).resolve()


def test_every_guide_is_tested():
    assert [guide.stem for guide in GUIDES] == sorted(MADE) == sorted(SAID)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_does_what_it_says(guide: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str], made):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(user_code, "_allowed", set())
    monkeypatch.setattr(user_code, "_trusted", False)
    for figure in FIGURES.keys() - {"dominance"}:  # what a run draws besides takes longer than the run
        monkeypatch.delitem(FIGURES, figure)
    names: dict[str, object] = {}
    try:
        for match in _BLOCK.finditer(guide.read_text(encoding="utf-8")):
            if match["file"]:
                block = match["block"]
                for real, small in SMALLER.get(guide.stem, {}).items():
                    assert real in block
                    block = block.replace(real, small)
                Path(match["file"]).write_text(block, encoding="utf-8")
            elif match["language"] == "python":
                exec(compile(match["block"], guide.name, "exec"), names)
            elif match["language"] == "sh":
                for line in match["block"].replace("\\\n", "").splitlines():
                    carry_out(shlex.split(line)[1:], made)
    finally:
        for name in [name for name in sys.modules if name.startswith("my_")]:
            del sys.modules[name]
    for path in MADE[guide.stem]:
        assert (tmp_path / path).exists(), path
    said = capsys.readouterr().out
    for words in SAID[guide.stem]:
        assert words in said, said[-2000:]
