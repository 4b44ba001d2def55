"""The command line and the library in any surroundings: files with the names of modules, outputs, folders, settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import tiny_file

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
    tiny_file(tmp_path)
    return tmp_path


@pytest.mark.parametrize("script", [True, False])
def test_files_in_the_working_folder_shadow_nothing(shadowed: Path, script: bool):
    environment = {} if script else {"PYTHONPATH": os.pathsep}
    done = start("run", "tiny.toml", "--out", "out", *SMALL, cwd=shadowed, script=script, **environment)
    assert done.returncode == 0, done.stderr
    assert start("verify", "out", cwd=shadowed, script=script).returncode == 0
    done = start("export", "out", "--csv", cwd=shadowed, script=script)
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
