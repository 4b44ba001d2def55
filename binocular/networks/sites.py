"""Where a network can be recorded from, and what is counted there as a unit.

A site is a place in the network and a kind of unit. The places, from the eyes on:

- ``first_binocular``: the first cells that hear both eyes, the counterpart of primary visual cortex. A network declares
  it as the dotted name of a module; the shipped ones name their first rectification behind the sum of the eyes, and in
  a network that says nothing it is looked for (see `binocular.networks.declared`).
- later areas, by the dotted names that the network lists as ``sites``, in order;
- ``representation``: the last one before the classifier. A network declares it as the dotted name of a module; where it
  does not, it is the output of ``trunk``, or of whatever module answers last before the classifier;
- any other module, by its dotted name. Inside a pathway its units hear one eye, and their source variance says so.

The kinds of unit:

- ``cell``: the response of one channel at one place near the centre of gaze, cut at 0. Physiologists count single
  cells by their rate of firing, which does not fall below 0, and the classic histograms are of cells whose receptive
  fields lie in or near the area centralis (Hubel & Wiesel 1962; Wiesel & Hubel 1963), where both eyes see best and the
  same. Near is here within `PLACES_EACH_WAY` place of the centre of the map, so that a channel gives 3 x 3 cells, or
  as many as a smaller map has: the least that lies evenly about the centre and samples more than one place. A subject
  of the default width has 12 channels where the eyes meet and so 108 first binocular cells, as many as were recorded
  from a few animals of one treatment. The cells of one channel share its weights, so that they are no independent
  sample: intervals are taken over subjects, never over cells.
- ``centre``: a channel at the centre of the map alone, and not cut at 0, as reverse correlation wants it.
- ``pooled``: a channel averaged over its map. No cell does this; it is what the classifier reads.
- ``map``: a channel at each place of the map, not cut at 0 either, as in the released code of Kleinman et al. (2023).

A site's name says both: ``first_binocular.pooled``, ``representation.cell``. Where it does not say the kind, it means
pooled units of the representation and cells everywhere else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from binocular.networks.declared import found_of
from binocular.stimuli.errors import BadInput

__all__ = [
    "FIRST_BINOCULAR",
    "PLACES_EACH_WAY",
    "REPRESENTATION",
    "Site",
    "UnitKind",
    "areas_of",
    "central_places",
    "chosen_sites",
    "resolve_site",
    "site_name",
    "split_name",
]

FIRST_BINOCULAR = "first_binocular"
REPRESENTATION = "representation"
PLACES_EACH_WAY = 1
"""Cells lie within so many places of the centre of the map, in rows and in columns."""

UnitKind = Literal["cell", "centre", "pooled", "map"]
_KINDS: tuple[str, ...] = get_args(UnitKind)
_TRUNK = "trunk"
_SHOWN = 30  # modules that a message lists


@dataclass(frozen=True)
class Site:
    """A place in a network and what is counted there.

    Attributes
    ----------
    name
        As stored, see `site_name`.
    area
        ``first_binocular``, a dotted name, or ``representation``.
    module
        Dotted name of the module whose output is recorded.
    kind
        What is a unit.
    depth
        Place among the areas that the network declares, 0 = the first; -1 for any other module.
    """

    name: str
    area: str
    module: str
    kind: UnitKind
    depth: int


def split_name(name: str) -> tuple[str, UnitKind]:
    """Return area and kind of unit that a site's name means."""
    area, _, kind = name.rpartition(".")
    if area and kind in _KINDS:
        return area, kind  # type: ignore[return-value]
    return name, "pooled" if name == REPRESENTATION else "cell"


def site_name(name: str, kind: UnitKind | None = None) -> str:
    """Return the name under which a site is stored.

    Parameters
    ----------
    name
        As the user wrote it.
    kind
        What to count where the name does not say it; by default what the name alone means.

    Examples
    --------
    >>> site_name("representation"), site_name("representation", "map"), site_name("first_binocular.cell")
    ('representation', 'representation.map', 'first_binocular')
    """
    area, meant = split_name(name)
    if kind is None or area != name:
        kind = meant
    return area if split_name(area) == (area, kind) else f"{area}.{kind}"


def areas_of(network: nn.Module) -> dict[str, str]:
    """Return the areas of a network, from the first binocular one on, with the modules they are.

    They are those that it declares, and of the first and the last, where it does not, those that were found.
    """
    found = found_of(network)
    areas = {}
    first, last = (getattr(network, name, None) for name in (FIRST_BINOCULAR, REPRESENTATION))
    if first := first if isinstance(first, str) else found.first_binocular:
        areas[FIRST_BINOCULAR] = first
    areas |= {name: name for name in getattr(network, "sites", ())}
    areas[REPRESENTATION] = last if isinstance(last, str) else found.representation or _TRUNK
    return areas


def resolve_site(network: nn.Module, name: str, where: str = "--site") -> Site:
    """Return the site that a name means in a network.

    Parameters
    ----------
    network
        Any network.
    name
        Name of a site.
    where
        What to call the field in a message.

    Raises
    ------
    BadInput
        If the network has no such place.
    """
    area, kind = split_name(name)
    areas = areas_of(network)
    modules = [module for module, _ in network.named_modules() if module]
    module = areas.get(area, area)
    if module in modules:
        return Site(site_name(name), area, module, kind, list(areas).index(area) if area in areas else -1)
    if area in areas:
        raise BadInput(f"{where}: the network declares '{area}' as its module '{module}', which it does not have")
    near = difflib.get_close_matches(area, modules, 3, 0.5)
    shown = [*near, *(name for name in modules if name not in near)]
    more = f" and {len(shown) - _SHOWN} more (binocular check-network lists them)" if len(shown) > _SHOWN else ""
    raise BadInput(
        f"{where}: the network has no site '{area}'; accepted: {', '.join(areas)}, or any of its modules: "
        f"{', '.join(shown[:_SHOWN])}{more}; each may end in {', '.join('.' + kind for kind in _KINDS)}"
    )


def chosen_sites(network: nn.Module, names: Iterable[str], units: str) -> list[Site]:
    """Return the sites that a protocol asks for.

    Parameters
    ----------
    network
        The network.
    names
        Names of sites; none for all areas that the network declares.
    units
        What is counted at the representation where its name does not say it: a kind of unit, or ``"both"`` for pooled
        units and those at every place.

    Raises
    ------
    BadInput
        If the network has no such place.
    """
    kinds: tuple[UnitKind, ...] = ("pooled", "map") if units == "both" else (units,)  # type: ignore[assignment]
    found = {}
    given = tuple(names)
    for index, name in enumerate(given or areas_of(network)):
        for stored in [site_name(name, kind) for kind in kinds] if name == REPRESENTATION else [name]:
            site = resolve_site(network, stored, f"probes.sites[{index}]" if given else "probes.sites")
            found[site.name] = site
    return list(found.values())


def central_places(height: int, width: int, each_way: int = PLACES_EACH_WAY) -> list[tuple[int, int]]:
    """Return the places near the centre of a map, as (row, column), row by row.

    The centre is the place ``size // 2``. Behind a convolution of stride 2 that is padded by one pixel at each side,
    as in the shipped networks, it looks at the middle of an image whose sides are even to within half a pixel.

    Parameters
    ----------
    height, width
        Of the map.
    each_way
        How many places on each side of the centre.
    """
    rows, columns = (
        range(max(0, size // 2 - each_way), min(size, size // 2 + each_way + 1)) for size in (height, width)
    )
    return [(row, column) for row in rows for column in columns]
