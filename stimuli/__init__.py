"""What the two eyes see. Knows nothing of networks.

Stimuli are tensors ``[batch, eye, channel, height, width]`` on a device, eye 0 = left, 0 = grey. ``STIMULI`` names the
kinds that a protocol can ask for; ``stimulus_config`` checks a mapping and returns the configuration that builds one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.stimuli.base import LEFT, RIGHT, Split, StimulusConfig, StimulusSet
    from binocular.stimuli.errors import BadInput
    from binocular.stimuli.gratings import GratingPresentation, Gratings
    from binocular.stimuli.registry import STIMULI, stimulus_config
    from binocular.stimuli.scenes import StereoScenes
    from binocular.stimuli.sheets import contact_sheet, overview, show
    from binocular.stimuli.split import SplitImages
    from binocular.stimuli.streams import stream

__all__ = [
    "LEFT",
    "RIGHT",
    "STIMULI",
    "BadInput",
    "GratingPresentation",
    "Gratings",
    "Split",
    "SplitImages",
    "StereoScenes",
    "StimulusConfig",
    "StimulusSet",
    "contact_sheet",
    "overview",
    "show",
    "stimulus_config",
    "stream",
]

_HOME = {
    "LEFT": "base",
    "RIGHT": "base",
    "STIMULI": "registry",
    "BadInput": "errors",
    "GratingPresentation": "gratings",
    "Gratings": "gratings",
    "Split": "base",
    "SplitImages": "split",
    "StereoScenes": "scenes",
    "StimulusConfig": "base",
    "StimulusSet": "base",
    "contact_sheet": "sheets",
    "overview": "sheets",
    "show": "sheets",
    "stimulus_config": "registry",
    "stream": "streams",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
