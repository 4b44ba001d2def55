"""Ask whether the keys of the labs hold with other seeds and other instruction sets.

``python labs/repeating.py 2 4 --runs 20 --first-seed 200`` carries the cells of labs 2 and 4 and of their keys out
twenty times each, without notebooks: with seeds that were not used before, and by turns with all instructions of the
CPU and with only those that every one has (``ATEN_CPU_CAPABILITY``, ``ONEDNN_MAX_CPU_ISA``), which changes the
last digit of every sum and so, in the end, every subject. Each run adds a line to ``build/labs/repeated.jsonl``, and a
run that is there already is not done again. What is printed at the end is, for each row of a key's table, in how many
runs it held and the values it took. A row should hold in at least 19 of 20.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from notebooks import HERE, LABS, ROUNDING, Check, checks_of, key_of

INSTRUCTIONS = {"all": {}, "few": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}}
SUBJECTS = 3
"""Seeds of a lab."""


def script_of(lab: Path, seeds: Sequence[int]) -> str:
    """Return a lab and its key as one script that prints the values of the key's rows as JSON.

    Raises
    ------
    ValueError
        If the lab rears with seeds that are not written as ``seeds = 3``.
    """
    code = "\n".join(_cells(lab.read_text(encoding="utf-8")))
    if "run_study(" in code:
        code, replaced = re.subn(r"^seeds = 3\b.*$", f"seeds = {list(seeds)}", code, flags=re.MULTILINE)
        if replaced != 1:
            raise ValueError(f"{lab.name} has {replaced} lines 'seeds = 3', expected one")
    key = key_of(lab).read_text(encoding="utf-8")
    values = ", ".join(f"float({check.expression})" for check in checks_of(key))
    ending = f"import json, sys\nprint('VALUES', json.dumps([{values}]), file=sys.__stdout__)"
    return "\n".join([code, *_cells(key), ending])


def _cells(text: str) -> Iterator[str]:
    for code in re.findall(r"^```\{code-cell\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield re.sub(r"^(\s*)%.*$", r"\1pass", code, flags=re.MULTILINE)


def repeat(lab: Path, run: int, first_seed: int) -> dict[str, Any]:
    """Carry a lab and its key out once, in a process and a folder of its own."""
    name = list(INSTRUCTIONS)[run % len(INSTRUCTIONS)]
    seeds = [first_seed + SUBJECTS * run + subject for subject in range(SUBJECTS)]
    environment = {**os.environ, **INSTRUCTIONS[name], "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as room:
        command = [sys.executable, "-c", script_of(lab, seeds)]
        done = subprocess.run(command, cwd=room, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"^VALUES (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise RuntimeError(f"{lab.name} was not carried out:\n{done.stderr[-2000:]}")
    values = [None if value != value else round(value, 4) for value in json.loads(found[1])]
    return {"lab": lab.stem, "seeds": seeds, "instructions": name, "values": values}


def held(check: Check, values: Sequence[float | None]) -> int:
    """Return in how many runs a row of a key held; a value that is not known does not hold."""
    return sum(value is not None and check.low - ROUNDING <= value <= check.high + ROUNDING for value in values)


def summary(lab: Path, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line per row of the key: in how many runs it held, and the least and the largest value."""
    for place, check in enumerate(checks_of(key_of(lab).read_text(encoding="utf-8"))):
        values = [run["values"][place] for run in runs if place < len(run["values"])]
        known = [value for value in values if value is not None]
        reach = f"{min(known):.3g} to {max(known):.3g}" if known else "nothing"
        count = f"{held(check, values):3d} of {len(values)}"
        yield f"{count}: {check.statement} [{check.low:g}, {check.high:g}], found {reach}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Repeat the labs and print what held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("labs", nargs="*", help="numbers of the labs, such as 1 3; all by default")
    parser.add_argument("--runs", type=int, default=20, help="repetitions of each lab; 0 only sums up")
    parser.add_argument("--first-seed", type=int, default=1000, help="the first of the seeds, three for each run")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "labs" / "repeated.jsonl")
    asked = parser.parse_args(arguments)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.touch()
    for lab in (lab for lab in LABS if not asked.labs or lab.name[0] in asked.labs):
        done = [json.loads(line) for line in asked.out.read_text().splitlines()]
        done = [run for run in done if run["lab"] == lab.stem]
        for run in range(asked.runs):
            if any(asked.first_seed + SUBJECTS * run == other["seeds"][0] for other in done):
                continue
            done.append(repeat(lab, run, asked.first_seed))
            with asked.out.open("a") as file:
                file.write(json.dumps(done[-1]) + "\n")
        print(f"{lab.stem}: {len(done)} runs", *summary(lab, done), sep="\n  ", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
