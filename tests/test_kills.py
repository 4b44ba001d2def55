"""Many kills at random moments: what is left always resumes, and the end is the uninterrupted study."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from binocular.runs.running import run_study
from binocular.store.snapshots import read_node
from tests.tiny import LONG, assert_same, tiny, tiny_file

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("BINOCULAR_KILLS", "25"))


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing(tmp_path):
    tiny_file(tmp_path)
    settings = [*LONG, "seeds=4"]
    command = [sys.executable, "-m", "binocular", "run", "tiny.toml", "--out", "out", "--quiet"]
    for setting in settings:
        command += ["--set", setting]
    dice = random.Random(1963)
    kills, runs = 0, 0
    while kills < KILLS:
        runs += 1
        process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            # From the first import to the drawing of the figures.
            process.wait(timeout=dice.uniform(0.5, 12))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert process.returncode == 0
            # It got through: begin anew, so that there is something to kill.
            for path in (tmp_path / "out" / "nodes").glob("*.h5"):
                if dice.random() < 0.7:
                    path.unlink()
        for path in (tmp_path / "out").glob("nodes/*.h5"):
            assert read_node(path) is not None, f"{path.name} is not whole after {kills} kills"
    protocol = tiny(tmp_path, *settings)
    resumed = run_study(protocol, tmp_path / "out", "cpu")
    whole = run_study(protocol, tmp_path / "whole", "cpu")
    assert not resumed.failures
    assert_same(whole.study, resumed.study)
    assert not list((tmp_path / "out").rglob("*.partial")), "what was half written is cleared away"
    print(f"{kills} kills in {runs} runs survived")
