"""Kleinman et al. 2024, Figs 2 and 3: gates, a lesion and the differential equation on the hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from binocular.linear.gating import shares
from binocular.papers.claims import Claim, Evidence, Finding
from binocular.papers.computing import ComputedNeed
from binocular.papers.kleinman_2024.portraits import PORTRAIT_NEEDS, drawing
from binocular.papers.numbers import exact, judged, number_of

__all__ = ["K24_GATES"]

_GATES = "linear-gates"
_BENT = "linear-bent"
_NO_EFFECT = 0.02
"""A difference in share that counts as none, a fiftieth of a mode."""


def _judge_equation(results: Mapping[str, Any]) -> Finding:
    portraits, gates = results["linear-portraits"]["portraits"], results[_GATES]["gates"]
    solved = [list(portraits["condition"]).index(name) for name in portraits["solved"]]
    off = np.abs(portraits["contribution"][:, solved] - portraits["exact"]).max((1, 2, 3, 4)) / 10
    top = gates["strength"][0]
    pairs = {"fine": ("contribution", "exact"), "coarse": ("coarse", "exact"), "stepped": ("coarse", "stepped")}
    distance = {name: float(np.abs(gates[a] - gates[b]).max() / top) for name, (a, b) in pairs.items()}
    cases = gates["contribution"].shape[1] * gates["contribution"].shape[2]
    rows = [
        Evidence(
            "hierarchy, depths 1 and 4, all gates, learning rate 0.001: largest distance, of the strongest mode",
            "Fig. 2: the equation runs through the network's points", exact(distance["fine"], cases), at_most=0.01,
            digits=4,
        ),
        *(
            Evidence(
                f"one mode, depth {depth}, all gates, learning rate {rate:.1g}: largest distance, of the mode", "",
                exact(float(error), portraits["contribution"].shape[1] * portraits["contribution"].shape[2]),
                at_most=0.01, digits=4,
            )
            for depth, rate, error in zip(portraits["depth"], portraits["rate"], off, strict=True)
        ),
        Evidence(
            "hierarchy, published learning rate 0.01, the equation stepped by it as published: largest distance", "",
            exact(distance["stepped"], cases), at_most=1e-6, digits=9,
        ),
        Evidence(
            "hierarchy, published learning rate 0.01, the equation solved in continuous time: largest distance", "",
            exact(distance["coarse"], cases), "context", digits=4,
        ),
    ]  # fmt: skip
    return judged(
        "k24-3-equation",
        rows,
        "The published curves take steps as long as those of gradient descent, which is then the same recursion; the "
        "last row tells how far the published learning rate is from continuous time.",
    )


def _gate_shares(results: Mapping[str, Any], depth: int) -> dict[str, np.ndarray]:
    """Return the share of pathway b in the end by condition, ``[seed, mode]``."""
    table = results[_GATES]["gates"]
    ends = shares(table["contribution"][list(table["depth"]).index(depth), :, :, -1])
    return dict(zip(table["condition"], ends, strict=True))


def _judge_gates(results: Mapping[str, Any]) -> Finding:
    found, shallow = _gate_shares(results, 4), _gate_shares(results, 1)
    strong, weak = slice(0, 4), slice(4, 8)
    n = len(found["sham"])
    rows = [
        Evidence(
            "early gate: share of the gated pathway, mean of the eight modes", "Fig. 2 left: the open pathway has all",
            number_of(found["early"].mean(1)), at_most=0.1, digits=3,
        ),
        Evidence(
            "middle gate: share in the four strong modes, learned before", "Fig. 2 centre: shared as before",
            number_of(found["middle"][:, strong].mean(1)), at_least=0.48, at_most=0.52, digits=3,
        ),
        Evidence(
            "middle gate: share in the four weak modes, not yet learned", "Fig. 2 centre: taken by the open pathway",
            number_of(found["middle"][:, weak].mean(1)), at_most=0.25, digits=3,
        ),
        Evidence(
            "late gate: largest distance of any share from one half", "Fig. 2 right: nothing changes",
            exact(np.abs(found["late"] - 0.5).max(), n), at_most=_NO_EFFECT, digits=4,
        ),
        Evidence(
            "no gate: largest distance of any share from one half", "",
            exact(np.abs(found["sham"] - 0.5).max(), n), "control", at_most=1e-9, digits=9,
        ),
        Evidence(
            "depth 1, the same early gate: share of the gated pathway, mean of the modes", "",
            number_of(shallow["early"].mean(1)), "context", digits=3,
        ),
        Evidence(
            "depth 1, the same middle gate: the same", "", number_of(shallow["middle"].mean(1)), "context", digits=3,
        ),
    ]  # fmt: skip
    return judged(
        "k24-4-gates",
        rows,
        "The rows of depth 1 tell what the same gates do to two shallow pathways, which learn without a delay.",
        _width_deviation(results),
    )


def _judge_lesion(results: Mapping[str, Any]) -> Finding:
    table = results[_GATES]["lesions"]
    ends = dict(zip(table["condition"], shares(table["contribution"][:, :, -1]), strict=True))
    others = [0, 2, 3, 4, 5, 6, 7]
    rows = [
        Evidence(
            "gate and lesion: share of the gated pathway in the mode that the other one cannot carry",
            "Fig. 3: learned by the gated pathway", number_of(ends["gate and lesion"][:, 1]), at_least=0.9,
        ),
        Evidence(
            "gate and lesion: share of the gated pathway in the other modes", "Fig. 3: learned by the open pathway",
            number_of(ends["gate and lesion"][:, others].mean(1)), at_most=0.1,
        ),
        Evidence(
            "gate without lesion: share of the gated pathway in the same mode", "",
            number_of(ends["gate"][:, 1]), "control", at_most=0.1,
        ),
        Evidence(
            "lesion without gate: largest distance of the share in the other modes from one half", "",
            exact(np.abs(ends["lesion"][:, others] - 0.5).max(), len(ends["lesion"])), "control", at_most=_NO_EFFECT,
            digits=4,
        ),
    ]  # fmt: skip
    return judged(
        "k24-5-competition",
        rows,
        "The controls tell the gate and the lesion apart.",
        _width_deviation(results),
    )


def _judge_bent(results: Mapping[str, Any]) -> Finding:
    table = results[_BENT]["bent"]
    rows, names = [], list(table["condition"])
    for kind, size, error in zip(table["units"], table["size"], table["error"], strict=True):
        ends = dict(zip(names, shares(size[:, :, -1]), strict=True))
        rows += [
            Evidence(
                f"{kind}: early gate less sham, share of the gated pathway in the squared output",
                "Figs 11, 12 left: the open pathway has all", number_of(ends["early"] - ends["sham"]), at_most=-0.2,
            ),
            Evidence(
                f"{kind}: late gate less sham, the same", "Figs 11, 12 right: nothing changes",
                number_of(ends["late"] - ends["sham"]), at_least=-_NO_EFFECT, at_most=_NO_EFFECT, digits=4,
            ),
            Evidence(
                f"{kind}: middle gate less sham, the same", "", number_of(ends["middle"] - ends["sham"]), "context",
            ),
            Evidence(f"{kind}: share of the gated pathway, sham", "", number_of(ends["sham"]), "context"),
            Evidence(
                f"{kind}: largest error left in the end, of the error at the start", "",
                exact(float((error[..., -1] / error[..., 0]).max()), error.shape[0] * error.shape[1]), "context",
                digits=4,
            ),
        ]  # fmt: skip
    return judged(
        "k24-9-nonlinear", rows,
        "Units that bend leave no modes to follow, so that the squared output is what is shared.",
        [
            "The share is that of the squared output; the paper draws the diagonal of the output in the modes' basis.",
            *_width_deviation(results, _BENT, "bent"),
        ],
    )  # fmt: skip


def _width_deviation(results: Mapping[str, Any], key: str = _GATES, name: str = "gates") -> list[str]:
    n = len(results[key][name]["seed"])
    return [
        f"{n} seeds instead of one; hidden layers carry the eight modes at first, and every layer of a pathway has a "
        "basis of its own where the paper shares one, which in linear pathways leaves the course of modes the same.",
        "The published column is what the released code of the figure computes; no figure was digitised.",
    ]


_GATE_NEEDS = {
    scale: ComputedNeed(
        _GATES, "Two linear pathways that share the hierarchy, gates and a lesion",
        "binocular.papers.kleinman_2024.tables:gates",
        {"depths": [1, 4], "seeds": seeds, "width": width}, minutes=minutes,
    )
    for scale, seeds, width, minutes in (("lab", 10, 16, 0.2), ("paper", 20, 100, 6))
}  # fmt: skip

_BENT_NEEDS = {
    scale: ComputedNeed(
        _BENT, "Two pathways with tanh or rectified units, gates", "binocular.papers.kleinman_2024.tables:bent",
        {"units": ["tanh", "relu"], "depth": 3, "seeds": seeds, "width": width}, minutes=minutes,
    )
    for scale, seeds, width, minutes in (("lab", 10, 32, 0.6), ("paper", 20, 100, 8))
}  # fmt: skip

K24_GATES = (
    Claim(
        "k24-3-equation",
        "One differential equation per mode says what gradient descent of the network does, gates included.",
        "Fig. 2 and Eq. for dp/dt",
        {
            "lab": (PORTRAIT_NEEDS["lab"], _GATE_NEEDS["lab"]),
            "paper": (PORTRAIT_NEEDS["paper"], _GATE_NEEDS["paper"]),
        },
        _judge_equation,
    ),
    Claim(
        "k24-4-gates",
        "A gate decides over the features that are learned while it is closed: all of them early, the weak ones in the "
        "middle, none late.",
        "Fig. 2",
        {"lab": (_GATE_NEEDS["lab"],), "paper": (_GATE_NEEDS["paper"],)},
        _judge_gates,
        drawing("gates_figure"),
    ),
    Claim(
        "k24-5-competition",
        "The gated pathway loses to competition and not to the gate: a feature that the open pathway cannot carry is "
        "learned by the gated one afterwards.",
        "Fig. 3",
        {"lab": (_GATE_NEEDS["lab"],), "paper": (_GATE_NEEDS["paper"],)},
        _judge_lesion,
        drawing("lesions_figure"),
    ),
    Claim(
        "k24-9-nonlinear",
        "Pathways with tanh or rectified units behave alike: an early gate gives what is learned to the open pathway, "
        "a late one changes nothing.",
        "Figs 11 and 12",
        {"lab": (_BENT_NEEDS["lab"],), "paper": (_BENT_NEEDS["paper"],)},
        _judge_bent,
        drawing("bent_figure"),
    ),
)
"""Claims of Kleinman et al. 2024 on gates and competition."""
