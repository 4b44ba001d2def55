"""Ocular dominance as Hubel and Wiesel found it: gratings to one eye while the other sees grey.

A unit's response to an eye is its largest response to any grating above its response to grey. A grating that only holds
a unit down counts as no response: suppression below grey is cut at 0, as a firing rate is, so the index stays within -1
and +1. A unit that no grating raises above grey by more than `RESPONSE_FLOOR` has no index (NaN) and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from binocular.dominance import mean_rsv, median_unit_mi
from binocular.networks.sites import UnitKind
from binocular.probes.base import EYE, EYES, UNIT, Probe, at_checkpoint, coordinate
from binocular.probes.recording import response_grid, responses
from binocular.probes.shown import probe_views
from binocular.probes.variance import source_variance
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.gratings import Gratings
from binocular.stimuli.streams import stream

__all__ = ["GRATINGS", "RESPONSE_FLOOR", "DominanceIndex", "rank_correlation", "selectivity"]

RESPONSE_FLOOR = 1e-5
"""Responses to both eyes that add up to at most this, above grey, are none: the square root of the floor of RSV."""

GRATINGS = {
    **coordinate("orientation", "float64", "degree", "orientation of the bars, 0 horizontal, counter-clockwise"),
    **coordinate("phase", "float64", "degree", "spatial phase"),
    **coordinate("frequency", "float64", "cycle/image", "spatial frequency", 0),
}
_ABOVE = "response above grey"


class DominanceIndex(Probe):
    """Ocular dominance index ODI = (R_left - R_right) / (R_left + R_right), and the tuning of each eye.

    A tuning curve goes through the eye's best grating: it varies one parameter and keeps the others. Orientation
    selectivity is 1 minus the circular variance of the orientation tuning. ``rsv`` is measured in the same snapshot on
    the same grid as during rearing; its rank correlation (Spearman) with ``odi`` has a percentile interval from
    resampled units, which describes these units of this subject, not subjects to come.
    """

    name: ClassVar[str] = "odi"
    about: ClassVar[str] = "ocular dominance from gratings to one eye, tuning of each eye, agreement with RSV"

    orientations: tuple[float, ...] = Field(
        tuple(15.0 * step for step in range(12)), min_length=1, description="of the bars in degrees"
    )
    phases: tuple[float, ...] = Field((0.0, 90.0, 180.0, 270.0), min_length=1, description="in degrees")
    frequencies: tuple[float, ...] | None = Field(
        None, min_length=1, description="cycles per image; by default 1 to 6 as far as the pixels can show them"
    )
    contrast: float = Field(1.0, gt=0, le=1, description="share of the largest contrast")
    units: UnitKind | None = Field(None, description="what is counted as a unit; by default what the site's name means")
    n_stimuli: int = Field(48, ge=2, description="stimuli per eye for RSV, as probes.n_stimuli of a protocol")
    resamplings: int = Field(1000, ge=0, description="of the units, for the interval of the rank correlation")

    columns: ClassVar = {
        **UNIT,
        **EYE,
        **GRATINGS,
        "odi": at_checkpoint(
            "unit", "1", "ocular dominance index from gratings to one eye, +1 left eye only; NaN = no response", -1, 1
        ),
        "response": at_checkpoint("unit eye", "response", "largest response to a grating above grey", 0, None, "never"),
        "baseline": at_checkpoint("unit", "response", "response to grey in both eyes", missing="never"),
        "preferred_orientation": at_checkpoint("unit eye", "degree", "orientation of the best grating"),
        "preferred_phase": at_checkpoint("unit eye", "degree", "phase of the best grating"),
        "preferred_frequency": at_checkpoint("unit eye", "cycle/image", "frequency of the best grating", 0),
        "orientation_tuning": at_checkpoint("unit eye orientation", "response", f"{_ABOVE}, by orientation"),
        "phase_tuning": at_checkpoint("unit eye phase", "response", f"{_ABOVE}, by phase"),
        "frequency_tuning": at_checkpoint("unit eye frequency", "response", f"{_ABOVE}, by frequency"),
        "orientation_selectivity": at_checkpoint(
            "unit eye", "1", "1 - circular variance of the orientation tuning; NaN = no response", 0, 1
        ),
        "n_unresponsive": at_checkpoint("", "unit", "units that no grating raises above grey", 0, kind="int64"),
        "rsv": at_checkpoint("unit", "1", "relative source variance, +1 left eye only; NaN = silent unit", -1, 1),
        "rank_correlation": at_checkpoint("", "1", "rank correlation of odi and rsv over units", -1, 1),
        "rank_correlation_low": at_checkpoint("", "1", "lower end of its 95 % interval, units resampled", -1, 1),
        "rank_correlation_high": at_checkpoint("", "1", "upper end of its 95 % interval, units resampled", -1, 1),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return rank correlation with RSV, mean ODI, median monocularity and the share without a response."""
        odi = values["odi"]
        return {
            "rank correlation with RSV": values["rank_correlation"],
            "mean ODI": mean_rsv(odi),
            "median |ODI|": median_unit_mi(odi),
            "share without response": np.isnan(odi).mean(1),
        }

    def measure(self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        side = min(stimulus.shape[1:])
        frequencies = self.frequencies or tuple(f for f in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0) if f <= side / 2)
        gratings = Gratings(  # type: ignore[call-arg]
            orientations=self.orientations, phases=self.phases, frequencies=frequencies, contrast=self.contrast,
            visible=stimulus.columns,
        )  # fmt: skip
        shown = gratings.present(stimulus.shape, stimulus.labels["test"].device)
        baseline = responses(network, torch.zeros_like(shown.views[:1]), site, self.units)[0].numpy()
        above = responses(network, shown.views, site, self.units).numpy() - baseline
        # [eye, frequency, orientation, phase, unit] -> [unit, eye, orientation, phase, frequency]
        above = above.reshape(*shown.grid, -1).transpose(4, 0, 2, 3, 1)
        left, right = probe_views(stimulus, self.n_stimuli, seed)
        grid = next(iter(response_grid(network, left, right, (site,), self.units).values()))
        rsv = source_variance(grid).rsv
        found = self._of_responses(above, frequencies)
        agreement = rank_correlation(found["odi"], rsv, self.resamplings, stream(seed, "probe/odi/units"))
        return {
            "unit": np.arange(len(baseline)),
            "eye": EYES,
            "orientation": np.array(self.orientations),
            "phase": np.array(self.phases),
            "frequency": np.array(frequencies),
            "baseline": baseline,
            **found,
            "rsv": rsv,
            **dict(zip(("rank_correlation", "rank_correlation_low", "rank_correlation_high"), agreement, strict=True)),
        }

    def _of_responses(self, above: np.ndarray, frequencies: tuple[float, ...]) -> dict[str, np.ndarray]:
        """Return index, best gratings and tuning from responses ``[unit, eye, orientation, phase, frequency]``."""
        units, eyes, *kinds = above.shape
        best = above.reshape(units, eyes, -1).argmax(2)
        at = np.unravel_index(best, kinds)
        peak = np.take_along_axis(above.reshape(units, eyes, -1), best[..., None], 2)[..., 0].clip(0)
        both = peak.sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            odi = np.where(both > RESPONSE_FLOOR, (peak[:, 0] - peak[:, 1]) / both, np.nan)
        unit, eye = np.indices((units, eyes))
        orientation, phase, frequency = at
        curves = {
            "orientation_tuning": above[unit, eye, :, phase, frequency],
            "phase_tuning": above[unit, eye, orientation, :, frequency],
            "frequency_tuning": above[unit, eye, orientation, phase, :],
        }
        answered = peak > RESPONSE_FLOOR / 2
        return {
            "odi": odi,
            "response": peak,
            "preferred_orientation": np.where(answered, np.array(self.orientations)[orientation], np.nan),
            "preferred_phase": np.where(answered, np.array(self.phases)[phase], np.nan),
            "preferred_frequency": np.where(answered, np.array(frequencies)[frequency], np.nan),
            **curves,
            "orientation_selectivity": np.where(
                answered, selectivity(curves["orientation_tuning"].clip(0), self.orientations), np.nan
            ),
            "n_unresponsive": np.isnan(odi).sum(),
        }


