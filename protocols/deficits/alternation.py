"""Only one eye at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from binocular.protocols.checked import Whole

from .base import OWN_NOISE, Deficit, Done, OneEye, OwnNoise, eyes_of, own_noise, whose

if TYPE_CHECKING:
    import torch

__all__ = ["Alternation"]


class Alternation(Deficit):
    """Alternating exposure: one eye sees while the other is covered, and they change places (Hubel & Wiesel 1965).

    Batches are counted from the beginning of rearing, so that the turns go on evenly across epochs.
    """

    kind: Literal["alternation"] = Field(default="alternation", description="name of the deficit")
    period: Annotated[Whole, Field(ge=1, le=10**9)] = Field(default=1, description="batches until the eyes swap")
    first: OneEye = Field(default="treated", description="the eye that sees in the first batch of rearing")
    noise: OwnNoise = Field(
        default=OWN_NOISE, description="s.d. of the noise of the covered eye, in units of the pixels; 0 is a silent eye"
    )

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the batch with one eye covered."""
        first = eyes_of(self.first)[0]
        covered = 1 - first if (batch // self.period) % 2 == 0 else first
        result = views.clone()
        result[:, covered] = own_noise(views[:, covered], self.noise, generator)
        return result, labels

    def done(self) -> Done:
        """Return that the eyes saw by turns."""
        return Done("alternation")

    def sentence(self) -> str:
        """Return what is done."""
        turn = "every batch" if self.period == 1 else f"every {self.period} batches"
        return self._with_ramp(f"one eye at a time, changing {turn}, {whose(self.first)} first")
