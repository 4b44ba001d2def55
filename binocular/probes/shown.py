"""What probes show: stimuli for each eye from its own marginal, and what of a stimulus they imitate."""

from __future__ import annotations

import torch
from torch import Tensor

from binocular.stimuli.base import LEFT, RIGHT, StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["noise_shown", "probe_views"]


def probe_views(stimulus: StimulusSet, n_stimuli: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw test scenes of its own for the left and the right eye, ``[n_stimuli, channel, height, width]`` each.

    Parameters
    ----------
    stimulus
        Of the subject.
    n_stimuli
        Per eye; at most half of the test split.
    seed
        Of the choice.
    """
    labels = stimulus.labels["test"]
    order = torch.randperm(len(labels), generator=stream(seed, "probe")).to(labels.device)
    count = min(n_stimuli, len(labels) // 2)
    left = stimulus.views("test", order[:count], None)[:, LEFT]
    right = stimulus.views("test", order[count : 2 * count], None)[:, RIGHT]
    return left, right


def noise_shown(stimulus: StimulusSet, asked: float | None) -> tuple[float, float]:
    """Return the s.d. of the sensory noise of each eye that a probe shows.

    Parameters
    ----------
    stimulus
        Of the subject: its noise, or 0.5 where it has none.
    asked
        In its place for both eyes, if the probe's settings name it.
    """
    noise = stimulus.noise if asked is None else asked
    left, right = noise if isinstance(noise, tuple) else (noise, noise)
    return (left, right) if asked is not None else (left or 0.5, right or 0.5)
