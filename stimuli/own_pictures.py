"""Pictures of one's own, one for both eyes or one for each: from folders, from arrays, or from a Dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from weakref import finalize

import numpy as np
from pydantic import Field, model_validator

from binocular.stimuli.arrays import (
    array_files,
    as_pictures,
    bytes_of_arrays,
    image_data,
    length_of_arrays,
    load_arrays,
)
from binocular.stimuli.base import Split, StimulusConfig, StimulusSet, seen_columns
from binocular.stimuli.content import digest_of_values
from binocular.stimuli.datasets import IMAGES_OF, load_images
from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import class_folders, folder_files, load_folder
from binocular.stimuli.images import ImageData, Request
from binocular.stimuli.map_datasets import arrays_of_dataset, bytes_of_dataset, length_of_dataset
from binocular.stimuli.pair_folders import has_pairs, load_pair_folders
from binocular.stimuli.photographs import photograph_files
from binocular.stimuli.places import from_home
from binocular.stimuli.streams import stream
from binocular.stimuli.user_code import is_reference, load_class

if TYPE_CHECKING:
    import torch

__all__ = ["OwnPictureSet", "OwnPictures", "pictures_from_arrays", "pictures_from_dataset"]

_GIVEN = "given:"
_given: dict[str, dict[str, np.ndarray]] = {}
_read_last: dict[int, dict[str, np.ndarray]] = {}
"""What the Dataset held that was read last, by the identity of the configuration that names it."""
_OptionValue = bool | int | float | str


class OwnPictures(StimulusConfig):
    """Pictures of one's own, one for both eyes or one for each, from folders, arrays or a Dataset.

    ``path`` is a folder of class folders (or of train and test with such folders); or a folder of ``left`` and
    ``right``, which each hold class folders with files of the same names; or an ``.npz`` file, or a folder of ``.npy``
    files, of arrays ``images`` (or ``left`` and ``right``), ``labels`` and, where there, ``part`` and ``class_names``.
    What says ``train`` and ``test`` decides; otherwise ``test_share`` of each class is for tests, always the same
    pictures. Pictures in files are cut to the square in their middle and scaled.

    Where there is neither ``path`` nor ``dataset``, patches of scikit-image's photographs stand for them.
    """

    kind: Literal["pictures"] = "pictures"
    path: str | None = Field(None, min_length=1, description="folder or .npz file")
    dataset: str | None = Field(
        None, min_length=1, description="torch.utils.data.Dataset as module:Class, in place of path"
    )
    options: dict[str, _OptionValue] = Field({}, description="arguments of the dataset")
    test_options: dict[str, _OptionValue] | None = Field(
        None, description="arguments that make its test part; by default a share of it is for tests"
    )
    size: int | None = Field(
        None, ge=8, le=512, description="height and width in pixels; by default that of the arrays, of files 32"
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for luminance, 3 for colour; by default as the pictures are"
    )
    visible: int | None = Field(None, ge=1, description="columns that each eye sees, from its side; by default all")
    test_share: float = Field(0.2, gt=0, lt=1, description="share of each class for tests, where nothing says which")
    n_train: int | None = Field(None, ge=2, description="pictures to learn from; by default all")
    n_test: int | None = Field(None, ge=1, description="pictures to test with; by default all")
    noise: float = Field(0.0, ge=0, le=100, description="s.d. of the noise of each pixel of each eye")
    bit_depth: int | None = Field(
        None, ge=1, le=32, description="bits in use in picture files of more than 8 bits; by default what they say"
    )

    places: ClassVar[tuple[str, ...]] = ("path", "dataset", "options", "test_options")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.path is not None and self.dataset is not None:
            raise ValueError("path and dataset are both there; accepted is one of them")
        if self.dataset is None and (self.options or self.test_options is not None):
            raise ValueError("options and test_options are arguments of a dataset, and there is none; leave them out")
        if self.visible is not None and self.size is not None and self.visible > self.size:
            raise ValueError(f"visible {self.visible} is more than the {self.size} columns of the pictures")
        return self

    @property
    def _root(self) -> Path:
        return from_home(self.path or "")

    @property
    def _request(self) -> Request:
        return Request(
            self.size,
            self.n_train,
            self.n_test,
            self.path,
            bit_depth=self.bit_depth,
            grey=None if self.channels is None else self.channels == 1,
            test_share=self.test_share,
        )

    def references(self) -> tuple[str, ...]:
        """Return the Dataset, if there is one; see ``StimulusConfig.references``."""
        return (self.dataset,) if self.dataset is not None and not self.dataset.startswith(_GIVEN) else ()

    def files(self) -> dict[str, Path]:
        """Return the files of the pictures; see ``StimulusConfig.files``."""
        if self.dataset is not None:
            return {}
        if self.path is None:
            return photograph_files()
        return array_files(self._root) or folder_files(self._request)

    def content(self) -> dict[str, Any]:
        """Return all that decides the stimuli; what a Dataset holds counts, not how it is called or made."""
        about = super().content()
        return about if self.dataset is None else {**about, "values": digest_of_values(self._arrays())}

    def counts(self) -> tuple[int, int]:
        """Return how many pictures there are to learn from and to test with; see ``StimulusConfig.counts``."""
        if self.n_train is not None and self.n_test is not None:
            return self.n_train, self.n_test
        if self.dataset is not None or array_files(self._root):
            n = self._number()
            n_test = round(self.test_share * n)  # where the arrays do not say
            return self.n_train or n - n_test, self.n_test or n_test
        if self.path is not None and self._root.is_dir():
            left = self._root / "left" if has_pairs(self._root) else self._root
            files = class_folders(left, self.test_share).files
            return self.n_train or len(files["train"]), self.n_test or len(files["test"])
        n_train, n_test = IMAGES_OF["photographs"]
        return self.n_train or n_train, self.n_test or n_test

    def _number(self) -> int:
        if self.dataset is None:
            return length_of_arrays(self._root)
        if self.dataset.startswith(_GIVEN):
            return len(self._arrays()["labels"])
        return sum(length_of_dataset(*made) for made in self._datasets())

    def memory(self) -> int:
        """Return the bytes of the pictures; see ``StimulusConfig.memory``."""
        if self.dataset is not None:
            if self.dataset.startswith(_GIVEN):
                return sum(values.nbytes for values in self._arrays().values())
            return sum(bytes_of_dataset(*made) for made in self._datasets())
        if self.path is not None and array_files(self._root):
            return bytes_of_arrays(self._root)
        eyes = 2 if self.path is not None and self._root.is_dir() and has_pairs(self._root) else 1
        each = eyes * (self.channels or 3) * (self.size or 32) ** 2
        kept = 2 * 4 * (self.channels or 3) * (self.size or 32) ** 2 if self.noise else 0
        n_train, n_test = self.counts()
        return (n_train + n_test) * each + n_test * kept

    def _datasets(self) -> list[tuple[Any, str]]:
        """Make the Dataset, and that of its test part where there is one."""
        from torch.utils.data import Dataset

        reference = self.dataset or ""
        if not is_reference(reference):
            raise BadInput(f"stimulus.dataset: {reference!r} is not of the form module:Class, such as my_data:Pairs")
        make = load_class(reference, "stimulus.dataset", Dataset)
        made = []
        for field, options in (("options", self.options), ("test_options", self.test_options)):
            if options is None:
                continue
            try:
                made.append((make(**options), f"stimulus.dataset {reference}"))
            except BadInput:
                raise
            except Exception as error:  # whatever a user's Dataset raises
                raise BadInput(
                    f"stimulus.{field}: {reference} cannot be made with {options}: {type(error).__name__}: {error}"
                ) from error
        return made

    def _arrays(self) -> Mapping[str, np.ndarray]:
        """Return the arrays of a Dataset."""
        if self.dataset is not None and self.dataset.startswith(_GIVEN):
            if self.dataset not in _given:
                raise BadInput(
                    f"stimulus.dataset: the pictures {self.dataset} were given in Python and are not known to this "
                    "process; give them again, or keep them in an .npz file and name it as stimulus.path"
                )
            return _given[self.dataset]
        if (known := _read_last.get(id(self))) is not None:
            return known
        (dataset, source), *test = self._datasets()
        arrays = arrays_of_dataset(dataset, source, self.size, test[0][0] if test else None)
        _read_last.clear()  # of one Dataset at a time: its pictures may be large
        _read_last[id(self)] = arrays
        finalize(self, _read_last.pop, id(self), None)
        return arrays

    def sample(self) -> OwnPictureSet:
        """Return all pictures; those of a Dataset are read anew, and are then known to all that asks after this."""
        _read_last.pop(id(self), None)
        return self.build(0)

    def load(self) -> ImageData:
        """Read the pictures.

        Returns
        -------
        ImageData
            Images ``[n, eye, channels, height, width]``, with one eye where both see the same.

        Raises
        ------
        BadInput
            If there are none, or they cannot be used.
        """
        if self.dataset is not None:
            source = self.dataset if self.dataset.startswith(_GIVEN) else f"stimulus.dataset {self.dataset}"
            return image_data(self._arrays(), source, self._request)
        if self.path is None:
            return _of_both(load_images("photographs", self._request))
        if array_files(self._root):
            return image_data(load_arrays(self._root), str(self._root), self._request)
        if not self._root.is_dir():
            raise BadInput(
                f"stimulus.path: {self._root} is neither a folder nor an .npz file; accepted are a folder of class "
                "folders, one of left and right with class folders, an .npz file or a folder of .npy files"
            )
        return load_pair_folders(self._request) if has_pairs(self._root) else _of_both(load_folder(self._request))

    def build(self, seed: int, device: torch.device | str = "cpu") -> OwnPictureSet:
        """Read the pictures, which are the same for all seeds but for their noise; see ``StimulusConfig.build``."""
        return OwnPictureSet(self, self.load(), seed, device)


def _of_both(data: ImageData) -> ImageData:
    images = {part: pictures[:, None] for part, pictures in data.images.items()}
    return ImageData(images, data.labels, data.class_names, data.notes)


class OwnPictureSet(StimulusSet):
    """Pictures on a device.

    Attributes
    ----------
    config
        What was asked for.
    mean, deviation
        Of the training pixels of each channel, ``[channels]``, over both eyes; views have mean 0 and variance 1.
    """

    kind = "pictures"

    def __init__(self, config: OwnPictures, data: ImageData, seed: int, device: torch.device | str = "cpu") -> None:
        import torch

        self.config, self.noise = config, config.noise
        stored, side = data.images["train"].shape[2], data.images["train"].shape[-1]
        self.shape = (config.channels or stored, side, side)
        self.class_names, self.notes, self.tasks = data.class_names, data.notes, {}
        parts: tuple[Split, ...] = ("train", "test")
        self.labels = {part: torch.from_numpy(data.labels[part]).to(device) for part in parts}
        # As they are stored, mostly 8 bits a pixel: a thousand pairs of 224 x 224 in colour are 0.3 GB and not 1.2.
        self._pictures = {part: torch.from_numpy(np.ascontiguousarray(data.images[part])).to(device) for part in parts}
        mean, deviation = _moments(data.images["train"])
        self.mean, self.deviation = (torch.from_numpy(v).float().to(device) for v in (mean, deviation))
        columns = side if config.visible is None else config.visible
        if columns > side:
            raise BadInput(f"stimulus.visible: {columns} is more than the {side} columns of the pictures")
        self._seen = seen_columns(side, columns, device)
        self._noise = None
        if config.noise:
            kept = (len(data.labels["test"]), 2, *self.shape)
            self._noise = torch.randn(kept, generator=stream(seed, "stimulus/test-noise")).to(device)

    def views(self, split: Split, index: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Present pictures to both eyes; see ``StimulusSet.views``."""
        import torch

        pictures = (self._pictures[split][index].float() - self.mean.view(-1, 1, 1)) / self.deviation.view(-1, 1, 1)
        views = pictures.expand(-1, 2, *self.shape)
        if self._noise is not None and split == "test":
            views = views + self.config.noise * self._noise[index]
        elif self._noise is not None:
            assert generator is not None, "noise for training is drawn from a generator"
            noise = torch.randn(views.shape, generator=generator, device=views.device)
            views = views + self.config.noise * noise
        # where and not a product: what an eye does not see is zero, without a sign.
        return torch.where(self._seen, views, torch.zeros((), device=views.device))


