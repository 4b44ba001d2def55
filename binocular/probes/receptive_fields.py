"""Receptive fields of the two eyes: the filters of the first layer, or by reverse correlation for units behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from binocular.dominance import over_units
from binocular.networks.sites import UnitKind
from binocular.probes.base import EYE, EYES, UNIT, Probe, at_checkpoint, coordinate
from binocular.probes.recording import responses
from binocular.probes.weights import first_layer
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream

__all__ = ["FIRST_LAYER", "ReceptiveFields"]

FIRST_LAYER = "first-layer"


class ReceptiveFields(Probe):
    """Pairs of receptive fields, ``[unit, eye, channel, height, width]``.

    Site ``first-layer``: the filters themselves. Any other site: white noise of unit variance to both eyes at once, and
    the mean of the noise weighted by the response above its mean, which for a linear unit is its filter (the linear
    part of any unit, in the sense of least squares). ``signal`` is the mean over pixels of the squared field divided by
    the square of its standard error: 1 where there is nothing but the chance of the noise; its s.d. is then about
    ``sqrt(2 / pixels)``. ``match`` is the correlation of the two eyes' fields.
    """

    name: ClassVar[str] = "receptive-fields"
    about: ClassVar[str] = "receptive fields of both eyes: first-layer filters, reverse correlation behind them"
    own_sites: ClassVar[tuple[str, ...]] = (FIRST_LAYER,)

    noise: Literal["gaussian", "binary"] = Field("gaussian", description="distribution of each pixel, variance 1")
    n_stimuli: int = Field(10_000, ge=10, description="presentations of noise")
    units: UnitKind | None = Field("centre", description="what is counted as a unit where the site's name says nothing")

    columns: ClassVar = {
        **UNIT,
        **EYE,
        **coordinate("channel", "int64", "1", "channel of the image", 0),
        **coordinate("height", "int64", "pixel", "row, from the top", 0),
        **coordinate("width", "int64", "pixel", "column, from the left", 0),
        "receptive_field": at_checkpoint(
            "unit eye channel height width", "response", "receptive field", missing="never"
        ),
        "signal": at_checkpoint("unit eye", "1", "mean squared field over its squared error, 1 = none; NaN = exact", 0),
        "match": at_checkpoint("unit", "1", "correlation of the two eyes' fields; NaN = a field of zeros", -1, 1),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the mean match, and the mean share of the left eye in a unit's squared field."""
        energy = np.square(values["receptive_field"]).sum((3, 4, 5))
        whole = energy.sum(2)
        share = np.divide(energy[:, :, 0], whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        return {
            "mean match": over_units(values["match"], "mean"),
            "left eye's share of energy": over_units(share, "mean"),
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        if site == FIRST_LAYER:
            fields = torch.stack([first_layer(network, eye, stimulus.shape) for eye in EYES], 1).numpy()
            signal = np.full(fields.shape[:2], np.nan)
        else:
            fields, signal = self._reverse_correlation(network, stimulus, seed, site)
        flat = fields.reshape(*fields.shape[:2], -1)
        flat = flat - flat.mean(2, keepdims=True)
        size = np.sqrt(np.square(flat).sum(2).prod(1))
        match = np.divide(flat.prod(1).sum(1), size, out=np.full(len(flat), np.nan), where=size > 0)
        units, _, channels, height, width = fields.shape
        return {
            "unit": np.arange(units),
            "eye": EYES,
            "channel": np.arange(channels),
            "height": np.arange(height),
            "width": np.arange(width),
            "receptive_field": fields,
            "signal": signal,
            "match": match.clip(-1, 1),
        }

    def _reverse_correlation(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str
    ) -> tuple[np.ndarray, np.ndarray]:
        draw = stream(seed, "probe/receptive-fields")
        shape = (2, *stimulus.shape)
        device = stimulus.labels["test"].device
        offset = None
        product = total = square = torch.zeros((), dtype=torch.float64)
        for start in range(0, self.n_stimuli, 1000):
            noise = torch.randn(min(1000, self.n_stimuli - start), *shape, generator=draw)
            if self.noise == "binary":
                noise = torch.where(noise > 0, 1.0, -1.0)
            answer = responses(network, noise.to(device), site, self.units)
            # Noise has mean 0, so that the mean response drops out up to sampling; taking it out lessens the error.
            offset = answer.mean(0) if offset is None else offset
            answer = answer - offset
            product = product + answer.T @ noise.flatten(1).double()
            total, square = total + answer.sum(0), square + answer.square().sum(0)
        n = self.n_stimuli
        field = product / n
        variance = (square / n - (total / n).square()).clamp_min(0)
        error = (variance / n)[:, None]
        z = torch.where(error > 0, field.square() / error.clamp_min(1e-300), torch.nan)
        signal = z.unflatten(1, (2, -1)).mean(2)
        return field.unflatten(1, shape).numpy(), signal.numpy()

    def site_name(self, site: str) -> str:
        """Return the name under which a site is stored; filters of the first layer have one name only."""
        return site if site == FIRST_LAYER else super().site_name(site)
