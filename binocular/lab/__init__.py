"""The teaching lab: a subject reared live, under controls that a class works, on a page in the browser.

`Session` is the lab without a page: it rears, measures, saves and loads. `serve` puts the page before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.lab.controls import Controls, EyeControls
    from binocular.lab.session import Session
    from binocular.lab.subject import LabSubject
    from binocular.lab.tracks import Frame, Track

__all__ = ["Controls", "EyeControls", "Frame", "LabSubject", "Session", "Track"]

_HOME = {
    "Controls": "controls",
    "EyeControls": "controls",
    "Frame": "tracks",
    "LabSubject": "subject",
    "Session": "session",
    "Track": "tracks",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
