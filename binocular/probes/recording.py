"""Recording: what the units of any sites answer to what the eyes are shown.

Where a network declares its pathways, each runs once for each view, and only what lies behind the fusion runs for every
pair of views; of any other network all of it runs for every pair, and the answers are the same. A pass ends as soon as
the last site has answered. A module that is used several times in a pass is recorded at its first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from binocular.networks.checking import SMALL_PICTURE
from binocular.networks.declared import PARTS, answer_of, found_of, has_pathways, map_of_tokens
from binocular.networks.fusion import all_pairs, fuse_all_pairs
from binocular.networks.sites import REPRESENTATION, Site, UnitKind, central_places, resolve_site, site_name
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.records import SiteUnits

__all__ = ["at_once", "response_grid", "responses", "units_at"]


@own_settings()
@torch.no_grad()
def response_grid(
    network: nn.Module,
    left: Tensor,
    right: Tensor,
    sites: Sequence[str] = (REPRESENTATION,),
    units: UnitKind | None = None,
    pairs_per_block: int = 512,
) -> dict[str, Tensor]:
    """Present every left stimulus with every right one.

    Parameters
    ----------
    network
        A network, in evaluation mode.
    left, right
        What the eyes see, ``[n, channel, height, width]`` each.
    sites
        Names of sites, see `binocular.networks.sites`.
    units
        What is counted as a unit where the name of a site does not say it; by default what that name means.
    pairs_per_block
        Pairs shown at a time.

    Returns
    -------
    dict of str to Tensor
        Per site ``[left stimulus, right stimulus, unit]``, by the name under which it is stored.

    Raises
    ------
    BadInput
        If the network has no such site.
    """
    resolved = [resolve_site(network, site_name(name, units), "sites") for name in sites]
    pairs_per_block = at_once(pairs_per_block, left.shape)
    if not has_pathways(network) or any(site.module.split(".")[0] not in (*PARTS, "fuse") for site in resolved):
        return _in_blocks(
            network,
            resolved,
            left,
            right,
            pairs_per_block,
            lambda some: network(torch.stack(all_pairs(some, right), 1)),
        )
    shape = (len(left), len(right))
    from_left, of_left = _listen(network, resolved, lambda: network.left(left))  # type: ignore[operator]
    from_right, of_right = _listen(network, resolved, lambda: network.right(right))  # type: ignore[operator]
    if both := {site.module for site in resolved if site.name in of_left and site.name in of_right}:
        raise BadInput(f"the module '{min(both)}' is shared by the pathways of both eyes; accepted is one of one eye")
    found = {name: value[:, None].expand(*shape, -1) for name, value in of_left.items()}
    found |= {name: value[None].expand(*shape, -1) for name, value in of_right.items()}
    if behind := [site for site in resolved if site.name not in found]:
        found |= _in_blocks(
            network, behind, from_left, from_right, pairs_per_block,
            lambda some: network.head(network.trunk(fuse_all_pairs(network, some, from_right))),  # type: ignore[operator]
        )  # fmt: skip
    return {site.name: found[site.name] for site in resolved}


def _in_blocks(
    network: nn.Module, sites: Sequence[Site], left: Tensor, right: Tensor, most: int, run: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """Record a grid row by row: ``run`` shows some of ``left`` with all of ``right``, at most so many pairs at once."""
    blocks: dict[str, list[Tensor]] = {}
    for some in left.split(max(1, most // len(right))):
        for name, value in _answers(network, sites, lambda some=some: run(some)).items():
            blocks.setdefault(name, []).append(value.unflatten(0, (-1, len(right))))
    return {name: torch.cat(values) for name, values in blocks.items()}


@torch.no_grad()
def responses(network: nn.Module, views: Tensor, site: str, units: UnitKind | None = None) -> Tensor:
    """Show views and take down what the units of one site answer, ``[n, unit]`` float64 on the CPU.

    Parameters
    ----------
    network
        A network in evaluation mode.
    views
        ``[n, eye, channel, height, width]``.
    site, units
        As in `response_grid`.
    """
    place = resolve_site(network, site_name(site, units))
    kept = []
    for some in views.split(at_once(500, views.shape)):
        answers = _answers(network, [place], lambda some=some: network(some))
        kept.append(answers[place.name].double().cpu())
    return torch.cat(kept)


def at_once(most: int, shape: Sequence[int]) -> int:
    """Return how many presentations are shown at a time: fewer where the pictures are large, for their maps are too.

    Parameters
    ----------
    most, shape
        How many of pictures of up to 64 x 64 pixels, and (..., height, width) of these.
    """
    return max(1, most * SMALL_PICTURE // max(SMALL_PICTURE, shape[-2] * shape[-1]))


@torch.no_grad()
def units_at(network: nn.Module, shape: tuple[int, int, int], sites: Iterable[Site]) -> dict[str, SiteUnits]:
    """Return what the units of sites are, found by one blank presentation.

    Parameters
    ----------
    network, shape, sites
        In evaluation mode; (channels, height, width) of what one eye sees; the sites.
    """
    sites = list(sites)
    weights = next(network.parameters())
    views = torch.zeros(1, 2, *shape, device=weights.device, dtype=weights.dtype)
    layouts: dict[str, _Layout] = {}
    _answers(network, sites, lambda: network(views), layouts)
    found = {}
    for site in sites:
        layout = layouts[site.name]
        places = [] if site.kind == "pooled" else layout.places(site.kind)
        found[site.name] = SiteUnits(
            site.kind, site.module, site.depth, layout.channels, layout.height, layout.width, places
        )
    return found


class _Layout:
    """How the units of a response lie: channels, and the places of one or several maps of the visual field."""

    def __init__(self, channels: int, height: int, width: int, maps: int) -> None:
        self.channels, self.height, self.width, self.maps = channels, height, width, maps

    def places(self, kind: UnitKind) -> list[tuple[int, int]]:
        """Return the places that units of a kind are recorded at, as (row, column); all of them for pooled units."""
        if kind in ("pooled", "map"):
            return [(row, column) for row in range(self.height) for column in range(self.width)]
        rows = self.height // self.maps
        central = central_places(rows, self.width, 0) if kind == "centre" else central_places(rows, self.width)
        return [(number * rows + row, column) for number in range(self.maps) for row, column in central]


def _laid_out(network: nn.Module, name: str, response: Tensor) -> tuple[Tensor, _Layout]:
    """Return responses ``[presentation, channel, place]``, and where their places lie.

    Tokens with channels last lie in a square where their number allows it; one that stands for the whole image, before
    them, is no place of it and left out.
    """
    maps = _stacked_maps(network, name)
    if response.dim() == 2:
        return response[:, :, None], _Layout(response.shape[1], 1, 1, maps)
    last = name in found_of(network).channels_last
    if last:
        response = response.movedim(-1, 1)
    channels, width = response.shape[1], response.shape[-1]
    if response.dim() == 4:
        return response.flatten(2), _Layout(channels, response.shape[2], width, maps)
    first, height, width = map_of_tokens(width, maps) if last else (0, 1, width)
    return response[:, :, first:], _Layout(channels, height, width, maps)


def _stacked_maps(network: nn.Module, name: str) -> int:
    """Return how many maps lie one after another in what a module answers, as it or a module around it declares."""
    while not hasattr(network.get_submodule(name), "stacked_maps"):
        if not name:
            return 1
        name = name.rpartition(".")[0]
    return int(network.get_submodule(name).stacked_maps)  # type: ignore[arg-type]


def _as_units(flat: Tensor, kind: UnitKind, layout: _Layout) -> Tensor:
    """Return responses ``[presentation, unit]``, a copy; units at places are in order of channels, then of places."""
    if kind == "pooled":
        return flat.mean(dim=2)
    if kind == "map":
        return flat.flatten(1).clone()
    at = torch.tensor([row * layout.width + column for row, column in layout.places(kind)], device=flat.device)
    chosen = flat[:, :, at].flatten(1)
    return chosen.clamp_min(0) if kind == "cell" else chosen


class _Enough(Exception):
    """Ends a pass in which all modules have answered."""


def _answers(
    network: nn.Module, sites: Sequence[Site], run: Callable[[], Tensor], layouts: dict[str, _Layout] | None = None
) -> dict[str, Tensor]:
    """Return what the units of sites answer in a pass, which ends as soon as all of them have."""
    recorded: dict[str, Tensor] = {}
    try:
        _listen(network, sites, run, recorded, layouts, stop=True)
    except _Enough:
        return recorded
    silent = ", ".join(sorted({site.module for site in sites if site.name not in recorded}))
    raise BadInput(f"the site '{silent}' cannot be recorded from: the network does not call that module when it sees")


def _listen(
    network: nn.Module,
    sites: Sequence[Site],
    run: Callable[[], Tensor],
    recorded: dict[str, Tensor] | None = None,
    layouts: dict[str, _Layout] | None = None,
    stop: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what a pass gives, and what the units of sites answered in it, ``[presentation, unit]`` by site.

    Units are taken at once: a layer that comes later may write over what a module gave.
    """
    recorded = {} if recorded is None else recorded

    def keep(name: str, here: list[Site]) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if here[0].name in recorded:
                return
            output = answer_of(output)
            if output is None or output.dim() not in (2, 3, 4):
                raise BadInput(
                    f"the module '{name}' cannot be recorded from: it does not answer with [presentation, channel], "
                    "[presentation, channel, place] or [presentation, channel, row, column]"
                )
            flat, layout = _laid_out(network, name, output)
            for site in here:
                recorded[site.name] = _as_units(flat, site.kind, layout)
                if layouts is not None:
                    layouts[site.name] = layout
            if stop and all(site.name in recorded for site in sites):
                raise _Enough

        return hook

    by_module: dict[str, list[Site]] = {}
    for site in sites:
        by_module.setdefault(site.module, []).append(site)
    hooks = [network.get_submodule(name).register_forward_hook(keep(name, here)) for name, here in by_module.items()]
    try:
        return run(), recorded
    finally:
        for hook in hooks:
            hook.remove()
