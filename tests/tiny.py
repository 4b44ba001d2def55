"""A study small enough for a test: seconds, not science."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from binocular import protocols

TOML = """
title = "Tiny"
reference = "none"
seeds = 1
[stimulus]
kind = "stereo-scenes"
size = 12
n_train = 60
n_test = 40
[network]
options = { width = 2 }
[training]
batch_size = 20
evaluate_every = 2
[probes]
every = 3
n_stimuli = 6
bootstrap = 5
[[conditions]]
name = "normal"
phases = [{ epochs = 6 }]
[[conditions]]
name = "early"
phases = [{ epochs = 2, deficits = [{ kind = "occlusion", eye = "treated" }] }, { epochs = 2 }]
[[conditions]]
name = "late"
phases = [{ epochs = 3 }, { epochs = 2, deficits = [{ kind = "blur", eye = "treated", factor = 4 }] }, { epochs = 1 }]
"""

ONE_AREA = TOML.replace("[probes]\n", '[probes]\nsites = ["first_binocular"]\n')
"""The same at one area: half as many figures, for tests of the command line, which draws all of them."""

LONG = (
    "conditions.normal.phases.0.epochs=12",
    "conditions.late.phases.0.epochs=8",
    "probes.sites=['first_binocular', 'representation']",
    "probes.also=['odi']",
    "probes.every=10",
)
"""Settings under which it takes long enough to be stopped in its middle."""


def tiny(folder: Path, *settings: str) -> protocols.Protocol:
    """Return the tiny protocol, written to a folder and changed by settings."""
    return protocols.load_protocol(str(tiny_file(folder)), settings)


def tiny_file(folder: Path, text: str = TOML) -> Path:
    """Write the tiny protocol."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def arrays(path: Path, leave_out: Sequence[str] = ("seconds",)) -> dict[str, np.ndarray]:
    """Return every data set of an HDF5 file by name."""
    found: dict[str, np.ndarray] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and name.rsplit("/", 1)[-1] not in leave_out:
            found[name] = np.asarray(item[()])

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    return found


def assert_same(one: Path, other: Path, within: str = "") -> None:
    """Assert that two files hold the same numbers, bit for bit."""
    first, second = arrays(one), arrays(other)
    names = [name for name in first if name.startswith(within)]
    assert names and names == [name for name in second if name.startswith(within)]
    for name in names:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
