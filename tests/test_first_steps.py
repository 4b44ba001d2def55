"""What pages tell a person to type first is there on a fresh machine: the environment, the targets, the packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^(\w+):(?!=)", MAKEFILE, re.MULTILINE))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "labs").rglob("*.md")]
PAGES = sorted(page for page in PAGES if "generated" not in page.parts)
SOURCES = [path for folder in ("binocular", "stimuli", "protocols") for path in (ROOT / folder).rglob("*.py")]
ACTIVATE = ". .venv/bin/activate"
_BLOCK = re.compile(r"^```(?:sh|bash)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTALL = re.compile(r"pip install ((?:[\w.\[\],\"'=>~-]|\{[^}]*\}| )+)")


def packages(words: str) -> set[str]:
    """Return the packages that the words after ``pip install`` name."""
    names = [word.strip("\"'") for word in words.split()]
    return {re.split(r"[\[=><~]", name)[0].lower() for name in names if re.fullmatch(r"[a-zA-Z][\w.-]*(\[.*)?", name)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_with_commands_says_where_they_are(page: Path):
    text = page.read_text(encoding="utf-8")
    typed = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    if any(re.match(r"(\$ )?(binocular|python) (?!seal)", line) for line in typed):
        assert ACTIVATE in text
    for target in re.findall(
        r"(?:^|`)make ([^`#\n]+)", "\n".join([*typed, *re.findall(r"`[^`\n]+`", text)]), re.MULTILINE
    ):
        assert {word for word in target.split() if "=" not in word} <= TARGETS, target


def test_the_environment_is_where_the_pages_say():
    assert re.search(r"^VENV := \.venv$", MAKEFILE, re.MULTILINE) and "jupyter" in TARGETS
    assert "lab" in PROJECT["optional-dependencies"] and "binocular" in PROJECT["scripts"]


def test_what_is_to_be_installed_exists():
    listed = {re.split(r"==", line)[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()[1:]}
    found: set[str] = set()
    for path in [*PAGES, *SOURCES]:
        for match in _INSTALL.finditer(path.read_text(encoding="utf-8")):
            found |= packages(match[1].split(" brings ")[0])
    assert found and found <= listed, "the project itself is on no index; what it needs is"
    assert PROJECT["name"] not in found
