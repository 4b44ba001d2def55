"""Responses of the units of any site to what the two eyes are shown."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from binocular.probes.variance import as_units
from binocular.stimuli.base import LEFT, RIGHT, StimulusSet
from binocular.stimuli.errors import BadInput

__all__ = ["check_site", "known_sites", "noise_of", "responses", "visible_columns"]


def known_sites(network: nn.Module) -> list[str]:
    """Return the sites a network names itself, ``representation`` first."""
    return ["representation", *getattr(network, "sites", [])]


def check_site(network: nn.Module, site: str) -> None:
    """Raise `BadInput` unless a site is ``representation`` or a module of the trunk."""
    if site != "representation" and not (site.startswith("trunk") and site in dict(network.named_modules())):
        raise BadInput(f"--site: the network has no site '{site}'; accepted: {', '.join(known_sites(network))}")


@torch.no_grad()
def responses(network: nn.Module, views: Tensor, site: str, units: str = "pooled", batch: int = 500) -> Tensor:
    """Show views and take down what the units answer.

    Parameters
    ----------
    network
        A two-eyed network in evaluation mode.
    views
        ``[n, eye, channel, height, width]``.
    site
        ``"representation"`` or a module inside the trunk.
    units
        ``"pooled"``: one unit per channel, averaged over the map; ``"map"``: one per channel and pixel;
        ``"centre"``: one per channel, in the middle of the map (below and right of it if its sides are even).
    batch
        Presentations at a time.

    Returns
    -------
    Tensor
        ``[n, unit]`` float64 on the processor.
    """
    seen: dict[str, Tensor] = {}

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        seen[site] = output

    hook = None if site == "representation" else network.get_submodule(site).register_forward_hook(keep)
    kept = []
    try:
        for some in views.split(batch):
            fused = network.left(some[:, LEFT]) + network.right(some[:, RIGHT])  # type: ignore[operator]
            output = network.trunk(fused)  # type: ignore[operator]
            kept.append(_units(output if hook is None else seen[site], units).double().cpu())
    finally:
        if hook is not None:
            hook.remove()
    return torch.cat(kept)


def _units(response: Tensor, units: str) -> Tensor:
    if units != "centre":
        return next(value for _, value in as_units("", response, units))
    while response.dim() > 2:
        response = response[..., response.shape[-1] // 2]
    return response


def noise_of(stimulus: StimulusSet) -> tuple[float, float]:
    """Return the s.d. of the sensory noise of each eye in a stimulus; 0 where it has none."""
    noise = getattr(getattr(stimulus, "config", None), "noise", 0.0)
    return noise if isinstance(noise, tuple) else (noise, noise)


def visible_columns(stimulus: StimulusSet) -> int | None:
    """Return how many columns each eye sees from its outer side, or None where it sees the whole image."""
    columns = getattr(getattr(stimulus, "config", None), "columns", None)
    return columns if isinstance(columns, int) else None
