"""How time grows with subjects, seeds, units, image size and workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.studies import run_and_time
from binocular.bench.base import Measured, Suite
from binocular.bench.cohorts import compare_packings
from binocular.bench.threads import threads
from binocular.networks.build import build_network
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort
from binocular.stimuli.streams import stream

__all__ = ["growth", "image_size", "seeds", "subjects", "units", "workers"]

_SHORT = ["stimulus.n_train=500", "stimulus.n_test=200", "probes.every=30", "training.evaluate_every=30"]


def growth(x: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the power of ``x`` with which time grows, by least squares in the logarithms: 1 = in proportion."""
    return float(np.polyfit(np.log(x), np.log(seconds), 1)[0])


def subjects(suite: Suite) -> Measured:
    """Measure a step of 1 to 64 subjects of the main experiment, one per core."""
    times: dict[int, list[float]] = {}
    for size in (1, 4, 16, 64):
        _, detail = compare_packings("split-cnn", size, "loop", 3)
        times[size] = [size / speed for speed in detail["candidate_per_second"]]
    return _measured(times, "subjects", "seconds per step of all subjects")


def units(suite: Suite) -> Measured:
    """Measure a step of one subject against the channels of its pathways."""
    return _measured(
        _steps({w: {"width": w} for w in (6, 12, 24, 48)}, {}), "channels of a pathway", "CPU seconds per step"
    )


def image_size(suite: Suite) -> Measured:
    """Measure a step of one subject against the side of the image; in proportion to its area would be 2."""
    sizes = (8, 16, 32, 64)
    return _measured(
        _steps({}, {s: (1, s, s) for s in sizes}), "side of the image (pixels)", "CPU seconds per step", ideal=2
    )


def seeds(suite: Suite) -> Measured:
    """Measure a whole short study against its number of seeds."""
    times = {n: [run_and_time("monocular-deprivation", [f"seeds={n}", *_SHORT])["whole"]] for n in (1, 2, 4)}
    return _measured(times, "seeds", "seconds for a short study")


def workers(suite: Suite) -> Measured:
    """Measure a short study on 1, 2 and 4 Dask workers, their start included; the figure is the speed of 2 over 1."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        return Measured(skipped="Dask is not installed")
    settings = ["seeds=2", *_SHORT]
    times = {n: [run_and_time("monocular-deprivation", settings, str(n))["rearing"]] for n in (1, 2, 4)}
    measured = _measured(times, "Dask workers, on this machine", "seconds of rearing", ideal=-1)
    return Measured([times[1][0] / times[2][0]], "the same study on one worker", measured.detail)


def _steps(
    options: Mapping[int, Mapping[str, int]], shapes: Mapping[int, tuple[int, int, int]]
) -> dict[int, list[float]]:
    """Time steps of the main experiment's network with other options, or on other images, on one core."""
    times: dict[int, list[float]] = {}
    for x in options or shapes:
        shape = shapes.get(x, (1, 16, 16))
        cohort = LoopCohort([build_network("split-cnn", dict(options.get(x, {"width": 12})), shape, 8, 0)], 0.9, 5e-4)
        generator = stream(0, "benchmark")
        views = torch.randn(100, 2, *shape, generator=generator)
        batch = Batch(views, torch.randint(8, (100,), generator=generator))
        times[x] = _repeated(lambda c=cohort, b=batch: c.step([b], [0.01]))
    return times


def _repeated(run: Callable[[], object]) -> list[float]:
    """Time by the CPU time of this thread, which other work on the machine changes little."""
    with threads(1):
        run()
        times = []
        for _ in range(5):
            before = time.thread_time()
            run()
            times.append(time.thread_time() - before)
        return times


def _measured(times: Mapping[Any, Sequence[float]], across: str, up: str, ideal: int = 1) -> Measured:
    x, seconds = list(times), [median(values) for values in times.values()]
    scaling = {
        "x": x,
        "seconds": seconds,
        "lowest": [min(values) for values in times.values()],
        "highest": [max(values) for values in times.values()],
        "across": across,
        "up": up,
        "ideal": ideal,
    }
    assert all(math.isfinite(value) and value > 0 for value in seconds)
    return Measured([growth(x, seconds)], "in proportion = 1", {"scaling": scaling})