def selectivity(tuning: np.ndarray, orientations: tuple[float, ...]) -> np.ndarray:
    """Return 1 - circular variance, ``|sum R exp(2 i angle)| / sum R``, of responses ``[..., orientation]`` >= 0.

    Parameters
    ----------
    tuning, orientations
        Responses, ``[..., orientation]``, at least 0, and the orientations in degrees.
    """
    turn = np.exp(2j * np.deg2rad(orientations))
    total = tuning.sum(-1)
    length = np.abs((tuning * turn).sum(-1))
    return np.divide(length, total, out=np.zeros_like(total), where=total > 0).clip(0, 1)


def rank_correlation(
    one: np.ndarray, other: np.ndarray, resamplings: int, generator: torch.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Spearman's rank correlation and its 95 % percentile interval over resampled members.

    Parameters
    ----------
    one, other
        Values ``[member]``; members with a NaN in either are left out.
    resamplings
        How many; 0 leaves the interval NaN.
    generator
        Source of the resampling.

    Returns
    -------
    tuple of ndarray
        Correlation, lower and upper end, ``[]``; NaN for fewer than three members or where all are equal.
    """
    from scipy.stats import rankdata

    nan = np.array(np.nan)
    there = ~(np.isnan(one) | np.isnan(other))
    pairs = np.stack([one[there], other[there]])
    count = pairs.shape[1]
    if count < 3:
        return nan, nan, nan
    drawn = torch.randint(count, (resamplings, count), generator=generator).numpy()
    rows = np.concatenate([np.arange(count)[None], drawn])
    ranks = rankdata(pairs[:, rows], axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    first, second = ranks
    spread = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    rho = np.divide((first * second).sum(-1), spread, out=np.full(len(rows), np.nan), where=spread > 0).clip(-1, 1)
    drawn_rho = rho[1:][~np.isnan(rho[1:])]
    low, high = np.percentile(drawn_rho, [2.5, 97.5]) if len(drawn_rho) else (np.nan, np.nan)
    return np.array(rho[0]), np.array(low), np.array(high)
