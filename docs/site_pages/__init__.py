"""Pages of the site that are made from the code: gallery, reference, fields of a protocol and labs."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_all"]


def write_all(folder: Path) -> None:
    """Write all generated pages; a page whose text has not changed is left alone, so that Sphinx need not read it."""
    from site_pages.fields import field_pages
    from site_pages.first import first_page
    from site_pages.gallery import gallery_pages
    from site_pages.labs import lab_pages
    from site_pages.reference import reference_pages

    folder.mkdir(parents=True, exist_ok=True)
    pages = {**gallery_pages(folder), **reference_pages(), **field_pages(), **lab_pages()}
    pages["first-page.inc"] = first_page()  # a part of the first page, no page of its own
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
