"""The two gated pathways with units that are not linear (Kleinman et al. 2024, Figs 11 and 12), by differentiation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from binocular.linear.gating import Window, hierarchy_starts
from binocular.linear.starts import aligned_start
from binocular.linear.tasks import HIERARCHY, modes_of

__all__ = ["UNITS", "gated_outputs"]

UNITS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
"""What the units of every layer do, the last one included, as in the released code."""


def gated_outputs(
    units: str,
    depth: int,
    seeds: Sequence[int],
    windows: Mapping[str, Window],
    learning_rate: float,
    at: Sequence[int],
    width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Train two pathways on the hierarchy, one network per condition and seed, all in one computation.

    Parameters
    ----------
    units
        A name in `UNITS`.
    depth, seeds, width
        Matrices per pathway, seeds of the initial weights (those of the linear networks), hidden units.
    windows
        For each condition from when to when pathway b does not learn, in steps times learning rate.
    learning_rate, at
        Step, and the steps at which to record; the last one is the end.

    Returns
    -------
    sizes, errors
        Sum of squares of what each pathway puts out over all items and features, ``[condition, seed, step, 2]``, and
        half the squared error of their sum, ``[condition, seed, step]``.
    """
    bend = UNITS[units]
    outputs, _, inputs = (torch.from_numpy(part) for part in modes_of(HIERARCHY))
    target = torch.from_numpy(HIERARCHY)
    starts = torch.from_numpy(np.ascontiguousarray(hierarchy_starts(seeds, depth))).transpose(1, 2)
    layers = aligned_start(starts[:, :, None].expand(-1, -1, depth, -1), outputs, inputs, width, seeds)
    n = len(seeds)
    weights = [layer.repeat(len(windows), 1, 1, 1).requires_grad_() for layer in layers]
    edges = [(round(begin / learning_rate), round(end / learning_rate)) for begin, end in windows.values()]
    wanted, sizes, errors = set(at), [], []
    for step in range(max(at) + 1):
        signal = bend(weights[0])  # the items are one-hot, so the first layer's output is its matrix
        for weight in weights[1:]:
            signal = bend(weight @ signal)
        gated = torch.tensor([begin <= step < end for begin, end in edges]).repeat_interleave(n)
        second = torch.where(gated[:, None, None], signal[:, 1].detach(), signal[:, 1])
        error = 0.5 * ((signal[:, 0] + second - target) ** 2).sum((-1, -2))
        if step in wanted:
            sizes.append((signal.detach() ** 2).sum((-1, -2)).view(len(windows), n, 2).numpy())
            errors.append(error.detach().view(len(windows), n).numpy())
        gradients = torch.autograd.grad(error.sum(), weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= learning_rate * gradient
    return np.stack(sizes, axis=2), np.stack(errors, axis=2)
