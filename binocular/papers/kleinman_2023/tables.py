"""The published numbers of Kleinman, Achille & Soatto (2023), from the tables that ship; no number stands in code.

The tables give relative source variance as +1 = left (clean) view only; the figures of the paper plot it the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np

from binocular.compare.collection import load_literature
from binocular.compare.published import HistogramRecord
from binocular.dominance import contralateral_bias, monocularity
from binocular.papers.numbers import signed

__all__ = [
    "MASKED",
    "accuracy_curve",
    "bias_of",
    "changed",
    "histograms",
    "index_curve",
    "loss_of",
    "monocularity_of",
    "near",
    "nearest_removal",
    "onset_curve",
    "published_depth",
    "rise_of",
    "usable_information",
]

MASKED = "masked cross-view reconstruction"
"""Objective of the second curve of Fig. 8, as in the table."""


def _rows(name: str) -> tuple[Any, ...]:
    return load_literature().tables[f"kleinman_{name}.csv"]


@cache
def histograms(deficit: str) -> Mapping[int, HistogramRecord]:
    """Return the published histograms of ``"blur"`` or ``"dissociation"`` by its last epoch (Figs 4, 6 and 10)."""
    records, ends = load_literature().histograms, (row.removal_epoch for row in _rows("rsv_seven_bins"))
    found = {end: records.get(f"kleinman_{deficit}_{end}") for end in sorted(set(ends))}
    return {end: record for end, record in found.items() if record is not None}


def bias_of(record: HistogramRecord) -> float:
    """Return the clean eye's bias of a histogram: 1 minus the contralateral bias index, 0.5 in balance."""
    return 1 - float(contralateral_bias(record.counts))


def monocularity_of(record: HistogramRecord) -> float:
    """Return the group monocularity index of a histogram: 0 all binocular, 1 all monocular."""
    return float(monocularity(record.counts))


def index_curve(deficit: str, of: Callable[[HistogramRecord], float]) -> dict[int, float]:
    """Return an index of the published histograms by the epoch in which the deficit ended.

    Parameters
    ----------
    deficit, of
        As for `histograms`, and the index: `bias_of` or `monocularity_of`.
    """
    return {end: of(record) for end, record in histograms(deficit).items()}


@cache
def accuracy_curve(deficit: str, note: str = "", figure: str = "") -> Mapping[int, float]:
    """Return published test accuracy in per cent by the epoch in which the deficit ended.

    Parameters
    ----------
    deficit
        ``"blur"`` or ``"dissociation"``.
    note
        As in the table, such as ``"mean of 4 runs"``; empty for Fig. 5.
    figure
        How the reference ends, such as ``"Fig. 15"``; any by default.
    """
    return {
        row.removal_epoch: row.test_accuracy_percent
        for row in _rows("accuracy")
        if row.deficit == deficit and row.note == note and row.reference.endswith(figure)
    }


def changed(curve: Mapping[int, float]) -> dict[int, float]:
    """Return a curve less its value without a deficit."""
    return {at: value - curve[0] for at, value in curve.items()}


def loss_of(curve: Mapping[int, float], since: int = 0) -> float:
    """Return by how much a curve falls to the longest deficit.

    Parameters
    ----------
    curve
        By the end of the deficit.
    since
        The end of the deficit from which it falls.
    """
    return curve[since] - curve[max(curve)]


def rise_of(curve: Mapping[int, float], since: int = 0) -> str:
    """Return in words by how much a curve rises to the longest deficit.

    Parameters
    ----------
    curve, since
        As for `loss_of`.
    """
    return signed(-loss_of(curve, since))


@cache
def usable_information() -> Mapping[int, Mapping[str, float]]:
    """Return bits with both eyes, the left and the right (blurred) one, by the end of the blur (Fig. 9)."""
    return {
        row.removal_epoch: {"both": row.both_bits, "left": row.left_bits, "right": row.right_bits}
        for row in _rows("usable_information")
    }


@cache
def onset_curve(objective: str) -> Mapping[float, float]:
    """Return the published loss of accuracy in points by the onset of the deficit, as a share of training (Fig. 8).

    ``objective`` is as in the table: ``"supervised"`` or `MASKED`.
    """
    rows = _rows("onset_kinetics")
    found = {row.deficit_onset_fraction: row.accuracy_decrease_points for row in rows if row.objective == objective}
    return dict(sorted(found.items()))


def nearest_removal(removal: float, longest: float, published: Mapping[int, object]) -> int:
    """Return the published end of a deficit that lies nearest to ours, each as a share of the longest deficit.

    Parameters
    ----------
    removal, longest
        Our end of the deficit and the longest of ours, in epochs.
    published
        Anything by the published ends, in epochs.
    """
    known = np.array(sorted(published))
    return int(known[np.argmin(np.abs(known / known.max() - removal / max(longest, 1)))])


def near(removals: Iterable[int], published: Mapping[int, object], words: Callable[[int], str]) -> dict[int, str]:
    """Return for each end of a deficit of ours the published number of the nearest one, and where that is.

    Parameters
    ----------
    removals
        Ours, in epochs.
    published
        By the end of the deficit.
    words
        From a published end to the number in words.
    """
    ends = list(removals)
    found = {at: nearest_removal(at, max(ends), published) for at in ends}
    return {at: f"{words(nearest)} at {nearest}" for at, nearest in found.items()}


@cache
def published_depth() -> Mapping[int, Mapping[int, float]]:
    """Return published points of accuracy relative to no blur, by blocks and by the end of the blur (Fig. 5 centre)."""
    found: dict[int, dict[int, float]] = {}
    for row in _rows("depth"):
        found.setdefault(row.blocks_per_pathway, {})[row.removal_epoch] = row.relative_accuracy_points
    return found
