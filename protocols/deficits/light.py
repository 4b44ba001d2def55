"""Deficits of form and light: the eye is closed, clouded, dim or noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from binocular.protocols.checked import Fraction, Number, complain

from .base import OWN_NOISE, SEEN_THROUGH_A_LID, Deficit, Done, EyeDeficit, OwnNoise, own_noise

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

    def done(self) -> Done:
        """Return which eye was blurred."""
        return Done("blurred", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        return f"blurred {self.factor:g} times" if self.factor is not None else f"blurred (sigma {self.sigma:g} pixels)"


class Occlusion(EyeDeficit):
    """A closed lid: no pattern, and nothing but the eye's own noise, unless the lid is said to let light through.

    What a lid lets through is asked for by ``contrast``: the view is blurred by a Gaussian and its contrast reduced.
    Mind that batch normalisation within a pathway restores a low contrast in training where the eye has no ``noise`` to
    drown it: a lid of 5 % then acts like a strong blur.
    """

    kind: Literal["occlusion"] = Field(default="occlusion", description="name of the deficit")
    contrast: Fraction = Field(default=0.0, description="share of the contrast that passes the lid; 0 is none")
    sigma: Annotated[Number, Field(ge=0, le=1024)] = Field(
        default=4.0,
        description="how diffuse light that passes the lid is: standard deviation of a Gaussian in pixels",
    )
    noise: OwnNoise = Field(
        default=OWN_NOISE, description="s.d. of the eye's own noise, in units of the pixels; 0 is a silent eye"
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return what passes the lid, and the eye's own noise."""
        from .optics import gaussian_blur

        noise = own_noise(view, self.noise, generator)
        return noise if self.contrast == 0 else gaussian_blur(view, self.sigma) * self.contrast + noise

    def done(self) -> Done:
        """Return which eye was closed."""
        return Done("closed" if self.contrast <= SEEN_THROUGH_A_LID else "other", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        lid = f"lid passes {self.contrast:.0%} of contrast" if self.contrast else ""
        silent = "" if self.noise else "without noise of its own"
        return "occluded" + (f" ({', '.join(filter(None, (lid, silent)))})" if lid or silent else "")


class Inactivation(EyeDeficit):
    """The eye is silent: exactly grey, as when the retina is blocked by tetrodotoxin or the eye lost.

    With ``noise`` only light is missing, as in `Occlusion`. An inactivation of both eyes leaves nothing that differs
    from one presentation to the next; what a network with batch normalisation learns then is ruled by rounding. For
    darkness use `Dark`.
    """

    kind: Literal["inactivation"] = Field(default="inactivation", description="name of the deficit")
    noise: OwnNoise = Field(default=0.0, description="s.d. of the eye's own noise, in units of the pixels")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return grey, or the eye's own noise."""
        return own_noise(view, self.noise, generator)

    def done(self) -> Done:
        """Return which eye was inactivated."""
        return Done("inactivated", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        return "inactivated" + (f" but for noise (s.d. {self.noise:g})" if self.noise else "")


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
        return view * self.contrast + own_noise(view, self.sd, generator)

    def done(self) -> Done:
        """Return which eye was noisy, or sees noise alone."""
        return Done("closed" if self.contrast <= SEEN_THROUGH_A_LID else "noisy", self.eye, self.share)

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

    def done(self) -> Done:
        """Return which eye was as good as closed."""
        return Done("closed" if self.contrast <= SEEN_THROUGH_A_LID else "other", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        return f"at {self.contrast:.0%} contrast"


class Dark(Deficit):
    """Darkness: both eyes send nothing but their own noise, each its own."""

    kind: Literal["dark"] = Field(default="dark", description="name of the deficit")
    noise: OwnNoise = Field(
        default=OWN_NOISE, description="s.d. of the eyes' own noise, in units of the pixels; 0 are silent eyes"
    )

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the eyes' own noise."""
        return own_noise(views, self.noise, generator), labels

    def done(self) -> Done:
        """Return that neither eye saw anything."""
        return Done("closed", "both")

    def sentence(self) -> str:
        """Return what is done."""
        return self._with_ramp(f"both eyes in the dark{'' if self.noise else ', without noise of their own'}")
