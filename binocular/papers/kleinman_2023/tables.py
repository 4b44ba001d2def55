"""The published numbers of Kleinman, Achille & Soatto (2023), from the tables that ship; no number stands in code.

The tables give relative source variance as +1 = left (clean) view only; the figures of the paper plot it the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import numpy as np

from binocular.compare.published import HistogramRecord, network_histograms
from binocular.compare.reading import Line, read_table, shipped_folder
from binocular.dominance import contralateral_bias, monocularity
from binocular.papers.numbers import signed

__all__ = [
    "accuracy_curve",
    "bias_of",
    "changed",
    "histograms",
    "largest_onset_loss",
    "loss_of",
    "monocularity_of",
    "most_dissociated",
    "near",
    "nearest_removal",
    "onset_curve",
    "published_depth",
    "published_rise",
    "published_shift",
    "usable_information",
]


@cache
def _lines(name: str) -> tuple[Line, ...]:
    return tuple(read_table(shipped_folder() / name))


@cache
def histograms(deficit: str) -> Mapping[int, HistogramRecord]:
    """Return the published histograms by the epoch in which the deficit ended (Figs 4, 6 and 10).

    Parameters
    ----------
    deficit
        ``"blur"`` or ``"dissociation"``.
    """
    names = ("kleinman_rsv_seven_bins.csv", "kleinman_rsv_histograms.csv")
    tables = {name: list(_lines(name)) for name in names}
    found = {
        line.row.removal_epoch: record for line, record in network_histograms(tables) if line.row.deficit == deficit
    }
    return dict(sorted(found.items()))


def bias_of(record: HistogramRecord) -> float:
    """Return the clean eye's bias of a histogram: 1 minus the contralateral bias index, 0.5 in balance."""
    return 1 - float(contralateral_bias(record.counts))


def monocularity_of(record: HistogramRecord) -> float:
    """Return the group monocularity index of a histogram: 0 all binocular, 1 all monocular."""
    return float(monocularity(record.counts))


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
    rows = [line.row for line in _lines("kleinman_accuracy.csv")]
    return {
        row.removal_epoch: row.test_accuracy_percent
        for row in rows
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


@cache
def usable_information() -> Mapping[int, Mapping[str, float]]:
    """Return bits with both eyes, the left and the right (blurred) one, by the end of the blur (Fig. 9)."""
    rows = [line.row for line in _lines("kleinman_usable_information.csv")]
    return {row.removal_epoch: {"both": row.both_bits, "left": row.left_bits, "right": row.right_bits} for row in rows}


def largest_onset_loss(objective: str) -> float:
    """Return the largest published loss of accuracy by a deficit, over onsets, in points (Fig. 8, video).

    Parameters
    ----------
    objective
        As in the table: ``"supervised"`` or ``"masked cross-view reconstruction"``.
    """
    return max(onset_curve(objective).values())


@cache
def onset_curve(objective: str) -> Mapping[float, float]:
    """Return the published loss of accuracy in points by the onset of the deficit, as a share of training (Fig. 8).

    Parameters
    ----------
    objective
        As for `largest_onset_loss`.
    """
    rows = [line.row for line in _lines("kleinman_onset_kinetics.csv")]
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


def published_shift(since: int = 0) -> str:
    """Return the change of the clean eye's bias by the longest blur, since another end of it, in words."""
    blur = histograms("blur")
    return signed(bias_of(blur[max(blur)]) - bias_of(blur[since]))


def most_dissociated(of: Callable[[HistogramRecord], float]) -> float:
    """Return an index of the histogram after the longest dissociation."""
    published = histograms("dissociation")
    return of(published[max(published)])


def published_rise() -> str:
    """Return the rise of the monocularity index by the longest dissociation, in words."""
    return signed(most_dissociated(monocularity_of) - monocularity_of(histograms("dissociation")[0]))


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
    for line in _lines("kleinman_depth.csv"):
        found.setdefault(line.row.blocks_per_pathway, {})[line.row.removal_epoch] = line.row.relative_accuracy_points
    return found
