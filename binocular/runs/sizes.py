"""What a protocol would take, counted before anything is laid out, drawn or built, and whether there is room for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from binocular.protocols import Protocol
from binocular.stimuli.errors import BadInput

__all__ = ["StudySize", "check_room", "check_size", "free_memory", "size_of"]

MOST_SUBJECTS = 20_000
MOST_EPOCHS = 200_000
MOST_MEASUREMENTS = 100_000
MOST_PRESENTATIONS = 10_000_000_000
MOST_RESAMPLINGS = 10_000_000
MOST_STIMULI = 4_000_000_000  # bytes
_UNITS = 64  # of a representation, as a rule
_ALLOW = "; --allow-large (allow_large=True in Python) lets it begin all the same"


@dataclass(frozen=True)
class StudySize:
    """How much there is to do.

    Attributes
    ----------
    subjects, epochs
        Conditions times seeds, and the epochs of all together, common beginnings counted for each.
    measurements
        Times that a subject is measured, all subjects together.
    presentations
        Stimuli seen in learning and in measuring, all subjects together.
    stimuli
        Bytes of the stimuli of one seed; 0 where a stimulus does not say.
    resamplings
        Resamplings of stimuli for standard errors, all measurements together.
    grid
        Bytes of the responses and resamplings of one measurement.
    """

    subjects: int
    epochs: int
    measurements: int
    presentations: int
    stimuli: int
    resamplings: int
    grid: int


def size_of(protocol: Protocol) -> StudySize:
    """Count what a protocol asks for, in a time that does not depend on how much that is."""
    probes, seeds = protocol.probes, len(protocol.seed_list)
    epochs = measurements = 0
    for condition in protocol.conditions:
        lasting = sum(phase.epochs for phase in condition.phases)
        points = lasting // probes.every + len(probes.epochs) + len(condition.phases) + 2
        epochs += lasting
        measurements += min(points, lasting + 1)
    n_train, n_test = protocol.stimulus.counts()
    side = min(probes.n_stimuli, n_test // 2 or probes.n_stimuli)
    return StudySize(
        subjects=len(protocol.conditions) * seeds,
        epochs=epochs * seeds,
        measurements=measurements * seeds,
        presentations=(epochs * n_train + measurements * side**2) * seeds,
        stimuli=protocol.stimulus.memory(),
        resamplings=measurements * seeds * probes.bootstrap,
        grid=8 * _UNITS * (side**2 + probes.bootstrap * side),
    )


def check_size(protocol: Protocol, device: str = "cpu", allow_large: bool | None = False) -> None:
    """Raise `BadInput` where a protocol is too large, and say in which field.

    Parameters
    ----------
    protocol
        A checked protocol.
    device
        ``"cpu"`` or ``"cuda"``: where stimuli and networks will lie.
    allow_large
        Pass over what would only take very long, or nearly all of the memory; None where a person has no way to say so,
        and is not advised to.
    """
    size, seeds = size_of(protocol), len(protocol.seed_list)
    shape = f"{len(protocol.conditions)} conditions x {seeds} seeds"
    for value, most, field, words in (
        (size.subjects, MOST_SUBJECTS, "seeds", f"{shape} are {{}} subjects"),
        (size.epochs, MOST_EPOCHS, "conditions", f"the histories of {shape} last {{}} epochs in all"),
        (
            size.measurements,
            MOST_MEASUREMENTS,
            "probes.every",
            f"the histories of {shape} are measured {{}} times in all",
        ),
        (size.presentations, MOST_PRESENTATIONS, "stimulus.n_train", f"{shape} see {{}} presentations in all"),
        (size.resamplings, MOST_RESAMPLINGS, "probes.bootstrap", f"{shape} need {{}} resamplings in all"),
        (size.stimuli, MOST_STIMULI, "stimulus", "the stimuli of one seed take {} bytes"),
    ):
        if value > most and not allow_large:
            raise BadInput(f"{field}: {words.format(f'{value:,}')}, more than {most:,}{_advice(allow_large)}")
    check_room("stimulus", "the stimuli of one seed", size.stimuli, device, allow_large)
    check_room("probes.n_stimuli", "one measurement", size.grid, "cpu", allow_large)


def check_room(field: str, what: str, needed: int, device: str, allow_large: bool | None) -> None:
    """Raise `BadInput` if something does not fit into the memory that is free.

    Parameters
    ----------
    field, what, needed
        The field that makes it so large, what it is in words, and how many bytes it takes.
    device, allow_large
        As for `check_size`.
    """
    free = free_memory(device)
    if needed > free and not allow_large:
        there = f"{_gigabytes(free)} are free here{_advice(allow_large)}"
        raise BadInput(f"{field}: {what} takes {_gigabytes(needed)}, and {there}")


def _advice(allow_large: bool | None) -> str:
    return "" if allow_large is None else _ALLOW


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def free_memory(device: str = "cpu") -> int:
    """Return how many bytes can be had, on the CPU with regard to the limits of a container."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    known = [_of_the_machine(), _of_the_container()]
    return min((free for free in known if free is not None), default=2**63)


def _of_the_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _of_the_container() -> int | None:
    try:
        most, used = (int(Path(f"/sys/fs/cgroup/memory.{what}").read_text()) for what in ("max", "current"))
    except (OSError, ValueError):  # no such limit
        return None
    return max(0, most - used)
