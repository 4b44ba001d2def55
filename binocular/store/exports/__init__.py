"""Studies for analysis elsewhere: tidy tables as CSV, and NWB files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binocular.stimuli.lazy import lazily

if TYPE_CHECKING:
    from binocular.store.exports.csv_files import export_csv
    from binocular.store.exports.nwb_files import export_nwb
    from binocular.store.exports.tidy import tidy_tables

__all__ = ["export_csv", "export_nwb", "tidy_tables"]

_HOME = {"export_csv": "csv_files", "export_nwb": "nwb_files", "tidy_tables": "tidy"}

__getattr__, __dir__ = lazily(__name__, _HOME)
