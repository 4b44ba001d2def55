"""What blurred and dissociated views do to the units (Kleinman et al. 2023, Figs 4, 6 and 10): the judges.

The criteria are explained in `binocular.papers.kleinman_2023.main`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from binocular.papers.claims import Evidence, Finding
from binocular.papers.kleinman_2023.tables import bias_of, histograms, monocularity_of, nearest_removal
from binocular.papers.numbers import by_seed, judged, mean_of, paired, signed
from binocular.store.study import Condition, Study

__all__ = [
    "MAP",
    "POOLED",
    "SHIFT",
    "by_removal",
    "clean_bias",
    "judge_blur",
    "judge_dissociation",
    "judge_training",
]

MAP, POOLED = "representation.map", "representation"
"""Units by channel and place, as in the released code, and channels pooled over places."""
SHIFT = 0.10
"""Least shift of the clean eye's bias, or rise of the monocularity index."""
BALANCE = (0.3, 0.7)
"""Bias of eyes in balance."""

_LEAN = (
    "A convolution with a stride begins at the left border, so that the places of the last map lie nearer to the left "
    "eye and the untrained network leans to it (shown mirrored views, it leans to the right eye); differences between "
    "subjects are free of this, single values are not."
)


def by_removal(study: Study, prefix: str) -> dict[int, Condition]:
    """Return the conditions whose names begin with a word, by the epoch in which their deficit ends."""
    found = {int(c.values["removal"]): c for c in study.reared if c.name.startswith(f"{prefix}-")}
    if len(found) < 2 or 0 not in found:
        raise KeyError(f"{study.title}: conditions '{prefix}-...' with and without a deficit are needed")
    return dict(sorted(found.items()))


def clean_bias(condition: Condition, site: str, when: Any = "end") -> dict[int, float]:
    """Return the clean (fellow) eye's bias of each subject, by seed: 1 minus the contralateral bias index."""
    return {seed: 1 - cbi for seed, cbi in by_seed(condition, "cbi", site, when).items()}


def _balance(what: str, values: Mapping[int, float], published: str = "") -> Evidence:
    return Evidence(what, published, mean_of(values), "control", *BALANCE)


def judge_blur(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 4: the clean eye's bias after blurs of different lengths."""
    conditions, published = by_removal(had["fig4"], "blurred"), histograms("blur")
    short, longest = sorted(conditions)[1], max(conditions)
    none, most = bias_of(published[0]), bias_of(published[max(published)])
    bias = {site: {at: clean_bias(c, site) for at, c in conditions.items()} for site in (MAP, POOLED)}
    near = bias_of(published[nearest_removal(short, longest, published)])
    rows = [
        Evidence(
            "shift of the clean eye's bias by the longest blur, units by place", f"{signed(most - none)} (Fig. 4)",
            paired(bias[MAP][longest], bias[MAP][0]), at_least=SHIFT,
        ),
        Evidence(
            "the same, pooled units", "", paired(bias[POOLED][longest], bias[POOLED][0]), at_least=SHIFT,
        ),
        Evidence(
            f"further shift from the shortest blur ({short} epochs) to the longest ({longest}), units by place",
            f"{signed(most - near)} (Figs 4 and 10)", paired(bias[MAP][longest], bias[MAP][short]), at_least=0.0,
        ),
        _balance("clean eye's bias without a blur, units by place", bias[MAP][0], f"{none:.2f} (Fig. 4)"),
        _balance("clean eye's bias before rearing, units by place", clean_bias(conditions[0], MAP, "untrained")),
    ]  # fmt: skip
    for at in conditions:
        nearest = nearest_removal(at, longest, published)
        said = f"{bias_of(published[nearest]):.2f} at {nearest}"
        rows.append(Evidence(f"clean eye's bias, blurred to epoch {at}", said, mean_of(bias[MAP][at]), "context"))
    return judged("k23-3-blur", rows, _LEAN)


def judge_dissociation(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 6: monocularity and balance after dissociated views, and what of it is the geometry of the split."""
    conditions, published = by_removal(had["fig6"], "dissociated"), histograms("dissociation")
    whole = by_removal(had["fig6-whole"], "dissociated")
    longest, most = max(conditions), published[max(published)]
    rise = monocularity_of(most) - monocularity_of(published[0])
    mi = {site: {at: by_seed(c, "mi", site) for at, c in conditions.items()} for site in (MAP, POOLED)}
    rows = [
        Evidence(
            "rise of the monocularity index by the longest dissociation, units by place", f"{signed(rise)} (Fig. 6)",
            paired(mi[MAP][longest], mi[MAP][0]), at_least=SHIFT,
        ),
        Evidence(
            "clean eye's bias after the longest dissociation, units by place", f"{bias_of(most):.2f} (Fig. 6)",
            mean_of(clean_bias(conditions[longest], MAP)), "test", *BALANCE,
        ),
        Evidence(
            "rise of the index in pooled units, which have no place", "",
            paired(mi[POOLED][longest], mi[POOLED][0]), "control", at_least=0.0,
        ),
        Evidence(
            "rise of the index where both eyes see the whole picture, units by place", "",
            paired(by_seed(whole[max(whole)], "mi", MAP), by_seed(whole[0], "mi", MAP)), "control", at_least=0.0,
        ),
        Evidence(
            "monocularity index before rearing, units by place", "",
            mean_of(by_seed(conditions[0], "mi", MAP, "untrained")), "context",
        ),
    ]  # fmt: skip
    for at in conditions:
        nearest = nearest_removal(at, longest, published)
        said = f"{monocularity_of(published[nearest]):.2f} at {nearest}"
        rows.append(Evidence(f"monocularity index, dissociated to epoch {at}", said, mean_of(mi[MAP][at]), "context"))
    return judged(
        "k23-3-dissociation",
        rows,
        "With split pictures a unit by place can be monocular because of where it is; the controls take that away.",
    )


def judge_training(had: Mapping[str, Any]) -> Finding:
    """Judge RSV through training: inhibition while one view is blurred, integration when it is clear again."""
    conditions = by_removal(had["fig4"], "blurred")
    short, longest = sorted(conditions)[1], max(conditions)
    at_end_of = {at: clean_bias(conditions[at], MAP, at) for at in (short, longest)}
    normal = [by_seed(conditions[0], "cbi", MAP, int(epoch)) for epoch in _checkpoints(conditions[0])]
    farthest = {seed: max(abs(values[seed] - 0.5) for values in normal) for seed in normal[0]}
    rows = [
        Evidence(
            "shift of the clean eye's bias during the longest blur, units by place", "",
            paired(at_end_of[longest], clean_bias(conditions[longest], MAP, "untrained")), at_least=SHIFT,
        ),
        Evidence(
            f"shift back after the shortest blur ({short} epochs)", "",
            paired(at_end_of[short], clean_bias(conditions[short], MAP)), at_least=0.0,
        ),
        Evidence(
            "farthest from balance at any time without a blur", "", mean_of(farthest), "control",
            at_most=BALANCE[1] - 0.5,
        ),
        Evidence(
            f"shift back after the longest blur ({longest} epochs)", "",
            paired(at_end_of[longest], clean_bias(conditions[longest], MAP)), "context",
        ),
    ]  # fmt: skip
    return judged("k23-5-training", rows, _LEAN)


def _checkpoints(condition: Condition) -> list[int]:
    return [int(epoch) for epoch in np.unique(condition.subjects[0].sites[MAP].epoch)]
