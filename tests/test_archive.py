"""Files of every released version of the format stay readable; the archived ones hold invented subjects."""

from __future__ import annotations

from pathlib import Path

import pytest

from binocular.report.figures.drawing import FIGURES, draw
from binocular.report.page import report_page
from binocular.store.opening import open_study
from binocular.store.schema import VERSION
from binocular.store.study import load_study
from binocular.store.verification import verify_study

ARCHIVE = Path(__file__).parent / "archive"


def test_every_version_is_archived():
    assert {path.name for path in ARCHIVE.glob("*.h5")} == {f"binocular-{n}.h5" for n in range(1, VERSION + 1)}


@pytest.mark.parametrize("path", sorted(ARCHIVE.glob("*.h5")), ids=lambda path: path.stem)
def test_an_archived_file_can_be_used(path: Path):
    assert verify_study(path) == []
    with open_study(path) as tree:
        assert tree["conditions/deprived-early/0/probes/representation/rsv"].shape == (3, 8)
    study = load_study(path)
    assert not study.complete and list(study.failures) == [("deprived-early", 1)]
    assert study.condition_table()[0].seeds == 1
    shown = {"binocular-1": ("representation",), "binocular-2": ("first_binocular", "representation")}[path.stem]
    assert study.sites == shown and study.default_site == shown[0]
    names = [name for name, _, _ in draw(study)]
    assert len(names) == sum(len(FIGURES[name].sites(study)) for name in set(names)) and "dominance" in names
    assert "invented failure" in report_page(study)
