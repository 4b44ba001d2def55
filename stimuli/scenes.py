"""Stereo scenes: a textured figure before or behind a textured background, as the two eyes see it.

Geometry
--------
The left eye sees near things further to the right than the right eye does (crossed disparity), and far things further
to the left: hold up a finger before a distant wall and close one eye after the other. Relative to the background a near
figure therefore lies ``disparity`` pixels further to the right in the left eye than in the right eye.

Which eye can see depth alone?
------------------------------
Texture moves with its surface, so the shift of a texture cannot be seen in one eye. The shift of an outline can: where
the background has zero disparity (``fixation = "background"``) the outline of a near figure lies ``disparity / 2`` to
the right in the left eye. Jitter of the position hides that only in part, for any jitter of finite width: the mean
positions of near and far differ by ``disparity`` in each eye. With a uniform jitter of +-J pixels, one eye knows near
from far with probability 1/2 + disparity / (2 (2J + 1)): 0.64 for J = 3, 0.70 for J = 2 and a disparity of 2. With
``fixation = "figure"``, the default, the eyes converge on the figure: its outline has zero disparity, and the
background, which has no outline, is shifted instead. Position in one eye is then the same for near and far, exactly.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from binocular.stimuli.base import LEFT, RIGHT, Split, StimulusConfig, StimulusSet
from binocular.stimuli.errors import warn
from binocular.stimuli.outlines import OUTLINES, Outline, figure_mask
from binocular.stimuli.photographs import TEXTURED, photograph_files
from binocular.stimuli.streams import stream
from binocular.stimuli.textures import Texture, draw_textures, moved_noise

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = ["DEPTHS", "StereoSceneSet", "StereoScenes"]

DEPTHS = ("near", "far")
Fresh = Literal["scenes", "noise", "none"]

NonNegative = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
PerEye = NonNegative | tuple[NonNegative, NonNegative]


def _pair(value: float | tuple[float, float]) -> tuple[float, float]:
    """Return a value for the left and for the right eye."""
    return value if isinstance(value, tuple) else (value, value)


class StereoScenes(StimulusConfig):
    """One figure on a background; classes are outline x depth, so that one readout needs both eyes at once.

    Texture fills figure and background alike, and the figure is ``figure_mean`` brighter on average. Every eye adds its
    own noise. ``tasks`` are ``outline`` (which figure) and ``stereopsis`` (0 near, 1 far).

    The published networks were not trained on such scenes: this is the task that needs both eyes ('synergy') in the
    sense of Kleinman, Achille & Soatto (CVPR 2023), built as a random-dot stereogram (Julesz 1971) with a visible
    outline.
    """

    from_settings_alone: ClassVar[bool] = True
    former_names: ClassVar[tuple[str, ...]] = ("fresh_noise",)

    kind: Literal["stereo-scenes"] = "stereo-scenes"
    size: int = Field(16, ge=8, le=256, description="height and width of what one eye sees, in pixels")
    n_train: int = Field(2000, ge=1, le=2_000_000, description="scenes to learn from, or scenes of an epoch")
    n_test: int = Field(1000, ge=1, le=2_000_000, description="scenes to test with")
    outlines: tuple[Outline, ...] = Field(OUTLINES, min_length=1, description="figures in use, each at most once")
    radius: float | None = Field(
        None, ge=2, allow_inf_nan=False, description="half the size of a figure in pixels; by default 5/16 of the size"
    )
    disparity: int = Field(2, ge=0, description="shift between the eyes of figure against background, in pixels")
    fixation: Literal["figure", "background"] = Field(
        "figure", description="the surface on which the eyes converge, which has zero disparity"
    )
    jitter: int | None = Field(
        None, ge=0, description="largest shift of the figure from the centre, in pixels; by default 15 % of the size"
    )
    texture: Texture = Field("photographs", description="what fills figure and background")
    exponent: float = Field(1.0, ge=0, le=4, description='fall of the amplitude with frequency, for texture "1/f"')
    figure_mean: float = Field(1.0, ge=-100, le=100, description="brightness of the figure in s.d. of the texture")
    interocular_correlation: float = Field(
        1.0, ge=-1, le=1, description="correlation of the eyes' textures: 1 the same, 0 unrelated, -1 negative"
    )
    contrast: PerEye = Field(1.0, description="factor on the scene, for both eyes or [left, right]")
    noise: PerEye = Field(0.5, description="s.d. of the noise of each pixel, for both eyes or [left, right]")
    fresh: Fresh = Field(
        "none",
        description="what is new at each presentation in training: the scene (texture, place and noise), its noise, "
        "or nothing",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_the_old_name(cls, mapping: Any) -> Any:
        if not isinstance(mapping, dict) or "fresh_noise" not in mapping:
            return mapping
        named = {name: value for name, value in mapping.items() if name != "fresh_noise"}
        old = mapping["fresh_noise"]
        if not isinstance(old, bool):
            raise ValueError(
                f"fresh_noise must be true or false, not {old!r}; it is now fresh = 'scenes', 'noise' or 'none'"
            )
        # Only a person writes the old name, perhaps over a protocol that has the new one: what he says counts.
        fresh = "noise" if old else "none"
        warn(f"stimulus.fresh_noise = {str(old).lower()} is now stimulus.fresh = '{fresh}'")
        return {**named, "fresh": fresh}

    @model_validator(mode="after")
    def _figures_fit(self) -> Self:
        if len(set(self.outlines)) != len(self.outlines):
            raise ValueError(f"outlines must name each figure at most once, not {', '.join(self.outlines)}")
        if self.disparity >= self.size:
            raise ValueError(
                f"disparity {self.disparity} must be less than size {self.size}, or nothing is in both eyes"
            )
        reach = self.figure_reach + self.eye_shift
        room = self.size // 2
        if reach > room:
            raise ValueError(
                f"radius {self.figure_radius:g} at disparity {self.disparity} does not fit into size {self.size}; "
                "use a smaller radius or disparity, or a larger size"
            )
        if self.jitter is not None and self.jitter > room - reach:
            raise ValueError(
                f"jitter {self.jitter} moves the figure off the canvas; at size {self.size}, radius "
                f"{self.figure_radius:g} and disparity {self.disparity} at most {room - reach} is accepted"
            )
        return self

    @property
    def figure_radius(self) -> float:
        """Half the size of a figure in pixels."""
        return self.size * 5 / 16 if self.radius is None else self.radius

    @property
    def figure_reach(self) -> int:
        """Pixels from the centre of the canvas to the end of the largest figure, without any shift."""
        centre_to_pixel = 0.0 if self.size % 2 else 0.5
        scale = 0.75 if set(self.outlines) == {"square"} else 1.0
        return math.floor(self.figure_radius * scale - centre_to_pixel + 1e-9) + (0 if self.size % 2 else 1)

    @property
    def eye_shift(self) -> int:
        """Largest shift of the figure's outline in one eye, in pixels."""
        return -(-self.disparity // 2) if self.fixation == "background" else 0

    @property
    def position_jitter(self) -> int:
        """Largest shift of the figure from the centre, common to both eyes, in pixels."""
        if self.jitter is not None:
            return self.jitter
        return min(round(0.15 * self.size), self.size // 2 - self.figure_reach - self.eye_shift)

    def files(self) -> dict[str, Path]:
        """Return the photographs that textures are cut from; see ``StimulusConfig.files``."""
        return photograph_files(TEXTURED) if self.texture == "photographs" else {}

    def sample(self) -> StimulusSet:
        """Return a few stimuli for checks; see ``StimulusConfig.sample``."""
        few = {"n_train": min(self.n_train, 32), "n_test": min(self.n_test, 32)}
        return self.model_copy(update=few).build(0)

    def build(self, seed: int, device: torch.device | str = "cpu") -> StereoSceneSet:
        """Draw the scenes of one seed; see `StimulusConfig.build`.

        Raises
        ------
        BadInput
            If the photographs cannot be read.
        """
        return StereoSceneSet(self, seed, device)


class StereoSceneSet(StimulusSet):
    """The scenes of one seed.

    Attributes
    ----------
    config
        What was asked for.
    position
        Shift (right, down) of each figure from the centre in pixels, the mean of both eyes, ``[n, 2]`` int64 per split;
        not there for training scenes that are new at each presentation.
    """

    kind = "stereo-scenes"

    def __init__(self, config: StereoScenes, seed: int, device: torch.device | str = "cpu") -> None:
        import torch

        self.config, self._device = config, device
        self.disparity, self.noise = config.disparity, config.noise
        self.shape = (1, config.size, config.size)
        self.class_names = tuple(f"{outline} {depth}" for outline in config.outlines for depth in DEPTHS)
        classes = torch.arange(self.n_classes, device=device)
        self.tasks = {"outline": classes // 2, "stereopsis": classes % 2}
        self.labels: dict[Split, torch.Tensor] = {}
        self.position: dict[Split, torch.Tensor] = {}
        self._scenes: dict[Split, torch.Tensor] = {}
        sizes: dict[Split, int] = {"train": config.n_train, "test": config.n_test}
        for split, n in sizes.items():
            generator = stream(seed, f"stimulus/scenes/{split}")
            # Classes take turns, so that every beginning of a split is balanced to within one scene.
            labels = torch.arange(n) % self.n_classes
            self.labels[split] = labels.to(device)
            if split == "train" and config.fresh == "scenes":
                continue
            scenes, position = self._draw(labels, generator)
            self.position[split] = position.to(device)
            noise_is_fixed = split == "test" or config.fresh == "none"
            if noise_is_fixed:
                purpose = "stimulus/test-noise" if split == "test" else "stimulus/train-noise"
                scenes = scenes + self._noise(scenes, stream(seed, purpose))
            self._scenes[split] = scenes.to(device)

    def views(self, split: Split, index: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Present scenes to both eyes; see ``StimulusSet.views``.

        Where scenes are new at each presentation, ``index`` says of which class they are and nothing else.
        """
        if split == "train" and self.config.fresh == "scenes":
            if generator is None:
                raise ValueError("new scenes are drawn for training: pass a generator on their device")
            scenes, _ = self._draw(self.labels["train"][index], generator)
        else:
            scenes = self._scenes[split][index]
        if split == "train" and self.config.fresh != "none":
            scenes = scenes + self._noise(scenes, generator)
        return scenes

    @property
    def moves_by_fractions(self) -> bool:
        """Whether a disparity may be other than whole pixels: nothing but noise moves, no outline and no photograph."""
        return self.config.texture != "photographs" and self.config.fixation == "figure"

    def scenes_at(
        self,
        labels: torch.Tensor,
        generator: torch.Generator,
        correlation: float | None = None,
        disparity: float | None = None,
    ) -> torch.Tensor:
        """Draw scenes with noise in which depth is harder to see than in those of rearing.

        Parameters
        ----------
        labels
            Classes, ``[n]``, on the device of the generator.
        generator
            Source of the scenes and of their noise.
        correlation
            Of the eyes' textures, -1 to 1; by default as in rearing.
        disparity
            In pixels, by default as in rearing. Fractions are exact, where `moves_by_fractions` says that they are
            possible; in each eye the scenes have the same distribution whatever the disparity.

        Returns
        -------
        torch.Tensor
            ``[n, eye, 1, size, size]``.
        """
        scenes, _ = self._draw(labels, generator, correlation, disparity)
        return scenes + self._noise(scenes, generator)

    @cached_property
    def _noise_scale(self) -> torch.Tensor:
        import torch

        return torch.tensor(_pair(self.config.noise), device=self._device).view(2, 1, 1, 1)

    def _noise(self, scenes: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Return independent noise for every pixel of every eye."""
        import torch

        if generator is None:
            raise ValueError("fresh noise is drawn for training scenes: pass a generator on their device")
        noise = torch.randn(scenes.shape, generator=generator, device=scenes.device)
        return noise * self._noise_scale.to(scenes.device)

    def _draw(
        self,
        labels: torch.Tensor,
        generator: torch.Generator,
        correlation: float | None = None,
        disparity: float | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scenes without noise, ``[n, eye, 1, size, size]``, and the positions of their figures, ``[n, 2]``.

        Labels, generator and scenes are on one device.
        """
        import torch

        config, device = self.config, labels.device
        near = labels % 2 == 0
        jitter = config.position_jitter
        position = torch.randint(-jitter, jitter + 1, (len(labels), 2), generator=generator, device=device)

        # Shift to the right of each surface in each eye [n, eye]; crossed disparity (left minus right > 0) is near.
        whole = [-(-config.disparity // 2), -(config.disparity // 2)]
        half = torch.tensor(whole if disparity is None else [disparity / 2, -disparity / 2], device=device)
        relative = torch.where(near[:, None], half, -half)
        still = torch.zeros_like(relative)
        figure_shift, background_shift = (still, -relative) if config.fixation == "figure" else (relative, still)

        # Figure and background are cut and put together alike in both eyes, so that no eye has an edge of its own.
        agreement = config.interocular_correlation if correlation is None else correlation
        background = self._surface(background_shift, generator, agreement)
        figure = self._surface(figure_shift, generator, agreement) + config.figure_mean
        inside = self._inside(labels // 2, position, figure_shift.long())
        contrast = torch.tensor(_pair(config.contrast), device=device).view(2, 1, 1)
        return (torch.where(inside, figure, background) * contrast).unsqueeze(2), position

    def _inside(self, outline: torch.Tensor, position: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """Say which pixels of each eye belong to the figure, ``[n, eye, size, size]``."""
        reach = self.config.position_jitter + self.config.eye_shift
        right = position[:, :1] + shift + reach
        down = (position[:, 1:] + reach).expand_as(right)
        return self._masks.to(outline.device)[outline[:, None].expand_as(right), down, right]

    @cached_property
    def _masks(self) -> torch.Tensor:
        """All figures at all places, ``[outline, down, right, height, width]``, for one look-up per scene and eye."""
        import torch

        config = self.config
        reach = config.position_jitter + config.eye_shift
        places = torch.arange(-reach, reach + 1)
        pixels = torch.arange(config.size) - (config.size - 1) / 2
        offset = pixels - places[:, None]
        masks = [
            figure_mask(name, offset[None, :, None, :], offset[:, None, :, None], config.figure_radius)
            for name in config.outlines
        ]
        return torch.stack(masks).to(self._device)

    def _surface(self, shift: torch.Tensor, generator: torch.Generator, agreement: float) -> torch.Tensor:
        """Texture one surface as each eye sees it, ``[n, eye, size, size]``; ``shift [n, eye]`` moves it right."""
        import torch

        shared = self._moved(shift, generator)
        if abs(agreement) == 1:
            return torch.stack([shared[:, LEFT], shared[:, RIGHT] * agreement], dim=1)
        # Both eyes mix a shared and an own texture in the same shares: neither eye differs from the other.
        own = [self._moved(shift[:, eye : eye + 1], generator)[:, 0] for eye in (LEFT, RIGHT)]
        signs = torch.tensor([1.0, math.copysign(1.0, agreement)], device=shift.device).view(1, 2, 1, 1)
        return abs(agreement) ** 0.5 * signs * shared + (1 - abs(agreement)) ** 0.5 * torch.stack(own, dim=1)

    def _moved(self, shift: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return views of one texture per scene, ``[n, view, size, size]``, moved right by ``shift [n, view]``."""
        import torch

        config = self.config
        n, size = len(shift), config.size
        if shift.is_floating_point():
            return moved_noise(config.texture, size, size, generator, shift, config.exponent)
        margin = -(-config.disparity // 2)
        texture = draw_textures(config.texture, n, size, size + 2 * margin, generator, config.exponent)
        # What lies at a pixel of an eye is what lay as many pixels to the left of it as the surface is shifted right.
        columns = torch.arange(size, device=shift.device) + margin - shift[:, :, None]
        columns = columns[:, :, None, :].expand(n, shift.shape[1], size, size)
        return texture[:, None].expand(-1, shift.shape[1], -1, -1).gather(3, columns)
