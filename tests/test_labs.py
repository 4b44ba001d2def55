"""The labs turn into notebooks, keep to their form, and their numbers are checked; `make labs` carries them out."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from binocular.protocols import parse_protocol

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "labs").glob("[0-9]-*.md"))


@pytest.fixture(scope="module")
def notebooks() -> ModuleType:
    pytest.importorskip("jupytext", reason="the extra 'notebooks' is not installed")
    source = importlib.util.spec_from_file_location("lab_notebooks", ROOT / "labs" / "notebooks.py")
    assert source and source.loader
    module = importlib.util.module_from_spec(source)
    sys.modules[source.name] = module
    source.loader.exec_module(module)
    return module


def code_of(path: Path) -> list[str]:
    return re.findall(r"^```\{code-cell\}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def pages_of(lab: Path) -> tuple[Path, Path]:
    return lab, lab.parent / "teacher" / lab.name


def test_every_lab_has_a_key_and_every_key_a_lab():
    keys = sorted((ROOT / "labs" / "teacher").glob("*.md"))
    assert [key.name for key in keys] == [lab.name for lab in SOURCES] and SOURCES
    listed = re.findall(r"\]\(([0-9]-[^)]*\.md)\)", (ROOT / "labs" / "README.md").read_text(encoding="utf-8"))
    assert listed == [lab.name for lab in SOURCES]


@pytest.mark.parametrize("lab", SOURCES, ids=lambda lab: lab.stem)
def test_a_lab_has_goals_a_length_questions_and_no_answers(lab: Path):
    text, key = (page.read_text(encoding="utf-8") for page in pages_of(lab))
    assert "## What you will be able to do" in text and "## Answers" not in text
    prose = re.sub(r"```.*?^```", "", text.split("---", 2)[2], flags=re.DOTALL | re.MULTILINE)
    assert len(prose.split()) <= 900
    minutes = int(re.search(r"\*(\d+) minutes", text)[1])  # type: ignore[index]
    assert 30 <= minutes <= 45
    assert sum(map(int, re.findall(r"^## \d.*\((\d+) minutes\)", text, re.MULTILINE))) <= minutes
    assert "**Predict" in text
    asked = [int(number) for number in re.findall(r"^\*\*Question (\d+)\.\*\*", text, re.MULTILINE)]
    answered = [int(number) for number in re.findall(r"^\*\*Question (\d+)\.\*\*", key, re.MULTILINE)]
    assert asked == list(range(1, len(asked) + 1)) == answered and len(asked) <= 6


@pytest.mark.parametrize("lab", SOURCES, ids=lambda lab: lab.stem)
def test_the_first_cell_installs_what_is_missing_and_imports(lab: Path):
    first = code_of(lab)[0]
    assert "%pip install" in first and "except ModuleNotFoundError" in first


@pytest.mark.parametrize("page", [page for lab in SOURCES for page in pages_of(lab)], ids=lambda page: str(page.stem))
def test_the_code_of_a_page_compiles_and_its_protocols_load(page: Path):
    for number, code in enumerate(code_of(page)):
        compile(re.sub(r"^(\s*)%.*$", r"\1pass", code, flags=re.MULTILINE), f"{page.name}, cell {number}", "exec")
        assert max(map(len, code.splitlines())) <= 120
        for text in re.findall(r'parse_protocol\("""(.*?)"""', code, re.DOTALL):
            assert parse_protocol(text, page.name).conditions


@pytest.mark.parametrize("lab", SOURCES, ids=lambda lab: lab.stem)
def test_a_lab_is_a_notebook_and_its_numbers_can_be_checked(lab: Path, notebooks: ModuleType):
    import nbformat

    made = notebooks.notebook(lab)
    nbformat.validate(made)
    assert nbformat.writes(made) == nbformat.writes(notebooks.notebook(lab))
    cells = [cell["source"] for cell in made.cells if cell["cell_type"] == "code"]
    assert cells == [code.rstrip("\n") for code in code_of(lab)]
    assert not any(cell.get("outputs") for cell in made.cells)
    checks = notebooks.checks_of(notebooks.key_of(lab).read_text(encoding="utf-8"))
    assert len(checks) >= 8
    for check in checks:
        compile(check.expression, lab.name, "eval")
        assert check.low <= check.high, check
    compile(notebooks._checking_cell(checks)["source"], lab.name, "exec")


def test_what_is_published_has_a_badge_and_the_address_of_its_wheel(notebooks: ModuleType):
    made = notebooks.notebook(SOURCES[0], "somebody/course/blob/main/labs")
    assert "colab.research.google.com/github/somebody/course/blob/main/labs/1-two-eyes.ipynb" in made.cells[0]["source"]
    wheel = r"https://github.com/somebody/course/raw/main/labs/binocular_lab-\d+\.\d+\.\d+-py3-none-any\.whl"
    first = next(cell["source"] for cell in made.cells if cell["cell_type"] == "code")
    assert re.search(rf"%pip install --quiet {wheel}\n", first)
    with pytest.raises(ValueError, match="OWNER/REPOSITORY"):
        notebooks.wheel_address("https://example.org/labs")


def test_a_lab_and_its_key_are_repeated_with_other_seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "labs"))
    import repeating

    for lab in SOURCES:
        script = repeating.script_of(lab, [7, 8, 9])
        compile(script, lab.name, "exec")
        assert ("seeds = [7, 8, 9]" in script) == ("run_study(" in script)
    lab = tmp_path / "1-seeds.md"
    (tmp_path / "teacher").mkdir()
    lab.write_text("```{code-cell}\ndef run_study(x):\n    return x\n\n\nseeds = 3\n```\n")
    head = "| statement | expression | from | to |\n|---|---|---|---|\n"
    (tmp_path / "teacher" / lab.name).write_text(head + "| the first seed is small | `seeds[0]` | 0 | 105 |\n")
    monkeypatch.setattr(repeating, "LABS", (lab,))
    for _ in range(2):  # the second time everything is there already
        repeating.main(["--runs", "3", "--first-seed", "100", "--out", str(tmp_path / "repeated.jsonl")])
    runs = [json.loads(line) for line in (tmp_path / "repeated.jsonl").read_text().splitlines()]
    assert [(run["seeds"][0], run["instructions"]) for run in runs] == [(100, "all"), (103, "few"), (106, "all")]
    assert "2 of 3: the first seed is small [0, 105], found 100 to 106" in capsys.readouterr().out


def test_a_number_out_of_range_stops_and_a_row_that_cannot_be_read_is_not_skipped(notebooks: ModuleType, capsys):
    table = "| statement | expression | from | to |\n|---|---|---|---|\n| two is small | `1 + 1` | 0 | {to} |\n\nText."
    (right,), (wrong,) = (notebooks.checks_of(table.format(to=to)) for to in ("3", "1.5"))
    assert (right.statement, right.low, right.high) == ("two is small", 0, 3)
    exec(notebooks._checking_cell([right])["source"], {})
    assert capsys.readouterr().out == "holds 2 in [0, 3]: two is small\n"
    (rounded,) = notebooks.checks_of(table.replace("1 + 1", "sum([0.1] * 3) / 0.3").format(to="1"))
    exec(notebooks._checking_cell([rounded])["source"], {})  # 1.0000000000000002 is 1
    assert capsys.readouterr().out.startswith("holds 1 in")
    with pytest.raises(AssertionError, match="two is small"):
        exec(notebooks._checking_cell([right, wrong])["source"], {})
    assert "DOES NOT HOLD 2 in [0, 1.5]" in capsys.readouterr().out
    with pytest.raises(ValueError, match="not a row"):
        notebooks.checks_of(table.replace("`1 + 1`", "1 + 1").format(to="3"))


def test_a_lab_is_carried_out_and_a_wrong_number_is_found(notebooks: ModuleType, tmp_path: Path):
    """End to end on a lab of two lines: the key's cells see the lab's names, and a wrong number ends in an error."""
    pytest.importorskip("ipykernel", reason="the extra 'notebooks' is not installed")
    import nbformat
    from nbclient.exceptions import CellExecutionError

    head = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n---\n\n"
    lab = tmp_path / "labs" / "1-sum.md"
    (tmp_path / "labs" / "teacher").mkdir(parents=True)
    lab.write_text(head + "# Sums\n\n```{code-cell}\ntotal = 1 + 1\nprint(total)\n```\n")
    key = "# Key\n\n| statement | expression | from | to |\n|---|---|---|---|\n| it is two | `total` | {} | 2 |\n"
    notebooks.key_of(lab).write_text(head + key.format(2))
    assert 0 < notebooks.execute(lab, tmp_path / "made") < 60
    done = nbformat.read(tmp_path / "made" / "1-sum.ipynb", as_version=4)
    assert [output["text"] for cell in done.cells for output in cell.get("outputs", [])] == ["2\n"]
    notebooks.key_of(lab).write_text(head + key.format(3).replace("| 2 |", "| 4 |"))
    with pytest.raises(CellExecutionError, match="it is two"):
        notebooks.execute(lab, tmp_path / "made")
