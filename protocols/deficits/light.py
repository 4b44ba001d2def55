"""Deficits of form and light: the eye is closed, clouded, dim or noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from binocular.protocols.checked import Fraction, Number, complain
from pydantic import Field, model_validator

from .base import Deficit, EyeDeficit

if TYPE_CHECKING:
    import torch

__all__ = ["Blur", "ContrastLoss", "Dark", "Inactivation", "Noise", "Occlusion"]


class Blur(EyeDeficit):
    """Blurred vision, as by a cataract: give either ``factor`` or ``sigma``.

    ``factor`` is the blur of Kleinman, Achille & Soatto 2023 (section 4) and Achille et al. 2019 (section 2): the view
    is made smaller by the factor and enlarged again, both bilinear with antialiasing. ``sigma`` is a Gaussian in
    pixels, whose continuous strength suits ramps and dose curves.
    """

    kind: Literal["blur"] = Field(default="blur", description="name of the deficit")
    factor: Annotated[Number, Field(ge=1, le=1024)] | None = Field(
        default=None, description="shrink and enlarge by this factor; 1 is sharp"
    )
    sigma: Annotated[Number, Field(ge=0, le=1024)] | None = Field(
        default=None, description="standard deviation of a Gaussian in pixels; 0 is sharp"
    )

    @model_validator(mode="after")
    def _one_strength(self) -> Self:
        if (self.factor is None) == (self.sigma is None):
            given = "both 'factor' and 'sigma'" if self.factor is not None else "no strength"
            what = f"gives {given}, but a blur needs exactly one of 'factor' (such as 4) and 'sigma' (such as 2 pixels)"
            raise complain("Blur", (), what)
        return self

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the blurred view."""
        from .optics import gaussian_blur, resize_blur

        return resize_blur(view, self.factor) if self.factor is not None else gaussian_blur(view, self.sigma or 0.0)

    def words(self) -> str:
        """Return what is done."""
        return f"blurred {self.factor:g} times" if self.factor is not None else f"blurred (sigma {self.sigma:g} pixels)"


class Occlusion(EyeDeficit):
    """A closed lid: no pattern, and of the light's slow changes only a small part.

    The view is blurred by a Gaussian and its contrast reduced; with ``contrast = 0`` the eye sees an even grey, as in
    `Inactivation`. Mind that batch normalisation within a pathway restores a low contrast in training: a lid of 5 %
    then acts like a strong blur. Where the eye is to be silent, use ``contrast = 0``.
    """

    kind: Literal["occlusion"] = Field(default="occlusion", description="name of the deficit")
    contrast: Fraction = Field(default=0.05, description="share of the contrast that passes the lid; 0 is none")
    sigma: Annotated[Number, Field(ge=0, le=1024)] = Field(
        default=4.0, description="how diffuse the light is: standard deviation of a Gaussian in pixels"
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return what passes the lid."""
        import torch

        from .optics import gaussian_blur

        return torch.zeros_like(view) if self.contrast == 0 else gaussian_blur(view, self.sigma) * self.contrast

    def words(self) -> str:
        """Return what is done."""
        return "occluded" if self.contrast == 0 else f"occluded (lid passes {self.contrast:.0%} of contrast)"


class Inactivation(EyeDeficit):
    """Nothing at all reaches the eye: exactly grey, as when the retina is silenced by tetrodotoxin or the eye lost."""

    kind: Literal["inactivation"] = Field(default="inactivation", description="name of the deficit")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return grey."""
        import torch

        return torch.zeros_like(view)

    def words(self) -> str:
        """Return what is done."""
        return "inactivated"


class Noise(EyeDeficit):
    """Gaussian noise, independent for each pixel and presentation, on the view or in place of it.

    With ``contrast = 0`` only noise is seen, the sensory deprivation of Achille et al. 2019 (section 2).
    """

    kind: Literal["noise"] = Field(default="noise", description="name of the deficit")
    sd: Annotated[Number, Field(ge=0, le=1000)] = Field(
        default=1.0, description="standard deviation, in the units of the pixels (0 = grey)"
    )
    contrast: Fraction = Field(default=1.0, description="share of the view's own contrast that is kept")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the noisy view."""
        import torch

        noise = torch.randn(view.shape, generator=generator, device=view.device, dtype=view.dtype)
        return view * self.contrast + noise * self.sd

    def words(self) -> str:
        """Return what is done."""
        return f"sees only noise (s.d. {self.sd:g})" if self.contrast == 0 else f"noisy (s.d. {self.sd:g})"


class ContrastLoss(EyeDeficit):
    """Lower contrast without blur."""

    kind: Literal["contrast-loss"] = Field(default="contrast-loss", description="name of the deficit")
    contrast: Fraction = Field(default=0.2, description="share of the contrast that is left")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the fainter view."""
        return view * self.contrast

    def words(self) -> str:
        """Return what is done."""
        return f"at {self.contrast:.0%} contrast"


class Dark(Deficit):
    """Darkness: both eyes see an even grey."""

    kind: Literal["dark"] = Field(default="dark", description="name of the deficit")

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return grey views."""
        import torch

        return torch.zeros_like(views), labels

    def sentence(self) -> str:
        """Return what is done."""
        return "both eyes in the dark"
