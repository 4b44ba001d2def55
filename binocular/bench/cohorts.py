"""Many subjects at once against one network at a time: the same steps of the same networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from torch import nn

from binocular.bench.base import Measured, Suite, Work, in_turn
from binocular.bench.elsewhere import Task, elsewhere
from binocular.bench.plain import as_usual, plain_step
from binocular.bench.threads import threads
from binocular.networks.build import build_network
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.rearing.memory import keep_freed_memory
from binocular.runs.planning import usable_cores
from binocular.stimuli.streams import stream

__all__ = ["alone", "cnn", "cnn_on_gpu", "compare_packings", "linear", "mlp"]

_CASES: dict[str, dict[str, Any]] = {"split-cnn": {"width": 12}, "split-mlp": {"width": 128, "depth": 2}}
_SHAPE, _CLASSES, _BATCH, _STEPS = (1, 16, 16), 8, 100, 4
_REPEATS = {"split-cnn": 1, "split-mlp": 10}  # a round takes some tenths of a second
_ALONE_AT_MOST = 4  # one network at a time takes a time in proportion to the networks


def cnn(suite: Suite) -> Measured:
    """Measure the laboratory's convolutional network, as in the main experiment."""
    return _by_size("split-cnn", (8,) if suite == "quick" else (1, 4, 16, 64), suite)


def cnn_on_gpu(suite: Suite) -> Measured:
    """Measure the same on a GPU: stacked cohorts against one network at a time."""
    if not torch.cuda.is_available():
        return Measured(skipped="needs a CUDA device")
    table: dict[str, dict[str, Any]] = {}
    values: list[float] = []
    for size in (1, 16, 64) if suite == "quick" else (1, 4, 16, 64, 256):
        values, detail = compare_packings("split-cnn", size, "loop" if size == 1 else "stacked", 3, "cuda")
        table[str(size)] = _row(values, detail)
    return Measured(values, "one network at a time, torch's SGD, on the GPU", {"by_size": table})


def mlp(suite: Suite) -> Measured:
    """Measure its fully connected counterpart."""
    return _by_size("split-mlp", (1, 16) if suite == "quick" else (1, 4, 16, 64, 256), suite)


def linear(suite: Suite) -> Measured:
    """Measure deep linear networks as batched matrices, on one core: matrices so small gain nothing by a second one."""
    from binocular.bench.linear import benchmark_cases

    table, values = {}, []
    for size, one_by_one, together in benchmark_cases((1, 64) if suite == "quick" else (1, 4, 16, 64, 256)):
        with threads(1):
            values, detail = in_turn(one_by_one, together, 3)
        table[str(size)] = _row(values, detail)
    return Measured(values, "one network at a time, autograd and torch's SGD, on one core", {"by_size": table})


def alone(suite: Suite) -> Measured:
    """Measure a single subject in the packing of its plan, which must not be slower than a plain loop, on one core."""
    table = {kind: compare_packings(kind, 1, "loop", 3 if suite == "quick" else 7, cores=1) for kind in _CASES}
    worst = min(table, key=lambda kind: median(table[kind][0]))
    detail = {"by_network": {kind: _row(*result) for kind, result in table.items()}}
    return Measured(table[worst][0], "torch's SGD on the plain module; the slower of the two networks", detail)


def _by_size(kind: str, sizes: Sequence[int], suite: Suite) -> Measured:
    table: dict[str, dict[str, Any]] = {}
    values: list[float] = []
    for size in sizes:
        rounds = 7 if size <= 16 else 5
        values, detail = compare_packings(kind, size, "loop", rounds)
        table[str(size)] = {"loop": _row(values, detail)}
        if size <= 16:
            table[str(size)]["loop_on_one_core"] = _row(*compare_packings(kind, size, "loop", 3, cores=1))
        if suite == "full" and size > 1 and (kind != "split-cnn" or size <= 16):
            table[str(size)]["stacked"] = _row(*compare_packings(kind, size, "stacked", rounds))
    return Measured(values, "one network at a time, torch's SGD, all cores", {"by_size": table})


def _row(values: Sequence[float], detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "ratio": median(values),
        "lowest": min(values),
        "highest": max(values),
        "by_processor_time": detail["ratio_by_processor_time"],
        "steps_per_second": median(detail["candidate_per_second"]),
    }


def compare_packings(
    kind: str, size: int, packing: str, rounds: int, device: str = "cpu", cores: int | None = None
) -> tuple[list[float], dict[str, Any]]:
    """Compare a cohort with the same networks one at a time, by subject-steps per second.

    Parameters
    ----------
    kind
        ``"split-cnn"`` or ``"split-mlp"``.
    size
        Subjects in the cohort.
    packing
        ``"loop"`` (one subject per core at a time) or ``"stacked"``.
    rounds
        Number of rounds.
    device
        ``"cpu"`` or ``"cuda"``.
    cores
        Cores that either may use; by default all.
    """
    cores = cores or usable_cores()
    few = min(size, _ALONE_AT_MOST)
    # One subject per core where each has its own module, as `binocular.runs.processes` rears them.
    shares = [range(size)[core::cores] for core in range(min(cores, size))]
    tasks: list[Task] = [(_loop, (kind, share, device)) for share in shares]
    if packing == "stacked":
        tasks = [(_stacked, (kind, range(size), device))]
    with (
        elsewhere([(_one_at_a_time, (kind, range(few), device))], cores) as plain,
        elsewhere(tasks, 1 if packing == "loop" else cores) as rear,
    ):
        repeats = _REPEATS[kind]
        return in_turn(Work(plain, few * _STEPS * repeats), Work(rear, size * _STEPS * repeats), rounds)


def _one_at_a_time(kind: str, seeds: Sequence[int], device: str) -> Callable[[], None]:
    batches = _batches(device)
    steppers = [plain_step(as_usual(network)) for network in _networks(kind, seeds, device)]

    def rear() -> None:
        for step in steppers:
            for batch in batches * _REPEATS[kind]:
                step(batch.views[:, 0], batch.views[:, 1], batch.labels)
        _wait_for(device)

    return rear


def _loop(kind: str, seeds: Sequence[int], device: str) -> Callable[[], None]:
    keep_freed_memory()
    batches = _batches(device)
    cohorts = [LoopCohort([network], 0.9, 5e-4) for network in _networks(kind, seeds, device)]

    def rear() -> None:
        for cohort in cohorts:
            for batch in batches * _REPEATS[kind]:
                cohort.step([batch], [0.01])
        _wait_for(device)

    return rear


def _stacked(kind: str, seeds: Sequence[int], device: str) -> Callable[[], None]:
    keep_freed_memory()
    size, batches = len(seeds), _batches(device)
    cohort = StackedCohort(_networks(kind, seeds, device), 0.9, 5e-4)

    def rear() -> None:
        for batch in batches * _REPEATS[kind]:
            cohort.step([batch] * size, [0.01] * size)
        _wait_for(device)

    return rear


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _batches(device: str) -> list[Batch]:
    generator = stream(0, "benchmark")
    batches = []
    for _ in range(_STEPS):
        labels = torch.randint(_CLASSES, (_BATCH,), generator=generator)
        views = torch.randn(_BATCH, 2, *_SHAPE, generator=generator)
        batches.append(Batch(views.to(device), labels.to(device)))
    return batches


def _networks(kind: str, seeds: Sequence[int], device: str) -> list[nn.Module]:
    return [build_network(kind, _CASES[kind], _SHAPE, _CLASSES, seed).to(device) for seed in seeds]
