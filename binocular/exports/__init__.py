"""Studies for analysis elsewhere: tidy tables as CSV, and NWB files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from binocular.exports.csv_files import export_csv
    from binocular.exports.nwb_files import export_nwb
    from binocular.exports.tidy import tidy_tables

__all__ = ["export_csv", "export_nwb", "tidy_tables"]

_HOME = {"export_csv": "csv_files", "export_nwb": "nwb_files", "tidy_tables": "tidy"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
