"""Keeping what was done at the desk: as a protocol that repeats it exactly, and as a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binocular.protocols import Protocol, protocol_from
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.store.snapshots import node_path

if TYPE_CHECKING:
    from binocular.lab.subject import LabSubject

__all__ = ["protocol_of", "save_study"]


def protocol_of(base: Protocol, subjects: Sequence[LabSubject]) -> Protocol:
    """Write the histories of subjects down as a protocol.

    Parameters
    ----------
    base
        The protocol the lab was started with: stimulus, network, training and probes are taken from it.
    subjects
        Subjects of one seed, each reared for an epoch at least to be part of it.

    Returns
    -------
    Protocol
        One condition per subject, one phase per stretch of unchanged controls. ``binocular run`` on a CPU gives
        the same subjects bit for bit.

    Raises
    ------
    BadInput
        If nothing has been reared yet.
    """
    reared = [subject for subject in subjects if subject.age]
    if not reared:
        raise BadInput("nothing has been reared yet; let the subject grow for an epoch at least, then save")
    raw = base.model_dump(mode="json", exclude_none=True)
    raw |= {
        "title": "Reared by hand in the teaching lab",
        "reference": "",
        "description": "Saved from `binocular lab`: each phase is a stretch of epochs with unchanged controls.",
        "deviations": [],
        "seeds": [reared[0].track.seed],
        "conditions": [_condition(subject) for subject in reared],
    }
    protocol = protocol_from(raw, "the saved protocol")
    for condition, subject in zip(protocol.resolved_conditions(), reared, strict=True):
        written = [epoch.identity() for epoch in condition.epoch_conditions()]
        if written != [epoch.identity() for epoch in subject.epochs]:
            raise RuntimeError("the saved protocol does not repeat what was done")
    return protocol


def _condition(subject: LabSubject) -> dict[str, Any]:
    phases = []
    for stretch in subject.track.stretches:
        deficits = [deficit.model_dump(mode="json", exclude_none=True) for deficit in stretch.deficits]
        phases.append({"epochs": stretch.stop - stretch.start, "deficits": deficits})
    return {"name": subject.track.name, "label": subject.track.label, "phases": phases}


def save_study(base: Protocol, subjects: Sequence[LabSubject], folder: Path) -> Path:
    """Write what was reared as a study, in the form that ``binocular run`` writes.

    Parameters
    ----------
    base, subjects
        As for `protocol_of`.
    folder
        Output folder, best an empty one.

    Returns
    -------
    Path
        The ``study.h5``.

    Raises
    ------
    BadInput
        If nothing has been reared yet, or the folder cannot be written.
    """
    protocol = protocol_of(base, subjects)
    for subject in subjects:
        for record in subject.records() if subject.age else ():
            record.write(node_path(folder, record.identity))
    # Everything is found done, so that this only puts together; the numbers are those that were seen on the page.
    device = plan_study(protocol, "cpu").plan.device
    return run_study(protocol, folder, device, command="binocular lab", allow_large=None).study
