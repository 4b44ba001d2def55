"""The published experiment: Split-ResNet-18 on split images of 32 x 32 pixels, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from binocular.bench.base import Measured, Suite, Work, in_turn
from binocular.bench.elsewhere import elsewhere
from binocular.bench.machine import has_fast_bfloat16, matrix_rate
from binocular.bench.plain import PlainSamples, as_usual, plain_loader, plain_step
from binocular.bench.threads import threads
from binocular.networks.build import build_network
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort
from binocular.rearing.memory import keep_freed_memory
from binocular.stimuli.split import SplitImages, SplitImageSet
from binocular.stimuli.streams import stream

__all__ = ["operations", "throughput", "throughput_on_gpu", "views"]

_VISIBLE = 16
_CLASSES = 10
_IMAGES = 1280
_FAST = {"columns": "seen"}  # options of the network


def views(suite: Suite) -> Measured:
    """Measure samples per second of batched tensors against samples made one by one, on one core."""
    stimulus, images, labels = _stimuli()
    plain = PlainSamples(images, labels, _VISIBLE)
    count, batch = (256, 128) if suite == "quick" else (1024, 128)
    generator = stream(0, "stimulus")
    order = torch.arange(len(images))

    def one_by_one() -> None:
        for start in range(0, count, batch):
            torch.utils.data.default_collate([plain[i % len(plain)] for i in range(start, start + batch)])

    def batched() -> None:
        for start in range(0, 8 * count, batch):
            stimulus.views("train", order[torch.arange(start, start + batch) % len(images)], generator)

    with threads(1):
        values, detail = in_turn(Work(one_by_one, count), Work(batched, 8 * count))
    return Measured(values, "samples made one by one, one process, as the released code does", detail)


def throughput(suite: Suite, device: str = "cpu") -> Measured:
    """Measure images per second of a training step, data included, against the plain step.

    Parameters
    ----------
    suite
        ``quick`` or ``full``.
    device
        ``cpu`` or ``cuda``.
    """
    batch = 128  # as published; smaller ones spend more on the weights
    precision = "bfloat16" if device == "cuda" or has_fast_bfloat16() else "float32"
    steps, rounds = (1 if device == "cpu" else 20), (2 if suite == "quick" else 3)
    with threads(1):  # as subjects are reared, one core each
        rate = matrix_rate(precision, device)
    with (
        elsewhere([(_plain, (batch, steps, device))]) as plain,
        elsewhere([(_fast, (batch, steps, precision, device))]) as fast,
    ):
        amount = steps * batch
        values, detail = in_turn(Work(plain, amount), Work(fast, amount), rounds, warm=device != "cpu")
    each = operations(_FAST, batch)
    speed = detail["candidate_per_processor_second" if device == "cpu" else "candidate_per_second"]
    detail |= {
        "batch": batch,
        "precision": precision,
        "options": _FAST,
        "matrix_rate_gflops": rate,
        "gflop_per_image": each / 1e9,
        "share_of_matrix_rate": float(np.median(speed)) * each / 1e9 / rate,
    }
    return Measured(values, "plain: float32, default layout, all columns, samples one by one, one core", detail)


def _plain(batch: int, steps: int, device: str) -> Callable[[], None]:
    _, images, labels = _stimuli()
    fetch = plain_loader(images, labels, _VISIBLE, batch, workers=0 if device == "cpu" else 3)
    step = plain_step(as_usual(build_network("split-resnet-18", {}, (3, 32, 32), _CLASSES, 0).to(device)))
    few = 8 if device == "cpu" else batch
    step(*(part[:few] for part in next(fetch)))  # what is done once is done before the first round

    def run() -> None:
        for _ in range(steps):
            step(*next(fetch))  # which waits for the loss

    return run


def _fast(batch: int, steps: int, precision: str, device: str) -> Callable[[], None]:
    if device == "cpu":
        keep_freed_memory()
    stimulus, _, _ = _stimuli(device)
    next(_fast_step(stimulus, 8 if device == "cpu" else batch, precision, device))
    step = _fast_step(stimulus, batch, precision, device)

    def run() -> None:
        for _ in range(steps):
            outcome = next(step)
        outcome.tolist()  # which waits for a GPU

    return run


def throughput_on_gpu(suite: Suite) -> Measured:
    """Measure the same on a GPU, where the plain step is fed by three processes, as the released code is."""
    if not torch.cuda.is_available():
        return Measured(skipped="needs a CUDA device")
    measured = throughput(suite, "cuda")
    detail = dict(measured.detail)
    detail["seconds_per_epoch_of_50000"] = 50_000 / float(np.median(detail["candidate_per_second"]))
    return Measured(measured.values, measured.baseline, detail)


def _fast_step(stimulus: SplitImageSet, batch: int, precision: str, device: str) -> Iterator[Tensor]:
    """Rear one subject as a cohort does, one step at a time, without end."""
    network = build_network("split-resnet-18", _FAST, stimulus.shape, _CLASSES, 0).to(device)
    cohort = LoopCohort([network], 0.9, 5e-4, precision)
    labels = stimulus.labels["train"]
    generator = stream(0, "stimulus", 0, device)
    while True:
        order = torch.randperm(len(labels)).to(device)
        for index in order.split(batch):
            if len(index) == batch:
                yield cohort.step([Batch(stimulus.views("train", index, generator), labels[index])], [0.01])


def operations(options: dict[str, Any], batch: int = 128) -> float:
    """Count the floating-point operations of the convolutions in one training step, per image.

    A step is the forward pass, the gradient by the weights and, but for the first convolutions, that by the input. A
    position beyond the border of the canvas counts as computed.

    Parameters
    ----------
    options
        Of the network.
    batch
        Presentations of a step.
    """
    # Some of the work is the same for any batch: two small batches give both parts.
    small, large = (_operations_of_step(options, size) for size in (2, 4))
    each = (large - small) / 2
    return each + (small - 2 * each) / batch


def _operations_of_step(options: dict[str, Any], batch: int) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    network = build_network("split-resnet-18", options, (3, 32, 32), _CLASSES, 0)
    shown = torch.zeros(batch, 2, 3, 32, 32)
    for eye, columns in enumerate((slice(0, _VISIBLE), slice(32 - _VISIBLE, 32))):
        shown[:, eye, :, :, columns] = torch.randn(batch, 3, 32, _VISIBLE, generator=stream(eye, "operations"))
    with FlopCounterMode(display=False) as counter:
        network(shown).sum().backward()
    counts = counter.get_flop_counts()["Global"]
    return float(sum(count for operation, count in counts.items() if "convolution" in str(operation)))


def _stimuli(device: str = "cpu") -> tuple[SplitImageSet, np.ndarray, np.ndarray]:
    """Return photographs in colour, of ten classes, as a stimulus and as plain arrays of images and labels."""
    from binocular.stimuli.datasets import load_images
    from binocular.stimuli.images import ImageData, Request

    grey = load_images("photographs", Request(32, _IMAGES, 16, None, False))
    data = ImageData(
        {part: np.repeat(grey.images[part], 3, axis=1) for part in grey.images},
        {part: grey.labels[part] % _CLASSES for part in grey.labels},
        tuple(str(number) for number in range(_CLASSES)),
    )
    config = SplitImages.model_validate({"dataset": "photographs", "visible": _VISIBLE, "augment": "crop-flip"})
    images = np.ascontiguousarray(data.images["train"].transpose(0, 2, 3, 1))
    return SplitImageSet(config, device, data), images, data.labels["train"]
