"""Studies for analysis elsewhere: tidy tables as CSV."""

from __future__ import annotations

from binocular.store.exports.csv_files import export_csv

__all__ = ["export_csv"]
