"""Source variance as a probe: how much each unit depends on each eye, at any sites at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from torch import nn

from binocular.dominance import binocular_share, groups_of, mean_rsv
from binocular.networks.sites import UnitKind
from binocular.probes.base import Probe
from binocular.probes.recording import response_grid
from binocular.probes.shown import probe_views
from binocular.probes.variance import source_variance
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.streams import stream
from binocular.store.schema import PROBES, measure_fields

__all__ = ["RelativeSourceVariance"]


class RelativeSourceVariance(Probe):
    """Source variance of each eye and RSV = (SV_left - SV_right) / (SV_left + SV_right) of every unit.

    All pairs of ``n_stimuli`` left and right views, drawn from each eye's own marginal, are shown once for all sites;
    see `binocular.probes.variance`. It is taken at every checkpoint of rearing, where its datasets are stored under
    ``probes/<site>``.
    """

    name: ClassVar[str] = "source-variance"
    about: ClassVar[str] = "how much each unit depends on each eye (RSV), and on both together"

    n_stimuli: int = Field(48, ge=2, description="stimuli per eye: the grid has n x n pairs")
    bootstrap: int = Field(100, ge=0, description="resamplings of the stimuli, for the standard error of RSV")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")

    of_the_site: ClassVar[bool] = True
    columns: ClassVar = {name: field for name, field in PROBES.items() if name not in (*measure_fields({}), "odi")}

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return mean RSV, binocular share, and the numbers of units and of silent ones."""
        rsv = values["rsv"]
        return {
            "mean RSV": mean_rsv(rsv),
            "binocular share": binocular_share(groups_of(rsv)),
            "units": np.full(len(rsv), rsv.shape[1]),
            "silent units": values["n_silent"],
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one site; see `Probe.measure`."""
        return next(iter(self.measure_sites(network, stimulus, seed, [site]).values()))

    def measure_sites(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, sites: Sequence[str]
    ) -> dict[str, dict[str, np.ndarray]]:
        """Measure several sites on one grid; see `Probe.measure_sites`."""
        left, right = probe_views(stimulus, self.n_stimuli, seed)
        found = {}
        for site, grid in response_grid(network, left, right, sites, self.units).items():
            measured = source_variance(grid, self.bootstrap, stream(seed, "bootstrap"))
            found[site] = {
                "unit": np.arange(len(measured.rsv)),
                **{name: np.asarray(getattr(measured, name)) for name in self.columns if name != "unit"},
            }
        return found
