"""Kleinman, Achille & Soatto (2023): what blurred and dissociated views do to the units (Figs 4, 5, 6, 9, 10 and 15).

Criteria, declared before anything was reared. An effect counts where its whole 95 % interval is at least about a
quarter of the published one, because laboratory studies are smaller and shorter: 0.10 for a shift of the clean eye's
bias (published 0.41) or of the monocularity index (0.39), 0.12 bits of usable information (0.48). Balance of the eyes
means a bias within 0.2 of 0.5, which is half of the published shift. All differences are between subjects of the same
seed.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from binocular.dominance import dominance_of
from binocular.papers.claims import Claim, Had, Row, context, control, test
from binocular.papers.kleinman_2023 import main_figures as figures
from binocular.papers.kleinman_2023.measures import (
    BALANCED,
    FIRST,
    LOOKS,
    MAP,
    POOLED,
    SHIFT,
    bias,
    bits,
    monocular,
    relative_losses,
)
from binocular.papers.kleinman_2023.tables import (
    accuracy_curve,
    bias_of,
    index_curve,
    monocularity_of,
    onset_curve,
    usable_information,
)
from binocular.papers.needs import Measure, StudyNeed, both_scales
from binocular.papers.numbers import When, accuracy, changes, lost, over, signed, swept, total
from binocular.papers.published import loss_of, near, nearest_removal, rise_of
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition, Study

__all__ = ["BLUR", "CLAIMS", "PHOTOGRAPHS", "ends_of_blur"]

BITS = 0.12
"""Least loss of usable information."""
HIDDEN = 5.0
"""Most points of accuracy that an ordinary task may lose for the damage to count as hidden."""
LOSS = 10.0
"""Least points that a task for both eyes loses; about half of the published largest loss."""


def ends_of_blur(had: Had) -> dict[str, int]:
    """Return what the rows call the shortest and the longest blur of Fig. 4."""
    ends = list(swept(had["fig4"], "blurred"))
    return {"short": ends[1], "longest": ends[-1]}


def _further(had: Had) -> str:
    ends, published = ends_of_blur(had), index_curve("blur", bias_of)
    since = nearest_removal(ends["short"], ends["longest"], published["removal"].values)
    return f"{rise_of(published, since)} (Figs 4 and 10)"


BLUR = (
    test("shift of the clean eye's bias by the longest blur, units by place",
         lambda had: total(bias(had["fig4"])), at_least=SHIFT,
         published=lambda had: f"{rise_of(index_curve('blur', bias_of))} (Fig. 4)"),
    test("the same, pooled units", lambda had: total(bias(had["fig4"], site=POOLED)), at_least=SHIFT),
    test("further shift from the shortest blur ({short} epochs) to the longest ({longest}), units by place",
         lambda had: total(bias(had["fig4"]), since=1), at_least=0.0, published=_further),
    control("clean eye's bias without a blur, units by place", lambda had: bias(had["fig4"])[0], **BALANCED,
            published=lambda had: f"{float(index_curve('blur', bias_of)[0]):.2f} (Fig. 4)"),
    control("clean eye's bias before rearing, units by place",
            lambda had: bias(had["fig4"], when="untrained")[0], **BALANCED),
    context("shift by the longest blur, first binocular cells", lambda had: total(bias(had["fig4"], site=FIRST))),
    context("clean eye's bias, blurred to epoch {removal}", lambda had: bias(had["fig4"]),
            published=lambda had: near(swept(had["fig4"], "blurred"), index_curve("blur", bias_of), "{:.2f}".format)),
)  # fmt: skip


DISSOCIATION = (
    test("rise of the monocularity index by the longest dissociation, units by place",
         lambda had: total(monocular(had["fig6"])), at_least=SHIFT,
         published=lambda had: f"{rise_of(index_curve('dissociation', monocularity_of))} (Fig. 6)"),
    test("clean eye's bias after the longest dissociation, units by place",
         lambda had: bias(had["fig6"], "dissociated-*")[-1], **BALANCED,
         published=lambda had: f"{float(index_curve('dissociation', bias_of)[-1]):.2f} (Fig. 6)"),
    control("rise of the index in pooled units, which have no place",
            lambda had: total(monocular(had["fig6"], site=POOLED)), at_least=0.0),
    control("rise of the index where both eyes see the whole picture, units by place",
            lambda had: total(monocular(had["fig6-whole"])), at_least=0.0),
    context("rise of the index, first binocular cells", lambda had: total(monocular(had["fig6"], site=FIRST))),
    context("monocularity index before rearing, units by place",
            lambda had: monocular(had["fig6"], when="untrained")[0]),
    context("monocularity index, dissociated to epoch {removal}", lambda had: monocular(had["fig6"]),
            published=lambda had: near(
                swept(had["fig6"], "dissociated"), index_curve("dissociation", monocularity_of), "{:.2f}".format)),
)  # fmt: skip


def _since_opening(had: Had, which: int, then: When) -> xr.DataArray:
    """Return how far the bias at the end of a blur is from what it was, or is, at another time."""
    at, condition = list(swept(had["fig4"], "blurred").items())[which]
    return bias(had["fig4"], condition.name, when=at) - bias(had["fig4"], condition.name, when=then)


def _farthest(study: Study, name: str) -> xr.DataArray:
    """Return how far from balance the units by place of each subject are at most, at any checkpoint."""

    def of(condition: Condition, subject: SubjectRecord) -> float:
        cbi = dominance_of(subject.sites[MAP].values["rsv"], condition.treated_eye).cbi
        return float(np.abs(cbi - 0.5).max())

    return over(study, name, of)


TRAINING = (
    test("shift of the clean eye's bias during the longest blur, units by place",
         lambda had: _since_opening(had, -1, "untrained"), at_least=SHIFT),
    test("shift back after the shortest blur ({short} epochs)",
         lambda had: _since_opening(had, 1, "end"), at_least=0.0),
    control("farthest from balance at any time without a blur",
            lambda had: _farthest(had["fig4"], "blurred-0"), at_most=0.2),
    context("shift back after the longest blur ({longest} epochs)", lambda had: _since_opening(had, -1, "end")),
)  # fmt: skip


def _changes(what: str, key: str, prefix: str, *curve: str) -> Row:
    """Return rows of the change of accuracy after each deficit, beside a published curve (`accuracy_curve`)."""

    def number(had: Had) -> xr.DataArray:
        return changes(accuracy(had[key], f"{prefix}-*"))

    def published(had: Had) -> dict[int, str]:
        return near(number(had)["removal"].values, changes(accuracy_curve(*curve)), partial(signed, digits=1))

    return context(f"change of accuracy, {what} {{removal}}, points", lambda had: number(had)[1:],
                   published=published, digits=1)  # fmt: skip


_FIG5, _FIG15 = ("blur", "", "Fig. 5 left"), ("blur", "constant learning rate 5e-4", "Fig. 15")
HIDES = (
    test("loss of accuracy by the longest blur, points",
         lambda had: -total(accuracy(had["fig5"], "blurred-*")), at_most=HIDDEN, digits=1,
         published=lambda had: f"{loss_of(accuracy_curve(*_FIG5)):.1f} (Fig. 5 left)"),
    test("while the clean eye's bias shifts by, units by place",
         lambda had: total(bias(had["fig5"])), at_least=SHIFT,
         published=lambda had: f"{rise_of(index_curve('blur', bias_of))} (Fig. 4)"),
    test("loss of stereopsis by an early closure, points",
         lambda had: lost(had["stereo"], "normal", "deprived-early", "stereopsis"), at_least=LOSS, digits=1,
         published=lambda had: f"up to {float(onset_curve('supervised').max()):.1f} (Fig. 8, in another task)"),
    test("loss by an early closure, share of what is above chance: stereopsis less an ordinary task",
         lambda had: relative_losses(had)["stereopsis"] - relative_losses(had)["ordinary"], at_least=0.0),
    context("the same share, stereopsis", lambda had: relative_losses(had)["stereopsis"]),
    context("the same share, ordinary task", lambda had: relative_losses(had)["ordinary"]),
    _changes("blurred to epoch", "fig5", "blurred", *_FIG5),
    _changes("dissociated to epoch", "fig5", "dissociated", "dissociation", "", "Fig. 5 right"),
)  # fmt: skip


def _eye(had: Had, name: str) -> xr.DataArray:
    study = had["fig9"]
    return bits(study, {"blurred": study.treated_eye, "clean": study.fellow_eye, "both": "both"}[name])


_AS_PUBLISHED = {"blurred": "right", "clean": "left", "both": "both"}


def _told(name: str, less: str = "", longest: bool = True) -> str:
    """Return what was published of an eye: its change by the longest blur, or what it tells more than another."""
    eye = usable_information(_AS_PUBLISHED[name])
    here = -1 if longest else 0
    than = usable_information(_AS_PUBLISHED[less])[here] if less else eye[0]
    return f"{signed(float(eye[here] - than))} (Fig. 9)"


INFORMATION = (
    test("change of what the blurred pathway tells, longest blur, bits",
         lambda had: total(_eye(had, "blurred")), at_most=-BITS, published=lambda had: _told("blurred")),
    test("change of what the clean pathway tells, bits",
         lambda had: total(_eye(had, "clean")), at_least=-BITS, published=lambda had: _told("clean")),
    test("clean less blurred pathway after the longest blur, bits",
         lambda had: _eye(had, "clean")[-1] - _eye(had, "blurred")[-1], at_least=BITS,
         published=lambda had: _told("clean", "blurred")),
    control("clean less blurred pathway without a blur, bits",
            lambda had: _eye(had, "clean")[0] - _eye(had, "blurred")[0], at_least=-2 * BITS, at_most=2 * BITS,
            published=lambda had: _told("clean", "blurred", longest=False)),
    *(context(f"bits, {name}, blurred to epoch {{removal}}", lambda had, name=name: _eye(had, name),
              published=lambda had, eye=eye: near(swept(had["fig9"], "blurred"), usable_information(eye),
                                                  "{:.2f}".format))
      for name, eye in _AS_PUBLISHED.items()),
)  # fmt: skip


CLOCKS = (
    test("shift of the clean eye's bias by the longest blur at a constant rate, units by place",
         lambda had: total(bias(had["fig15"], "constant-*")), at_least=SHIFT),
    test("loss of accuracy by the longest blur at a constant rate, points",
         lambda had: -total(accuracy(had["fig15"], "constant-*")), at_least=0.0, digits=1,
         published=lambda had: f"{loss_of(accuracy_curve(*_FIG15)):.1f} (Fig. 15)"),
    control("shift of the bias where the clock of the rate starts anew after the blur",
            lambda had: total(bias(had["fig15"], "phase-*")), at_least=SHIFT),
    context("shift of the bias under the published clock", lambda had: total(bias(had["fig15"], "absolute-*"))),
    _changes("constant rate, blurred to", "fig15", "constant", *_FIG15),
)  # fmt: skip


PHOTOGRAPHS = ('stimulus.dataset="photographs"', "stimulus.size=24", "stimulus.n_train=1000")
"""Settings that show patches of photographs where Fashion-MNIST is not on the machine."""


def _both(figure: str, *measures: Measure) -> tuple[StudyNeed, StudyNeed]:
    """Return the study of a figure at laboratory scale and at the paper's."""
    protocol = f"kleinman-2023-{figure}"
    lab = StudyNeed(figure, protocol, measures=measures, instead=PHOTOGRAPHS)
    return lab, StudyNeed(figure, f"{protocol}-paper", measures=measures, graphics_card=True)


