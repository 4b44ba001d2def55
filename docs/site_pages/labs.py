"""The labs as pages: the sources, without what only a notebook needs."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["lab_pages"]

_LABS = Path(__file__).parents[2] / "labs"


def lab_pages() -> dict[str, str]:
    """Return a page for each lab; the teacher's keys are not on the site."""
    pages = {}
    for source in sorted(_LABS.glob("[0-9]-*.md")):
        text = source.read_text(encoding="utf-8").split("---\n", 2)[2].lstrip()
        pages[f"lab-{source.name}"] = re.sub(r"^```\{code-cell\}$", "```python", text, flags=re.MULTILINE)
    return pages
