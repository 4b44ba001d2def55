"""The papers and their claims, loaded when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    from binocular.papers.claims import Claim

__all__ = ["PAPERS", "Paper", "chosen_claims", "paper_named"]

_HERE = "binocular.papers"


@dataclass(frozen=True)
class Paper:
    """A paper whose claims are tested.

    Attributes
    ----------
    name
        As on the command line.
    title, reference
        For the head of the page.
    groups
        Where its claims are, in their order: ``module:NAME`` of a claim or a tuple of claims.
    """

    name: str
    title: str
    reference: str
    groups: tuple[str, ...]

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims, in order."""
        from binocular.papers.claims import Claim

        found: list[Claim] = []
        for group in self.groups:
            module, _, name = group.partition(":")
            here = getattr(import_module(module), name)
            found += (here,) if isinstance(here, Claim) else here
        ids = [claim.id for claim in found]
        if len(set(ids)) != len(ids):
            raise ValueError(
                f"{self.name}: two claims have the same id: {sorted({i for i in ids if ids.count(i) > 1})}"
            )
        return tuple(found)


PAPERS: dict[str, Paper] = {
    paper.name: paper
    for paper in (
        Paper(
            "kleinman-2023",
            "Critical Learning Periods for Multisensory Integration in Deep Networks",
            "M. Kleinman, A. Achille & S. Soatto, CVPR 2023 (arXiv 2210.04643v2)",
            (
                f"{_HERE}.kleinman_2023.linear_sensors:K23_LINEAR",
                f"{_HERE}.kleinman_2023.main:CLAIMS",
                f"{_HERE}.kleinman_2023.controls:CLAIMS",
                f"{_HERE}.kleinman_2023.objectives:CLAIMS",
                f"{_HERE}.kleinman_2023.frames:CLAIMS",
                f"{_HERE}.kleinman_2023.transformer_units:CLAIMS",
                f"{_HERE}.kleinman_2023.variants:CLAIMS",
            ),
        ),
        Paper(
            "kleinman-2024",
            "Critical Learning Periods Emerge Even in Deep Linear Networks",
            "M. Kleinman, A. Achille & S. Soatto, ICLR 2024 (arXiv 2308.12221)",
            (
                f"{_HERE}.kleinman_2024.pathways:K24_PORTRAITS",
                f"{_HERE}.kleinman_2024.pathways:K24_GATES",
                f"{_HERE}.kleinman_2024.completion:K24_COMPLETION",
            ),
        ),
        Paper(
            "achille-2019",
            "Critical Learning Periods in Deep Networks",
            "A. Achille, M. Rovere & S. Soatto, ICLR 2019 (arXiv 1711.08856)",
            (f"{_HERE}.achille_2019.main:CLAIMS",),
        ),
        Paper(
            "what-closes-the-period",
            "What closes the period?",
            "A study of this project; see docs/theory.md for what others found",
            (f"{_HERE}.what_closes.main:CLAIMS",),
        ),
    )
}
"""The papers by name. A group of claims is one module and one line here."""


def paper_named(name: str) -> Paper:
    """Return a paper.

    Raises
    ------
    BadInput
        For a name that is not in `PAPERS`.
    """
    if name not in PAPERS:
        raise BadInput(f"there is no paper '{name}'; accepted: {', '.join(PAPERS)}")
    return PAPERS[name]


def chosen_claims(paper: Paper, ids: Sequence[str] = ()) -> tuple[Claim, ...]:
    """Return the claims with these ids in the order of the paper; all of them where there are no ids.

    Parameters
    ----------
    paper
        Whose claims they are.
    ids
        Of the claims; a text may be given more than once.

    Raises
    ------
    BadInput
        For an id that none of the paper's claims has.
    """
    claims = paper.claims()
    known = [claim.id for claim in claims]
    for wanted in ids:
        if wanted not in known:
            raise BadInput(f"--claim: {paper.name} has no claim '{wanted}'; accepted: {', '.join(known) or 'none yet'}")
    return tuple(claim for claim in claims if not ids or claim.id in ids)
