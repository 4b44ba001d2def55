"""The one check of a protocol before it is shown, drawn or reared: what would fail later is said now."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from binocular.networks.build import network_class
from binocular.networks.options import check_options, weights_of
from binocular.protocols import Deficit, Protocol
from binocular.protocols.figures import own_figure
from binocular.runs.planning import StudyPlan, check_parts, placed_phases, plan_study, usable_device
from binocular.runs.sizes import check_room, check_size
from binocular.stimuli.base import StimulusConfig, StimulusSet
from binocular.stimuli.errors import BadInput, finding, in_short
from binocular.stimuli.streams import stream
from binocular.stimuli.user_code import is_shipped

__all__ = ["Findings", "check_protocol"]

LEAST_CLASSES = 2
LEAST_PAIR = 2
"""Stimuli of each eye that a variance needs; the eyes see different ones."""


@dataclass(frozen=True)
class Findings:
    """What the check of a protocol found.

    Attributes
    ----------
    study, state_bytes
        The plan of the study, and the bytes of one state of a subject on the disk.
    notes
        What a person should know though it keeps nothing from running, one sentence each.
    """

    study: StudyPlan
    state_bytes: int
    notes: tuple[str, ...]


def check_protocol(
    protocol: Protocol, device: str = "auto", allow_large: bool | None = False, command: str = ""
) -> Findings:
    """Check everything about a protocol that can be known before rearing.

    Sizes are counted first, so that nothing is laid out, drawn or built that is too large; then stimuli, deficits and
    network are made once and tried on a few presentations.

    Parameters
    ----------
    protocol
        A protocol whose fields are checked already, as `binocular.protocols.load_protocol` gives it.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    allow_large
        Let a study begin that is too large for what is there; None as for `binocular.runs.sizes.check_size`.
    command
        The command line, noted beside what is reared.

    Raises
    ------
    BadInput
        With one sentence that names the field and what would be accepted.

    Examples
    --------
    >>> from binocular.protocols import load_protocol
    >>> check_protocol(load_protocol("monocular-deprivation", ["network.options.width=0"]))
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: network.options: split-cnn cannot be built: width must be at least 1, not 0
    """
    device = usable_device(device)
    check_size(protocol, device, allow_large)
    spec = protocol.network
    cls = network_class(spec.kind)
    check_options(spec.kind, cls, spec.options)
    for index, name in enumerate(protocol.figures):
        own_figure(name, f"figures[{index}]")
    stimulus, notes = _checked_stimulus(protocol)
    numbers = weights_of(cls, stimulus.shape, stimulus.n_classes, spec.options)
    # Themselves, momentum, gradients, and a state on its way to the disk.
    check_room("network.options", f"a subject of {numbers:,} weights", 4 * 4 * numbers, device, allow_large)
    study = plan_study(protocol, device, command)
    return Findings(study, check_parts(study, stimulus, allow_large), notes)


def _checked_stimulus(protocol: Protocol) -> tuple[StimulusSet, tuple[str, ...]]:
    """Return a few stimuli as the subjects will see them, on which the deficits were tried, and what to tell."""
    stimulus = _few(protocol.stimulus)
    if stimulus.n_classes < LEAST_CLASSES:
        named = ", ".join(map(repr, stimulus.class_names)) or "none"
        raise BadInput(
            f"stimulus: {protocol.stimulus.kind} has too few classes to tell apart ({named}); "
            f"accepted: {LEAST_CLASSES} or more"
        )
    n_test = getattr(protocol.stimulus, "n_test", None) or len(stimulus.labels["test"])
    notes = list(stimulus.notes)
    side = min(protocol.probes.n_stimuli, n_test // 2)
    if side < LEAST_PAIR:
        raise BadInput(
            f"stimulus.n_test: {n_test} test stimuli are too few to measure with, since each eye needs at least "
            f"{LEAST_PAIR} of its own; accepted: {2 * LEAST_PAIR} or more"
        )
    if side < protocol.probes.n_stimuli:
        notes.append(
            f"{n_test} test stimuli give a grid of {side} x {side} pairs in place of the "
            f"{protocol.probes.n_stimuli} x {protocol.probes.n_stimuli} of probes.n_stimuli"
        )
    tried: set[str] = set()
    for where, phase in placed_phases(protocol):
        for index, deficit in enumerate(phase.deficits):
            key = deficit.model_dump_json()
            if phase.epochs and key not in tried:
                tried.add(key)
                _try(deficit, stimulus, f"{where}.deficits[{index}]")
    return stimulus, tuple(notes)


def _few(config: StimulusConfig) -> StimulusSet:
    """Return a few stimuli; those of a user's own are looked at as rearing will."""
    if is_shipped(type(config)):
        return config.sample()
    with finding(f"stimulus: {config.kind} cannot be built"):
        found = config.sample()
        if not isinstance(found, StimulusSet):
            raise TypeError(f"build returns a {type(found).__name__}, no StimulusSet")
        for split in ("train", "test"):
            labels = found.labels[split]
            if not len(labels):
                raise BadInput(f"stimulus: {config.kind} has no {split} stimuli; accepted: one or more of each class")
            index = torch.arange(min(4, len(labels)))
            views = found.views(split, index, stream(0, "check") if split == "train" else None)
            complaint = ""
            if views.shape != (len(index), 2, *found.shape) or views.dtype != torch.float32:
                complaint = (
                    f"views are {tuple(views.shape)} {views.dtype}; accepted: {(len(index), 2, *found.shape)} "
                    "torch.float32, [batch, eye, channel, height, width]"
                )
            elif not views.isfinite().all():
                complaint = "views hold values that are not finite; accepted are numbers, 0 being grey"
            elif labels.dtype != torch.int64 or not 0 <= int(labels.min()) <= int(labels.max()) < found.n_classes:
                complaint = f"labels are not all whole numbers (int64) from 0 to {found.n_classes - 1}"
            if complaint:
                raise BadInput(f"stimulus: {config.kind} cannot be shown: its {split} {complaint}")
    return found


def _try(deficit: Deficit, stimulus: StimulusSet, where: str) -> None:
    """Apply a deficit to a few presentations, as at the beginning and at the end of its phase."""
    index = torch.arange(min(4, len(stimulus.labels["train"])))
    views, labels = stimulus.views("train", index, stream(0, "check")), stimulus.labels["train"][index]
    complaint = deficit.unsuited(stimulus.shape, stimulus.n_classes)
    if complaint:
        raise BadInput(f"{where}: {complaint}")
    untouched = views.clone()
    for progress in (0.0, 1.0):
        try:
            seen, taught = deficit.at(progress)(views, labels, stream(0, "check"))
        except BadInput as error:
            raise BadInput(f"{where}: {error}") from None
        except Exception as error:  # whatever a user's deficit raises is a finding, not a crash
            raise BadInput(
                f"{where}: the deficit '{deficit.kind}' fails on views of shape {tuple(views.shape)}: {in_short(error)}"
            ) from error
        if seen.shape != views.shape or taught.shape != labels.shape:
            raise BadInput(
                f"{where}: the deficit '{deficit.kind}' turns views of shape {tuple(views.shape)} into "
                f"{tuple(seen.shape)}; it must keep their shape"
            )
        if not seen.isfinite().all():
            raise BadInput(f"{where}: the deficit '{deficit.kind}' gives NaN or infinity; it must give numbers")
        if not views.equal(untouched):
            raise BadInput(f"{where}: the deficit '{deficit.kind}' writes into its views; it must give others")
