"""The fully connected network of the laboratory scale, and its gradients written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from binocular.networks.base import TwoEyedNetwork
from binocular.networks.kernels import rectify_backward

__all__ = ["SplitMLP"]


class SplitMLP(TwoEyedNetwork):
    """Fully connected counterpart: one hidden layer per eye, a sum, and ``depth`` hidden layers after it.

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`.
    width
        Units of each hidden layer.
    depth
        Hidden layers after the sum, at least 1.
    """

    first_binocular = "trunk.0"

    def __init__(self, shape: tuple[int, int, int], n_classes: int, width: int = 128, depth: int = 2) -> None:
        super().__init__()
        if width < 1 or depth < 1:
            raise ValueError(f"width and depth must be at least 1, not {width} and {depth}")
        pixels = shape[0] * shape[1] * shape[2]
        self.left: nn.Sequential = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width))
        self.right: nn.Sequential = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width))
        layers: list[nn.Module] = [nn.ReLU()]
        for _ in range(depth):
            layers += [nn.Linear(width, width), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        self.sites = tuple(f"trunk.{2 * layer}" for layer in range(1, depth))
        self.head: nn.Linear = nn.Linear(width, n_classes)

    @torch.no_grad()
    def classification_gradients(self, views: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return what a step of classification needs, written out: matrices so small wait for autograd's bookkeeping.

        From views ``[batch, eye, channel, height, width]`` and labels ``[batch]`` int64 it gives the mean cross-entropy
        in nats, the share of correct answers, and the gradients of the loss by the name of the weight.
        """
        left, right = (layer for layer in (self.left[1], self.right[1]) if isinstance(layer, nn.Linear))
        layers = {f"trunk.{i}": layer for i, layer in enumerate(self.trunk) if isinstance(layer, nn.Linear)}
        layers["head"] = self.head
        eyes = [view.flatten(1) for view in views.unbind(1)]
        x = torch.addmm(left.bias + right.bias, eyes[0], left.weight.t()).addmm_(eyes[1], right.weight.t())
        seen = []
        for layer in layers.values():
            seen.append(x.clamp_min_(0))
            x = torch.addmm(layer.bias, x, layer.weight.t())
        logarithms = x.log_softmax(1)
        loss = functional.nll_loss(logarithms, labels)
        correct = (x.argmax(1) == labels).float().mean()

        gradients: dict[str, Tensor] = {}
        wrong = logarithms.exp_()
        wrong = wrong.scatter_add_(1, labels[:, None], wrong.new_full((len(labels), 1), -1.0)).div_(len(labels))
        for name, layer in reversed(layers.items()):
            below = seen.pop()
            gradients |= {f"{name}.weight": wrong.t().mm(below), f"{name}.bias": wrong.sum(0)}
            wrong = rectify_backward(wrong.mm(layer.weight), below)
        for name, eye in zip(("left.1", "right.1"), eyes, strict=True):
            gradients |= {f"{name}.weight": wrong.t().mm(eye), f"{name}.bias": wrong.sum(0)}
        return loss, correct, gradients
