"""Deficits of focus and geometry: one eye sees the same scene out of focus, in another size, turned or mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from binocular.protocols.checked import Number

from .base import AnyEye, Done, EyeDeficit, OneEye

if TYPE_CHECKING:
    import torch

__all__ = ["Aniseikonia", "Anisometropia", "Astigmatism", "Flip", "Inversion", "Rotation"]

Size = Annotated[Number, Field(gt=0.05, le=20)]


class Anisometropia(EyeDeficit):
    """One eye out of focus, as with unequal refraction: an even disc of blur and, where wanted, another image size."""

    kind: Literal["anisometropia"] = Field(default="anisometropia", description="name of the deficit")
    eye: OneEye = Field(default="treated", description="the eye out of focus")
    radius: Annotated[Number, Field(ge=0, le=256)] = Field(
        default=2.0, description="radius of the disc of blur in pixels; 0 is in focus"
    )
    size: Size = Field(default=1.0, description="size of its image relative to the other eye's")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the view out of focus."""
        from .optics import disc_blur, magnify_rotate

        return disc_blur(magnify_rotate(view, size=self.size), self.radius)

    def done(self) -> Done:
        """Return which eye was blurred, unless its image has another size as well."""
        return Done("blurred", self.eye, self.share) if self.size == 1 else Done()

    def words(self) -> str:
        """Return what is done."""
        size = "" if self.size == 1 else f", image {self.size:g} times as large"
        return f"out of focus (disc of {self.radius:g} pixels{size})"


class Astigmatism(EyeDeficit):
    """Blur along one direction only: contours that run along it stay sharp, those that cross it are washed out.

    In both eyes it stands for rearing among stripes (Blakemore & Cooper 1970) or with goggles of one orientation
    (Hirsch & Spinelli 1970), in one eye or both for an astigmatism that nobody corrects (Freeman & Thibos 1973).
    """

    kind: Literal["astigmatism"] = Field(default="astigmatism", description="name of the deficit")
    eye: AnyEye = Field(default="both", description="whose view is changed")
    axis: Literal["vertical", "horizontal"] = Field(
        default="vertical", description="direction of the blur, and so of the contours that are still seen"
    )
    sigma: Annotated[Number, Field(ge=0, le=1024)] = Field(
        default=4.0, description="standard deviation of the Gaussian along that direction, in pixels; 0 is sharp"
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the view blurred along the axis."""
        from .optics import blur_along

        return blur_along(view, self.sigma, self.axis)

    def done(self) -> Done:
        """Return that contours of one orientation alone were seen, and by which eye."""
        return Done("stripes", self.eye, self.share)

    def words(self) -> str:
        """Return what is done."""
        return f"sees {self.axis} contours only (blur of {self.sigma:g} pixels along them)"


class Aniseikonia(EyeDeficit):
    """One eye's image is larger or smaller than the other's; where it is smaller, its surround is grey."""

    kind: Literal["aniseikonia"] = Field(default="aniseikonia", description="name of the deficit")
    eye: OneEye = Field(default="treated", description="the eye whose image changes size")
    size: Size = Field(default=1.25, description="size of its image relative to the other eye's")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the view in its new size."""
        from .optics import magnify_rotate

        return magnify_rotate(view, size=self.size)

    def words(self) -> str:
        """Return what is done."""
        return f"sees the image {self.size:g} times as large"


class Rotation(EyeDeficit):
    """The view is turned about its centre, as by prisms (Shinkman & Bruce 1977); corners that come in are grey."""

    kind: Literal["rotation"] = Field(default="rotation", description="name of the deficit")
    degrees: Annotated[Number, Field(ge=-360, le=360)] = Field(default=30.0, description="counterclockwise, in degrees")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the turned view."""
        from .optics import magnify_rotate

        return magnify_rotate(view, degrees=self.degrees)

    def words(self) -> str:
        """Return what is done."""
        return f"turned by {self.degrees:g} degrees"


class Flip(EyeDeficit):
    """A mirrored view: a control that changes statistics of high level only (Achille et al. 2019, section 2)."""

    kind: Literal["flip"] = Field(default="flip", description="name of the deficit")
    axis: Literal["vertical", "horizontal"] = Field(
        default="vertical", description="'vertical' turns it upside down, 'horizontal' swaps left and right"
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the mirrored view."""
        return view.flip(-2 if self.axis == "vertical" else -1)

    def words(self) -> str:
        """Return what is done."""
        return "sees upside down" if self.axis == "vertical" else "sees left and right swapped"


class Inversion(EyeDeficit):
    """A negative view: of contrast (light and dark change places) or of colour (hues become their opposites).

    For colour, the mean of the channels stays in each pixel and each channel's difference from it changes sign, so that
    a grey image stays as it is.
    """

    kind: Literal["inversion"] = Field(default="inversion", description="name of the deficit")
    of: Literal["contrast", "colour"] = Field(default="contrast", description="what is inverted")

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the negative."""
        return -view if self.of == "contrast" else 2 * view.mean(dim=1, keepdim=True) - view

    def words(self) -> str:
        """Return what is done."""
        return f"sees with {self.of} inverted"
