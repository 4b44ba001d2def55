"""Random numbers that a network draws by itself while it computes, as dropout does: from streams of their own.

Such a network takes its numbers from torch's global generators, where they would depend on who else draws and on what
was drawn before. Within a stream of its own (seed, purpose, epoch, step) a subject is the same alone, beside others,
resumed, in processes and on other machines. Only one thread at a time can hold the global generators, so that a network
that draws nothing is left out: each purpose is watched in its first step of every epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from binocular.stimuli.streams import global_stream

__all__ = ["OwnStreams"]


class OwnStreams:
    """The streams of one subject, by its seed and the device where it computes."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self._seed, self._device = seed, torch.device(device)
        self._draws: set[str] = set()

    @contextmanager
    def within(self, purpose: str, epoch: int, step: int = 0) -> Iterator[None]:
        """Let all that is drawn from the global generators within come from the stream of a purpose in a step."""
        if step and purpose not in self._draws:
            yield
            return
        with global_stream(self._seed, f"{purpose}/{step}", epoch, self._device):
            before = self._states()
            yield
            if any(not torch.equal(one, other) for one, other in zip(before, self._states(), strict=True)):
                self._draws.add(purpose)

    def _states(self) -> list[torch.Tensor]:
        states = [torch.default_generator.get_state()]
        if self._device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self._device))
        return states
