"""Named streams of random numbers.

Every random choice is drawn from a generator that depends on (seed, purpose, epoch) and on nothing else, so that a
subject does not depend on who is reared beside it, and resuming after a kill needs no stored generator state.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["draws_globally", "global_stream", "stream", "stream_key"]

_one_at_a_time = threading.RLock()


def stream_key(seed: int, purpose: str, epoch: int = 0) -> int:
    """Return the 63-bit key of a stream: a hash of its name, so that neighbouring seeds share nothing.

    Parameters
    ----------
    seed, purpose, epoch
        As for `stream`.
    """
    name = f"{seed}|{purpose}|{epoch}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") >> 1


def stream(seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator for one purpose in one epoch of one seed.

    Parameters
    ----------
    seed
        Seed of the subject; any integer.
    purpose
        What the numbers are for, for example ``"order"`` or ``"deficit"``.
    epoch
        Epoch of rearing, counted from 0.
    device
        Where the numbers are drawn. The same stream differs between device types.

    Returns
    -------
    torch.Generator
        A generator at the beginning of its stream. The global generators are not touched.
    """
    import torch

    generator = torch.Generator(device=device)
    generator.manual_seed(stream_key(seed, purpose, epoch))
    return generator


@contextmanager
def global_stream(seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu") -> Iterator[None]:
    """Let torch's global generators be a stream within, and hand them back as they were.

    For what draws from nowhere else: constructors of modules, and networks that draw while they compute, such as those
    with dropout. Only one thread at a time can be within: two that draw from the same generator would take each other's
    numbers.

    Parameters
    ----------
    seed, purpose, epoch
        Name of the stream, see `stream`.
    device
        Where is computed; beside the generator of the CPU, that of this device is the stream.
    """
    import torch

    on = torch.device(device)
    cuda = [torch.cuda.current_device() if on.index is None else on.index] if on.type == "cuda" else []
    with _one_at_a_time, torch.random.fork_rng(devices=cuda):
        key = stream_key(seed, purpose, epoch)
        torch.default_generator.manual_seed(key)
        for index in cuda:
            torch.cuda.default_generators[index].manual_seed(key)
        yield


def draws_globally(compute: Callable[[], object]) -> bool:
    """Say whether a computation on the CPU draws from torch's global generator, which is left as it was."""
    import torch

    with global_stream(0, "draws"):
        before = torch.default_generator.get_state()
        compute()
        return not torch.equal(before, torch.default_generator.get_state())
