"""Achille, Rovere & Soatto (2019): critical periods of one-eyed networks, and whether two eyes change anything.

Criteria, declared before anything was reared. Losses are in points of accuracy, averaged over the tests of the last 10
epochs, between subjects of the same seed. The effect of the longest blur counts where its whole 95 % interval is at
least 3 points, a quarter of the published 12; a comparison between deficits or ages counts where the interval lies on
one side of zero. 'Fades' and 'harmless' mean less than half of the effect that they are compared with. Information
rises where its trace at the peak is at least twice that of the untrained network, and falls where the trace at the end
is at most three quarters of the peak's; a subject's peak is looked for at the epoch where the other subjects of the
study have theirs, so that noise makes no peak.

All claims are looked at again after more seeds (`LOOKS`). The criteria are older than the looks: they were declared
before seeds 0 to 4, which left four of the claims undecided, and those seeds have no say in what is found now.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from binocular.papers.achille_2019 import figures
from binocular.papers.achille_2019.measures import follows, information, published_accuracy, windows
from binocular.papers.claims import Claim, Had, Need, Row, Scale, context, control, test
from binocular.papers.looks import Looks
from binocular.papers.needs import Measure, StudyNeed, both_scales
from binocular.papers.numbers import costs, lost, settled, swept, total
from binocular.papers.published import loss_of, near

__all__ = ["CLAIMS", "LOOKS"]

LOOKS: dict[Scale, Looks] = {"lab": Looks(first=400, pilots=(0, 1, 2, 3, 4))}
"""When the claims are looked at at laboratory scale; what their earlier subjects did was known by then."""
LOSS, RISE, FALL = 3.0, 2.0, 0.75


def _published_loss(since: int) -> str:
    return f"{loss_of(published_accuracy(), since):.1f} (Fig. 1)"


def _removal(key: str) -> tuple[Row, ...]:
    """Return what must hold of accuracy by the epoch in which the blur ends (Fig. 1, and Fig. 3 at a constant rate)."""
    return (
        test("accuracy lost by the longest blur ({longest} epochs), points", lambda had: costs(had[key])[-1],
             at_least=LOSS, digits=1, published=lambda had: _published_loss(0)),
        test("further loss from the shortest blur ({shortest} epochs) to the longest, points",
             lambda had: total(costs(had[key]), since=1), at_least=0, digits=1,
             published=lambda had: _published_loss(20)),
        control("loss by the longest blur compared with sharp subjects reared as long, points",
                lambda had: lost(had[key], "sharp-long", f"blurred-{max(swept(had[key], 'blurred'))}"),
                at_least=LOSS, digits=1),
        control("loss by the longest blur at a constant learning rate, points",
                lambda had: costs(had[key], "constant")[-1], at_least=0, digits=1, published="present (Fig. 3)"),
        context("accuracy, blurred to epoch {removal}, %", lambda had: settled(had[key], "blurred-*"), digits=1,
                published=lambda had: near(swept(had[key], "blurred"), published_accuracy(), "{:.1f}".format)),
    )  # fmt: skip


def _facts(had: Had) -> Mapping[str, int]:
    """Return what the rows name in braces, of the studies that are there: ends of the blur, and onsets."""
    found = {}
    for key, study in had.items():
        if key.startswith("removal"):
            _, found["shortest"], *_, found["longest"] = swept(study, "blurred")
        if key.startswith("window"):
            by_onset, found["length"] = windows(study)
            found["first"], found["second"], *_, found["last"] = (int(at) for at in by_onset["onset"])
    return found


def _window(key: str) -> tuple[Row, ...]:
    """Return what must hold of the loss by a blur of fixed length, by its onset (Fig. 1)."""

    def early(had: Had):
        by_onset = windows(had[key])[0]
        return 0.5 * by_onset[0] + 0.5 * by_onset[1]

    def late(had: Had):
        return windows(had[key])[0][-1]

    return (
        test("accuracy lost by {length} blurred epochs from epoch {first} or {second}, points", early, at_least=0,
             digits=1, published="largest early (Fig. 1)"),
        test("less lost by the same blur from epoch {last} than early, points", lambda had: early(had) - late(had),
             at_least=0, digits=1, published="fades (Fig. 1)"),
        test("loss from epoch {last} beyond half of the early loss, points", lambda had: late(had) - 0.5 * early(had),
             at_most=0, digits=1, published="almost none (Fig. 1)"),
        context("accuracy lost by the blur from epoch {onset}, points", lambda had: windows(had[key])[0], digits=1),
    )  # fmt: skip


_WORDS = {"upside-down": "images upside down", "permuted": "labels permuted"}


def _harmless(key: str) -> tuple[Row, ...]:
    """Return what must hold of deficits that leave low-level statistics alone (Fig. 2)."""
    return (
        *(row for name, words in _WORDS.items() for row in (
            test(f"less lost by {words} than by the blur, points",
                 lambda had, name=name: lost(had[key], "normal", "blurred") - lost(had[key], "normal", name),
                 at_least=0, digits=1),
            test(f"loss by {words} beyond half of that by the blur, points",
                 lambda had, name=name: lost(had[key], "normal", name) - 0.5 * lost(had[key], "normal", "blurred"),
                 at_most=0, digits=1, published="flat (Fig. 2)"),
        )),
        control("accuracy lost by a sham deficit, points", lambda had: lost(had[key], "normal-long", "sham"),
                at_least=-0.001, at_most=0.001, digits=3),
        control("accuracy lost by the blur, points", lambda had: lost(had[key], "normal", "blurred"), at_least=0,
                digits=1),
        *(context(f"accuracy lost by {words} compared with undisturbed subjects reared as long, points",
                  lambda had, name=name: lost(had[key], "normal-long", name), digits=1)
          for name, words in {"blurred": "the blur", **_WORDS}.items()),
    )  # fmt: skip


_NOISE = (
    test("accuracy lost by only noise, points", lambda had: lost(had["controls-one"], "normal", "noise"), at_least=0,
         digits=1, published="present (Fig. 2)"),
    test("less lost by noise than by the blur, points",
         lambda had: lost(had["controls-one"], "normal", "blurred") - lost(had["controls-one"], "normal", "noise"),
         at_least=0, digits=1, published="less (Fig. 2)"),
)  # fmt: skip


def _fisher(fisher: str, window: str) -> tuple[Row, ...]:
    """Return what must hold of the Fisher information of undisturbed subjects, and of the sensitivity beside it."""
    return (
        test("rise of the information from the untrained network to its peak, octaves",
             lambda had: information(had[fisher])["rise"], at_least=float(np.log2(RISE)), published="rises (Fig. 4)"),
        test("change of the information from its peak to the end, octaves",
             lambda had: information(had[fisher])["fall"], at_most=float(np.log2(FALL)), published="falls (Fig. 4)"),
        test("rank correlation over windows of the loss with the information during the window",
             lambda had: follows(had[window], had[fisher]), at_least=0, published="strong (Fig. 4)"),
        context("epoch of the peak", lambda had: information(had[fisher])["peak"], digits=0),
    )  # fmt: skip


def _two_eyed() -> tuple[Row, ...]:
    rows = (
        *_removal("removal-two"), *_window("window-two"), *_harmless("controls-two"),
        *_fisher("fisher-two", "window-two"),
    )  # fmt: skip
    return tuple(row for row in rows if row.role != "context")


def _needs(*studies: str) -> dict[Scale, tuple[Need, ...]]:
    """Return the needs of both scales; a study is named by its protocol's last word and its eyes."""
    return both_scales(*((_need(study), _need(study, "-paper")) for study in studies))


