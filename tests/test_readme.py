"""The README's Python and protocol do what it says."""

from __future__ import annotations

import re
from pathlib import Path

from binocular import protocols

README = (Path(__file__).parents[1] / "README.md").read_text()


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found.group(1)


def test_the_lines_of_python_give_a_histogram(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ("stimulus.n_train=50", "stimulus.n_test=50", "network.options.width=2", "training.evaluate_every=20")
    small += ("probes.n_stimuli=8", "probes.bootstrap=0")
    code = _block("python").replace('"stimulus.n_train=500"', ", ".join(map(repr, small)))
    assert "width=2" in code
    exec(code, {})
    counts = [float(number) for number in re.findall(r"[\d.]+", capsys.readouterr().out)]
    assert len(counts) == 7 and 0 < sum(counts) <= 18  # two channels at nine places


def test_the_protocol_loads(tmp_path):
    (tmp_path / "patch.toml").write_text(_block("toml"))
    protocol = protocols.load_protocol(str(tmp_path / "patch.toml"))
    assert [condition.name for condition in protocol.conditions] == ["deprived-2", "deprived-5", "deprived-10"]


def test_every_named_page_and_picture_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (Path(__file__).parents[1] / target).is_file(), target
