"""Names of the sites of a study: their order, which one is meant where none is named, and what people call them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["default_site", "in_order", "in_words"]

_WORDS = {"first_binocular": "first binocular cells", "representation": "representation"}


def in_order(sites: Iterable[str]) -> tuple[str, ...]:
    """Return names of sites with the first binocular cells first, then the representation, then the others by name."""
    first = ("first_binocular", "representation")
    return tuple(sorted(sites, key=lambda name: (first.index(name) if name in first else len(first), name)))


def default_site(sites: Sequence[str]) -> str:
    """Return the site that is meant where none is named, of sites in the order of `in_order`."""
    return sites[0] if sites else "representation"


def in_words(site: str) -> str:
    """Return what people call the units of a site."""
    return _WORDS.get(site, f"site {site}")
