"""Studies that somebody brings to the lab: checked, read as data in a process of their own, and made into tracks.

``python -m binocular.lab.reading FILE`` prints the tracks as JSON. The lab reads uploads that way, so that a file made
to break HDF5 breaks a process that holds nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.lab.tracks import Frame, Stretch, Track, frame_of
from binocular.networks.sites import FIRST_BINOCULAR, REPRESENTATION
from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    from binocular.protocols import Deficit, Protocol
    from binocular.stimuli.base import StimulusSet
    from binocular.store.records import SubjectRecord

__all__ = ["LARGEST_UPLOAD", "tracks_of"]

LARGEST_UPLOAD = 64_000_000
"""Bytes of the largest study that the lab reads."""
MOST_SUBJECTS = 100
MOST_FRAMES = 20_000
_MOST_SCENES = 5000
_MOST_BYTES = 2 * _MOST_SCENES * 2 * 64**2 * 4  # of pairs of 64 x 64 pixels


def tracks_of(path: Path, name: str = "the file") -> list[Track]:
    """Return the subjects of a study as tracks.

    Parameters
    ----------
    path
        A study's file.
    name
        What it is called, for messages.

    Returns
    -------
    list of Track
        One per subject, in the order of the file, with a frame per checkpoint. Pictures of what the eyes saw are made
        again from the protocol in the file where that costs little.

    Raises
    ------
    BadInput
        If it is no study, its bytes are not those that were written, its contents contradict each other, or it is too
        large for a page.
    """
    from binocular.store.opening import opened
    from binocular.store.study import load_study
    from binocular.store.verification import verify_study

    try:
        with opened(path, seal="required"):
            pass
        complaints = verify_study(path)
        if complaints:
            raise BadInput(f"is not a sound study: {complaints[0]}")
        study = load_study(path)
    except BadInput as error:  # the file lies in a place that is nobody's business
        told = str(error).replace(f"{path}: ", "").replace(f"{path} ", "")
        raise BadInput(f"{name} {told}") from error
    subjects = [(condition, subject) for condition in study.reared for subject in condition.subjects]
    frames = sum(len(_epochs(subject)) for _, subject in subjects)
    if len(subjects) > MOST_SUBJECTS or frames > MOST_FRAMES:
        raise BadInput(
            f"{name} holds {len(subjects)} subjects with {frames} checkpoints; the page shows up to {MOST_SUBJECTS} "
            f"with {MOST_FRAMES}"
        )
    if not subjects:
        raise BadInput(f"{name} holds no subject that was reared")
    protocol = _protocol(str(study.attributes["protocol"]))
    seeds = {subject.seed for _, subject in subjects}
    stimuli = {seed: _stimulus(protocol, seed) for seed in seeds}
    return [
        _track(condition.label or condition.name, subject, protocol, stimuli[subject.seed])
        for condition, subject in subjects
    ]


def _epochs(subject: SubjectRecord) -> np.ndarray:
    return next(iter(subject.sites.values())).epoch if subject.sites else np.empty(0, np.int64)


def _track(label: str, subject: SubjectRecord, protocol: Protocol | None, stimulus: StimulusSet | None) -> Track:
    track = Track(f"{subject.condition}/{subject.seed}", label, subject.seed)
    if stimulus is not None:
        from binocular.lab.subject import scenes_of

        track.chance, track.scenes = stimulus.chance, scenes_of(stimulus)
    settled = _settled(protocol, subject.condition)
    for phase in subject.phases:
        start, stop = int(phase["start"]), int(phase["stop"])
        deficits = settled.get(start, ())
        pictures = None
        if stimulus is not None:
            from binocular.lab.subject import pictures_of

            pictures = pictures_of(stimulus, deficits, subject.seed)
        stretch = Stretch(start, stop, deficits, str(phase.get("description") or phase["name"]), pictures)
        track.stretches.append(stretch)
    track.frames = _frames(subject, track.stretches, protocol)
    return track


def _frames(subject: SubjectRecord, stretches: Sequence[Stretch], protocol: Protocol | None) -> list[Frame]:
    """Return a frame per checkpoint, of the first binocular cells and the representation or else the first site."""
    from binocular.lab.animals import Done, animal_beside
    from binocular.lab.subject import adult_from

    areas = [area for area in (FIRST_BINOCULAR, REPRESENTATION) if area in subject.sites] or [*subject.sites][:1]
    made = []
    for place, epoch in enumerate(_epochs(subject).tolist()):
        rsv = {area: subject.sites[area].values["rsv"][place] for area in areas}
        done = [Done(s.start, min(s.stop, epoch), s.deficits) for s in stretches if s.start < epoch]
        animal = None if protocol is None else animal_beside(done, adult_from(protocol.training))
        made.append(frame_of(epoch, rsv, subject.history, animal=animal))
    return made


def _settled(protocol: Protocol | None, condition: str) -> dict[int, tuple[Deficit, ...]]:
    """For each epoch in which a phase begins, its deficits."""
    for resolved in protocol.resolved_conditions() if protocol is not None else ():
        if resolved.name == condition:
            return {epoch.epoch: epoch.deficits for epoch in resolved.epoch_conditions() if epoch.phase_start}
    return {}


def _protocol(text: str) -> Protocol | None:
    from binocular.protocols import parse_protocol

    try:
        return parse_protocol(text)
    except BadInput:  # of a version with other fields: the numbers can be shown all the same
        return None


def _stimulus(protocol: Protocol | None, seed: int) -> StimulusSet | None:
    """Build the stimuli of a study if they need no data from elsewhere and little work."""
    config = None if protocol is None else protocol.stimulus
    if config is None or not config.from_settings_alone:
        return None
    little = max(config.counts()) <= _MOST_SCENES and config.memory() <= _MOST_BYTES
    return config.build(seed) if little else None


def _main(arguments: Sequence[str]) -> int:
    answer: dict[str, Any]
    try:
        answer = {"tracks": [track.message() for track in tracks_of(Path(arguments[0]), arguments[1])]}
    except BadInput as error:
        answer = {"refused": str(error)}
    print(json.dumps(answer, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
