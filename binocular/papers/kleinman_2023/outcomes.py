"""What an early deficit costs: accuracy, usable information, and the learning rate's part in it (Figs 5, 9 and 15).

The criteria are explained in `binocular.papers.kleinman_2023.main`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binocular.papers.claims import Evidence, Finding
from binocular.papers.kleinman_2023.tables import (
    accuracy_curve,
    bias_of,
    histograms,
    largest_onset_loss,
    nearest_removal,
    usable_information,
)
from binocular.papers.kleinman_2023.units import MAP, POOLED, SHIFT, by_removal, clean_bias
from binocular.papers.numbers import accuracies, condition_of, judged, mean_of, paired, signed
from binocular.store.study import Condition, Study

__all__ = ["CHANCE", "bits", "judge_accuracy", "judge_clocks", "judge_information", "relative_loss", "with_normal"]

BITS = 0.12
"""Least loss of usable information."""
HIDDEN = 5.0
"""Most points of accuracy that an ordinary task may lose for the damage to count as hidden."""
LOSS = 10.0
"""Least points that a task for both eyes loses; about half of the published largest loss."""
CHANCE = {"ordinary": 0.1, "stereopsis": 0.5}
"""Accuracy by guessing: ten photographs, near or far."""


def judge_accuracy(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 5 and the synergy: loss in an ordinary task, in the units, and in a task that needs both eyes."""
    blurred = by_removal(had["fig5"], "blurred")
    longest = max(blurred)
    curve = accuracy_curve("blur", figure="Fig. 5 left")
    drop = curve[0] - curve[max(curve)]
    published_shift = bias_of(histograms("blur")[max(histograms("blur"))]) - bias_of(histograms("blur")[0])
    accuracy = {at: accuracies(condition) for at, condition in blurred.items()}
    closed, stereo = by_removal(had["closure"], "closed"), had["stereo"]
    ordinary = relative_loss(accuracies(closed[0]), accuracies(closed[max(closed)]), CHANCE["ordinary"])
    normal, early = (accuracies(condition_of(stereo, name), "stereopsis") for name in ("normal", "deprived-early"))
    both = relative_loss(normal, early, CHANCE["stereopsis"])
    rows = [
        Evidence(
            "loss of accuracy by the longest blur, points", f"{drop:.1f} (Fig. 5 left)",
            paired(accuracy[0], accuracy[longest], 100), at_most=HIDDEN, digits=1,
        ),
        Evidence(
            "while the clean eye's bias shifts by, units by place", f"{signed(published_shift)} (Fig. 4)",
            paired(clean_bias(blurred[longest], MAP), clean_bias(blurred[0], MAP)), at_least=SHIFT,
        ),
        Evidence(
            "loss of stereopsis by an early closure, points",
            f"up to {largest_onset_loss('supervised'):.1f} (Fig. 8, in another task)",
            paired(normal, early, 100), at_least=LOSS, digits=1,
        ),
        Evidence(
            "loss by the same closure, share of what is above chance: stereopsis less an ordinary task", "",
            paired(both, ordinary), at_least=0.0,
        ),
        Evidence("the same share, stereopsis", "", mean_of(both), "context"),
        Evidence("the same share, ordinary task", "", mean_of(ordinary), "context"),
    ]  # fmt: skip
    for deficit, prefix, side in (("blur", "blurred", "left"), ("dissociation", "dissociated", "right")):
        published = accuracy_curve(deficit, figure=f"Fig. 5 {side}")
        rows += _changes(with_normal(had["fig5"], prefix, blurred[0]), published, f"{prefix} to epoch")
    return judged(
        "k23-4-hidden",
        rows,
        "As published, all subjects have the same normal epochs after their deficit, so that those with a longer one "
        "are reared longer in all, which works against a loss of accuracy.",
    )


def with_normal(study: Study, prefix: str, normal: Condition) -> dict[int, Condition]:
    """Return the conditions of one deficit by its end; those without any are shared with another deficit."""
    found = {int(c.values["removal"]): c for c in study.reared if c.name.startswith(f"{prefix}-")}
    return {0: normal} | dict(sorted(found.items()))


def _changes(conditions: Mapping[int, Condition], published: Mapping[int, float], what: str) -> list[Evidence]:
    """Return the change of accuracy after each deficit, for context."""
    rows = []
    for at, condition in conditions.items():
        if at:
            nearest = nearest_removal(at, max(conditions), published)
            said = f"{signed(published[nearest] - published[0], 1)} at {nearest}"
            ours = paired(accuracies(condition), accuracies(conditions[0]), 100)
            rows.append(Evidence(f"change of accuracy, {what} {at}, points", said, ours, "context", digits=1))
    return rows


