"""The README's Python and protocol do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from binocular import protocols

README = (Path(__file__).parents[1] / "README.md").read_text()


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


def test_the_lines_of_python_give_a_histogram(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["stimulus.n_train=20", "stimulus.n_test=20", "network.options.width=2", "probes.every=30"]
    few = [*small, "probes.n_stimuli=4", "probes.bootstrap=0", "training.evaluate_every=30"]
    code = _block("python").replace('"closed-early"])', f'"closed-early"], {few})')
    assert "width=2" in code
    exec(code, names := {})
    table = [line.split() for line in capsys.readouterr().out.splitlines() if re.match(r"[1-7] ", line)]
    assert [row[0] for row in table] == list("1234567")
    for column in (1, 2):
        assert sum(float(row[column]) for row in table) == pytest.approx(1, abs=1e-3)
    assert (tmp_path / "dominance.png").is_file() and len(names["study"].units())


def test_the_protocol_loads(tmp_path):
    (tmp_path / "patch.toml").write_text(_block("toml"))
    protocol = protocols.load_protocol(str(tmp_path / "patch.toml"))
    assert [condition.name for condition in protocol.conditions] == ["deprived-2", "deprived-5", "deprived-10"]


def test_every_named_page_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (Path(__file__).parents[1] / target).is_file(), target
