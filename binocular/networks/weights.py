"""Weights brought along: a state dict of torch or a file of safetensors, read as data and never run."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from binocular.stimuli.errors import BadInput
from binocular.stimuli.places import from_home

__all__ = ["load_weights", "read_weights"]

_NESTED = ("state_dict", "model_state_dict", "model")
"""Where training programs put the state dict among what else they save."""
_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
_LARGEST_HEADER = 100_000_000
_WHERE = "network.weights"


def read_weights(path: Path | str) -> dict[str, Tensor]:
    """Return the tensors of a file by name, on the CPU.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or what ``torch.save`` made of a state dict, also of one inside a checkpoint under
        ``state_dict``, ``model_state_dict`` or ``model``. The prefix ``module.`` of parallel training is taken off.

    Raises
    ------
    BadInput
        If the file cannot be read, or holds more than data.
    """
    path = from_home(path)
    try:
        found = _safetensors(path) if path.suffix == ".safetensors" else _of_torch(path)
    except OSError as error:
        raise BadInput(f"{_WHERE}: {path} cannot be read ({error.strerror or error})") from None
    if found and all(name.startswith("module.") for name in found):
        found = {name.removeprefix("module."): value for name, value in found.items()}
    return found


def _of_torch(path: Path) -> dict[str, Tensor]:
    path.open("rb").close()  # what is missing is said by its name
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise BadInput(
            f"{_WHERE}: {path} holds more than weights (whole objects are code, which is not run); accepted is "
            "torch.save(network.state_dict(), path), or a .safetensors file"
        ) from None
    except Exception as error:  # damaged archives fail in many ways
        raise BadInput(f"{_WHERE}: {path} is not a file of torch.save: {type(error).__name__}") from None
    for key in _NESTED:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
            break
    if not isinstance(loaded, Mapping) or not loaded or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise BadInput(f"{_WHERE}: {path} holds no state dict; accepted is torch.save(network.state_dict(), path)")
    return {str(name): value for name, value in loaded.items()}


def _safetensors(path: Path) -> dict[str, Tensor]:
    """Read the format of safetensors: the length of a header, the header as JSON, then the tensors' bytes."""
    size = path.stat().st_size
    damaged = BadInput(f"{_WHERE}: {path} is not a sound safetensors file")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise damaged
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise damaged from None
    if not isinstance(header, dict):
        raise damaged
    room = size - 8 - length
    data = np.memmap(path, np.uint8, "r", 8 + length) if room else np.empty(0, np.uint8)
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype, shape = _DTYPES[about["dtype"]], [int(count) for count in about["shape"]]
            start, stop = (int(place) for place in about["data_offsets"])
        except (KeyError, TypeError, ValueError):
            raise damaged from None
        item = torch.empty(0, dtype=dtype).element_size()
        if not 0 <= start <= stop <= room or min(shape, default=0) < 0 or math.prod(shape) * item != stop - start:
            raise damaged
        raw = torch.from_numpy(np.array(data[start:stop]))
        found[name] = raw.view(dtype).reshape(shape) if stop > start else torch.empty(shape, dtype=dtype)
    return found


@torch.no_grad()
def load_weights(network: nn.Module, path: Path | str, into: Sequence[str] = (), partly: bool = False) -> None:
    """Put the weights and buffers of a file into a network, or into modules of it.

    Parameters
    ----------
    network
        On the CPU.
    path
        See `read_weights`.
    into
        Dotted names of the modules that get them, each all of them: ``left`` and ``right`` for a backbone trained with
        one eye. None for the network.
    partly
        Take what fits where the file lacks something, or has something left over, as the classifier of other classes.

    Raises
    ------
    BadInput
        If a module is not there, nothing fits, or, unless ``partly``, something is missing or left over.
    """
    values = read_weights(path)
    for index, name in enumerate(into or ("",)):
        try:
            module = network.get_submodule(name)
        except AttributeError:
            modules = ", ".join(name for name, _ in network.named_children())
            raise BadInput(f"network.weights_into[{index}]: there is no module '{name}'; accepted: {modules}") from None
        _load(module, values, path, f" into '{name}'" if name else "", partly)


def _load(module: nn.Module, values: Mapping[str, Tensor], path: Path | str, where: str, partly: bool) -> None:
    own = module.state_dict(keep_vars=True)
    fit = {name for name in own.keys() & values.keys() if own[name].shape == values[name].shape}
    missing = [name for name in own if name not in values and not name.endswith("num_batches_tracked")]
    over = [name for name in values if name not in own]
    unlike = [
        f"{name} {tuple(values[name].shape)} for {tuple(own[name].shape)}"
        for name in own
        if name in values and name not in fit
    ]
    kinds = {"missing": missing, "left over": over, "of another shape": unlike}
    wrong = "; ".join(f"{what}: {_some(names)}" for what, names in kinds.items() if names)
    if not fit or (wrong and not partly):
        advice = "" if not fit else "; network.weights_partly = true takes what fits"
        raise BadInput(f"{_WHERE}: {path} does not fit{where}; {wrong or 'it is empty'}{advice}")
    for name in fit:
        own[name].copy_(values[name])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
