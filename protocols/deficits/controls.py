"""Controls that leave both eyes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from binocular.protocols.checked import Whole
from binocular.stimuli.errors import BadInput

from .base import Deficit

if TYPE_CHECKING:
    import torch

__all__ = ["LabelPermutation", "Sham"]


class LabelPermutation(Deficit):
    """The classes change names, by one fixed permutation for all subjects (Achille et al. 2019, section 2)."""

    kind: Literal["label-permutation"] = Field(default="label-permutation", description="name of the deficit")
    n_classes: Annotated[Whole, Field(ge=2, le=100_000)] = Field(description="number of classes of the stimulus")
    seed: Annotated[Whole, Field(ge=0)] = Field(default=0, description="seed of the permutation")

    def unsuited(self, shape: tuple[int, int, int], n_classes: int) -> str:
        """Say so where the stimulus has another number of classes."""
        if self.n_classes == n_classes:
            return ""
        return f"label-permutation: n_classes is {self.n_classes}, but must be {n_classes}, the classes of the stimulus"

    def permutation(self) -> torch.Tensor:
        """Return the new class of each class, ``[n_classes]`` int64 on the CPU; it leaves no class in place.

        Returns
        -------
        torch.Tensor
            One random cycle through all classes.
        """
        import torch

        from binocular.stimuli.streams import stream

        cycle = torch.randperm(self.n_classes, generator=stream(self.seed, "protocols/label-permutation"))
        new = torch.empty_like(cycle)
        new[cycle] = cycle.roll(-1)
        return new

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the views as they are, and permuted labels.

        Raises
        ------
        BadInput
            If a label is not below ``n_classes``.
        """
        if len(labels) and int(labels.max()) >= self.n_classes:
            raise BadInput(
                f"label-permutation: n_classes is {self.n_classes}, but the stimulus has a class {int(labels.max())}; "
                "accepted is the number of its classes"
            )
        return views, self.permutation().to(labels.device)[labels]

    def sentence(self) -> str:
        """Return what is done."""
        return "labels permuted"


class Sham(Deficit):
    """The whole procedure without the effect: random numbers are drawn and thrown away.

    Two cohorts with and without sham differ in nothing that a subject sees, and are still reared apart: a check that
    what is found in the others is not the procedure's own doing.
    """

    kind: Literal["sham"] = Field(default="sham", description="name of the deficit")

    def __call__(
        self, views: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, batch: int = 0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the batch as it is."""
        import torch

        torch.rand(len(views), generator=generator, device=views.device)
        return views, labels

    def sentence(self) -> str:
        """Return what is done."""
        return "sham"
