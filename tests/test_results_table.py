"""The table of conditions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from binocular.report.tables import print_table, rich_table
from binocular.store.study import load_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    write_study(folder / "study.h5", invented_header((0, 1)), invented_conditions((0, 1))[:-2])
    return folder


def test_rows_and_cells(folder: Path):
    study = load_study(folder)
    rows = study.condition_table()
    assert [row.name for row in rows] == ["normal", "deprived-early", "deprived-late", "both-eyes"]
    assert [row.seeds for row in rows] == [2, 2, 2, 0]
    assert list(rows[0].cells) == [
        *("CBI", "group 7", "binocular", "mean RSV", "outline", "stereopsis", "left only", "right only"),
    ]
    early = rows[1].cells
    assert early["CBI"].mean == pytest.approx(study.conditions[1].at_end("cbi", "representation").mean)
    assert early["group 7"].mean == pytest.approx(study.conditions[1].shares("representation")[:, 6].mean())
    stereopsis = [subject.history["stereopsis"][-1] for subject in study.conditions[1].subjects]
    assert early["stereopsis"].mean == pytest.approx(np.mean(stereopsis))
    assert rows[3].cells["CBI"].text() == "–"


def test_the_fellow_eyes_group_follows_the_treated_eye(tmp_path: Path):
    write_study(tmp_path / "study.h5", invented_header((0,), treated_eye="left"), invented_conditions((0,), tasks=()))
    cells = load_study(tmp_path).condition_table()[1].cells
    assert list(cells) == ["CBI", "group 1", "binocular", "mean RSV", "accuracy", "left only", "right only"]
    assert cells["CBI"].mean > 0.7


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_table_cuts_no_number_off(folder: Path, width: int):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    study = load_study(folder)
    console.print(rich_table(study, width=width))
    written = console.export_text()
    console.file.close()
    for row in study.condition_table():
        for name, cell in row.cells.items():
            assert cell.text(with_interval=name == "CBI").split(" [")[0] in written
    assert "…" not in written


def test_printing_says_how_to_read_it(folder: Path, capsys: pytest.CaptureFixture[str]):
    print_table(folder)
    written = " ".join(capsys.readouterr().out.split())
    assert "CBI 1 = right (treated) eye only, 0 = left (fellow) eye only; [..] 95 % interval over seeds" in written
