"""What is learned in a phase: the classes, what is hidden from the eyes, or nothing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from binocular.stimuli.kinds import Kinds, OfKind

from .checked import Checked, Fraction, Number, Whole, complain, model_of_kind

__all__ = ["CLASSIFICATION", "OBJECTIVES", "Classification", "NoLearning", "Objective", "Reconstruction"]


class Objective(OfKind, Checked):
    """What a subject learns in a phase.

    Those that ship are descriptions, and `binocular.rearing.objectives` learns by them. One of a user's own says itself
    what a subject answers to a batch and how good that is, as `binocular.rearing.objectives.Objective` describes.
    """

    idle: ClassVar[tuple[str, ...]] = ("reconstruction",)
    """Parts of a subject that it does not touch, by the first word of the names of their weights."""

    kind: str = Field(description="name of the objective")

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    def sentence(self) -> str:
        """Return what is learned, for people; empty for the ordinary case of labels."""
        return self.kind

    def prepare(self, batch: Any, generator: Any) -> Any:
        """Return a `binocular.rearing.batches.Batch` as the subject gets it; random choices come from the generator."""
        return batch

    def answer(self, learner: Any, batch: Any) -> Any:
        """Return what a subject makes of a batch, a tensor or a dict of tensors: its class scores ``[batch, class]``.

        ``learner.network`` is the network.
        """
        return learner.network(batch.views) if batch.head is None else learner.network(batch.views, head=batch.head)

    def judge(self, answer: Any, batch: Any) -> Any:
        """Return the loss of an answer, and the share of correct classes (NaN where no class is named), as scalars."""
        raise NotImplementedError


class Classification(Objective):
    """The class of each presentation is taught: supervised learning."""

    kind: Literal["classification"] = Field(default="classification", description="name of the objective")

    def sentence(self) -> str:
        """Return nothing: this is what is learned where nothing is said."""
        return ""


class Reconstruction(Objective):
    """Patches of both eyes are blanked at random, and rebuilt from the final representation.

    What is to be rebuilt is what the eyes would have seen, after all deficits: a closed eye's patches are grey and
    rebuilt as grey. The eyes' patches are drawn independently, so that what is hidden from one eye is often seen by the
    other. The way from the representation to the eyes is a small decoder, which probes ignore; the error runs back
    through the shared trunk and both pathways. The head is left alone, unless labels are taught as well. Labels without
    rebuilding tell apart what the hiding does (every presentation differs) and what the rebuilding does; so does
    rebuilding the same patches of a picture every time.
    """

    newer: ClassVar = ("rebuild", "fresh")
    kind: Literal["reconstruction"] = Field(default="reconstruction", description="name of the objective")
    patch: Annotated[Whole, Field(ge=1, le=256)] = Field(default=4, description="side of a patch in pixels")
    share: Annotated[Fraction, Field(gt=0)] = Field(default=0.5, description="share of each eye's patches blanked")
    labels: Annotated[Number, Field(ge=0)] = Field(
        default=0.0, description="weight of the labels' cross-entropy that is added to the error of rebuilding"
    )
    rebuild: Annotated[Number, Field(ge=0)] = Field(
        default=1.0, description="weight of the error of rebuilding; 0 blanks patches and teaches the labels alone"
    )
    fresh: bool = Field(
        default=True, description="whether patches are drawn anew at each presentation; else once for each picture"
    )

    @model_validator(mode="after")
    def _check_weights(self) -> Reconstruction:
        if not self.labels and not self.rebuild:
            what = "is 0, but must be more than 0 where rebuild is 0 too; objective 'none' learns nothing"
            raise complain("Reconstruction", ("labels",), what, self.labels)
        return self

    def sentence(self) -> str:
        """Return what is blanked, and whether labels are taught."""
        labels = f"labels taught with weight {self.labels:g}" if self.labels else "no labels"
        weight = "" if self.rebuild == 1 else f" with weight {self.rebuild:g}"
        rebuilt = f" and rebuilt{weight}" if self.rebuild else ""
        same = "" if self.fresh else ", of a picture always the same ones,"
        hidden = f"{self.share:.0%} of each eye's patches of {self.patch} x {self.patch} pixels blanked{same}"
        return f"{hidden}{rebuilt}, {labels}"


class NoLearning(Objective):
    """Nothing is learned: the weights stay as they are, and only the clock of the learning rate goes on.

    What the eyes see in such a phase leaves no trace, so that at the beginning of rearing it is a late start: the
    control for 'labels came later'.
    """

    kind: Literal["none"] = Field(default="none", description="name of the objective")

    def sentence(self) -> str:
        """Return that nothing is learned."""
        return "nothing is learned"


_SHIPPED = {
    str(objective.model_fields["kind"].default): objective for objective in (Classification, Reconstruction, NoLearning)
}
OBJECTIVES = Kinds("objectives", _SHIPPED, Objective)
"""Objectives by kind; a new one is one class and one line here, and one in ``binocular.rearing.objectives``."""

CLASSIFICATION = Classification()


def objective_from(value: Any) -> Objective:
    """Return the objective that a table describes, or raise what pydantic raises."""
    if isinstance(value, Objective):
        return value
    return model_of_kind(OBJECTIVES, value, '{ kind = "reconstruction", patch = 4 }').model_validate(value)
