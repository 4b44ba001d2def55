"""Source variance: how much each unit depends on each eye (Kleinman, Achille & Soatto 2023, Eqs. 4 and 5).

All pairs of n left and n right stimuli, drawn independently from each eye's own marginal, form a grid. One grid gives
the variance over one eye for every partner in the other, and the two-way analysis of variance of each unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from binocular.stimuli.surroundings import own_settings

__all__ = ["SILENT_FLOOR", "SourceVariance", "source_variance"]

SILENT_FLOOR = 1e-10
"""Units with both source variances at or below this, in squared response, count as silent."""
_NUMBERS_AT_ONCE = 2**23  # so that the grids of the units that are worked on stay near 64 MB in float64


@dataclass(frozen=True)
class SourceVariance:
    """Source variances of all units of a site, each ``[unit]`` float64.

    Attributes
    ----------
    rsv
        (sv_left - sv_right) / (sv_left + sv_right): +1 = left eye only, -1 = right eye only; NaN where silent.
    rsv_se
        Its bootstrap standard error over stimuli; NaN where silent.
    sv_left, sv_right
        Variance over one eye's stimuli, averaged over the other's: the total effects of the two eyes.
    interaction
        Share of the unit's variance that neither eye explains alone, 0 to 1; NaN where silent.
    n_silent
        Number of silent units.
    """

    rsv: np.ndarray
    rsv_se: np.ndarray
    sv_left: np.ndarray
    sv_right: np.ndarray
    interaction: np.ndarray
    n_silent: int


@own_settings()
def source_variance(
    grid: Tensor | np.ndarray, bootstrap: int = 0, generator: torch.Generator | None = None
) -> SourceVariance:
    """Split each unit's variance between the eyes.

    Parameters
    ----------
    grid
        Responses ``[left stimulus, right stimulus, unit]``, tensor or array; at least 2 x 2 stimuli.
    bootstrap
        Resamplings of both eyes' stimuli for the standard error; 0 leaves it NaN.
    generator
        Source of the resampling, on the CPU.

    Returns
    -------
    SourceVariance
        Unbiased estimates, accumulated in float64. ``interaction`` is clipped to its range, which an unbiased
        estimate can leave by chance.

    Raises
    ------
    ValueError
        If there are fewer than two stimuli for an eye.

    Examples
    --------
    A unit that adds three parts of the left eye to one part of the right, and one that multiplies the eyes.

    >>> import numpy as np
    >>> left, right = np.random.default_rng(0).standard_normal((2, 200))
    >>> adds = 0.75 * left[:, None] + 0.25 * right[None, :]
    >>> multiplies = left[:, None] * right[None, :]
    >>> found = source_variance(np.stack([adds, multiplies], axis=-1))
    >>> found.rsv.round(1).tolist(), found.interaction.round(1).tolist()
    ([0.8, 0.0], [0.0, 1.0])
    """
    grid = torch.as_tensor(grid)
    n_left, n_right = grid.shape[:2]
    if min(n_left, n_right) < 2:
        raise ValueError(f"a variance needs at least 2 stimuli per eye, not {n_left} x {n_right}")
    columns = [
        _of_block(block.double(), bootstrap, generator)
        for block in grid.split(max(1, _NUMBERS_AT_ONCE // (n_left * n_right)), dim=2)
    ]
    rsv, se, left, right, interaction = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return SourceVariance(rsv, se, left, right, interaction, int(np.isnan(rsv).sum()))


def _of_block(grid: Tensor, bootstrap: int, generator: torch.Generator | None) -> tuple[np.ndarray, ...]:
    n_left, n_right, _ = grid.shape
    grid = grid - grid.mean(dim=(0, 1))  # keeps the sums of squares below small
    left = grid.var(dim=0, unbiased=True).mean(dim=0)
    right = grid.var(dim=1, unbiased=True).mean(dim=0)
    residual = grid - grid.mean(dim=1, keepdim=True) - grid.mean(dim=0, keepdim=True)
    pure = residual.square().sum(dim=(0, 1)) / ((n_left - 1) * (n_right - 1))
    silent = (left <= SILENT_FLOOR) & (right <= SILENT_FLOOR)
    both = torch.where(silent, torch.nan, left + right)
    rsv = (left - right) / both
    # left = V_left + V_both and right = V_right + V_both, so the whole variance is left + right - V_both.
    interaction = (pure / (both - pure)).clamp(0, 1)
    error = torch.full_like(rsv, torch.nan)
    if bootstrap:
        error = _bootstrap_rsv(grid, bootstrap, generator).std(dim=0, unbiased=True)
        error = torch.where(silent, torch.nan, error)
    return tuple(value.cpu().numpy() for value in (rsv, error, left, right, interaction))


def _bootstrap_rsv(grid: Tensor, repeats: int, generator: torch.Generator | None) -> Tensor:
    """RSV of each unit in stimuli resampled with replacement, ``[repeat, unit]``."""
    n_left, n_right, _ = grid.shape
    weights = []
    for n in (n_left, n_right):
        drawn = torch.randint(n, (repeats, n), generator=generator)
        counts = torch.zeros(repeats, n, dtype=torch.float64).scatter_add_(
            1, drawn, torch.ones(repeats, n, dtype=torch.float64)
        )
        weights.append((counts / n).to(grid.device))
    w_left, w_right = weights
    # Each variance over one eye is the mean square less the squared mean; the mean square is the same for both.
    mean_square = torch.einsum("rb,rbu->ru", w_right, torch.einsum("ra,abu->rbu", w_left, grid.square()))
    over_left = torch.einsum("ra,abu->rbu", w_left, grid).square_()
    over_right = torch.einsum("rb,abu->rau", w_right, grid).square_()
    left = (mean_square - torch.einsum("rb,rbu->ru", w_right, over_left)) * (n_left / (n_left - 1))
    right = (mean_square - torch.einsum("ra,rau->ru", w_left, over_right)) * (n_right / (n_right - 1))
    return (left - right) / (left + right)
