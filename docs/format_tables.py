"""Writes the tables of docs/file-format.md from `binocular.store.schema`, which files are written and verified by.

``python docs/format_tables.py`` brings the page up to date; a test fails while it is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from binocular.store import schema
from binocular.store.schema import Field

PAGE = Path(__file__).with_name("file-format.md")
TABLES = [name for name in schema.__all__ if isinstance(getattr(schema, name), Mapping)]
"""Every table of the schema has to be on the page."""

_MISSING = {
    "never": "never",
    "allowed": "allowed",
    "silent": "silent units, and only they",
    "all-silent": "only where all units are silent",
}


def table(name: str) -> str:
    """Return a table of the schema as Markdown: of attributes, or of datasets."""
    content = getattr(schema, name)
    if all(isinstance(value, str) for value in content.values()):
        rows = [("attribute", "meaning"), *((f"`{key}`", value) for key, value in content.items())]
    else:
        rows = [("dataset", "dimensions", "type", "units", "range", "NaN", "meaning")]
        rows += [_row(key, field) for key, field in content.items()]
    rows.insert(1, tuple("---" for _ in rows[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _row(name: str, field: Field) -> tuple[str, ...]:
    low, high = ("" if end is None else f"{end:g}" for end in (field.low, field.high))
    span = f"{low} to {high}" if low and high else f"from {low}" if low else f"to {high}" if high else ""
    optional = "" if field.required else " (where it was measured)"
    optional += f" (from version {field.since} on)" if field.since > 1 else ""
    missing = _MISSING[field.missing] if field.kind == "float64" else ""
    return f"`{name}`", ", ".join(field.dims), field.kind, field.units, span, missing, field.long_name + optional


def filled(page: str) -> str:
    """Return the page with every table between its marks written anew."""

    def fill(match: re.Match[str]) -> str:
        return f"<!-- table {match[1]} -->\n{table(match[1])}\n<!-- end -->"

    return re.sub(r"<!-- table (\w+) -->\n.*?<!-- end -->", fill, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
