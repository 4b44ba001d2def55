"""The weights of the pathways, and how much each part of the network still depends on its weights.

The Fisher information follows Achille, Rovere & Soatto (2019): the trace of the expected outer product of the gradients
of the log-likelihood, with labels drawn from the network's own predictions, part by part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from binocular.networks import declared
from binocular.probes.base import EYE, EYES, NETWORK, Probe, Scope, at_checkpoint, coordinate
from binocular.stimuli.base import StimulusSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream

__all__ = ["PARTS", "FisherInformation", "PathwayWeights", "first_layer", "label_gradients"]

PARTS = np.array(declared.PARTS, dtype=object)
"""Parts of a network, as the values of a coordinate."""


class FisherInformation(Probe):
    """Trace of the Fisher information of each part of the network, at undisturbed test stimuli.

    ``E_x E_y |d log p(y | x) / d w|^2``, summed over the weights w of a part. Normalisation statistics are held fixed.
    """

    name: ClassVar[str] = "fisher"
    about: ClassVar[str] = "trace of the Fisher information of each pathway, trunk and head"
    scope: ClassVar[Scope] = "network"
    needs: ClassVar[tuple[str, ...]] = declared.PARTS

    n_stimuli: int = Field(300, ge=2, description="test stimuli")
    labels: Literal["drawn", "all"] = Field(
        "drawn", description="one label drawn from the predictions, or the exact mean over all labels (slower)"
    )
    batch: int = Field(50, ge=1, description="stimuli at a time; more need more memory")

    columns: ClassVar = {
        **coordinate("part", "string", "1", "part of the network"),
        "fisher_trace": at_checkpoint("part", "nat^2", "trace of the Fisher information", 0, None, "never"),
        "fisher_trace_se": at_checkpoint("part", "nat^2", "standard error of the trace, over stimuli", 0),
        "n_weights": at_checkpoint("part", "1", "weights of the part", 0, kind="int64"),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the trace of each part."""
        return {f"trace, {part}": values["fisher_trace"][:, i] for i, part in enumerate(PARTS)}

    def measure(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str = NETWORK
    ) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        labels = stimulus.labels["test"]
        count = min(self.n_stimuli, len(labels))
        order = torch.randperm(len(labels), generator=stream(seed, "probe/fisher"))[:count].to(labels.device)
        draw = stream(seed, "probe/fisher/labels")
        traces = torch.cat(
            [self._traces(network, stimulus.views("test", index, None), draw) for index in order.split(self.batch)]
        )
        sizes = dict.fromkeys(PARTS, 0)
        for name, value in network.named_parameters():
            sizes[name.split(".", 1)[0]] = sizes.get(name.split(".", 1)[0], 0) + value.numel()
        return {
            "part": PARTS,
            "fisher_trace": traces.mean(0).numpy(),
            "fisher_trace_se": (traces.std(0) / count**0.5).numpy(),
            "n_weights": np.array([sizes[part] for part in PARTS]),
        }

    def _traces(self, network: nn.Module, views: Tensor, draw: torch.Generator) -> Tensor:
        """Return squared gradients of the log-likelihood, summed within parts, ``[stimulus, part]`` float64."""
        with torch.no_grad():
            chance = network(views).float().softmax(1)
        n, n_classes = chance.shape
        gradients = label_gradients(network)
        if self.labels == "drawn":
            drawn = torch.multinomial(chance.cpu(), 1, generator=draw)[:, 0].to(views.device)
            rounds = [(drawn, torch.ones(n, dtype=torch.float64))]
        else:
            rounds = [
                (torch.full((n,), label, device=views.device), chance[:, label].double().cpu())
                for label in range(n_classes)
            ]
        total = torch.zeros(n, len(PARTS), dtype=torch.float64)
        for label, share in rounds:
            for name, value in gradients(views, label).items():
                part = name.split(".", 1)[0]
                if part in PARTS:
                    square = value.flatten(1).double().square().sum(1).cpu()
                    total[:, list(PARTS).index(part)] += share * square
        return total


def label_gradients(network: nn.Module) -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """Return what gives the gradients of the log-likelihood of a label for each presentation, by name of the weight.

    Parameters
    ----------
    network
        In evaluation mode. What is returned takes views ``[presentation, eye, channel, height, width]`` and labels
        ``[presentation]``, and gives ``[presentation, ...]`` for each weight.
    """
    weights = {name: value.detach() for name, value in network.named_parameters()}
    buffers = dict(network.named_buffers())

    def log_likelihood(w: dict[str, Tensor], view: Tensor, label: Tensor) -> Tensor:
        scores = functional_call(network, (w, buffers), (view[None],))
        return scores.float().log_softmax(1)[0].gather(0, label[None])[0]

    each = vmap(grad(log_likelihood), in_dims=(None, 0, 0))
    return lambda views, labels: each(weights, views, labels)


