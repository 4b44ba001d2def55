"""What stands on the desk: a lid and three sliders for each eye, and a prism; and the deficits that they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, ValidationError

from binocular.protocols import Deficit, deficit_from
from binocular.protocols.checked import Checked, Fraction, Number, Whole
from binocular.protocols.sentences import sentence
from binocular.stimuli.errors import BadInput

__all__ = ["LARGEST_PRISM", "Controls", "EyeControls"]

LARGEST_PRISM = 6
"""Pixels to either side."""
_SLIDERS = {"contrast": ("contrast-loss", "contrast"), "blur": ("blur", "sigma"), "noise": ("noise", "sd")}
"""Slider -> kind of the deficit that it makes, and which of its fields."""


class EyeControls(Checked):
    """What is done to one eye. The defaults leave it alone."""

    closed: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="whether the lid is closed: the eye sees nothing but its own noise"
    )
    contrast: Fraction = Field(default=1.0, description="share of the contrast that is left, 1 is all")
    blur: Annotated[Number, Field(ge=0, le=4)] = Field(
        default=0.0, description="standard deviation of a Gaussian in pixels, 0 is sharp"
    )
    noise: Annotated[Number, Field(ge=0, le=3)] = Field(
        default=0.0, description="standard deviation of the noise in each pixel, 0 is none"
    )


class Controls(Checked):
    """Everything that can be set, for the time of one epoch.

    Attributes
    ----------
    left, right
        What is done to each eye.
    prism
        A prism before the right eye: its picture lies this many pixels further right; negative is left.
    """

    left: EyeControls = EyeControls()
    right: EyeControls = EyeControls()
    prism: Annotated[Whole, Field(ge=-LARGEST_PRISM, le=LARGEST_PRISM)] = Field(
        default=0, description="pixels by which the right eye's picture is displaced"
    )

    @classmethod
    def checked(cls, values: Any) -> Controls:
        """Return the controls that plain data describe.

        Raises
        ------
        BadInput
            With one sentence that names the control and what is accepted.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BadInput(f"controls: {sentence(error, values)}") from None

    @classmethod
    def of(cls, deficits: Sequence[Deficit]) -> Controls:
        """Return the controls that make these deficits.

        Parameters
        ----------
        deficits
            With eyes settled to left, right or both.

        Raises
        ------
        BadInput
            If the controls cannot make them.

        Examples
        --------
        >>> from binocular.protocols import deficit_from
        >>> Controls.of([deficit_from({"kind": "occlusion", "eye": "left"})]).left.closed
        True
        """
        eyes: dict[str, dict[str, Any]] = {"left": {}, "right": {}}
        prism = 0
        for deficit in deficits:
            given = deficit.model_dump()
            for eye in ("left", "right") if given.get("eye") == "both" else (given.get("eye"),):
                settings = eyes.get(str(eye), {})
                settings |= {"closed": True} if deficit.kind == "occlusion" else {}
                settings |= {slider: given[name] for slider, (kind, name) in _SLIDERS.items() if kind == deficit.kind}
            if deficit.kind == "misalignment":
                prism = given["horizontal"]
        made = cls.checked({**eyes, "prism": prism})
        if made.deficits() != tuple(deficits):
            what = "; ".join(deficit.sentence() for deficit in deficits)
            raise BadInput(f"the controls of the lab cannot do this: {what}")
        return made

    def deficits(self) -> tuple[Deficit, ...]:
        """Return what the controls do to the eyes, in the order in which it is done; nothing for normal vision."""
        eyes = {"left": self.left, "right": self.right}
        closed = [eye for eye, settings in eyes.items() if settings.closed]
        made: list[dict[str, Any]] = []
        for eye, settings in eyes.items():
            for slider, (kind, name) in _SLIDERS.items() if not settings.closed else ():
                value = getattr(settings, slider)
                if value != EyeControls.model_fields[slider].default:
                    made.append({"kind": kind, "eye": eye, name: value})
        if self.prism and not self.right.closed:
            made.append({"kind": "misalignment", "eye": "right", "horizontal": self.prism})
        if closed:
            made.append({"kind": "occlusion", "eye": "both" if len(closed) == 2 else closed[0]})
        return tuple(deficit_from(deficit) for deficit in made)
