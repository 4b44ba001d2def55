"""What every two-eyed stimulus offers: a checked configuration that builds a set of stimuli on a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import torch

__all__ = ["LEFT", "RIGHT", "Split", "StimulusConfig", "StimulusSet"]

LEFT, RIGHT = 0, 1
Split = Literal["train", "test"]


class StimulusConfig(BaseModel):
    """Checked description of a stimulus; subclasses set ``kind`` and are listed in ``stimuli.STIMULI``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str

    def build(self, seed: int, device: torch.device | str = "cpu") -> StimulusSet:
        """Return the stimuli of one seed as tensors on a device."""
        raise NotImplementedError


class StimulusSet(ABC):
    """Two-eyed stimuli that live on a device.

    Pixels are zero-centred: 0 is grey, the mean luminance, so an eye that sees nothing is exactly zero.

    Attributes
    ----------
    kind
        Name of the stimulus.
    shape
        (channels, height, width) of what one eye sees.
    class_names
        One name per class.
    tasks
        For each readout the value of each class, ``[n_classes]`` int64; empty where the classes are the only task.
    labels
        Class of each stimulus, ``[n]`` int64, for the splits ``"train"`` and ``"test"``.
    """

    kind: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    tasks: dict[str, torch.Tensor]
    labels: dict[Split, torch.Tensor]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @abstractmethod
    def views(self, split: Split, index: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Present stimuli to both eyes.

        Parameters
        ----------
        split
            ``"train"`` draws fresh sensory noise and augmentation from ``generator``; ``"test"`` is deterministic and
            takes None.
        index
            Which stimuli, ``[batch]`` int64.
        generator
            Source of noise and augmentation, on the device of the stimuli.

        Returns
        -------
        torch.Tensor
            ``[batch, eye, channel, height, width]`` float32, eye 0 = left.
        """
