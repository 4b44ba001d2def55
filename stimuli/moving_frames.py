"""Two frames of a window that drifts over a photograph: what comes first to the left eye, what comes next to the right.

Which way the window drifts stands in neither frame; it takes both. Which photograph it is stands in each. So the two
frames are to motion what the two eyes are to depth, as in the videos of Kleinman, Achille & Soatto (2023, Fig. 8), and
frames of different windows (the deficit `dissociation`) leave nothing to put together. A window that zooms is left out:
one frame's scale says by itself whether it is the nearer or the farther one.

Places to learn from lie in the left 70 % of each photograph and places to test with in the rest; they share no pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from binocular.stimuli.base import Split, StimulusConfig
from binocular.stimuli.cuts import CutSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.photographs import photograph, photograph_files

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = ["MOTIONS", "SHOWN", "MovingFrameSet", "MovingFrames"]

SHOWN = ("chelsea", "coffee", "coins", "gravel")
"""Photographs over which the window drifts."""
MOTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
"""Direction of drift -> rows down and columns to the right."""
_TRAIN_SHARE = 0.7


class MovingFrames(StimulusConfig):
    """Pairs of frames of drifting windows; classes are photograph x direction.

    ``tasks`` are ``picture`` (which photograph, 0 to 3, as in `SHOWN`) and ``motion`` (0 left, 1 right, 2 up, 3 down).
    The photographs are those of scikit-image's wheel.
    """

    kind: Literal["moving-frames"] = "moving-frames"
    size: int = Field(16, ge=8, le=256, description="height and width of the window, in pixels")
    step: int = Field(4, ge=1, le=16, description="how far the window drifts from frame to frame, in pixels")
    n_train: int = Field(2000, ge=1, le=2_000_000, description="presentations of an epoch of learning")
    n_test: int = Field(1000, ge=1, le=2_000_000, description="pairs of frames to test with")
    noise: Annotated[float, Field(ge=0, le=100)] = Field(0.3, description="s.d. of the noise of each pixel of a frame")
    fresh: Literal["scenes", "noise", "none"] = Field(
        "scenes", description="what is new at each presentation in training: place and noise, the noise, or nothing"
    )

    def files(self) -> dict[str, Path]:
        """Return the files of the photographs; see ``StimulusConfig.files``."""
        return photograph_files(SHOWN)

    def build(self, seed: int, device: torch.device | str = "cpu") -> MovingFrameSet:
        """Cut the frames of one seed; see `StimulusConfig.build`.

        Raises
        ------
        BadInput
            If scikit-image is missing, or the window does not fit.
        """
        return MovingFrameSet(self, seed, device)


class MovingFrameSet(CutSet):
    """The frames of one seed."""

    kind = "moving-frames"
    drawn = (2,)

    def __init__(self, config: MovingFrames, seed: int, device: torch.device | str = "cpu") -> None:
        import torch

        self.config, self.noise = config, config.noise
        self.shape = (1, config.size, config.size)
        self.class_names = tuple(f"{picture} {motion}" for picture in SHOWN for motion in MOTIONS)
        classes = torch.arange(self.n_classes, device=device)
        self.tasks = {"picture": classes // len(MOTIONS), "motion": classes % len(MOTIONS)}
        self._photographs, self._first, self._places = _canvas(config, device)
        self._drift = torch.tensor(list(MOTIONS.values()), device=device)
        self._keep(seed, device)

    def _cut(self, split: Split, labels: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        """Cut frames ``[n, eye, 1, size, size]``; ``drawn [n, 2]`` in [0, 1) chooses where the window is between."""
        import torch

        picture, motion = labels // len(MOTIONS), labels % len(MOTIONS)
        size, step = self.config.size, self.config.step
        between = self._first[split][picture] + (drawn.double() * self._places[split][picture]).long()
        # Half of the step before the middle and half after it, so that both eyes are treated alike.
        moved = torch.tensor([-(step // 2), step - step // 2], device=labels.device)
        corner = between[:, None] + moved[:, None] * self._drift[motion][:, None]
        pixels = torch.arange(size, device=labels.device)
        rows = corner[..., 0, None, None] + pixels[:, None]
        columns = corner[..., 1, None, None] + pixels
        return self._photographs[picture[:, None, None, None], rows, columns].unsqueeze(2)


def _canvas(
    config: MovingFrames, device: torch.device | str
) -> tuple[torch.Tensor, dict[Split, torch.Tensor], dict[Split, torch.Tensor]]:
    """Return the photographs with mean 0 and variance 1, ``[picture, height, width]``, and where windows may begin.

    Of each split the first row and column, and how many there are, ``[picture, 2]``: every drift stays within the part.
    """
    import torch

    pictures = [photograph(name) for name in SHOWN]
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    canvas = torch.zeros(len(pictures), height, width)
    first: dict[Split, list[tuple[int, int]]] = {"train": [], "test": []}
    places: dict[Split, list[tuple[int, int]]] = {"train": [], "test": []}
    for number, (name, picture) in enumerate(zip(SHOWN, pictures, strict=True)):
        rows, columns = picture.shape
        standard = (picture - picture.mean()) / picture.std()
        canvas[number, :rows, :columns] = torch.from_numpy(np.asarray(standard, np.float32))
        border = round(_TRAIN_SHARE * columns)
        parts: dict[Split, tuple[int, int]] = {"train": (0, border), "test": (border, columns)}
        for split, (start, stop) in parts.items():
            room = (rows - config.size - 2 * config.step, stop - start - config.size - 2 * config.step)
            if min(room) < 1:
                raise BadInput(
                    f"stimulus: a window of {config.size} pixels that drifts by {config.step} does not fit into the "
                    f"{split} part of photograph {name!r}; accepted are a smaller size or step"
                )
            first[split].append((config.step, start + config.step))
            places[split].append((room[0] + 1, room[1] + 1))
    return (
        canvas.to(device),
        {split: torch.tensor(found, device=device) for split, found in first.items()},
        {split: torch.tensor(found, device=device) for split, found in places.items()},
    )
