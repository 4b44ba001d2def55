"""Taking probes: the same at a checkpoint of rearing and later from a snapshot.

At a checkpoint source variance is taken at all sites of the protocol, and whatever it names in ``probes.also`` at the
same sites. A row has a name: that of the site for source variance, ``<probe>/<site>`` for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from binocular.networks.sites import chosen_sites, resolve_site
from binocular.probes.base import NETWORK, Probe
from binocular.probes.recording import units_at
from binocular.probes.registry import probe_from
from binocular.probes.relative_variance import RelativeSourceVariance
from binocular.protocols import ProbePlan
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput, finding
from binocular.stimuli.user_code import reference_of
from binocular.store.records import SiteUnits
from binocular.store.schema import measure_fields
from binocular.store.tables import conforming

__all__ = [
    "checkpoint_rows",
    "further_probes",
    "lacks",
    "probes_of",
    "row_name",
    "stacked",
    "take",
    "try_out",
    "units_of",
]


def probes_of(plan: ProbePlan) -> list[Probe]:
    """Return the probes that a protocol takes at every checkpoint, source variance first.

    Raises
    ------
    BadInput
        If it names a probe that there is not.
    """
    first = RelativeSourceVariance(n_stimuli=plan.n_stimuli, bootstrap=plan.bootstrap, units=None)
    return [first, *(probe for _, probe in further_probes(plan) if probe.name != first.name)]


def further_probes(plan: ProbePlan) -> Iterator[tuple[str, Probe]]:
    """Give the further probes that a protocol names, each with the words in which messages say where it stands.

    Raises
    ------
    BadInput
        If there is no such probe.
    """
    for index, name in enumerate(plan.also):
        where = f"probes.also[{index}]"
        yield where, probe_from(name, where=where)


def checkpoint_rows(
    plan: ProbePlan, network: nn.Module, stimulus: StimulusSet, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Take all that a protocol measures at a checkpoint.

    Parameters
    ----------
    plan, network, stimulus, seed
        What is measured; the others as for `take`.

    Returns
    -------
    dict
        By the name of the row the datasets, each with a first dimension of length 1 for the checkpoint, coordinates
        too; texts as bytes.
    """
    sites = [site.name for site in chosen_sites(network, plan.sites, plan.units)]
    rows = {}
    for probe in probes_of(plan):
        for site, values in take(probe, network, stimulus, seed, sites).items():
            rows[row_name(probe, site)] = {name: _as_bytes(np.asarray(value))[None] for name, value in values.items()}
    return rows


def row_name(probe: Probe, site: str) -> str:
    """Return the name of what a probe measures at a site, in the rows of a checkpoint.

    Parameters
    ----------
    probe, site
        The probe, and the name of the site.
    """
    return site if probe.of_the_site else f"{probe.name}/{site}"


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return np.char.encode(values.astype(str), "utf-8") if values.dtype == object else values


def take(
    probe: Probe, network: nn.Module, stimulus: StimulusSet, seed: int, sites: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Take one probe, without gradients unless it asks for them.

    Parameters
    ----------
    probe, network
        The probe, and a network in evaluation mode, as probes are to see it.
    stimulus, seed
        What the subject is reared with, and its seed.
    sites
        Names of sites; of no consequence for a probe of the network as a whole.

    Returns
    -------
    dict
        By the name under which the site is stored, the probe's datasets without the dimension ``checkpoint``.

    Raises
    ------
    BadInput
        If the network has no such site, or not what the probe needs.
    """
    if missing := lacks(type(probe), network):
        raise BadInput(
            f"probe {probe.name}: the network has no module '{missing[0]}'; it needs {', '.join(probe.needs)}"
        )
    named = [] if probe.scope == "network" else list(dict.fromkeys(probe.site_name(site) for site in sites))
    for site in named:
        if site not in probe.own_sites:
            resolve_site(network, site)
    with torch.no_grad():
        if probe.scope == "network":
            return {NETWORK: probe.measure(network, stimulus, seed, NETWORK)}
        return probe.measure_sites(network, stimulus, seed, named)


def try_out(
    probe: Probe, network: nn.Module, stimulus: StimulusSet, seed: int, sites: Sequence[str], where: str
) -> None:
    """Take a probe of a user's own once, so that what would fail after hours of rearing fails before.

    Parameters
    ----------
    probe, network, stimulus, seed, sites
        As in `take`.
    where
        What messages call the field that names it.

    Raises
    ------
    BadInput
        If it fails, or gives other than it says.
    """
    along = {name for name, column in probe.columns.items() if column.dims[0] == "checkpoint"}
    with finding(f"{where}: {reference_of(type(probe))} cannot measure here"):
        for site, row in take(probe, network, stimulus, seed, sites).items():
            values = {name: np.asarray(value)[None] if name in along else value for name, value in row.items()}
            start = {"checkpoint": np.arange(1), "epoch": np.zeros(1, np.int64)}
            conforming(f"{probe.name}/{site}", measure_fields(probe.columns), start | values)


def lacks(probe: type[Probe], network: nn.Module) -> list[str]:
    """Return the modules that a probe needs and a network does not have.

    Parameters
    ----------
    probe, network
        Its class, and any network.
    """
    return [name for name in probe.needs if getattr(network, name, None) is None]


def units_of(probe: Probe, network: nn.Module, stimulus: StimulusSet, sites: Sequence[str]) -> dict[str, SiteUnits]:
    """Return what the units are at those sites, by the names under which they are stored, that are recorded from.

    Parameters
    ----------
    probe, network, stimulus, sites
        As for `take`.
    """
    if probe.scope == "network":
        return {}
    named = dict.fromkeys(probe.site_name(site) for site in sites if site not in probe.own_sites)
    return units_at(network, stimulus.shape, [resolve_site(network, site) for site in named])


def stacked(probe: Probe, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Put the rows of several checkpoints together: every dataset gets its first dimension, coordinates stay.

    Parameters
    ----------
    probe, rows
        Whose columns they are, and values by column for each checkpoint; what the first lacks is left out.
    """
    return {
        name: np.stack([np.asarray(row[name]) for row in rows]) if column.dims[0] == "checkpoint" else rows[0][name]
        for name, column in probe.columns.items()
        if name in rows[0]
    }
