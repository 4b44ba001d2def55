"""Split images: each eye sees the outer columns of one image, as in Kleinman, Achille & Soatto (CVPR 2023)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, model_serializer, model_validator

from binocular.stimuli.base import Split, StimulusConfig, StimulusSet, seen_columns
from binocular.stimuli.datasets import IMAGES_OF, Dataset, files_of, load_images
from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import class_folders
from binocular.stimuli.images import ImageData, Request, scaled
from binocular.stimuli.places import from_home

if TYPE_CHECKING:
    import torch

__all__ = ["SplitImageSet", "SplitImages", "crop_and_flip", "fit_canvas"]

_NATURAL_SIZE: dict[Dataset, int] = {"photographs": 32, "fashion-mnist": 28, "cifar-10": 32, "folder": 32}


class SplitImages(StimulusConfig):
    """Images of which the left eye sees the left columns and the right eye the right ones; the rest is grey.

    The published setting is CIFAR-10 with ``visible = 16`` of 32 columns (14 and 18 as variants) and
    ``augment = "crop-flip"``: the whole image is moved and mirrored before it is split, so that both eyes always see
    the same image and the left eye always its left part. Cropping shows mean grey beyond the border, as the released
    code does (it pads with the mean colour).

    Deviation: channels are divided by the s.d. of the training pixels (0.247, 0.243, 0.262 for CIFAR-10); the released
    code divides by the average s.d. within an image (0.202, 0.199, 0.201), so that its contrast is a fifth to a third
    higher.
    """

    kind: Literal["split-images"] = "split-images"
    dataset: Dataset = Field("photographs", description="image set")
    path: str | None = Field(
        None, min_length=1, description="where the set lies; else the folder in BINOCULAR_DATA or the system's places"
    )
    download: bool = Field(False, description="fetch the set from its public address where it is not found")
    size: int | None = Field(
        None, ge=8, le=256, description="height and width in pixels; by default the set's own (32, Fashion-MNIST 28)"
    )
    fit: Literal["pad", "resize"] = Field(
        "pad", description="how images of another size get there: by continuing their border pixels, or by scaling"
    )
    visible: int | None = Field(
        None, ge=1, description="columns that each eye sees, from its side; by default half, the full size for all"
    )
    n_train: int | None = Field(None, ge=2, description="images to learn from; by default all, 5,000 photographs")
    n_test: int | None = Field(None, ge=1, description="images to test with; by default all, 1,000 photographs")
    augment: Literal["none", "crop-flip"] = Field(
        "none", description="what is done to a training image each time, before it is split"
    )
    padding: int = Field(4, ge=0, le=64, description='largest shift in pixels, for augment "crop-flip"')
    bit_depth: int | None = Field(
        None,
        ge=1,
        le=32,
        description='bits in use in pictures of more than 8 bits, such as 12, for dataset "folder"; white is then '
        "2 ** bit_depth - 1. By default what the files say, checked over the set",
    )

    @model_serializer(mode="wrap")
    def _without_newer_defaults(self, handler: Any) -> dict[str, Any]:
        # Protocols from before this field keep their text and their hash.
        table = handler(self)
        if self.bit_depth is None:
            table.pop("bit_depth", None)
        return table

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if self.visible is not None and self.visible > self.canvas:
            raise ValueError(f"visible {self.visible} is more than the {self.canvas} columns of the image")
        if self.fit == "pad" and self.dataset in {"fashion-mnist", "cifar-10"}:
            natural = _NATURAL_SIZE[self.dataset]
            if self.canvas < natural:
                raise ValueError(f'size {self.canvas} would cut images of {natural} pixels; set fit = "resize"')
        if self.bit_depth is not None and self.dataset != "folder":
            raise ValueError(f'bit_depth has no use for dataset "{self.dataset}", whose images have 8 bits')
        return self

    @property
    def canvas(self) -> int:
        """Height and width of what one eye sees, in pixels."""
        return _NATURAL_SIZE[self.dataset] if self.size is None else self.size

    @property
    def columns(self) -> int:
        """Columns that each eye sees."""
        return self.canvas // 2 if self.visible is None else self.visible

    @property
    def _request(self) -> Request:
        return Request(self.canvas, self.n_train, self.n_test, self.path, self.download, self.bit_depth)

    def files(self) -> dict[str, Path]:
        """Return the files of the image set; see ``StimulusConfig.files``."""
        return files_of(self.dataset, self._request)

    def counts(self) -> tuple[int, int]:
        """Return how many images there are to learn from and to test with; see ``StimulusConfig.counts``."""
        n_train, n_test = IMAGES_OF.get(self.dataset, (0, 0))
        folder = from_home(self.path) if self.dataset == "folder" and self.path else None
        if folder is not None and folder.is_dir() and None in (self.n_train, self.n_test):
            files = class_folders(folder).files
            n_train, n_test = len(files["train"]), len(files["test"])
        return self.n_train or n_train, self.n_test or n_test

    def memory(self) -> int:
        """Return the bytes of the images, a byte a pixel and colour; see ``StimulusConfig.memory``."""
        return sum(self.counts()) * (1 if self.dataset == "fashion-mnist" else 3) * self.canvas**2

    def build(self, seed: int, device: torch.device | str = "cpu") -> SplitImageSet:
        """Load the images, which are the same for all seeds; see `StimulusConfig.build`.

        Raises
        ------
        BadInput
            If the set cannot be found or read, or is smaller than asked for.
        """
        return SplitImageSet(self, device)


class SplitImageSet(StimulusSet):
    """Images on a device, split between the eyes when presented.

    Parameters
    ----------
    config
        What is asked for.
    device
        Where the stimuli live.
    data
        Images already in memory; those that ``config`` names are loaded where it is left out.

    Attributes
    ----------
    config
        What was asked for.
    mean, deviation
        Of the training pixels of each channel, ``[channels]``, on the scale from 0 to 255.
    """

    kind = "split-images"

    def __init__(self, config: SplitImages, device: torch.device | str = "cpu", data: ImageData | None = None) -> None:
        import torch

        self.config, self.columns = config, config.columns
        if data is None:
            data = load_images(config.dataset, config._request)
        images = {part: fit_canvas(data.images[part], config.canvas, config.fit) for part in data.images}
        channels = images["train"].shape[1]
        self.shape = (channels, config.canvas, config.canvas)
        self.class_names, self.notes = data.class_names, data.notes
        self.tasks = {}
        parts: tuple[Split, ...] = ("train", "test")
        self.labels = {part: torch.from_numpy(data.labels[part]).to(device) for part in parts}
        # 8 bits a pixel on the device: 50,000 images of CIFAR-10 are 154 MB instead of 614.
        self._images = {part: torch.from_numpy(np.ascontiguousarray(images[part])).to(device) for part in parts}
        mean, deviation = _channel_statistics(images["train"])
        self.mean = torch.from_numpy(mean).float().to(device)
        self.deviation = torch.from_numpy(deviation).float().to(device)
        self._seen = seen_columns(config.canvas, config.columns, device)

    def views(self, split: Split, index: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Present images to both eyes; see ``StimulusSet.views``."""
        import torch

        images = self._images[split][index].float()
        images = (images - self.mean.view(-1, 1, 1)) / self.deviation.view(-1, 1, 1)
        if split == "train" and self.config.augment == "crop-flip":
            if generator is None:
                raise ValueError("training images are moved and mirrored at random: pass a generator on their device")
            images = crop_and_flip(images, self.config.padding, generator)
        # where and not a product: what an eye does not see is zero, without a sign.
        return torch.where(self._seen, images.unsqueeze(1), torch.zeros((), device=images.device))


