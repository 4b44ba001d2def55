"""Treatments of the clinic, by default done to the fellow eye; reverse suture is occlusion of the fellow eye."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from binocular.protocols.checked import Fraction, Number, Whole

from .base import OWN_NOISE, Deficit, Done, EyeDeficit, OneEye, OwnNoise, eyes_of, own_noise, whose
from .light import Dark

if TYPE_CHECKING:
    import torch

__all__ = ["ContrastBalance", "DarkExposure", "Patching", "Penalisation"]


class Patching(Deficit):
    """A patch for part of the time: in a share of the batches the eye sees nothing but its noise.

    The batches are drawn by chance or, with ``period``, are the last of each day of so many batches: the day begins
    with both eyes open and goes on with one, as in the mixed days of Mitchell et al. 2009. A share that is no whole
    number of batches is rounded. Days are counted from the beginning of rearing, so that they go on across epochs.
    """

    newer: ClassVar = ("period",)
    kind: Literal["patching"] = Field(default="patching", description="name of the treatment")
    eye: OneEye = Field(default="fellow", description="the eye that is patched")
    share: Fraction = Field(default=0.5, description="share of the batches with the patch on")
    noise: OwnNoise = Field(
        default=OWN_NOISE, description="s.d. of the noise of a patched eye, in units of the pixels; 0 is a silent eye"
    )
    period: Annotated[Whole, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="batches of a day, of which the last are patched; left out, they are drawn by chance"
    )

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the batch with or without the patch."""
        import torch

        index = eyes_of(self.eye)[0]
        if self.period is None:
            open_eye = torch.rand((), generator=generator, device=views.device) >= self.share
        else:
            seen = self.period - round(self.share * self.period)
            open_eye = torch.tensor(batch % self.period < seen, device=views.device)
        result = views.clone()
        result[:, index] = torch.where(open_eye, views[:, index], own_noise(views[:, index], self.noise, generator))
        return result, labels

    def done(self) -> Done:
        """Return which eye was closed, and for which share of the time."""
        return Done("closed", self.eye, self.share)

    def sentence(self) -> str:
        """Return what is done."""
        day = "" if self.period is None else f", the last of each {self.period}"
        return self._with_ramp(f"{whose(self.eye)} patched in {self.share:.0%} of batches{day}")


class Penalisation(EyeDeficit):
    """Blur of the better eye, as atropine does for near vision: a Gaussian in pixels."""

    kind: Literal["penalisation"] = Field(default="penalisation", description="name of the treatment")
    eye: OneEye = Field(default="fellow", description="the eye that is blurred")
    sigma: Annotated[Number, Field(ge=0, le=1024)] = Field(
        default=2.0, description="standard deviation of a Gaussian in pixels; 0 is sharp"
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the blurred view."""
        from .optics import gaussian_blur

        return gaussian_blur(view, self.sigma)

    def done(self) -> Done:
        """Return which eye was blurred."""
        return Done("blurred", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        return f"penalised by blur (sigma {self.sigma:g} pixels)"


class ContrastBalance(EyeDeficit):
    """Contrast-balanced viewing: the better eye at low contrast (Hess, Mansouri & Thompson 2010).

    Batch normalisation within a pathway restores a low contrast in training; see `Occlusion`.
    """

    kind: Literal["contrast-balance"] = Field(default="contrast-balance", description="name of the treatment")
    eye: OneEye = Field(default="fellow", description="the eye whose contrast is lowered")
    contrast: Fraction = Field(default=0.2, description="share of its contrast that is left")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the fainter view."""
        return view * self.contrast

    def words(self) -> str:
        """Return what is done."""
        return f"at {self.contrast:.0%} contrast to balance the eyes"


class DarkExposure(Dark):
    """Darkness for both eyes as a treatment, before they see again (Duffy & Mitchell 2013)."""

    kind: Literal["dark-exposure"] = Field(default="dark-exposure", description="name of the treatment")  # type: ignore[assignment]
