"""Measure the benchmarks of this folder, or those named; the record and its figures go to results/benchmarks."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from benchmarks import CASES
from benchmarks.scaling_figure import draw_scaling
from binocular.bench.running import measure_cases, write_record
from binocular.bench.table import print_record

named = sys.argv[1:]
unknown = set(named) - {case.name for case in CASES}
if unknown:
    sys.exit(f"there is no case {', '.join(sorted(unknown))}; accepted: {', '.join(case.name for case in CASES)}")
command = shlex.join(["python", "-m", "benchmarks", *named])
chosen = [case for case in CASES if not named or case.name in named]
record = measure_cases(chosen, "full", command, lambda case: print(f"measuring {case.name}", file=sys.stderr))
path = Path("results") / "benchmarks" / f"{record['date'][:19].replace(':', '')}-studies.json"
write_record(path, record)
print_record(record)
for written in (path, *draw_scaling(record, path.parent, path.stem)):
    print(written)
