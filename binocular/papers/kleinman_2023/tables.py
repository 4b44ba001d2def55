"""The published numbers of Kleinman, Achille & Soatto (2023), from the tables that ship.

The tables give relative source variance as +1 = left (clean) view only; the figures of the paper plot it the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import xarray as xr

from binocular.compare.collection import load_literature
from binocular.compare.published import HistogramRecord
from binocular.dominance import contralateral_bias, monocularity
from binocular.papers.published import published_curve

__all__ = [
    "MASKED",
    "accuracy_curve",
    "bias_of",
    "histograms",
    "index_curve",
    "monocularity_of",
    "onset_curve",
    "published_depth",
    "usable_information",
]

MASKED = "masked cross-view reconstruction"
"""Objective of the second curve of Fig. 8, as in the table."""


@cache
def histograms(deficit: str) -> Mapping[int, HistogramRecord]:
    """Return the published histograms of ``"blur"`` or ``"dissociation"`` by its last epoch (Figs 4, 6 and 10)."""
    literature = load_literature()
    ends = {row.removal_epoch for row in literature.tables["kleinman_rsv_seven_bins.csv"] if row.deficit == deficit}
    return {end: literature.histograms[f"kleinman_{deficit}_{end}"] for end in sorted(ends)}


def bias_of(record: HistogramRecord) -> float:
    """Return the clean eye's bias of a histogram: 1 minus the contralateral bias index, 0.5 in balance."""
    return 1 - float(contralateral_bias(record.counts))


def monocularity_of(record: HistogramRecord) -> float:
    """Return the group monocularity index of a histogram: 0 all binocular, 1 all monocular."""
    return float(monocularity(record.counts))


def index_curve(deficit: str, of: Callable[[HistogramRecord], float]) -> xr.DataArray:
    """Return an index of the published histograms by the epoch in which the deficit ended, ``[removal]``.

    Parameters
    ----------
    deficit, of
        As for `histograms`, and the index: `bias_of` or `monocularity_of`.
    """
    found = histograms(deficit)
    return xr.DataArray([of(record) for record in found.values()], {"removal": list(found)}, ("removal",))


@cache
def accuracy_curve(deficit: str, note: str = "", figure: str = "") -> xr.DataArray:
    """Return published test accuracy in per cent by the epoch in which the deficit ended, ``[removal]``.

    Parameters
    ----------
    deficit
        ``"blur"`` or ``"dissociation"``.
    note
        As in the table, such as ``"mean of 4 runs"``; empty for Fig. 5.
    figure
        How the reference ends, such as ``"Fig. 15"``; any by default.
    """
    where = {"deficit": deficit, "note": note, "reference": figure}
    return published_curve("kleinman_accuracy.csv", "test_accuracy_percent", where=where, removal="removal_epoch")


@cache
def usable_information(eyes: str) -> xr.DataArray:
    """Return bits with ``"both"`` eyes, the ``"left"`` or the ``"right"`` (blurred), ``[removal]`` (Fig. 9)."""
    return published_curve("kleinman_usable_information.csv", f"{eyes}_bits", where={}, removal="removal_epoch")


@cache
def onset_curve(objective: str) -> xr.DataArray:
    """Return the loss of accuracy in points by the onset of the deficit, a share of training, ``[onset]`` (Fig. 8).

    ``objective`` is as in the table: ``"supervised"`` or `MASKED`.
    """
    return published_curve(
        "kleinman_onset_kinetics.csv", "accuracy_decrease_points", where={"objective": objective},
        onset="deficit_onset_fraction",
    )  # fmt: skip


@cache
def published_depth() -> xr.DataArray:
    """Return points of accuracy relative to no blur, ``[blocks, removal]``, by the end of the blur (Fig. 5 centre)."""
    return published_curve(
        "kleinman_depth.csv", "relative_accuracy_points", where={}, blocks="blocks_per_pathway", removal="removal_epoch"
    )
