"""Kleinman, Achille & Soatto (2023): depth of the pathways, heads, and controls that the other claims stand or fall by.

Criteria, declared before anything was reared. As in `kleinman_2023`, a shift of the clean eye's bias or a rise of the
monocularity index counts where its whole 95 % interval is at least 0.10, a quarter of the published one. Under a
control the effect must still be there: the interval lies on its side of zero. An effect is one of early rearing where
early less late lies above zero. Eyes are in balance where the bias is within 0.2 of 0.5. All differences are between
subjects of the same seed. Losses of accuracy are averaged over the tests of the last 10 epochs,
and over all epochs at which a blur ends.
"""

from __future__ import annotations

from binocular.papers.claims import Claim, Need, Scale
from binocular.papers.kleinman_2023.controls_figures import draw_blur, draw_closure, draw_depth, draw_heads
from binocular.papers.kleinman_2023.controls_judges import (
    DEPTHS,
    judge_blur,
    judge_closure,
    judge_depth,
    judge_heads,
)
from binocular.papers.needs import StudyNeed

__all__ = ["CLAIMS"]

_ONE_HEAD = ('network.options.heads="one"',)


def _both(key: str, protocol: str, settings: tuple[str, ...] = ()) -> tuple[StudyNeed, StudyNeed]:
    """Return a need at laboratory scale and at the paper's."""
    lab = StudyNeed(key, f"kleinman-2023-{protocol}", settings)
    return lab, StudyNeed(key, f"kleinman-2023-{protocol}-paper", settings, graphics_card=True)


def _scales(*pairs: tuple[StudyNeed, StudyNeed]) -> dict[Scale, tuple[Need, ...]]:
    return {"lab": tuple(lab for lab, _ in pairs), "paper": tuple(paper for _, paper in pairs)}


_CLOSURE = StudyNeed("deprivation-controls", "deprivation-controls")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-1-closure-controls",
        "What one eye loses by an early closure is lost for good and by its age: not by the learning rate, by what "
        "optimiser or normalisation remember, or by which eye it is.",
        "controls of claim 1; not in the paper",
        {"lab": (_CLOSURE,), "paper": (_CLOSURE,)},
        judge_closure,
        draw_closure,
    ),
    Claim(
        "k23-3-blur-controls",
        "An early blur turns the units to the clean eye more than a late one does, whatever the learning rate, what "
        "optimiser and normalisation remember, which eye it is, and how units are counted.",
        "controls of Fig. 4; mostly not in the paper",
        _scales(_both("blur-controls", "controls")),
        judge_blur,
        draw_blur,
    ),
    Claim(
        "k23-3-heads",
        "Dissociated views make the units monocular in networks with a head for each eye, as published.",
        "section 4 and Fig. 6",
        _scales(_both("heads-per-eye", "heads"), _both("heads-one", "heads", _ONE_HEAD)),
        judge_heads,
        draw_heads,
    ),
    Claim(
        "k23-6-depth",
        "The deeper the pathways, the more accuracy an early blur costs; at a learning rate that never falls.",
        "Fig. 5 centre",
        _scales(*(_both(f"depth-{n}", "depth", (f"network.options.blocks={n}",)) for n in DEPTHS)),
        judge_depth,
        draw_depth,
    ),
)
