"""Published numbers as arrays of xarray, from the tables that ship; no number stands in code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from binocular.compare.collection import load_literature
from binocular.papers.numbers import signed, total

__all__ = ["loss_of", "near", "nearest_removal", "published_curve", "rise_of"]


def published_curve(table: str, value: str, *, where: dict[str, Any], **dims: str) -> xr.DataArray:
    """Return a column of a shipped table along others, each ascending.

    Parameters
    ----------
    table, value
        File and column, see ``docs/literature-format.md``.
    where
        What the rows must have, by column; of ``reference`` how it ends.
    dims
        By the name of each dimension the column along which it goes.
    """
    import pandas

    def asked_for(row: Any) -> bool:
        found = {column: getattr(row, column) for column in where}
        return all(found[c].endswith(where[c]) if c == "reference" else found[c] == where[c] for c in where)

    rows = [row.model_dump() for row in load_literature().tables[table] if asked_for(row)]
    found = pandas.DataFrame(rows).set_index(list(dims.values()))[value]
    return found.rename_axis(list(dims)).sort_index().to_xarray()


def loss_of(curve: xr.DataArray, since: int = 0) -> float:
    """Return by how much a published curve falls to the longest deficit.

    Parameters
    ----------
    curve, since
        ``[removal]``, and the end of the deficit from which it falls.
    """
    return -float(total(curve.sel(removal=slice(since, None))))


def rise_of(curve: xr.DataArray, since: int = 0) -> str:
    """Return in words by how much a published curve rises to the longest deficit.

    Parameters
    ----------
    curve, since
        As for `loss_of`.
    """
    return signed(-loss_of(curve, since))


def nearest_removal(removal: float, longest: float, published: Iterable[int]) -> int:
    """Return the published end of a deficit that lies nearest to ours, each as a share of the longest deficit.

    Parameters
    ----------
    removal, longest, published
        Our end of the deficit, the longest of ours, and the published ones, in epochs.
    """
    known = np.array(sorted(published))
    return int(known[np.argmin(np.abs(known / known.max() - removal / max(longest, 1)))])


def near(removals: Iterable[int], published: xr.DataArray, words: Callable[[float], str]) -> dict[int, str]:
    """Return for each end of a deficit of ours the published number of the nearest one, and where that is.

    Parameters
    ----------
    removals, published, words
        Ours, in epochs; a published curve, ``[removal]``; and from a number of it to words.
    """
    ends = list(removals)
    found = {at: nearest_removal(at, max(ends), published["removal"].values) for at in ends}
    return {at: f"{words(float(published.sel(removal=nearest)))} at {nearest}" for at, nearest in found.items()}