def _channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and s.d. of each channel, from a histogram of its 256 values: exact, and without a large copy."""
    mean, deviation = [], []
    values = np.arange(256.0)
    for channel in range(images.shape[1]):
        counts = np.bincount(images[:, channel].ravel(), minlength=256)
        average = (counts * values).sum() / counts.sum()
        variance = (counts * (values - average) ** 2).sum() / counts.sum()
        mean.append(average)
        deviation.append(max(variance**0.5, 1.0))
    return np.array(mean), np.array(deviation)


def fit_canvas(images: np.ndarray, size: int, fit: Literal["pad", "resize"]) -> np.ndarray:
    """Bring images to a square canvas.

    Parameters
    ----------
    images
        ``[n, channels, height, width]`` uint8.
    size
        Height and width of the canvas.
    fit
        ``"pad"`` puts them in the middle and continues their border pixels, ``"resize"`` scales them.

    Returns
    -------
    numpy.ndarray
        ``[n, channels, size, size]`` uint8.

    Raises
    ------
    BadInput
        If images that are to be padded are larger than the canvas.
    """
    height, width = images.shape[-2:]
    if (height, width) == (size, size):
        return images
    if fit == "pad":
        if max(height, width) > size:
            raise BadInput(
                f'stimulus.size: a canvas of {size} would cut images of {height} x {width} pixels; set fit = "resize"'
            )
        above, before = (size - height) // 2, (size - width) // 2
        margins = ((0, 0), (0, 0), (above, size - height - above), (before, size - width - before))
        return np.pad(images, margins, mode="edge")
    return scaled(images, size)


def crop_and_flip(images: torch.Tensor, padding: int, generator: torch.Generator) -> torch.Tensor:
    """Move each image by up to ``padding`` pixels and mirror half of them left to right.

    Parameters
    ----------
    images
        ``[batch, channels, height, width]``, 0 = grey.
    padding
        Largest shift along each side in pixels; grey moves in.
    generator
        Source of shifts and mirrorings, on the device of the images.

    Returns
    -------
    torch.Tensor
        Of the shape of ``images``, which stay as they are.
    """
    import torch
    from torch.nn.functional import pad

    batch, _, height, width = images.shape
    device = images.device
    shift = torch.randint(2 * padding + 1, (2, batch, 1), generator=generator, device=device)
    mirrored = torch.rand((batch, 1), generator=generator, device=device) < 0.5
    column = torch.arange(width, device=device)
    rows = shift[0] + torch.arange(height, device=device)
    columns = shift[1] + torch.where(mirrored, width - 1 - column, column)
    which = torch.arange(batch, device=device).view(-1, 1, 1)
    framed = pad(images, (padding, padding, padding, padding)).permute(0, 2, 3, 1)
    return framed[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
