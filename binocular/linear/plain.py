"""One deep linear network at a time, written the ordinary way: the batched one is checked and timed against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from binocular.linear.cohort import Conditions, Stretch

__all__ = ["rear_alone"]


def _loss(layers: Sequence[Tensor], conditions: Conditions) -> Tensor:
    pathways = layers[0].shape[0]
    parts = []
    for pathway in range(pathways):
        product = layers[0][pathway]
        for layer in layers[1:]:
            product = layer[pathway] @ product
        if conditions.passes is not None:
            product = product * conditions.passes[0, pathway]
        if conditions.learns is not None and not bool(conditions.learns[0, pathway]):
            product = product.detach()
        parts.append(product)
    seen = 1.0
    if conditions.passes is not None:
        seen = (conditions.passes[0] != 0).any(0).to(layers[0].dtype)
    error = seen * (conditions.target[0] - torch.stack(parts).sum(0))
    weight = 1.0 if conditions.weight is None else conditions.weight[0]
    return 0.5 * weight * (error**2).sum()


def rear_alone(layers: Sequence[Tensor], learning_rate: float, course: Iterable[Stretch]) -> list[Tensor]:
    """Train a single network by automatic differentiation and ``torch.optim.SGD``.

    Parameters
    ----------
    layers
        Matrices from the input to the output, each ``[pathway, rows, columns]``.
    learning_rate
        Step.
    course
        As for `binocular.linear.LinearCohort.rear`, with conditions of a single network whose pathways see the same and
        pass the same entries.

    Returns
    -------
    list of Tensor
        The matrices afterwards.
    """
    weights = [layer.detach().clone().requires_grad_() for layer in layers]
    descent = torch.optim.SGD(weights, lr=learning_rate)
    step = 0
    for stretch in course:
        while step < stretch.until:
            descent.zero_grad()
            _loss(weights, stretch.conditions).backward()
            descent.step()
            step += 1
    return [weight.detach() for weight in weights]