_INFORMATION = Measure("usable-information", ("readout=shared",), when="end")
# Both eyes see the whole picture: what is left of the polarisation is not the geometry of split pictures.
_WHOLE = (
    StudyNeed(
        "fig6-whole", "kleinman-2023-fig6", ("stimulus.visible=28",), instead=(*PHOTOGRAPHS, "stimulus.visible=24")
    ),
    StudyNeed(
        "fig6-whole", "kleinman-2023-fig6-paper",
        ("stimulus.visible=32", "conditions.0.sweep={removal=[0,180]}"), graphics_card=True,
    ),
)  # fmt: skip
_CLOSURE = StudyNeed("closure", "kleinman-2023-closure", instead=PHOTOGRAPHS)
_STEREO = StudyNeed("stereo", "monocular-deprivation", ("seeds=5",))
_LEAN = (
    "A convolution with a stride begins at the left border, so that the places of the last map lie nearer to the left "
    "eye and the untrained network leans to it (shown mirrored views, it leans to the right eye); differences between "
    "subjects are free of this, single values are not."
)

_looked_at = partial(Claim, looks=LOOKS)

CLAIMS: tuple[Claim, ...] = (
    _looked_at(
        "k23-3-blur",
        "Blurring one view early turns the units to the other eye, the more the longer the blur, for good.",
        "Figs 4 and 10",
        both_scales(_both("fig4")),
        BLUR,
        figures.draw_blur,
        facts=ends_of_blur,
        reason=_LEAN,
    ),
    _looked_at(
        "k23-3-dissociation",
        "Showing the eyes different pictures early makes the units monocular, while both eyes keep equal shares.",
        "Fig. 6",
        both_scales(_both("fig6"), _WHOLE),
        DISSOCIATION,
        figures.draw_dissociation,
        reason="With split pictures a unit by place can be monocular because of where it is; the controls take that "
        "away.",
    ),
    _looked_at(
        "k23-4-hidden",
        "Accuracy in an ordinary task hides the damage that the units show; a task that needs both eyes does not.",
        "Fig. 5 left and right, Fig. 16, Fig. 8",
        both_scales(_both("fig5"), (_CLOSURE, _CLOSURE), (_STEREO, _STEREO)),
        HIDES,
        figures.draw_accuracy,
        reason="As published, all subjects have the same normal epochs after their deficit, so that those with a "
        "longer one are reared longer in all, which works against a loss of accuracy.",
    ),
    _looked_at(
        "k23-5-training",
        "Source sensitivity shows the inhibition of an eye during the deficit and its integration after it.",
        "section 4, Figs 4 and 10",
        both_scales(_both("fig4")),
        TRAINING,
        figures.draw_training,
        facts=ends_of_blur,
        reason=_LEAN,
    ),
    _looked_at(
        "k23-fig9-information",
        "After an early blur the blurred pathway tells less about the class; the clean one tells as much as before.",
        "Fig. 9",
        both_scales(_both("fig9", _INFORMATION)),
        INFORMATION,
        figures.draw_information,
        deviations=(
            "Usable information is that of a linear readout trained on the representation with an eye grey on a tenth "
            "of its training, in place of the network's own cross-entropy.",
        ),
    ),
    _looked_at(
        "k23-6-constant-rate",
        "The critical period is not made by the annealed learning rate: it is there at a constant rate too.",
        "Fig. 15",
        both_scales(_both("fig15")),
        CLOCKS,
        figures.draw_clocks,
    ),
)
