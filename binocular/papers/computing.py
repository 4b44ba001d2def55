"""Computations that claims are judged on: made once, kept in a file of their own, and taken up afterwards."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import xarray as xr

from binocular.papers.costs import duration_words

__all__ = ["ComputedNeed", "Tables"]

Tables = Mapping[str, xr.Dataset]
"""By name; a table's data sets share their dimensions."""


@dataclass(frozen=True)
class ComputedNeed:
    """Something that is computed rather than reared.

    Attributes
    ----------
    key, title
        Name of its folder: lower case, digits and hyphens; and in words. The results are in ``results.h5`` there.
    home
        ``module:function``; the function takes ``parameters`` by name and returns the tables
        (`binocular.linear.storing.Table`) by name.
    parameters
        JSON-able. A file that was made from others is computed again.
    minutes, version
        About how long it takes on one core; and raised when the function changes what it returns.
    """

    key: str
    title: str
    home: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    minutes: float = 0.1
    version: int = 1

    def pieces(self, seeds: Sequence[int] = ()) -> dict[Hashable, float]:
        """Return the one piece that it is; see `binocular.papers.claims.Need`."""
        return {self.key: 60 * self.minutes}

    def expected(self, seeds: Sequence[int] = ()) -> str:
        """Return what computing it takes, in words."""
        return f"about {duration_words(60 * self.minutes)}"

    def obtain(self, folder: Path, device: str, quiet: bool) -> Tables:
        """Compute it, or take up the file that is there; see `binocular.papers.claims.Need`.

        The device is of no consequence: the matrices are small and in float64, and stay on the CPU.
        """
        from binocular.linear.storing import read_results, same_parameters, stored_parameters, write_results

        path = folder / self.key / "results.h5"
        wanted = {**self.parameters, "home": self.home, "version": self.version}
        if not same_parameters(stored_parameters(path), wanted):
            if not quiet:
                print(f"{self.title}: computing, {self.expected()}", file=sys.stderr, flush=True)
            module, _, name = self.home.partition(":")
            tables = getattr(import_module(module), name)(**self.parameters)
            write_results(path, self.title, wanted, tables)
        return read_results(path)
