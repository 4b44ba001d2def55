"""Opening a study for an export: checked, and with one sentence where it is damaged half-way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from binocular.stimuli.errors import BadInput
from binocular.store.opening import check_study

__all__ = ["opened"]


@contextmanager
def opened(study: Path | str) -> Iterator[h5py.File]:
    """Give the file of a study; what is wrong with it becomes `BadInput`."""
    path = check_study(study)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (KeyError, ValueError, TypeError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} cannot be read as a study: {error}; `binocular verify` says more") from error
