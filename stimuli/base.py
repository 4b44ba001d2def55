"""What every two-eyed stimulus offers: a checked configuration that builds a set of stimuli on a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from binocular.stimuli.content import digest_of_files, digest_of_values
from binocular.stimuli.kinds import OfKind
from binocular.stimuli.surroundings import own_settings
from binocular.stimuli.user_code import code_of, is_shipped

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch

__all__ = ["LEFT", "RIGHT", "Split", "StimulusConfig", "StimulusSet", "seen_columns"]

LEFT, RIGHT = 0, 1
Split = Literal["train", "test"]


def seen_columns(width: int, visible: int, device: torch.device | str = "cpu") -> torch.Tensor:
    """Return which columns each eye sees, ``[eye, 1, 1, width]`` booleans.

    Parameters
    ----------
    width, visible
        Columns of the canvas, and how many of them an eye sees from its outer side: the left eye the first ones.
    device
        Where the stimuli live.
    """
    import torch

    column = torch.arange(width, device=device)
    return torch.stack([column < visible, column >= width - visible]).view(2, 1, 1, -1)


class StimulusConfig(OfKind, BaseModel):
    """Checked description of a stimulus; those that ship set ``kind`` and are in ``binocular.stimuli.STIMULI``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str

    places: ClassVar[tuple[str, ...]] = ("path", "download")
    """Fields that say where data lie or come from: what lies there decides what is seen, not where."""

    from_settings_alone: ClassVar[bool] = False
    """Whether the stimuli are made of their settings, without files or code from elsewhere."""

    former_names: ClassVar[tuple[str, ...]] = ()
    """Names that fields had once, which the configuration takes with a word of advice."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Let every stimulus be built under the settings of this project, whatever those of the program are."""
        super().__init_subclass__(**options)
        if "build" in vars(cls):
            cls.build = own_settings()(cls.build)

    def files(self) -> Mapping[str, Path]:
        """Return the files whose content decides the stimuli, by a name that does not depend on where they lie."""
        return {}

    def content(self) -> dict[str, Any]:
        """Return all that decides the stimuli of a seed, as plain data: the settings, the files, code of a user.

        Stimuli of a user's class count with what they hold for seed 0, since nobody knows which files they are made of.

        Raises
        ------
        BadInput
            If the data cannot be found or read.
        """
        settings = self.model_dump(mode="json", exclude=set(self.places))
        about: dict[str, Any] = {"settings": settings, "files": digest_of_files(self.files())}
        if not is_shipped(type(self)):
            about |= {"code": code_of(type(self)), "values": digest_of_values(self.build(0))}
        return about

    def references(self) -> tuple[str, ...]:
        """Return the classes of a user, ``module:Class``, that are needed to build the stimuli."""
        return ()

    def counts(self) -> tuple[int, int]:
        """Return how many stimuli there are to learn from and to test with; 0 where that is not known beforehand."""
        found = [getattr(self, name, None) for name in ("n_train", "n_test")]
        n_train, n_test = (number if isinstance(number, int) else 0 for number in found)
        return n_train, n_test

    def memory(self) -> int:
        """Return about how many bytes the stimuli of a seed take, before they are made; 0 where that is not known."""
        sides = [getattr(self, name, None) for name in ("canvas", "size")]
        side = next((side for side in sides if isinstance(side, int)), 0)
        return sum(self.counts()) * 2 * side**2 * 4

    def build(self, seed: int, device: torch.device | str = "cpu") -> StimulusSet:
        """Return the stimuli of one seed as tensors, 0 = grey.

        Parameters
        ----------
        seed
            Seed of the subject; what is made beforehand is the same on every kind of device.
        device
            Where the stimuli live.
        """
        raise NotImplementedError

    def sample(self) -> StimulusSet:
        """Return a few stimuli for checks: shape, classes and tasks count. By default all, so that all are checked."""
        return self.build(0)


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
    notes
        What a person should know of how the stimuli were read, one sentence each.
    disparity
        Pixels between the eyes by which near and far differ, where a subclass can draw scenes of other disparities or
        textures that agree less (``scenes_at``, as `StereoSceneSet` has it); None where it cannot.
    noise
        S.d. of the sensory noise of each pixel, for both eyes or (left, right); probes show the same.
    columns
        How many columns each eye sees from its outer side; None where it sees the whole image.
    """

    kind: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    tasks: dict[str, torch.Tensor]
    labels: dict[Split, torch.Tensor]
    notes: tuple[str, ...] = ()
    disparity: float | None = None
    noise: float | tuple[float, float] = 0.0
    columns: int | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def chance(self) -> dict[str, float]:
        """Share of right answers by guessing, for every accuracy in a history: of the classes and of each task."""
        classes = dict.fromkeys(("test_accuracy", "accuracy_left_only", "accuracy_right_only"), 1 / self.n_classes)
        return classes | {task: 1 / (int(values.max()) + 1) for task, values in self.tasks.items()}

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

    def pictures(self, n: int | None = None, split: Split = "test", seed: int = 0) -> tuple[np.ndarray, list[str]]:
        """Return the first stimuli of a split as plain arrays, for a look at them without PyTorch.

        Parameters
        ----------
        n
            How many; all by default.
        split
            ``"test"``, or ``"train"`` with noise and augmentation as at one presentation.
        seed
            Of that noise and augmentation.

        Returns
        -------
        tuple
            Views ``[n, eye, channel, height, width]`` float32, eye 0 = left, and the name of the class of each.

        Examples
        --------
        >>> from binocular import stimuli
        >>> scenes = stimuli.StereoScenes(n_train=8, n_test=8).build(seed=0)
        >>> views, names = scenes.pictures(2)
        >>> views.shape, names
        ((2, 2, 1, 16, 16), ['square near', 'square far'])
        """
        import torch

        from binocular.stimuli.streams import stream

        labels = self.labels[split][:n]
        generator = stream(seed, "sheet", device=labels.device) if split == "train" else None
        views = self.views(split, torch.arange(len(labels), device=labels.device), generator)
        return views.detach().cpu().numpy(), [self.class_names[label] for label in labels.tolist()]
