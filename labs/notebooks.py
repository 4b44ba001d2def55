"""Turn the labs into notebooks, and carry them out.

``python labs/notebooks.py`` writes ``build/labs/*.ipynb``, empty, for Jupyter or Colab. With ``--execute`` every lab is
carried out in a kernel of its own, and after it, in the same kernel, the cells of its teacher's key. Each row of the
table of numbers in a key,

    | statement | expression | from | to |

is checked there: the expression is evaluated and must lie within its range. So what the texts say cannot drift from
what comes out. Whether it comes out with other seeds and on other CPUs, too, `repeating.py` asks.

Where the notebooks will lie on GitHub is one setting, ``--published OWNER/REPOSITORY/blob/BRANCH/FOLDER`` or the
variable ``BINOCULAR_LABS``: with it each notebook begins with an 'Open in Colab' badge, and its first cell installs
the package's wheel from that same folder.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["LABS", "ROUNDING", "Check", "checks_of", "execute", "key_of", "notebook", "wheel_address"]

HERE = Path(__file__).parent
LABS = tuple(sorted(HERE.glob("[0-9]-*.md")))
"""The sources for the students, in order; the key of each has the same name in ``teacher/``."""
LONGEST_S = 180
"""CPU time that one lab may take, in seconds."""

_WHEEL_BESIDE = '{glob("binocular_lab-*.whl")[-1]}'
ROUNDING = 1e-9
"""How far a sum of shares may be from 1, say, because the CPU rounds."""

_HEAD = re.compile(r"^\|\s*statement\s*\|\s*expression\s*\|\s*from\s*\|\s*to\s*\|$")
_ROW = re.compile(r"^\|(?P<statement>[^|]+)\|\s*`(?P<expression>[^`]+)`\s*\|(?P<low>[^|]+)\|(?P<high>[^|]+)\|$")


@dataclass(frozen=True)
class Check:
    """A row of a table of numbers: what is said, how it is computed, and within which range it holds."""

    statement: str
    expression: str
    low: float
    high: float


def key_of(lab: Path) -> Path:
    """Return the teacher's key of a lab."""
    return lab.parent / "teacher" / lab.name


def checks_of(text: str) -> tuple[Check, ...]:
    """Return the rows of the tables of numbers in a text.

    Raises
    ------
    ValueError
        If a row of such a table cannot be read: a check that is skipped is worse than none.
    """
    found: list[Check] = []
    lines = iter(text.splitlines())
    for line in lines:
        if not _HEAD.match(line.strip()):
            continue
        next(lines)  # the rule below the head
        for row in lines:
            if not row.strip().startswith("|"):
                break
            match = _ROW.match(row.strip())
            if not match:
                raise ValueError(f"not a row of a table of numbers: {row}")
            low, high = (float(match[end].replace("−", "-")) for end in ("low", "high"))
            found.append(Check(match["statement"].strip(), match["expression"], low, high))
    return tuple(found)


def notebook(source: Path, published: str = "") -> NotebookNode:
    """Return a source as a notebook without results; see the head of this file for what ``published`` does."""
    import jupytext
    from nbformat.v4 import new_markdown_cell

    made = jupytext.read(source)
    if published:
        for cell in made.cells:
            cell["source"] = cell["source"].replace(_WHEEL_BESIDE, wheel_address(published))
        address = f"https://colab.research.google.com/github/{published}/{source.stem}.ipynb"
        badge = f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"
        made.cells.insert(0, new_markdown_cell(badge))
    made.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made.metadata.pop("jupytext", None)
    # Numbered by place and not at random, so that the same source gives the same notebook.
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
    return made


def wheel_address(published: str) -> str:
    """Return where the wheel of this version lies, beside the notebooks that are published.

    Raises
    ------
    ValueError
        If the place is not ``OWNER/REPOSITORY/blob/BRANCH/FOLDER``.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+/blob/[\w./-]+", published):
        raise ValueError(f"published: {published!r} is not OWNER/REPOSITORY/blob/BRANCH/FOLDER")
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"
    return f"https://github.com/{published.replace('/blob/', '/raw/', 1)}/{wheel}"


def _checking_cell(checks: Sequence[Check]) -> NotebookNode:
    """Return a cell that evaluates every row, prints it, and stops if one does not hold."""
    from nbformat.v4 import new_code_cell

    lines = ["_wrong = []"]
    for check in checks:
        lines += [
            f"_value = float({check.expression})",
            f"_holds = {check.low - ROUNDING} <= _value <= {check.high + ROUNDING}",
            f"print('holds' if _holds else 'DOES NOT HOLD', f'{{_value:.3g}}', "
            f"{f'in [{check.low:g}, {check.high:g}]: {check.statement}'!r})",
            f"_holds or _wrong.append({check.statement!r})",
        ]
    lines += ["assert not _wrong, _wrong"]
    return new_code_cell("\n".join(lines), id="numbers")


def _clock_cell() -> NotebookNode:
    from nbformat.v4 import new_code_cell

    return new_code_cell("import time; print(time.process_time())", id="clock")


def execute(lab: Path, folder: Path) -> float:
    """Carry a lab out, and its key after it; write both with their results below a folder.

    Returns
    -------
    float
        CPU time of the lab itself, in seconds, with the start of Python.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails, or a number of the key does not hold.
    """
    import nbformat
    from nbclient import NotebookClient

    student, key = notebook(lab), notebook(key_of(lab))
    checks = checks_of(key_of(lab).read_text(encoding="utf-8"))
    key.cells.append(_checking_cell(checks))
    whole = notebook(lab)
    whole.cells = [*student.cells, _clock_cell(), *key.cells]
    for number, cell in enumerate(whole.cells):
        cell["id"] = f"cell-{number}"
    with tempfile.TemporaryDirectory() as room:
        client = NotebookClient(whole, timeout=900, kernel_name="python3", resources={"metadata": {"path": room}})
        try:
            client.execute()
        finally:  # what went wrong is to be seen in the notebook
            count = len(student.cells)
            student.cells, key.cells = whole.cells[:count], whole.cells[count + 1 :]
            for made, path in ((student, folder / lab.name), (key, folder / "teacher" / lab.name)):
                path.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(made, path.with_suffix(".ipynb"))
    printed: list[Any] = whole.cells[count].outputs
    return float(printed[0]["text"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks, or carry them out."""
    import nbformat

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("labs", nargs="*", help="numbers of the labs, such as 1 3; all by default")
    parser.add_argument("--execute", action="store_true", help="carry them out, and check the numbers of the keys")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "labs", help="folder for the notebooks")
    parser.add_argument(
        "--published", default=os.environ.get("BINOCULAR_LABS", ""), help="where they will lie on GitHub"
    )
    asked = parser.parse_args(arguments)
    chosen = [lab for lab in LABS if not asked.labs or lab.name[0] in asked.labs]
    too_long = []
    for lab in chosen:
        if asked.execute:
            seconds = execute(lab, asked.out)
            print(f"{lab.stem}: {seconds:.0f} s of CPU time, every number of its key holds", flush=True)
            too_long += [lab.stem] if seconds > LONGEST_S else []
        else:
            for source, path in ((lab, asked.out / lab.name), (key_of(lab), asked.out / "teacher" / lab.name)):
                path.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook(source, asked.published), path.with_suffix(".ipynb"))
            print(asked.out / f"{lab.stem}.ipynb")
    if too_long:
        print(f"longer than {LONGEST_S} s: {', '.join(too_long)}", file=sys.stderr)
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
