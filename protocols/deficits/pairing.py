"""Deficits of correspondence: the eyes see well, and not the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from binocular.protocols.checked import Number, Whole

from .base import EYES, Deficit, Done, EyeDeficit, OneEye, eyes_of, whose

if TYPE_CHECKING:
    import torch

__all__ = ["Dissociation", "DissociationPlan", "Misalignment"]


@dataclass(frozen=True)
class DissociationPlan:
    """What one batch of dissociated presentations is made of.

    Attributes
    ----------
    partner
        The presentation that the moved eye's view comes from, ``[batch]`` int64. Never a presentation's own number,
        unless it is not affected or stands alone.
    label_eye
        The eye whose label is taught, ``[batch]`` int64: 0 = left, 1 = right.
    head_eye
        The head that is taught, ``[batch]`` int64, for networks with one head per eye: equal to ``label_eye`` when
        labelling is ``"paired"``; when ``"as-released"``, one head for all, independent of the labels.
    """

    partner: torch.Tensor
    label_eye: torch.Tensor
    head_eye: torch.Tensor


class Dissociation(Deficit):
    """The eyes see different presentations, as in a wide squint (Kleinman, Achille & Soatto 2023, section 4, Fig. 6).

    The view of one eye comes from another presentation of the batch: the affected presentations are put on one random
    cycle, and each takes the view of the next. The label is that of the left or the right eye's picture with equal
    chances, or always of one of them. Labelling ``"as-released"`` keeps what the paper's released code does, which
    draws a label for each presentation and, independently, one head for the whole batch, so that half the time a head
    is taught the other eye's label; it differs from ``"paired"`` only in a network with one head per eye. A
    presentation that stands alone is left as it is.
    """

    kind: Literal["dissociation"] = Field(default="dissociation", description="name of the deficit")
    eye: OneEye = Field(default="treated", description="the eye whose view comes from another presentation")
    labelling: Literal["paired", "as-released"] = Field(
        default="paired", description="whether label and head go together"
    )
    label: Literal["either", "left", "right", "treated", "fellow"] = Field(
        default="either", description="whose picture gives the label: 'either' draws an eye for each presentation"
    )
    share: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=1.0, description="share of presentations that are dissociated"
    )

    def plan(self, size: int, generator: torch.Generator) -> DissociationPlan:
        """Draw the plan of a batch.

        Parameters
        ----------
        size
            Presentations in the batch.
        generator
            Source of the draws; a call with a generator in the same state returns the same plan, so that a network with
            a head per eye can learn which head a batch is for.

        Returns
        -------
        DissociationPlan
            Tensors on the device of the generator.
        """
        import torch

        device = generator.device
        partner = torch.arange(size, device=device)
        cycle = torch.randperm(size, generator=generator, device=device)
        coin = torch.randint(2, (size,), generator=generator, device=device)
        second = torch.randint(2, (size,), generator=generator, device=device)
        if self.share < 1:
            drawn = torch.rand(size, generator=generator, device=device)
            cycle = cycle[drawn[cycle] < self.share]
        partner[cycle] = cycle.roll(-1)
        # The coin says whose label: 0 = the eye that stayed, so that the mirrored deficit is the mirror image.
        moved = eyes_of(self.eye)[0]
        if self.label == "either":
            label_eye = torch.where(coin.bool(), moved, 1 - moved)
        else:
            label_eye = torch.full((size,), EYES.index(self.label), device=device)
        if self.labelling == "paired":
            head_eye = label_eye
        else:  # one head for all; the other draws are made so that those after them do not depend on the labelling
            head_eye = torch.where(second.bool(), moved, 1 - moved)[:1].expand(size)
        return DissociationPlan(partner, label_eye, head_eye)

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return views whose eyes see different presentations, and the label of one of them."""
        import torch

        plan, moved = self.plan(len(views), generator), eyes_of(self.eye)[0]
        result = views.clone()
        result[:, moved] = views[plan.partner, moved]
        return result, torch.where(plan.label_eye == moved, labels[plan.partner], labels)

    def heads(self, heads: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Teach the head of the eye that the plan names; a presentation that is not dissociated keeps its head."""
        import torch

        plan = self.plan(len(heads), generator)
        alone = plan.partner == torch.arange(len(heads), device=heads.device)
        return torch.where(alone, heads, plan.head_eye)

    def done(self) -> Done:
        """Return that the eyes saw unrelated pictures."""
        return Done("dissociation", "", self.share)

    def sentence(self) -> str:
        """Return what is done."""
        share = "" if self.share == 1 else f" in {self.share:.0%} of presentations"
        label = "either eye's picture" if self.label == "either" else f"the {self.label} eye's picture"
        return self._with_ramp(f"{whose(self.eye)} sees another picture{share}, labelled by {label}")


class Misalignment(EyeDeficit):
    """A squint (Hubel & Wiesel 1965) or prism (Crawford et al. 1996): the view is displaced by whole pixels.

    The border that comes in is grey: a displacement of n pixels blanks n columns (or rows) of the view. Fixed, it is a
    constant angle of squint; changing, the displacement is drawn evenly from -n to +n along each axis, afresh for each
    batch or each presentation. Fixed for both eyes it is no squint, because they move together; changing, each eye
    draws its own displacement.
    """

    kind: Literal["misalignment"] = Field(default="misalignment", description="name of the deficit")
    horizontal: Annotated[Whole, Field(ge=-1024, le=1024)] = Field(
        default=2, description="pixels to the right; negative is left"
    )
    vertical: Annotated[Whole, Field(ge=-1024, le=1024)] = Field(default=0, description="pixels down; negative is up")
    changing: Literal["never", "batch", "presentation"] = Field(
        default="never",
        description="'never' keeps the angle; otherwise it is drawn afresh for each batch or presentation",
    )

    def see(self, view: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the displaced view."""
        import torch

        from .optics import shift, shift_each

        if self.changing == "never":
            return shift(view, self.vertical, self.horizontal)
        size = len(view) if self.changing == "presentation" else 1
        down, right = (
            torch.randint(-abs(most), abs(most) + 1, (size,), generator=generator, device=view.device).expand(len(view))
            for most in (self.vertical, self.horizontal)
        )
        return shift_each(view, down, right)

    def done(self) -> Done:
        """Return that the eyes squinted."""
        return Done("squint", "", self.share)

    def words(self) -> str:
        """Return what is done."""
        how = "" if self.changing == "never" else f" at most, changing with each {self.changing}"
        return f"misaligned by {self.horizontal} pixels across and {self.vertical} down{how}"
