"""Studies in memory whose histograms are chosen, for the tests of comparisons. Nothing here is a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from binocular.compare import load_literature
from binocular.store.study import Condition, Study
from tests.synthetic import invented_subject

NORMAL = (0.02, 0.08, 0.25, 0.30, 0.25, 0.08, 0.02)
OPEN_EYE = (0.0, 0.0, 0.0, 0.0, 0.05, 0.30, 0.65)
CLOSED = {"kind": "occlusion", "contrast": 0.0}
MONKEY = load_literature().histograms["monkey_md_2wk"]


def phases(*parts: tuple[int, dict | None]) -> list[dict]:
    """Return phases of some epochs, each with one deficit or none."""
    found, start = [], 0
    for epochs, deficit in parts:
        found.append({"name": "p", "start": start, "stop": start + epochs, "deficits": [deficit] if deficit else []})
        start += epochs
    return found


def subject(
    name: str, seed: int, shares: Sequence[float], lived: list[dict], units: int = 48, eye: str = "right"
) -> Any:
    """Return a subject whose units are drawn from a histogram with group 1 = the deprived ``eye``."""
    rng = np.random.default_rng([seed, *name.encode()])
    stop = lived[-1]["stop"]
    base = invented_subject(name, seed, epochs=stop, every=max(1, stop // 2), units=units)
    site = base.sites["representation"]
    centres = np.linspace(-6 / 7, 6 / 7, 7)
    rsv = rng.choice(centres, size=(len(site.epoch), units), p=np.array(shares) / np.sum(shares))
    rsv = rsv + rng.uniform(-0.1, 0.1, rsv.shape)
    rsv = rsv if eye == "right" else -rsv
    values = {**site.values, "rsv": rsv}
    here = replace(site, values=values, n_silent=np.zeros(len(site.epoch), np.int64))
    return replace(base, phases=lived, sites={"representation": here})


def study_of(
    conditions: dict[str, tuple[Sequence[float], list[dict]]],
    seeds: int = 3,
    treated_eye: str = "right",
    units: int = 48,
) -> Study:
    """Return a study in memory; group 1 of each histogram belongs to the treated eye."""
    made = []
    for name, (shares, lived) in conditions.items():
        subjects = tuple(subject(name, seed, shares, lived, units, treated_eye) for seed in range(seeds))
        made.append(Condition(name, name, subjects, {}, treated_eye))
    attributes = {"title": "Invented", "treated_eye": treated_eye, "complete": 1, "versions": "{}"}
    attributes["protocol_hash"] = "0123456789abcdef"
    return Study(attributes, tuple(made))


def closed(eye: str = "right", **changes: object) -> dict:
    return {**CLOSED, "eye": eye, **changes}


def mixed(part: float) -> np.ndarray:
    return (1 - part) * np.array(NORMAL) + part * np.array(OPEN_EYE)


CAT = (0.07, 0.08, 0.20, 0.30, 0.20, 0.08, 0.07)
"""As broad as the published numbers of normal cats ask: 86 % binocular, a median monocularity of 0.29."""
ANIMALS = {
    "normal": (CAT, phases((140, None))),
    "early": (OPEN_EYE, phases((36, closed()))),
    "adult": (NORMAL, phases((60, None), (40, closed()))),
    "both": (NORMAL, phases((20, closed("both")), (20, None))),
    "reversed-early": (OPEN_EYE[::-1], phases((8, closed()), (36, closed("left")))),
    "reversed-late": (OPEN_EYE, phases((44, closed()), (36, closed("left")))),
    "squint": ((0.4, 0.05, 0.03, 0.04, 0.03, 0.05, 0.4), phases((20, {"kind": "dissociation", "eye": "right"}))),
    "blur": (OPEN_EYE, phases((20, {"kind": "blur", "eye": "right", "factor": 4}), (10, None))),
}