def _need(study: str, scale: str = "") -> StudyNeed:
    name, eyes = study.split("-")
    # Protocols of the laboratory have two eyes unless told otherwise, the published ones one.
    settings = (f"network.options.eyes={1 if eyes == 'one' else 2}",) if (eyes == "one") != bool(scale) else ()
    measures = (Measure("fisher", ("n_stimuli=200",), when="end"),) if name == "fisher" else ()
    return StudyNeed(study, f"achille-2019-{name}{scale}", settings, measures, graphics_card=bool(scale))


_looked_at = partial(Claim, facts=_facts, looks=LOOKS)

CLAIMS: tuple[Claim, ...] = (
    _looked_at(
        "a19-1-removal",
        "A blur during early learning costs accuracy for good, the more the later it ends.",
        "Fig. 1 and, at a constant rate, Fig. 3",
        _needs("removal-one"),
        _removal("removal-one"),
        figures.draw_removal,
    ),
    _looked_at(
        "a19-2-window",
        "The same blur costs most in early epochs and little once accuracy has reached its plateau.",
        "Fig. 1",
        _needs("window-one"),
        _window("window-one"),
        figures.draw_window,
    ),
    _looked_at(
        "a19-3-harmless",
        "Images upside down, or labels permuted, which leave low-level statistics alone, do no lasting damage.",
        "Fig. 2 left",
        _needs("controls-one"),
        _harmless("controls-one"),
        figures.draw_harmless,
    ),
    _looked_at(
        "a19-4-noise",
        "Seeing only noise costs accuracy too, and less than the blur.",
        "Fig. 2 left",
        _needs("controls-one"),
        _NOISE,
        figures.draw_harmless,
    ),
    _looked_at(
        "a19-5-fisher",
        "Fisher information in the weights rises and falls again, and sensitivity to a deficit follows it.",
        "Fig. 4",
        _needs("fisher-one", "window-one"),
        _fisher("fisher-one", "window-one"),
        figures.draw_fisher,
    ),
    _looked_at(
        "a19-6-two-eyed",
        "The same holds for networks with two eyes that share the deficit.",
        "not in the paper",
        _needs("removal-two", "window-two", "controls-two", "fisher-two"),
        _two_eyed(),
        figures.draw_two_eyed,
    ),
)
