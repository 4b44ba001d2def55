"""What every deficit offers: a checked description that changes what a batch of eyes sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from binocular.protocols.checked import Checked, Number, complain
from binocular.stimuli.kinds import OfKind
from binocular.stimuli.wording import nearest, what_is_wrong

if TYPE_CHECKING:
    import torch

__all__ = [
    "OWN_NOISE",
    "SEEN_THROUGH_A_LID",
    "AnyEye",
    "Deficit",
    "Done",
    "EyeDeficit",
    "OneEye",
    "OwnNoise",
    "Ramp",
    "own_noise",
]

OneEye = Literal["treated", "fellow", "left", "right"]
AnyEye = Literal["treated", "fellow", "left", "right", "both"]
EYES = ("left", "right")
SEEN_THROUGH_A_LID = 0.1
"""Share of the contrast up to which an eye counts as closed."""


class Done(NamedTuple):
    """What was done to the eyes, in the words of the animal experiments; by it a study is laid beside them.

    ``what`` is ``closed``, ``inactivated``, ``blurred``, ``noisy``, ``squint``, ``dissociation``, ``alternation`` (one
    eye at a time), ``stripes`` (contours of one orientation) or ``other`` (which has no counterpart there); ``eye`` is
    ``left``, ``right``, ``both``, or nothing where it is done between the eyes; ``share`` is the share of the
    presentations that are affected, 0 to 1.
    """

    what: str = "other"
    eye: str = ""
    share: float = 1.0


OWN_NOISE = 0.5
"""S.d. of what a closed eye sends by itself: the sensory noise that an open eye has in the stereo scenes.