def relative_loss(before: Mapping[int, float], after: Mapping[int, float], chance: float) -> dict[int, float]:
    """Return the share of the accuracy above chance that is lost, by seed."""
    return {seed: (before[seed] - after[seed]) / (before[seed] - chance) for seed in before.keys() & after.keys()}


def bits(condition: Condition, eye: str) -> dict[int, float]:
    """Return usable information at the end of rearing with the left eye, the right eye or both, by seed."""
    found = {}
    for subject in condition.subjects:
        values = subject.measures["usable-information", POOLED].values
        found[subject.seed] = float(values["information"][-1, [str(name) for name in values["seeing"]].index(eye)])
    return found


def judge_information(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 9: bits with each eye after blurs of different lengths."""
    conditions, published = by_removal(had["fig9"], "blurred"), usable_information()
    longest, most = max(conditions), published[max(published)]
    eyes = {"treated": had["fig9"].treated_eye, "fellow": had["fig9"].fellow_eye}

    def change(eye: str) -> str:
        return f"{signed(most[eye] - published[0][eye])} (Fig. 9)"

    ours = {name: {at: bits(c, eye) for at, c in conditions.items()} for name, eye in (*eyes.items(), ("both", "both"))}
    rows = [
        Evidence(
            "change of what the blurred pathway tells, longest blur, bits", change("right"),
            paired(ours["treated"][longest], ours["treated"][0]), at_most=-BITS,
        ),
        Evidence(
            "change of what the clean pathway tells, bits", change("left"),
            paired(ours["fellow"][longest], ours["fellow"][0]), at_least=-BITS,
        ),
        Evidence(
            "clean less blurred pathway after the longest blur, bits",
            f"{signed(most['left'] - most['right'])} (Fig. 9)",
            paired(ours["fellow"][longest], ours["treated"][longest]), at_least=BITS,
        ),
        Evidence(
            "clean less blurred pathway without a blur, bits",
            f"{signed(published[0]['left'] - published[0]['right'])} (Fig. 9)",
            paired(ours["fellow"][0], ours["treated"][0]), "control", -2 * BITS, 2 * BITS,
        ),
    ]  # fmt: skip
    for at in conditions:
        nearest = nearest_removal(at, longest, published)
        for name, eye in (("blurred", "right"), ("clean", "left"), ("both", "both")):
            key = {"blurred": "treated", "clean": "fellow", "both": "both"}[name]
            said = f"{published[nearest][eye]:.2f} at {nearest}"
            rows.append(Evidence(f"bits, {name}, blurred to epoch {at}", said, mean_of(ours[key][at]), "context"))
    return judged(
        "k23-fig9-information",
        rows,
        deviations=(
            "Usable information is that of a linear readout trained on the representation with an eye grey on a tenth "
            "of its training, in place of the network's own cross-entropy.",
        ),
    )


def judge_clocks(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 15 and the control that it lacks: a constant rate, and a clock that starts anew after the deficit."""
    study, published = had["fig15"], accuracy_curve("blur", "constant learning rate 5e-4", "Fig. 15")
    longest = max(by_removal(study, "constant"))
    drop = published[0] - published[max(published)]
    shift = {}
    for clock in ("constant", "phase", "absolute"):
        conditions = by_removal(study, clock)
        shift[clock] = paired(clean_bias(conditions[longest], MAP), clean_bias(conditions[0], MAP))
    constant = by_removal(study, "constant")
    rows = [
        Evidence(
            "shift of the clean eye's bias by the longest blur at a constant rate, units by place", "",
            shift["constant"], at_least=SHIFT,
        ),
        Evidence(
            "loss of accuracy by the longest blur at a constant rate, points", f"{drop:.1f} (Fig. 15)",
            paired(accuracies(constant[0]), accuracies(constant[longest]), 100), at_least=0.0, digits=1,
        ),
        Evidence(
            "shift of the bias where the clock of the rate starts anew after the blur", "", shift["phase"],
            "control", at_least=SHIFT,
        ),
        Evidence("shift of the bias under the published clock", "", shift["absolute"], "context"),
    ]  # fmt: skip
    rows += _changes(constant, published, "constant rate, blurred to")
    return judged("k23-6-constant-rate", rows)
