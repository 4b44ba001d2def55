"""Writes a page of docs/reproduction from the output folder of ``binocular reproduce``.

``python docs/reproduction_pages.py results/kleinman-2023-lab`` takes the page as it was written there and makes its
figures small; the numbers and words are those of the run.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from PIL import Image

PAGES = Path(__file__).parent / "reproduction"
PICTURES = Path(__file__).parent / "images" / "reproduction"
MOST_BYTES = 150_000
_WIDTHS = (1400, 1200, 1000, 800)


def small(source: Path, target: Path) -> None:
    """Write a figure with few colours, and as narrow as it takes to stay below `MOST_BYTES`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        whole = picture.convert("RGB")
    for width in _WIDTHS:
        size = (width, round(whole.height * width / whole.width)) if whole.width > width else whole.size
        whole.resize(size, Image.Resampling.LANCZOS).quantize(96).save(target, optimize=True)
        if target.stat().st_size < MOST_BYTES:
            return
    raise ValueError(f"{source} cannot be made smaller than {MOST_BYTES} bytes")


def write_page(folder: Path) -> Path:
    """Write the page of the paper whose output folder this is."""
    paper = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["paper"]["name"]
    text = (folder / "page.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(figures/([^)]+\.png)\)", text):
        small(folder / "figures" / name, PICTURES / name)
    page = PAGES / f"{paper}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(text.replace("](figures/", "](../images/reproduction/"), encoding="utf-8")
    return page


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(write_page(Path(argument)))