class PathwayWeights(Probe):
    """Size of each pathway's weights, and how alike the first layers of the two eyes are.

    ``norm`` is the root of the summed squares of a pathway's kernels and matrices (normalisation and offsets left out;
    where normalisation follows, size alone does not change what is computed). ``filter_alignment`` is the cosine of the
    two eyes' filters of the same index; ``subspace_alignment`` the mean squared cosine of the principal angles between
    the spaces that the eyes' filters span, which does not depend on their order: 1 the same space, and
    ``subspace_chance``, filters / dimensions, for two random spaces.
    """

    name: ClassVar[str] = "weights"
    about: ClassVar[str] = "norm of each pathway, alignment of the first layers of the two eyes"
    scope: ClassVar[Scope] = "network"
    needs: ClassVar[tuple[str, ...]] = ("left", "right")

    columns: ClassVar = {
        **EYE,
        **coordinate("filter", "int64", "1", "filter of the first layer, counted from 0", 0),
        "norm": at_checkpoint("eye", "1", "root of the summed squares of a pathway's weights", 0, None, "never"),
        "filter_norm": at_checkpoint("filter eye", "1", "norm of each filter of the first layer", 0, None, "never"),
        "filter_alignment": at_checkpoint("filter", "1", "cosine of the two eyes' filters; NaN = no weights", -1, 1),
        "subspace_alignment": at_checkpoint("", "1", "mean squared cosine of the angles between filter spaces", 0, 1),
        "subspace_chance": at_checkpoint("", "1", "what two random spaces would give", 0, 1),
    }

    @classmethod
    def headlines(cls, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return both norms and both alignments."""
        return {
            **{f"norm, {eye}": values["norm"][:, i] for i, eye in enumerate(EYES)},
            "filter alignment": np.nanmean(values["filter_alignment"], 1),
            "subspace alignment": values["subspace_alignment"],
        }

    def measure(
        self, network: nn.Module, stimulus: StimulusSet, seed: int, site: str = NETWORK
    ) -> dict[str, np.ndarray]:
        """Measure one network; see `Probe.measure`."""
        filters = torch.stack([first_layer(network, eye, stimulus.shape).flatten(1) for eye in EYES], 1)
        norms = filters.norm(dim=2)
        product = norms.prod(1)
        cosine = torch.where(product > 0, filters.prod(1).sum(1) / product.clamp_min(1e-300), torch.nan)
        return {
            "eye": EYES,
            "filter": np.arange(len(filters)),
            "norm": np.array([_norm(getattr(network, eye)) for eye in EYES]),
            "filter_norm": norms.numpy(),
            "filter_alignment": cosine.clamp(-1, 1).numpy(),
            **_subspaces(filters),
        }


def _norm(pathway: nn.Module) -> float:
    return (
        sum(value.detach().double().square().sum().item() for value in pathway.parameters() if value.dim() > 1) ** 0.5
    )


def _subspaces(filters: Tensor) -> dict[str, np.ndarray]:
    """Compare the spaces spanned by ``filters[:, 0]`` and ``filters[:, 1]``."""
    spaces = []
    for eye in range(2):
        left, size, _ = torch.linalg.svd(filters[:, eye].T, full_matrices=False)
        spaces.append(left[:, size > 1e-8 * size.max().clamp_min(1e-300)])
    smaller = min(space.shape[1] for space in spaces)
    if not smaller:
        return {"subspace_alignment": np.array(np.nan), "subspace_chance": np.array(np.nan)}
    overlap = (spaces[0].T @ spaces[1]).square().sum() / smaller
    larger = max(space.shape[1] for space in spaces)
    return {
        "subspace_alignment": overlap.clamp(0, 1).numpy(),
        "subspace_chance": np.array(larger / filters.shape[2]),
    }


def first_layer(network: nn.Module, eye: str, shape: tuple[int, int, int]) -> Tensor:
    """Return the filters of an eye's first layer, ``[filter, channel, height, width]`` float64.

    Parameters
    ----------
    network, eye
        With pathways ``left`` and ``right``, and which of them is meant.
    shape
        Of what an eye sees: (channels, height, width).

    Raises
    ------
    BadInput
        If the first weights of the pathway are neither a convolution on the image nor a matrix on its pixels.
    """
    pathway = getattr(network, eye, None)
    if pathway is None:
        raise BadInput(f"the network has no pathway '{eye}', whose first layer could be looked at")
    for value in pathway.parameters():
        if value.dim() < 2:
            continue
        weights = value.detach().double().cpu()
        if weights.dim() == 4 and weights.shape[1] == shape[0]:
            return weights
        if weights.dim() == 2 and weights.shape[1] == shape[0] * shape[1] * shape[2]:
            return weights.unflatten(1, shape)
        break
    raise BadInput(f"the first layer of the {eye} pathway is no convolution on the image and no matrix on its pixels")
