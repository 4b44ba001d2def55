"""The command line and the library in any surroundings: files with the names of modules, outputs, folders, settings."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from rich.console import Console

import binocular
from binocular.report.tables import rich_table
from binocular.report.terminal import print_fitting
from binocular.stimuli import canvas
from binocular.store.study import load_study
from tests.console import binocular as binocular_here
from tests.tiny import ONE_AREA, assert_same, tiny, tiny_file

SHADOWS = ("protocols", "stimuli", "random", "queue", "h5py", "rich", "statistics", "typing_extensions", "pandas")
SMALL = ("--set", "stimulus.n_train=20", "--set", "stimulus.n_test=20", "--set", "seeds=1")


def start(
    *arguments: str, cwd: Path, script: bool = True, fds: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in another process; ``fds`` are redirections of a shell."""
    command = [sys.executable, "-c", "from binocular.start import main; main()", *arguments]
    if not script:
        command = [sys.executable, "-m", "binocular", *arguments]
    if fds:
        command = ["sh", "-c", f'exec "$@" {fds}', "sh", *command]
    surroundings = {k: v for k, v in os.environ.items() if k not in ("PYTHONSAFEPATH", "COLUMNS")} | environment
    return subprocess.run(
        command, cwd=cwd, env=surroundings, capture_output=True, text=True, errors="replace", check=False
    )


@pytest.fixture
def shadowed(tmp_path: Path) -> Path:
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} of the working folder')\n")
    tiny_file(tmp_path, ONE_AREA)
    return tmp_path


def test_files_in_the_working_folder_shadow_nothing(shadowed: Path):
    done = start("run", "tiny.toml", "--out", "out", *SMALL, cwd=shadowed, script=False)
    assert done.returncode == 0, done.stderr
    done = start("plot", "out", "--figure", "learning", cwd=shadowed, PYTHONPATH=os.pathsep)
    assert done.returncode == 0, done.stderr


def test_files_beside_a_script_shadow_nothing(shadowed: Path):
    (shadowed / "script.py").write_text(
        "import binocular\n"
        "from binocular import protocols\n"
        "if __name__ == '__main__':\n"
        f"    protocol = protocols.load_protocol('tiny.toml', {list(SMALL[1::2])})\n"
        "    outcome = binocular.run_study(protocol, 'out', processes=True)\n"
        "    print(type(binocular.figure_of(outcome.study, 'dominance')).__name__)\n"
        "    import stimuli\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=shadowed, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Canvas"), done.stderr
    assert done.stderr.strip() == "stimuli of the working folder", "a script still imports what lies beside it"


@pytest.fixture(scope="module")
def reared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rear a tiny study whose title is in letters of several scripts."""
    folder = tmp_path_factory.mktemp("reared")
    text = ONE_AREA.replace('title = "Tiny"', 'title = "閉眼 עין $x^ 50 % _a_"').replace("n_train = 60", "n_train = 20")
    tiny_file(folder, text)
    with mock.patch.object(canvas, "_told", set()):
        done = binocular_here("run", "tiny.toml", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no font here has") == 1 and "Warning" not in done.stderr
    return folder


@pytest.mark.parametrize(("encoding", "columns"), [("cp1252", "120"), ("ascii", "1")])
def test_every_stream_and_terminal_can_say_it(reared: Path, encoding: str, columns: str):
    done = start("show", "tiny.toml", cwd=reared, PYTHONIOENCODING=encoding, COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    letters = "".join(done.stdout.split())
    assert all(name in letters for name in ("normal", "early", "late")) and "\\u2026" not in letters


@pytest.mark.parametrize("width", [40, 20, 1])
def test_a_table_keeps_its_names_and_numbers(reared: Path, width: int):
    table = rich_table(load_study(reared / "out"), width=width)
    console = Console(width=width, record=True, file=io.StringIO())
    print_fitting(console, table)
    letters = "".join(console.export_text().split())
    cells = [str(cell) for column in table.columns for cell in column.cells]
    assert "…" not in letters and all("".join(cell.split()) in letters for cell in cells)


@pytest.mark.parametrize("fds", ["2>&-", ">&- 2>&- <&-"])
def test_closed_streams(reared: Path, fds: str):
    assert start("export", "out", "--csv", cwd=reared, fds=fds).returncode == 0
    assert binocular_here("verify", "out", cwd=reared).returncode == 0, "nothing was printed into a file"
    assert (reared / "out" / "export" / "columns.csv").read_text().startswith("table,"), "nor into another one"


def test_a_full_output_is_one_sentence(reared: Path):
    if not Path("/dev/full").exists():
        pytest.skip("there is no device that is always full")
    done = start("list", cwd=reared, fds=">/dev/full")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert start("verify", "out", cwd=reared, fds="2>/dev/full").returncode == 0


def test_settings_of_matplotlib_and_of_notebooks(reared: Path):
    (reared / "matplotlibrc").write_text("text.usetex: True\nfont.family: fantasy\n")
    for command in ("plot out --figure dominance", "show-stimulus tiny.toml --out s.png"):
        done = start(*command.split(), cwd=reared, MPLBACKEND="module://no_such_backend")
        assert done.returncode == 0, done.stderr


def test_a_working_folder_that_was_deleted(reared: Path, tmp_path: Path):
    (tmp_path / "gone").mkdir()
    script = f'cd {tmp_path / "gone"} && rmdir {tmp_path / "gone"} && exec "$@"'
    starting = [sys.executable, "-c", "from binocular.start import main; main()"]
    for arguments, code in ((["verify", str(reared / "out")], 0), (["verify", "out"], 2)):
        done = subprocess.run(
            ["sh", "-c", script, "sh", *starting, *arguments], capture_output=True, text=True, check=False
        )
        (tmp_path / "gone").mkdir()
        assert done.returncode == code and "Traceback" not in done.stderr, done.stderr


def test_home_in_an_argument(reared: Path, tmp_path: Path):
    done = start("plot", "~/out", "--figure", "learning", cwd=tmp_path, HOME=str(reared))
    assert done.returncode == 0 and str(reared / "out" / "figures" / "learning.png") in done.stdout, done.stderr
    done = start("export", "~/out", "--csv", "--out=~/tables", cwd=tmp_path, HOME=str(reared))
    assert (reared / "tables" / "columns.csv").is_file(), done.stderr


def test_settings_of_torch_and_numpy_decide_nothing(tmp_path: Path):
    first = tiny(tmp_path, "stimulus.n_train=20", "conditions.0.phases.0.epochs=2")
    plain = binocular.run_study(first, tmp_path / "plain")
    dtype, precision, numpy_says = torch.get_default_dtype(), torch.get_float32_matmul_precision(), np.geterr()
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("medium")
    np.seterr(all="raise")
    try:
        with torch.device("meta"), torch.inference_mode():
            other = binocular.run_study(first, tmp_path / "other")
            assert_same(plain.study, other.study, "conditions")
            binocular.measure_study(other.study, "weights")
            binocular.figure_of(other.study, "dominance")._repr_png_()  # type: ignore[attr-defined]
            binocular.stimulus_figure(first)
            assert first.stimulus.build(0).pictures(2)[0].dtype == np.float32
            assert torch.get_default_device().type == "meta"
        assert torch.get_default_dtype() == torch.float64 and torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_default_dtype(dtype)
        torch.set_float32_matmul_precision(precision)
        np.seterr(**numpy_says)
    assert not other.failures
