"""Achille, Rovere & Soatto (2019): critical periods of one-eyed networks, and whether two eyes change anything.

Criteria, declared before anything was reared. Losses are in points of accuracy, averaged over the tests of the last 10
epochs, between subjects of the same seed. The effect of the longest blur counts where its whole 95 % interval is at
least 3 points, a quarter of the published 12; a comparison between deficits or ages counts where the interval lies on
one side of zero. 'Fades' and 'harmless' mean less than half of the effect that they are compared with. Information
rises where its trace at the peak is at least twice that of the untrained network, and falls where the trace at the end
is at most three quarters of the peak's; a subject's peak is looked for at the epoch where the other subjects of the
study have theirs, so that noise makes no peak.
"""

from __future__ import annotations

from binocular.papers.achille_2019.figures import (
    draw_fisher,
    draw_harmless,
    draw_removal,
    draw_two_eyed,
    draw_window,
)
from binocular.papers.achille_2019.judges import (
    judge_fisher,
    judge_harmless,
    judge_noise,
    judge_removal,
    judge_two_eyed,
    judge_window,
)
from binocular.papers.claims import Claim, Need, Scale
from binocular.papers.needs import Measure, StudyNeed

__all__ = ["CLAIMS"]

_FISHER = Measure("fisher", ("n_stimuli=200",), when="end")


def _needs(*studies: str) -> dict[Scale, tuple[Need, ...]]:
    """Return the needs of both scales; a study is named by its protocol's last word and its eyes."""
    return {"lab": tuple(map(_lab, studies)), "paper": tuple(map(_paper, studies))}


def _lab(study: str) -> StudyNeed:
    name, eyes = study.split("-")
    settings = ("network.options.eyes=1",) if eyes == "one" else ("seeds=3",)
    return StudyNeed(study, f"achille-2019-{name}", settings, (_FISHER,) if name == "fisher" else ())


def _paper(study: str) -> StudyNeed:
    name, eyes = study.split("-")
    settings = () if eyes == "one" else ("network.options.eyes=2",)
    measures = (_FISHER,) if name == "fisher" else ()
    return StudyNeed(study, f"achille-2019-{name}-paper", settings, measures, graphics_card=True)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "a19-1-removal",
        "A blur during early learning costs accuracy for good, the more the later it ends.",
        "Fig. 1 and, at a constant rate, Fig. 3",
        _needs("removal-one"),
        judge_removal,
        draw_removal,
    ),
    Claim(
        "a19-2-window",
        "The same blur costs most in early epochs and little once accuracy has reached its plateau.",
        "Fig. 1",
        _needs("window-one"),
        judge_window,
        draw_window,
    ),
    Claim(
        "a19-3-harmless",
        "Images upside down, or labels permuted, which leave low-level statistics alone, do no lasting damage.",
        "Fig. 2 left",
        _needs("controls-one"),
        judge_harmless,
        draw_harmless,
    ),
    Claim(
        "a19-4-noise",
        "Seeing only noise costs accuracy too, and less than the blur.",
        "Fig. 2 left",
        _needs("controls-one"),
        judge_noise,
        draw_harmless,
    ),
    Claim(
        "a19-5-fisher",
        "Fisher information in the weights rises and falls again, and sensitivity to a deficit follows it.",
        "Fig. 4",
        _needs("fisher-one", "window-one"),
        judge_fisher,
        draw_fisher,
    ),
    Claim(
        "a19-6-two-eyed",
        "The same holds for networks with two eyes that share the deficit.",
        "not in the paper",
        _needs("removal-two", "window-two", "controls-two", "fisher-two"),
        judge_two_eyed,
        draw_two_eyed,
    ),
)
