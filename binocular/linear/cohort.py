"""Many deep linear networks of several pathways at once: full-batch gradient descent on batched matrices.

A network is a sum over pathways, each a product of matrices, ``y = sum_p W[p, D] ... W[p, 1] x``. With whitened input
the mean squared error depends on the data only through the correlations of output with input, the ``target``, so that
one step of gradient descent on *all* the data is a few small matrix products. All networks of equal shape take that
step in the same products, in float64.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Conditions", "LinearCohort", "Stretch"]


@dataclass(frozen=True)
class Conditions:
    """What the networks of a cohort live through, for as long as nothing changes.

    The error that pathway p corrects is ``weight * passes[p] * (target - sum_q correlation[p, q] passes[q] * W[q])``,
    where ``W[q]`` is the product of its matrices and ``*`` is taken entry by entry.

    Attributes
    ----------
    target
        Correlations of output with input, ``[network, out, in]``.
    learns
        Whether a pathway learns, ``[network, pathway]``. One that does not (a gate, Kleinman et al. 2024) stays as it
        is and goes on contributing to the output. All learn by default.
    passes
        Share of each entry of a pathway that reaches the output, ``[network, pathway, out, in]`` or broadcast to it:
        columns of zeros for a removed sensor, all zeros for a closed eye, zeros for one mode of a pathway (a lesion,
        with ``target`` in the basis of the modes), or the observed entries of a matrix to be completed. The target has
        to be reached where *any* pathway passes something. All ones by default.
    weight
        Factor of the error, ``[network]``; one over the number of observations makes the error a mean. Ones by default.
    correlation
        Correlation between the inputs of the pathways, ``[network, pathway, pathway]``, ones on the diagonal. All ones
        (every pathway sees the same) by default.
    """

    target: Tensor
    learns: Tensor | None = None
    passes: Tensor | None = None
    weight: Tensor | None = None
    correlation: Tensor | None = None


@dataclass(frozen=True)
class Stretch:
    """Conditions that last until a step, not included."""

    until: int
    conditions: Conditions


class _Error:
    """The conditions, prepared: from the pathways' products to what their last matrices should change by."""

    def __init__(self, conditions: Conditions, shape: Sequence[int], rates: Tensor) -> None:
        networks, pathways, out, into = shape
        like = rates
        full = (networks, pathways, out, into)
        factor = rates
        if conditions.weight is not None:
            factor = factor * conditions.weight.to(like)
        gain = factor.view(-1, 1, 1, 1).expand(networks, pathways, 1, 1)
        if conditions.learns is not None:
            gain = gain * conditions.learns.to(like).view(networks, pathways, 1, 1)
        self._passes = None
        if conditions.passes is not None:
            self._passes = conditions.passes.to(like).expand(full).contiguous()
            gain = gain * self._passes
        self._gain = gain.expand(networks, pathways, *gain.shape[2:]).contiguous()
        self._target = conditions.target.to(like).unsqueeze(1).contiguous()
        self._correlation = None if conditions.correlation is None else conditions.correlation.to(like)
        self._shape = full
        self._one = pathways == 1

    def __call__(self, products: Tensor) -> Tensor:
        """Return ``[network * pathway, out, in]``, the learning rate included."""
        parts = products.view(self._shape)
        if self._passes is not None:
            parts = parts * self._passes
        if self._correlation is not None:
            total = torch.einsum("npq,nqoi->npoi", self._correlation, parts)
        else:
            total = parts if self._one else parts.sum(1, keepdim=True)
        return (self._gain * (self._target - total)).view(products.shape)


class LinearCohort:
    """Deep linear networks of equal shape, trained together by plain gradient descent.

    Parameters
    ----------
    layers
        The matrices of all pathways from the input to the output, each ``[network, pathway, rows, columns]``; copied.
    learning_rate
        Step, in units of the time of gradient flow; one number, or one per network.
    """

    def __init__(self, layers: Sequence[Tensor], learning_rate: float | Tensor) -> None:
        if not layers or any(layer.dim() != 4 or layer.shape[:2] != layers[0].shape[:2] for layer in layers):
            raise ValueError("layers must be matrices [network, pathway, rows, columns] of the same networks")
        for below, above in itertools.pairwise(layers):
            if above.shape[3] != below.shape[2]:
                raise ValueError(f"a layer of {above.shape[3]} columns follows one of {below.shape[2]} rows")
        self.size, self.pathways = layers[0].shape[:2]
        self.depth = len(layers)
        self.shape = (self.size, self.pathways, layers[-1].shape[2], layers[0].shape[3])
        self._layers = [layer.detach().clone().flatten(0, 1).contiguous() for layer in layers]
        rates = torch.as_tensor(learning_rate, dtype=layers[0].dtype, device=layers[0].device)
        self._rates = rates.expand(self.size)
        self.steps = 0

    @property
    def layers(self) -> list[Tensor]:
        """Copies of the matrices, each ``[network, pathway, rows, columns]``."""
        return [layer.view(self.size, self.pathways, *layer.shape[1:]).clone() for layer in self._layers]

    def products(self) -> Tensor:
        """Return what each pathway computes, ``[network, pathway, out, in]``."""
        return self._forward()[-1].view(self.shape).clone()

    def _forward(self) -> list[Tensor]:
        products = [self._layers[0]]
        for layer in self._layers[1:]:
            products.append(torch.bmm(layer, products[-1]))
        return products

    def _step(self, error_of: _Error) -> None:
        products = self._forward()
        error = error_of(products[-1])
        for index in range(self.depth - 1, 0, -1):
            layer = self._layers[index]
            below = torch.bmm(layer.mT, error)
            layer.baddbmm_(error, products[index - 1].mT)
            error = below
        self._layers[0].add_(error)

    @torch.no_grad()
    def rear(
        self,
        course: Iterable[Stretch],
        record: Callable[[LinearCohort], None] | None = None,
        at: Sequence[int] = (),
    ) -> None:
        """Train through a course of conditions.

        Parameters
        ----------
        course
            Stretches in the order of time; steps are counted from the making of the cohort.
        record
            Called before the steps in ``at`` and after the last one if ``at`` holds it.
        at
            Steps at which to record.
        """
        wanted = set(at) if record is not None else set()
        for stretch in course:
            error_of = _Error(stretch.conditions, self.shape, self._rates)
            while self.steps < stretch.until:
                if self.steps in wanted and record is not None:
                    record(self)
                    wanted.discard(self.steps)
                self._step(error_of)
                self.steps += 1
        if self.steps in wanted and record is not None:
            record(self)

    def follow(self, course: Iterable[Stretch], at: Sequence[int]) -> Tensor:
        """Train through a course and return the pathways' products at steps: ``[step, network, pathway, out, in]``."""
        found: list[Tensor] = []
        self.rear(course, lambda cohort: found.append(cohort.products()), at)
        return torch.stack(found)
