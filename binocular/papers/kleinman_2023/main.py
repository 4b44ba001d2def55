"""Kleinman, Achille & Soatto (2023): what blurred and dissociated views do to the units (Figs 4, 5, 6, 9, 10 and 15).

Criteria, declared before anything was reared. An effect counts where its whole 95 % interval is at least about a
quarter of the published one, because laboratory studies are smaller and shorter: 0.10 for a shift of the clean eye's
bias (published 0.41) or of the monocularity index (0.39), 0.12 bits of usable information (0.48). Balance of the eyes
means a bias within 0.2 of 0.5, which is half of the published shift. All differences are between subjects of the same
seed.
"""

from __future__ import annotations

from binocular.papers.claims import Claim
from binocular.papers.kleinman_2023.outcome_figures import draw_accuracy, draw_clocks, draw_information
from binocular.papers.kleinman_2023.outcomes import judge_accuracy, judge_clocks, judge_information
from binocular.papers.kleinman_2023.unit_figures import draw_blur, draw_dissociation, draw_training
from binocular.papers.kleinman_2023.units import judge_blur, judge_dissociation, judge_training
from binocular.papers.needs import Measure, StudyNeed

__all__ = ["CLAIMS"]

_INFORMATION = Measure("usable-information", ("readout=shared",), when="end")


def _paper(figure: str, *measures: Measure) -> StudyNeed:
    return StudyNeed(figure, f"kleinman-2023-{figure}-paper", measures=measures, graphics_card=True)


def _lab(figure: str, *measures: Measure) -> StudyNeed:
    return StudyNeed(figure, f"kleinman-2023-{figure}", measures=measures)


# Both eyes see the whole picture: what is left of the polarisation is not the geometry of split pictures.
_WHOLE_LAB = StudyNeed(
    "fig6-whole", "kleinman-2023-fig6", ("stimulus.visible=24", "conditions.0.sweep={removal=[0,30]}")
)
_WHOLE_PAPER = StudyNeed(
    "fig6-whole",
    "kleinman-2023-fig6-paper",
    ("stimulus.visible=32", "conditions.0.sweep={removal=[0,180]}"),
    graphics_card=True,
)
_CLOSURE = StudyNeed("closure", "kleinman-2023-closure")
_STEREO = StudyNeed("stereo", "monocular-deprivation", ("seeds=5",))

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "k23-3-blur",
        "Blurring one view early turns the units to the other eye, the more the longer the blur, for good.",
        "Figs 4 and 10",
        {"lab": (_lab("fig4"),), "paper": (_paper("fig4"),)},
        judge_blur,
        draw_blur,
    ),
    Claim(
        "k23-3-dissociation",
        "Showing the eyes different pictures early makes the units monocular, while both eyes keep equal shares.",
        "Fig. 6",
        {"lab": (_lab("fig6"), _WHOLE_LAB), "paper": (_paper("fig6"), _WHOLE_PAPER)},
        judge_dissociation,
        draw_dissociation,
    ),
    Claim(
        "k23-4-hidden",
        "Accuracy in an ordinary task hides the damage that the units show; a task that needs both eyes does not.",
        "Fig. 5 left and right, Fig. 16, Fig. 8",
        {"lab": (_lab("fig5"), _CLOSURE, _STEREO), "paper": (_paper("fig5"), _CLOSURE, _STEREO)},
        judge_accuracy,
        draw_accuracy,
    ),
    Claim(
        "k23-5-training",
        "Source sensitivity shows the inhibition of an eye during the deficit and its integration after it.",
        "section 4, Figs 4 and 10",
        {"lab": (_lab("fig4"),), "paper": (_paper("fig4"),)},
        judge_training,
        draw_training,
    ),
    Claim(
        "k23-fig9-information",
        "After an early blur the blurred pathway tells less about the class; the clean one tells as much as before.",
        "Fig. 9",
        {"lab": (_lab("fig9", _INFORMATION),), "paper": (_paper("fig9", _INFORMATION),)},
        judge_information,
        draw_information,
    ),
    Claim(
        "k23-6-constant-rate",
        "The critical period is not made by the annealed learning rate: it is there at a constant rate too.",
        "Fig. 15",
        {"lab": (_lab("fig15"),), "paper": (_paper("fig15"),)},
        judge_clocks,
        draw_clocks,
    ),
)
