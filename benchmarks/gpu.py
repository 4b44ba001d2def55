"""The published size on a GPU, one command: ``python -m benchmarks.gpu`` (``make gpu``).

The CUDA tests, the benchmarks of the published network and of cohorts, and then Split-ResNet-18 at its published width
on 32 x 32 pictures, with no blur and with a long one, two seeds. Rearing stops after ten minutes and the same command
goes on from there, so that machines that are lent for a short time will do. What came out is a small file with device
and date. Where there is no GPU the same steps are gone through in miniature.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from binocular.bench.machine import describe_machine
from binocular.stimuli.errors import MissingData
from binocular.stimuli.split import SplitImages
from binocular.store.statistics import interval
from binocular.store.study import Study, load_study

__all__ = ["SIZES", "Size", "bench", "cuda_tests", "main", "rear", "written"]

ROOT = Path(__file__).resolve().parents[1]
PIECE = 600.0
"""Seconds of rearing in one go."""


@dataclass(frozen=True)
class Size:
    """How large the last step is.

    Attributes
    ----------
    device
        ``"cuda"`` or ``"cpu"``.
    settings
        What is changed of the protocol ``kleinman-2023-fig4-paper``.
    """

    device: str
    settings: tuple[str, ...]


SIZES = {
    "published": Size("cuda", ("seeds=[400,401]", "conditions.0.sweep={removal=[0,120]}", "training.packing=loop")),
    "miniature": Size(
        "cpu",
        ("seeds=[400,401]", "conditions.0.sweep={removal=[0,1]}", "values.recovery=1", "stimulus.n_train=20",
         "stimulus.n_test=20", "training.batch_size=10", "network.options.width=2", "probes.n_stimuli=4",
         "probes.bootstrap=0"),
    ),
}  # fmt: skip
"""Published epochs, the longest blur a third shorter; and what a CPU goes through in seconds."""


def pictures() -> tuple[str, ...]:
    """Return the settings of the best pictures at hand: CIFAR-10, Fashion-MNIST with a margin, or photographs."""
    for settings in ({"dataset": "cifar-10"}, {"dataset": "fashion-mnist", "size": 32}):
        try:
            SplitImages(**settings).files()  # type: ignore[arg-type]
        except MissingData:
            continue
        return tuple(f"stimulus.{name}={value}" for name, value in settings.items())
    return ("stimulus.dataset=photographs",)


def cuda_tests(tests: Sequence[str] = ()) -> int:
    """Run the tests that need CUDA, which are skipped without it; return how pytest ended, 0 where none failed."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "cuda", *tests], cwd=ROOT, check=False
    ).returncode


def bench(out: Path) -> dict[str, Any]:
    """Measure the published network and cohorts; return the record, in which a case without its machine is skipped."""
    cases = [part for name in ("published-gpu", "cohort-cnn-gpu") for part in ("--case", name)]
    path = out / "bench.json"
    subprocess.run([sys.executable, "-m", "binocular", "bench", *cases, "--out", str(path)], check=True)
    return json.loads(path.read_text(encoding="utf-8"))


def rear(folder: Path, size: Size, seconds: float = PIECE) -> bool:
    """Rear the study, or go on with it, for at most so many seconds; return whether it is done."""
    settings = [part for text in (*pictures(), *size.settings) for part in ("--set", text)]
    command = ["run", "kleinman-2023-fig4-paper", *settings, "--device", size.device, "--out", str(folder), "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "binocular", *command, "--allow-large"])
    try:
        ended = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # what is done is kept
        ended = process.wait()
    if ended not in (0, 130):
        raise SystemExit(ended)
    return ended == 0


def written(study: Study, record: dict[str, Any], path: Path) -> Path:
    """Write what is kept: device, date and command; throughput; bias of the clean eye and accuracy by the blur."""
    from binocular.dominance import dominance_of
    from binocular.store.summary import last_value

    rows = []
    for condition in study.conditions:
        row: dict[str, Any] = {"condition": condition.name, "seeds": [s.seed for s in condition.subjects]}
        for site in ("first_binocular", "representation", "representation.map"):
            found = [dominance_of(s.sites[site].values["rsv"][-1:], condition.treated_eye) for s in condition.subjects]
            row[f"clean_bias, {site}"] = [round(1 - float(one.cbi[0]), 4) for one in found]
        row["accuracy"] = [round(last_value(s.history["test_accuracy"]), 4) for s in condition.subjects]
        rows.append(row)
    accuracy = np.array([row["accuracy"] for row in rows], dtype=float)
    about = {name: str(study.attributes[name]) for name in ("command", "device", "finished", "versions")}
    kept = {
        **about,
        "machine": describe_machine(),
        "bench": record["cases"],
        "rows": rows,
        "loss_of_accuracy": str(interval(accuracy[0] - accuracy[-1])),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, default=str) + "\n", encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through all steps; return 0, or 3 where rearing is not done yet and the same command goes on with it."""
    import torch

    reader = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    reader.add_argument("--out", type=Path, default=Path("results") / "gpu", help="output folder")
    reader.add_argument("--miniature", action="store_true", help="the small size, also where there is a GPU")
    reader.add_argument("--seconds", type=float, default=PIECE, help="most seconds of rearing in one go")
    asked = reader.parse_args(arguments)
    size = SIZES["miniature" if asked.miniature or not torch.cuda.is_available() else "published"]
    if cuda_tests():
        return 1
    record = bench(asked.out)
    if not rear(asked.out / "study", size, asked.seconds):
        print(f"Stopped after {asked.seconds:.0f} s; the same command goes on.", file=sys.stderr)
        return 3
    print(written(load_study(asked.out / "study"), record, asked.out / "gpu.json"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
