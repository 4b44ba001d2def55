"""The papers and their claims, loaded when they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    from binocular.papers.claims import Claim

__all__ = ["PAPERS", "Paper", "chosen_claims", "paper_named"]


@dataclass(frozen=True)
class Paper:
    """A paper whose claims are tested.

    Attributes
    ----------
    name, title, reference
        As on the command line, and for the head of the page.
    modules
        Where its claims are, in their order: modules below `binocular.papers` with a tuple ``CLAIMS``.
    """

    name: str
    title: str
    reference: str
    modules: tuple[str, ...]

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims, in order; their ids are unique."""
        found = (import_module(f"binocular.papers.{module}").CLAIMS for module in self.modules)
        return tuple(itertools.chain.from_iterable(found))


PAPERS: dict[str, Paper] = {
    paper.name: paper
    for paper in (
        Paper(
            "kleinman-2023",
            "Critical Learning Periods for Multisensory Integration in Deep Networks",
            "M. Kleinman, A. Achille & S. Soatto, CVPR 2023 (arXiv 2210.04643v2)",
            (
                "kleinman_2023.linear_sensors",
                "kleinman_2023.main",
                "kleinman_2023.controls",
                "kleinman_2023.objectives",
                "kleinman_2023.frames",
                "kleinman_2023.transformer_units",
                "kleinman_2023.variants",
            ),
        ),
        Paper(
            "kleinman-2024",
            "Critical Learning Periods Emerge Even in Deep Linear Networks",
            "M. Kleinman, A. Achille & S. Soatto, ICLR 2024 (arXiv 2308.12221)",
            (
                "kleinman_2024.pathways",
                "kleinman_2024.completion",
            ),
        ),
        Paper(
            "achille-2019",
            "Critical Learning Periods in Deep Networks",
            "A. Achille, M. Rovere & S. Soatto, ICLR 2019 (arXiv 1711.08856)",
            ("achille_2019.main",),
        ),
        Paper(
            "pawlak-2025",
            "On the Occurence of Critical Learning Periods in Neural Networks",
            "S. Pawlak, 2025 (arXiv 2510.09687)",
            ("pawlak_2025.main",),
        ),
        Paper(
            "what-closes-the-period",
            "What closes the period?",
            "A study of this project; see docs/theory.md for what others found",
            ("what_closes.main",),
        ),
    )
}
"""The papers by name. A module of claims is one name here."""


def paper_named(name: str) -> Paper:
    """Return a paper; a name that is not in `PAPERS` is `BadInput`."""
    if name not in PAPERS:
        raise BadInput(f"there is no paper '{name}'; accepted: {', '.join(PAPERS)}")
    return PAPERS[name]


def chosen_claims(paper: Paper, ids: Sequence[str] = ()) -> tuple[Claim, ...]:
    """Return the claims with these ids in the order of the paper; all of them where there are no ids.

    Parameters
    ----------
    paper, ids
        Whose claims they are, and which; one may be named more than once.

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