A closed eye is not silent, other than under tetrodotoxin: cells of the geniculate go on firing behind a lid (Linden,
Heynen, Haslinger & Bear 2009, Nature Neuroscience 12, 390). Without noise, moreover, a subject that sees nothing
answers alike to every presentation; batch normalisation then divides by next to nothing, and rounding decides what is
learned.
"""

OwnNoise = Annotated[Number, Field(ge=0, le=1000)]


class Ramp(Checked):
    """One strength of a deficit moves in a straight line over its phase, as when a cataract slowly clears."""

    field: str = Field(description="the strength that changes, for example 'sigma'")
    to: Number = Field(description="its value in the last epoch of the phase; the first has the value of the field")


class Deficit(OfKind, Checked):
    """Something done to what the eyes see, or to what is taught.

    A deficit is called with a batch and returns a batch. It never changes its input in place, draws every random number
    from the generator it is given, and leaves an eye that it does not concern bit for bit as it was.
    """

    kind: str = Field(default="", description="name of the deficit")
    ramp: Ramp | None = Field(default=None, description="a strength that changes over the phase")

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Apply the deficit to a batch.

        Parameters
        ----------
        views
            ``[batch, eye, channel, height, width]``, eye 0 = left, 0 = grey.
        labels
            Class of each presentation, ``[batch]`` int64.
        generator
            Source of every random choice, on the device of ``views``.
        batch
            Number of the batch, counted from the beginning of rearing; only alternation depends on it.

        Returns
        -------
        tuple of torch.Tensor
            Views and labels, of the same shapes.
        """
        raise NotImplementedError

    def heads(self, heads: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Say which head each presentation of a batch teaches, in a network with a head per eye and one for both.

        Parameters
        ----------
        heads
            The head taught so far, ``[batch]`` int64: 0 = left, 1 = right, 2 = both.
        generator
            In the state that the generator of the call on the same batch will be in, so that both draw the same.

        Returns
        -------
        torch.Tensor
            ``[batch]`` int64; by default the heads as they were.
        """
        return heads

    def unsuited(self, shape: tuple[int, int, int], n_classes: int) -> str:
        """Say why a deficit cannot be done to some stimuli.

        Parameters
        ----------
        shape
            (channels, height, width) of what one eye sees.
        n_classes
            Number of classes.

        Returns
        -------
        str
            One sentence; empty where it can be done.
        """
        return ""

    def sentence(self) -> str:
        """Return what is done, in a few words for people."""
        return self._with_ramp(self.kind.replace("-", " "))

    def done(self) -> Done:
        """Return what was done to the eyes in the words of the animal experiments; by default nothing of the kind."""
        return Done()

    def resolved(self, treated_eye: Literal["left", "right"]) -> Self:
        """Return the deficit with 'treated' and 'fellow' replaced by 'left' and 'right'."""
        eyes = {"treated": treated_eye, "fellow": "left" if treated_eye == "right" else "right"}
        changes = {name: eyes[value] for name, value in self if isinstance(value, str) and value in eyes}
        return self.model_copy(update=changes) if changes else self

    def at(self, progress: float) -> Self:
        """Return the deficit as it is at one moment of its phase, without a ramp.

        Parameters
        ----------
        progress
            0 in the first epoch of the phase, 1 in the last.
        """
        if self.ramp is None:
            return self
        start = getattr(self, self.ramp.field)
        value = start + (self.ramp.to - start) * progress
        if isinstance(start, int):
            value = round(value)
        return self.model_copy(update={self.ramp.field: value, "ramp": None})

    def _with_ramp(self, words: str) -> str:
        if self.ramp is None:
            return words
        return f"{words}, {self.ramp.field} going to {self.ramp.to:g} over the phase"

    @classmethod
    def _hint(cls, key: str) -> str:
        if key == "eye":
            return ", because this deficit is not done to one eye alone"
        return ""

    @model_validator(mode="after")
    def _check_ramp(self) -> Self:
        if self.ramp is None:
            return self
        strengths = [name for name, value in self if type(value) in (int, float)]
        if self.ramp.field not in strengths:
            accepted = (
                f"must be a strength that is given as a number: {', '.join(strengths) or 'this deficit has none'}"
            )
            what = f"is '{self.ramp.field}', but {accepted}{nearest(self.ramp.field, strengths)}"
            raise complain(type(self).__name__, ("ramp", "field"), what, self.ramp.field)
        end: Any = self.ramp.to
        if isinstance(getattr(self, self.ramp.field), int) and end == int(end):
            end = int(end)
        try:
            type(self).model_validate({**dict(self), self.ramp.field: end, "ramp": None})
        except ValidationError as error:
            what = what_is_wrong(error.errors(include_url=False)[0])
            raise complain(type(self).__name__, ("ramp", "to"), what, self.ramp.to) from None
        return self


class EyeDeficit(Deficit):
    """A deficit that changes what one eye sees, or each of both, without regard to the other."""

    eye: AnyEye = Field(default="treated", description="whose view is changed")
    share: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=1.0, description="share of presentations that are affected, drawn afresh for each; both eyes together"
    )

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Apply the deficit to its eye or eyes; see `Deficit`."""
        import torch

        affected = None
        if self.share < 1:
            drawn = torch.rand(len(views), generator=generator, device=views.device)
            affected = (drawn < self.share)[:, None, None, None]
        result = views.clone()
        for index in eyes_of(self.eye):
            seen = self.see(views[:, index], generator)
            result[:, index] = seen if affected is None else torch.where(affected, seen, views[:, index])
        return result, labels

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return what one eye sees, ``[batch, channel, height, width]``, without changing ``view``."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return what is done to which eye."""
        words = f"{whose(self.eye)} {self.words()}"
        if self.share < 1:
            words += f" in {self.share:.0%} of presentations"
        return self._with_ramp(words)

    def words(self) -> str:
        """Return what is done, to follow 'right eye' in a sentence."""
        return self.kind.replace("-", " ")


def own_noise(view: torch.Tensor, sd: float, generator: torch.Generator) -> torch.Tensor:
    """Return what an eye without any light sends: Gaussian noise of its own, independent for each pixel of each view.

    Parameters
    ----------
    view
        Any views; only their shape and kind matter.
    sd
        Standard deviation in units of the pixels; with 0 the eye is silent, exactly grey, and nothing is drawn.
    generator
        Source of the noise, on the device of ``view``.

    Returns
    -------
    torch.Tensor
        Of the shape of ``view``.
    """
    import torch

    if sd == 0:
        return torch.zeros_like(view)
    return torch.randn(view.shape, generator=generator, device=view.device, dtype=view.dtype) * sd


def whose(eye: str) -> str:
    """Return 'right eye', 'both eyes' ..."""
    return "both eyes" if eye == "both" else f"{eye} eye"


def eyes_of(eye: str) -> tuple[int, ...]:
    """Return the indices along the eye axis: 0 = left, 1 = right."""
    if eye == "both":
        return (0, 1)
    if eye not in EYES:
        raise ValueError(f"the eye '{eye}' must be settled first: use deficit.resolved(treated_eye='right')")
    return (EYES.index(eye),)
