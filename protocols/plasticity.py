"""What opens and closes a period in networks besides the learning rate; each is off unless a phase asks for it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .checked import Checked, Fraction, Number

__all__ = ["Pull", "ResetSilent", "ShrinkPerturb"]


class ShrinkPerturb(Checked):
    """Multiply all weights by ``shrink`` and add fresh initial weights times ``perturb`` (Ash & Adams 2020)."""

    shrink: Fraction = Field(description="factor of the weights, from 0 to 1")
    perturb: Annotated[Number, Field(ge=0)] = Field(description="factor of fresh initial weights that are added")


class Pull(Checked):
    """Draw the weights towards an earlier state w*: strength/2 times the sum of F (w - w*)^2 is added to the loss.

    With F = 1 and the initial weights this is the regenerative regularisation of Kumar, Marklund & Van Roy 2023 (L2
    Init), which keeps a network plastic; with F = 1 and the state at a given age an L2 penalty that holds what was
    learned by then. With the diagonal of the Fisher information at that state it is elastic weight consolidation
    (Kirkpatrick et al. 2017), which holds each weight by what it was good for.
    """

    to: Literal["initial", "start", "kept"] = Field(
        description="the weights as the seed drew them ('initial'), as they are when the phase begins ('start'), or "
        "those that the phase before drew towards ('kept')"
    )
    strength: Annotated[Number, Field(ge=0)] = Field(description="weight of the penalty; 0 only remembers the state")
    importance: Literal["equal", "fisher"] = Field(
        default="equal", description="every weight alike, or each by its Fisher information (EWC)"
    )

    def sentence(self) -> str:
        """Return what is done, for people."""
        state = {"initial": "the initial weights", "start": "those at its start", "kept": "those of the phase before"}
        how = ", each by its Fisher information" if self.importance == "fisher" else ""
        return f"weights drawn towards {state[self.to]} with strength {self.strength:g}{how}"


class ResetSilent(Checked):
    """Draw units that hardly answer afresh, and let nothing hear them at first (ReDo; Sokar et al. 2023).

    A unit is a channel behind a layer, its normalisation and a rectification; it is silent where its mean activity,
    relative to the mean over the units of its layer, is at most ``threshold``. Its incoming weights are drawn afresh
    and its outgoing ones set to 0. Units are passed over that something else than a layer of weights reads as well.
    """

    threshold: Annotated[Number, Field(ge=0)] = Field(
        default=0.0, description="activity relative to the mean of the layer, up to which a unit is silent"
    )
