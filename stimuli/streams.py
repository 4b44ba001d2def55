"""Named streams of random numbers.

Every random choice is drawn from a generator that depends on (seed, purpose, epoch) and on nothing else, so that a
subject does not depend on who is reared beside it, and resuming after a kill needs no stored generator state.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["global_stream", "stream", "stream_key"]

_one_at_a_time = threading.Lock()


def stream_key(seed: int, purpose: str, epoch: int = 0) -> int:
    """Return the 63-bit key of a stream: a hash of its name, so that neighbouring seeds share nothing."""
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
def global_stream(seed: int, purpose: str) -> Iterator[None]:
    """Let torch's global generator of the processor be a stream within, and hand it back as it was.

    For constructors of modules, which draw their weights from nowhere else. Only one thread at a time can be within:
    two that draw from the same generator would take each other's numbers.
    """
    import torch

    with _one_at_a_time, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_key(seed, purpose))
        yield