def _moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and s.d. of each channel of images ``[n, eye, channels, height, width]``, a few at a time."""
    total, squares, count = 0.0, 0.0, 0
    for start in range(0, len(images), 64):
        part = images[start : start + 64].astype(np.float64)
        total, squares = total + part.sum((0, 1, 3, 4)), squares + (part**2).sum((0, 1, 3, 4))
        count += part.size // part.shape[2]
    mean = np.asarray(total) / count
    deviation = np.sqrt(np.maximum(np.asarray(squares) / count - mean**2, 0.0))
    if not deviation.any():
        raise BadInput("stimulus: all pixels of the training pictures are the same; accepted are pictures of something")
    return mean, np.where(deviation > 0, deviation, 1.0)


def pictures_from_arrays(
    images: Any = None,
    *,
    labels: Any,
    left: Any = None,
    right: Any = None,
    part: Any = None,
    class_names: Any = None,
    **fields: Any,
) -> OwnPictures:
    """Return a stimulus of pictures that are in memory.

    Parameters
    ----------
    images
        Pictures for both eyes, ``[n, height, width]`` or with 1 or 3 channels first or last, uint8 or floats.
    labels
        ``[n]`` whole numbers or texts.
    left, right
        Pictures for each eye, in place of ``images``.
    part
        ``[n]``, ``"train"`` or ``"test"``; by default a share is for tests.
    class_names
        Names by label.
    **fields
        Other fields of `OwnPictures`.

    Returns
    -------
    OwnPictures
        Known in this process only; an ``.npz`` file of the same arrays, as ``path``, is known everywhere.

    Raises
    ------
    BadInput
        If they cannot be used.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pictures = rng.integers(0, 256, (20, 12, 12), dtype=np.uint8)
    >>> stimulus = pictures_from_arrays(pictures, labels=["cat", "dog"] * 10)
    >>> stimulus.build(seed=0).shape, len(stimulus.build(seed=0).labels["test"])
    ((1, 12, 12), 4)
    """
    given = {"images": images, "left": left, "right": right, "labels": labels, "part": part, "class_names": class_names}
    arrays = {name: np.array(values) for name, values in given.items() if values is not None}
    for name in arrays.keys() & {"images", "left", "right"}:
        arrays[name] = as_pictures(arrays[name], name)  # the same pictures in another layout are the same
    return _given_as(arrays, fields)


def pictures_from_dataset(dataset: Any, test: Any = None, **fields: Any) -> OwnPictures:
    """Return a stimulus of the pictures of a Dataset, which is read once.

    Parameters
    ----------
    dataset
        A `torch.utils.data.Dataset` that gives ``(picture, label)``, ``(left, right, label)`` or
        ``((left, right), label)``; see `binocular.stimuli.map_datasets.arrays_of_dataset`.
    test
        One for the test part; by default a share of ``dataset`` is for tests.
    **fields
        Other fields of `OwnPictures`.

    Returns
    -------
    OwnPictures
        Known in this process only.

    Raises
    ------
    BadInput
        If it cannot be used.
    """
    return _given_as(arrays_of_dataset(dataset, type(dataset).__name__, fields.get("size"), test), fields)


def _given_as(arrays: dict[str, np.ndarray], fields: dict[str, Any]) -> OwnPictures:
    from binocular.stimuli.registry import checked

    name = f"{_GIVEN}{digest_of_values(arrays)}"
    _given[name] = arrays
    config = checked(OwnPictures, {**fields, "dataset": name}, "stimulus")
    config.load()  # what is wrong with it is said at once
    return config
