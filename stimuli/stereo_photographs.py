"""Patches of real stereo pairs, with the eyes converged before or behind what they look at.

The eyes look at one place of a scene that two cameras saw. Where they converge a little behind the surface there, it
appears near (crossed disparity), where they converge before it, far. Which of the two it is stands in neither eye's
picture: both are the same cuts of the same photographs, taken a little further left or right. Which part of the
scene they look at stands in both, so that either eye is enough for it, as for the outline of `StereoScenes`.

Places to learn from and places to test with lie in different rows of the photographs and share no pixel.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from binocular.stimuli.base import Split, StimulusConfig, StimulusSet
from binocular.stimuli.cuts import CutSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.stereo_pairs import StereoPair, files_of_pairs, load_pairs, reduced

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = ["PARTS", "StereoPhotographSet", "StereoPhotographs"]

PARTS = ("far left", "left", "right", "far right")
_BANDS, _TEST_BANDS = 8, (1, 5)  # of rows, and which of them are kept for tests
_FLAT_SHARE = 0.8  # of a patch
_FEWEST = 8  # places of a part, below which it cannot be learned


class StereoPhotographs(StimulusConfig):
    """Patches of rectified stereo pairs; classes are part of the scene x depth.

    ``tasks`` are ``part`` (which of the scene, 0 to 3, as in `PARTS`) and ``stereopsis`` (0 near, 1 far).
    The pair that ships is the motorcycle of Middlebury 2014 (Scharstein et al. 2014), from scikit-image's wheel.
    """

    kind: Literal["stereo-photographs"] = "stereo-photographs"
    path: str | None = Field(
        None, description="folder of rectified pairs with disparity maps; by default the pair of scikit-image"
    )
    size: int = Field(16, ge=8, le=256, description="height and width of what one eye sees, in pixels")
    reduction: int = Field(1, ge=1, le=32, description="pixels of the photograph along the side of one that is shown")
    n_train: int = Field(2000, ge=1, le=2_000_000, description="presentations of an epoch of learning")
    n_test: int = Field(1000, ge=1, le=2_000_000, description="patches to test with")
    disparity: int = Field(2, ge=1, le=64, description="between the eyes, of the surface that is looked at, in pixels")
    flatness: float = Field(
        1.0,
        gt=0,
        le=64,
        description="most that four fifths of a patch may differ in disparity from its middle, in pixels",
    )
    noise: Annotated[float, Field(ge=0, le=100)] = Field(0.3, description="s.d. of the noise of each pixel of each eye")
    fresh: Literal["scenes", "noise", "none"] = Field(
        "scenes", description="what is new at each presentation in training: place and noise, the noise, or nothing"
    )
    disparity_scale: float = Field(
        256.0, gt=0, allow_inf_nan=False, description="value of one pixel of disparity in a map stored as PNG"
    )
    viewing_distance: float = Field(57.0, gt=0, le=1e6, description="of the eyes from the picture, in cm")
    pixel_pitch: float = Field(0.05, gt=0, le=1e3, description="side of a pixel on the picture, in cm")

    @property
    def arcmin_per_pixel(self) -> float:
        """Visual angle of one pixel at the viewing distance, in arc minutes."""
        return 60 * math.degrees(math.atan(self.pixel_pitch / self.viewing_distance))

    @property
    def disparity_arcmin(self) -> float:
        """Disparity of the surface that is looked at, in arc minutes at the viewing distance."""
        return self.disparity * self.arcmin_per_pixel

    def files(self) -> dict[str, Path]:
        """Return the files of the pairs; see ``StimulusConfig.files``."""
        return files_of_pairs(self.path)

    def sample(self) -> StimulusSet:
        """Return a few stimuli for checks; see ``StimulusConfig.sample``."""
        few = {"n_train": min(self.n_train, 32), "n_test": min(self.n_test, 32)}
        return self.model_copy(update=few).build(0)

    def build(self, seed: int, device: torch.device | str = "cpu") -> StereoPhotographSet:
        """Cut the patches of one seed; see `StimulusConfig.build`.

        Raises
        ------
        BadInput
            If a pair cannot be read, or has too few flat places of known disparity.
        """
        return StereoPhotographSet(self, seed, device)


class StereoPhotographSet(CutSet):
    """The patches of one seed.

    Attributes
    ----------
    places
        For each split and part the places that can be looked at, ``[n, 4]`` int64: pair, row and column of the
        middle in the left photograph, disparity rounded to whole pixels.
    """

    kind = "stereo-photographs"

    def __init__(self, config: StereoPhotographs, seed: int, device: torch.device | str = "cpu") -> None:
        import torch

        self.config, self.noise = config, config.noise
        self.shape = (1, config.size, config.size)
        self.class_names = tuple(f"{part} {depth}" for part in PARTS for depth in ("near", "far"))
        classes = torch.arange(self.n_classes, device=device)
        self.tasks = {"part": classes // 2, "stereopsis": classes % 2}
        pairs = [reduced(pair, config.reduction) for pair in load_pairs(config.path, config.disparity_scale)]
        self._photographs = _canvas(pairs).to(device)
        found = _places(pairs, config)
        self.places = {split: [torch.from_numpy(q).to(device) for q in parts] for split, parts in found.items()}
        self._keep(seed, device)

    def _cut(self, split: Split, labels: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        """Cut patches ``[n, eye, 1, size, size]``; ``drawn [n]`` in [0, 1) chooses among the places of each part."""
        import torch

        place = torch.empty(len(labels), 4, dtype=torch.int64, device=labels.device)
        for part, known in enumerate(self.places[split]):
            chosen = labels // 2 == part
            place[chosen] = known[(drawn[chosen].double() * len(known)).long()]
        pair, row, column, disparity = place.unbind(1)
        # The eyes' cuts move apart by the disparity, half each. A near surface lies further right in the left eye: the
        # left cut begins further left.
        near = labels % 2 == 0
        size = self.config.size
        half = torch.tensor([-(-self.config.disparity // 2), self.config.disparity // 2], device=labels.device)
        sign = torch.where(near, 1, -1)
        starts = torch.stack([column - sign * half[0], column - disparity + sign * half[1]], 1) - size // 2
        pixels = torch.arange(size, device=labels.device)
        rows = (row - size // 2)[:, None, None, None] + pixels[:, None]
        columns = starts[:, :, None, None] + pixels
        eyes = torch.arange(2, device=labels.device)[:, None, None]
        return self._photographs[pair[:, None, None, None], eyes, rows, columns].unsqueeze(2)


def _canvas(pairs: list[StereoPair]) -> torch.Tensor:
    """Return all photographs with mean 0 and variance 1, ``[pair, eye, height, width]``, zero beyond smaller ones."""
    import torch

    height, width = (max(pair.left.shape[axis] for pair in pairs) for axis in (0, 1))
    canvas = torch.zeros(len(pairs), 2, height, width)
    for i, pair in enumerate(pairs):
        both = np.stack([pair.left, pair.right])
        both = (both - both.mean()) / max(float(both.std()), 1e-6)
        canvas[i, :, : both.shape[1], : both.shape[2]] = torch.from_numpy(both.astype(np.float32))
    return canvas


def _flat(disparity: np.ndarray, size: int, most: float) -> np.ndarray:
    """Say of each patch, by its first row and column, whether most of it lies at the depth of its middle."""
    windows = np.lib.stride_tricks.sliding_window_view(disparity, (size, size))
    flat = np.empty(windows.shape[:2], bool)
    for row, along in enumerate(windows):  # row by row: all at once would take a thousand times the map
        middle = along[:, size // 2, size // 2]
        with np.errstate(invalid="ignore"):  # NaN, where the disparity is not known, lies at no depth
            flat[row] = (np.abs(along - middle[:, None, None]) <= most).mean((1, 2)) >= _FLAT_SHARE
    return flat


def _places(pairs: list[StereoPair], config: StereoPhotographs) -> dict[Split, list[np.ndarray]]:
    """Return where one can look, by split and part; see ``StereoPhotographSet.places``."""
    size, shift = config.size, -(-config.disparity // 2)
    found: dict[Split, list[list[np.ndarray]]] = {split: [[] for _ in PARTS] for split in ("train", "test")}
    for number, pair in enumerate(pairs):
        height, width = pair.left.shape
        if height < size or width < size:
            raise BadInput(
                f"the pair {pair.name!r} has {width} x {height} pixels after stimulus.reduction = {config.reduction}; "
                f"stimulus.size = {size} needs more"
            )
        top, start = np.nonzero(_flat(pair.disparity, size, config.flatness))
        row, column = top + size // 2, start + size // 2
        disparity = np.rint(pair.disparity[row, column]).astype(np.int64)
        # Both cuts lie on the photographs, however the eyes converge.
        fits = (start >= shift) & (start + size + shift <= width)
        fits &= (start - disparity >= shift) & (start - disparity + size + shift <= width)
        # Some bands of rows are kept for tests, and no patch reaches across.
        bands = np.linspace(0, height, _BANDS + 1).astype(int)
        band = np.searchsorted(bands, top, "right") - 1
        fits &= top + size <= bands[band + 1]
        test = np.isin(band, _TEST_BANDS)
        part = column * len(PARTS) // width
        place = np.stack([np.full_like(row, number), row, column, disparity], 1).astype(np.int64)
        for q in range(len(PARTS)):
            found["train"][q].append(place[~test & fits & (part == q)])
            found["test"][q].append(place[test & fits & (part == q)])
    joined: dict[Split, list[np.ndarray]] = {
        split: [np.concatenate(part) for part in parts] for split, parts in found.items()
    }
    for split, parts in joined.items():
        for name, known in zip(PARTS, parts, strict=True):
            if len(known) < _FEWEST:
                raise BadInput(
                    f"stimulus: the stereo pairs have {len(known)} flat places of known disparity in the {name} "
                    f"part to {'learn from' if split == 'train' else 'test with'}; {_FEWEST} are needed: accepted "
                    "are a smaller size, a larger flatness, another reduction, or more pairs"
                )
    return joined
