"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    """Names of the modules that show an example."""
    found = []
    for package in ("stimuli", "protocols", "binocular"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                found.append(name if package == "binocular" else f"binocular.{name}")
    return found


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert done.attempted and not done.failed


@pytest.mark.parametrize(
    ("module", "function"),
    [
        *[("binocular.dominance", name) for name in ("contralateral_bias", "dominance_of", "groups_of")],
        ("binocular.report.figures", "figure_of"),
        *[("binocular", name) for name in ("load_study", "open_study", "run_study", "source_variance")],
        ("binocular.store.summary", "interval"),
        ("binocular.protocols", "load_protocol"),
        ("binocular.stimuli", "stimulus_config"),
    ],
)
def test_the_main_functions_have_an_example(module: str, function: str):
    shown = getattr(importlib.import_module(module), function).__doc__
    assert "Examples\n" in shown and ">>> " in shown


def test_a_wrong_example_is_found():
    """One that fails on purpose: the comparison is not so lenient that anything passes."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    for shown, fails in (("2", False), ("3", True)):
        test = parser.get_doctest(f">>> 1 + 1\n{shown}\n", {}, "example", None, 0)
        assert bool(runner.run(test, out=lambda _: None).failed) is fails
