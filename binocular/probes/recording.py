"""Recording: what the units of any sites answer to what the eyes are shown.

A pathway runs once for each view, only what lies behind the fusion runs for every pair of views, and a pass ends as
soon as the last site has answered. A module that is used several times in a pass is recorded at its first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from binocular.networks.fusion import fuse_all_pairs
from binocular.networks.sites import REPRESENTATION, Site, UnitKind, central_places, resolve_site, site_name
from binocular.stimuli.errors import BadInput
from binocular.stimuli.surroundings import own_settings
from binocular.store.records import SiteUnits

__all__ = ["has_pathways", "record_grid", "response_grid", "responses", "units_at"]


@own_settings()
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
    found = [resolve_site(network, site_name(name, units), "sites") for name in sites]
    return record_grid(network, left, right, found, pairs_per_block)


@torch.no_grad()
def record_grid(
    network: nn.Module, left: Tensor, right: Tensor, sites: Sequence[Site], pairs_per_block: int = 512
) -> dict[str, Tensor]:
    """Present every left stimulus with every right one; see `response_grid`.

    Parameters
    ----------
    network
        In evaluation mode.
    left, right
        Views of each eye, ``[stimulus, channel, height, width]``.
    sites
        Where it is recorded from.
    pairs_per_block
        How many pairs go through the trunk at once.
    """
    if not has_pathways(network):
        return _record_presentations(network, left, right, sites, pairs_per_block)
    shape, modules = (len(left), len(right)), {site.module for site in sites}
    from_left, of_left = _listen(network, modules, lambda: network.left(left))  # type: ignore[operator]
    from_right, of_right = _listen(network, modules, lambda: network.right(right))  # type: ignore[operator]
    if both := set(of_left) & set(of_right):
        raise BadInput(f"the module '{min(both)}' is shared by the pathways of both eyes; accepted is one of one eye")
    one_eyed = {name: value[:, None].expand(*shape, *value.shape[1:]) for name, value in of_left.items()}
    one_eyed |= {name: value[None].expand(*shape, *value.shape[1:]) for name, value in of_right.items()}
    blocks: dict[str, list[Tensor]] = {}
    rows = max(1, pairs_per_block // len(right))
    for start in range(0, len(left), rows):
        recorded = {name: value[start : start + rows].flatten(0, 1) for name, value in one_eyed.items()}
        if behind := modules - set(one_eyed):
            pairs = fuse_all_pairs(network, from_left[start : start + rows], from_right)
            recorded |= _answers(network, behind, lambda pairs=pairs: network.head(network.trunk(pairs)))  # type: ignore[operator]
        for site in sites:
            value = _as_units(recorded[site.module], site.kind, network.get_submodule(site.module))
            blocks.setdefault(site.name, []).append(value.unflatten(0, (-1, len(right))))
    return {name: torch.cat(values) for name, values in blocks.items()}


def _record_presentations(
    network: nn.Module, left: Tensor, right: Tensor, sites: Sequence[Site], pairs_per_block: int
) -> dict[str, Tensor]:
    """Record a grid from a network that declares no pathways: all of it runs for every pair."""
    modules = {site.module for site in sites}
    blocks: dict[str, list[Tensor]] = {}
    for some in left.split(max(1, pairs_per_block // len(right))):
        views = torch.stack(
            [some.repeat_interleave(len(right), dim=0), right.repeat(len(some), *[1] * (right.dim() - 1))], dim=1
        )
        recorded = _answers(network, modules, lambda views=views: network(views))
        for site in sites:
            value = _as_units(recorded[site.module], site.kind, network.get_submodule(site.module))
            blocks.setdefault(site.name, []).append(value.unflatten(0, (-1, len(right))))
    return {name: torch.cat(values) for name, values in blocks.items()}


@torch.no_grad()
def responses(network: nn.Module, views: Tensor, site: str, units: UnitKind | None = None, batch: int = 500) -> Tensor:
    """Show views and take down what the units of one site answer.

    Parameters
    ----------
    network
        A network in evaluation mode.
    views
        ``[n, eye, channel, height, width]``.
    site, units
        As in `response_grid`.
    batch
        Presentations at a time.

    Returns
    -------
    Tensor
        ``[n, unit]`` float64 on the CPU.
    """
    place = resolve_site(network, site_name(site, units))
    module = network.get_submodule(place.module)
    kept = []
    for some in views.split(batch):
        recorded = _answers(network, {place.module}, lambda some=some: network(some))
        kept.append(_as_units(recorded[place.module], place.kind, module).double().cpu())
    return torch.cat(kept)


@torch.no_grad()
def units_at(network: nn.Module, shape: tuple[int, int, int], sites: Iterable[Site]) -> dict[str, SiteUnits]:
    """Return what the units of sites are, found by one blank presentation.

    Parameters
    ----------
    network
        A network in evaluation mode.
    shape
        (channels, height, width) of what one eye sees.
    sites
        The sites.
    """
    sites = list(sites)
    weights = next(network.parameters())
    views = torch.zeros(1, 2, *shape, device=weights.device, dtype=weights.dtype)
    recorded = _answers(network, {site.module for site in sites}, lambda: network(views))
    found = {}
    for site in sites:
        layout = _Layout.of(recorded[site.module], network.get_submodule(site.module))
        places = [] if site.kind == "pooled" else layout.places(site.kind)
        found[site.name] = SiteUnits(
            site.kind, site.module, site.depth, layout.channels, layout.height, layout.width, places
        )
    return found


def has_pathways(network: nn.Module) -> bool:
    """Say whether a network declares a pathway for each eye, and what lies behind them."""
    return all(isinstance(getattr(network, part, None), nn.Module) for part in ("left", "right", "trunk", "head"))


class _Layout:
    """How the units of a response lie: channels, and the places of one or several maps of the visual field."""

    def __init__(self, channels: int, height: int, width: int, maps: int) -> None:
        self.channels, self.height, self.width, self.maps = channels, height, width, maps

    @classmethod
    def of(cls, response: Tensor, module: nn.Module) -> _Layout:
        height = response.shape[2] if response.dim() == 4 else 1
        width = response.shape[-1] if response.dim() > 2 else 1
        return cls(response.shape[1], height, width, getattr(module, "stacked_maps", 1))

    def places(self, kind: UnitKind) -> list[tuple[int, int]]:
        """Return the places that units of a kind are recorded at, as (row, column); all of them for pooled units."""
        if kind in ("pooled", "map"):
            return [(row, column) for row in range(self.height) for column in range(self.width)]
        rows = self.height // self.maps
        central = central_places(rows, self.width, 0) if kind == "centre" else central_places(rows, self.width)
        return [(number * rows + row, column) for number in range(self.maps) for row, column in central]


def _as_units(response: Tensor, kind: UnitKind, module: nn.Module) -> Tensor:
    """Return responses ``[presentation, unit]``; units at places are in order of channels, then of places."""
    flat = response.flatten(2) if response.dim() > 2 else response[:, :, None]
    if kind == "pooled":
        return flat.mean(dim=2)
    if kind == "map":
        return flat.flatten(1)
    layout = _Layout.of(response, module)
    at = torch.tensor([row * layout.width + column for row, column in layout.places(kind)], device=flat.device)
    chosen = flat[:, :, at].flatten(1)
    return chosen.clamp_min(0) if kind == "cell" else chosen


class _Enough(Exception):
    """Ends a pass in which all modules have answered."""


def _answers(network: nn.Module, modules: set[str], run: Callable[[], Tensor]) -> dict[str, Tensor]:
    """Return what modules answer in a pass, which ends as soon as all of them have."""
    recorded: dict[str, Tensor] = {}
    try:
        _listen(network, modules, run, recorded, stop=True)
    except _Enough:
        return recorded
    silent = ", ".join(sorted(modules - set(recorded)))
    raise BadInput(f"the site '{silent}' cannot be recorded from: the network does not call that module when it sees")


def _listen(
    network: nn.Module,
    modules: set[str],
    run: Callable[[], Tensor],
    recorded: dict[str, Tensor] | None = None,
    stop: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what a pass gives, and what modules answered in it."""
    recorded = {} if recorded is None else recorded

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if name in recorded:
                return
            if not isinstance(output, Tensor) or output.dim() not in (2, 3, 4):
                raise BadInput(
                    f"the module '{name}' cannot be recorded from: it does not answer with [presentation, channel], "
                    "[presentation, channel, place] or [presentation, channel, row, column]"
                )
            recorded[name] = output
            if stop and len(recorded) == len(modules):
                raise _Enough

        return hook

    hooks = [network.get_submodule(name).register_forward_hook(keep(name)) for name in modules]
    try:
        return run(), recorded
    finally:
        for hook in hooks:
            hook.remove()
