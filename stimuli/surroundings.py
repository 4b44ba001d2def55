"""Global settings of torch and numpy that another part of a program may have changed: they do not matter here.

A notebook that works in double precision, on a GPU, or with numpy's warnings as errors, is to get the same numbers as
the command line.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["own_settings"]

_lock = threading.Lock()
_within = 0
_theirs: dict[str, Any] = {}


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Compute in single precision, on the CPU unless said otherwise, and with gradients.

    As a decorator, for a whole function. What another part of the program has set holds again when the last thread is
    out of such a block.
    """
    import numpy as np

    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"), contextlib.ExitStack() as stack:
        if "torch" in sys.modules:  # else nobody has changed its settings, and a figure is drawn without it
            import torch

            stack.enter_context(_shared_by_threads())
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            if torch.is_inference_mode_enabled():
                stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.autocast("cpu", enabled=False))
        yield


@contextlib.contextmanager
def _shared_by_threads() -> Iterator[None]:
    """Change what torch keeps for all threads at once, and count who is within."""
    import torch

    settings: dict[str, tuple[Callable[[], Any], Callable[[Any], None], Any]] = {
        "dtype": (torch.get_default_dtype, torch.set_default_dtype, torch.float32),
        "precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    }
    global _within
    with _lock:
        if _within == 0:
            _theirs.update({name: get() for name, (get, _, _) in settings.items()})
            _set(settings, {name: ours for name, (_, _, ours) in settings.items()})
        _within += 1
    try:
        yield
    finally:
        with _lock:
            _within -= 1
            if _within == 0:
                _set(settings, _theirs)


def _set(settings: dict[str, tuple[Callable[[], Any], Callable[[Any], None], Any]], values: dict[str, Any]) -> None:
    for name, (get, change, _) in settings.items():
        if get() != values[name]:
            change(values[name])
