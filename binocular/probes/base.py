"""What every probe is: a checked description that measures a network and changes nothing.

A probe is a frozen model with a class-wide ``name`` and a table of the datasets it gives, registered by one line in
`binocular.probes.registry`. It is taken at the checkpoints of rearing or later from snapshots, by the same code (see
`binocular.probes.taking`). What it measures is stored per checkpoint under
``/conditions/<condition>/<seed>/measures/<name>/<site>/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from torch import nn

from binocular.networks.sites import FIRST_BINOCULAR, UnitKind, site_name
from binocular.stimuli.base import StimulusSet
from binocular.store.schema import Field as Column
from binocular.store.schema import at_checkpoint, coordinate

__all__ = ["EYES", "NETWORK", "Column", "Probe", "Scope", "at_checkpoint", "coordinate"]

EYES = np.array(["left", "right"], dtype=object)
"""Values of the dimension ``eye``."""
NETWORK = "network"
"""Name that stands for a site where a probe measures the network as a whole."""

Scope = Literal["site", "network"]


UNIT = coordinate("unit", "int64", "1", "unit of the site, counted from 0", 0)
EYE = coordinate("eye", "string", "1", "eye")


class Probe(BaseModel):
    """A measurement of a network.

    Subclasses set the class variables, add checked fields with their settings, and define ``measure``.

    Attributes
    ----------
    name
        Name on the command line and in the file: lower case, digits and hyphens.
    about
        One line that says what is measured.
    scope
        ``"site"`` if it looks at the units of a site, ``"network"`` if at the network as a whole.
    usual_site
        Where it is taken if nothing else is asked for.
    own_sites
        Sites that only this probe knows, beside those of the network.
    of_the_site
        Whether what it finds is the site's own table (``probes`` of a study) and not one of the ``measures`` of it.
    needs
        Modules that a network must have for it to be taken, such as ``left`` and ``right``.
    columns
        The datasets it gives, by name. Those whose only dimension has their own name are coordinates; all others
        begin with ``checkpoint``, see `at_checkpoint`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    about: ClassVar[str]
    scope: ClassVar[Scope] = "site"
    usual_site: ClassVar[str] = FIRST_BINOCULAR
    own_sites: ClassVar[tuple[str, ...]] = ()
    of_the_site: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[Mapping[str, Column]]

    def measure_sites(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, sites: Sequence[str]
    ) -> dict[str, dict[str, np.ndarray]]:
        """Measure several sites, by name what `measure` returns; a probe that can do so at once says how.

        Parameters
        ----------
        network, stimulus, seed
            As in `measure`.
        sites
            Sites by the names under which they are stored, see `site_name`.
        """
        return {site: self.measure(network, stimulus, seed, site) for site in sites}

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network.

        Parameters
        ----------
        network
            A two-eyed network in evaluation mode; it is not changed.
        stimulus
            What the subject was reared with.
        seed
            Seed of the subject. All randomness comes from streams whose purpose begins with ``"probe/<name>"``, the
            same at every checkpoint, so that checkpoints and subjects of one seed see the same presentations.
        site
            Site whose units are measured; `NETWORK` where the scope is the network.

        Returns
        -------
        dict of str to ndarray
            Every entry of ``columns``, without the dimension ``checkpoint``.
        """
        raise NotImplementedError

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the few numbers that sum a measure up, ``[checkpoint]`` each, from the stored datasets.

        By default the mean of each dataset at a checkpoint.
        """
        numbers = [n for n, column in cls.columns.items() if column.dims[0] == "checkpoint" and column.kind != "string"]
        return {name: np.reshape(values[name], (len(values[name]), -1)).mean(axis=1) for name in numbers}

    def site_name(self, site: str) -> str:
        """Return the name under which a site is stored, which says what is counted there."""
        units: UnitKind | None = getattr(self, "units", None)
        return site_name(site, units)
