"""The subjects: networks with a left and a right pathway, a fusion by addition, a trunk and a head.

A network is a plain module with ``left``, ``right``, ``trunk`` and ``head``; what it computes is
``head(trunk(left(views[:, 0]) + right(views[:, 1])))``. The trunk's output is the final representation, whose units are
channels after spatial pooling.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from binocular.rearing.batches import HEADS

__all__ = [
    "HeadPerEye",
    "PreActivationBlock",
    "SplitCNN",
    "SplitMLP",
    "TwoEyedNetwork",
    "Unseeing",
    "pointwise",
    "second_pathway",
]


class TwoEyedNetwork(nn.Module):
    """Base of the networks shipped here; a user's own module needs the same four parts but not this base.

    Attributes
    ----------
    left, right
        Pathways: what one eye sees, ``[batch, channel, height, width]``, to features of equal shape.
    trunk
        Sequence of stages from the summed features to the final representation.
    head
        Classifier on the final representation, to ``[batch, class]``.
    heads
        Only where there is a head per eye (`give_heads`): the names of the heads that ``head`` chooses from.
    sites
        Names of the stages that can be probed, besides ``representation``.
    """

    left: nn.Module
    right: nn.Module
    trunk: nn.Sequential
    head: nn.Module

    @property
    def sites(self) -> list[str]:
        """Names of the trunk's stages, in order."""
        return [f"trunk.{i}" for i in range(len(self.trunk) - 1)]

    def give_heads(self, heads: str, make: Callable[[], nn.Module]) -> None:
        """Set the head.

        Parameters
        ----------
        heads
            ``"one"`` for one classifier, ``"per-eye"`` for one for each eye and one for both (see `HeadPerEye`).
        make
            Makes a classifier.

        Raises
        ------
        ValueError
            For anything else.
        """
        if heads not in ("one", "per-eye"):
            raise ValueError(f"heads must be 'one' or 'per-eye', not {heads!r}")
        if heads == "per-eye":
            self.heads = HEADS
            self.head = HeadPerEye(make)
        else:
            self.head = make()

    def forward(self, views: Tensor, head: Tensor | None = None) -> Tensor:
        """Classify views ``[batch, eye, channel, height, width]`` into ``[batch, class]`` scores.

        Parameters
        ----------
        views
            What the eyes see.
        head
            With a head per eye, which one answers each presentation, ``[batch]`` int64 by position in ``heads``; None
            for the head of both eyes.
        """
        representation = self.trunk(self.left(views[:, 0]) + self.right(views[:, 1]))
        return self.head(representation) if head is None else self.head(representation, head)


class HeadPerEye(nn.Module):
    """A classifier for what each eye sees and one for both, on the same final representation.

    During a dissociation each presentation teaches the head of one eye; the head of both eyes is taught at all other
    times and answers in every test (Kleinman et al. 2023, section 4). The released code draws one head for a batch;
    which presentation teaches which head is decided by the deficit, see `binocular.protocols.deficits.Dissociation`.

    Parameters
    ----------
    make
        Makes a classifier from the final representation to ``[batch, class]``.
    """

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        # The head of both eyes first: its initial weights are then those of a network with one head.
        self.both = make()
        self.left = make()
        self.right = make()

    def forward(self, representation: Tensor, head: Tensor | None = None) -> Tensor:
        """Return scores ``[batch, class]`` of the heads chosen, ``[batch]`` int64; None chooses that of both eyes."""
        if head is None:
            return self.both(representation)
        scores = torch.stack([getattr(self, name)(representation) for name in HEADS], dim=1)
        return scores.gather(1, head[:, None, None].expand(-1, 1, scores.shape[2]))[:, 0]


class Unseeing(nn.Module):
    """Pathway of an eye that is not there: its features are zero, whatever the view.

    Parameters
    ----------
    features
        Shape of what the other pathway gives for one view, ``(channel, height, width)``.
    """

    def __init__(self, features: tuple[int, ...]) -> None:
        super().__init__()
        self.features = features

    def forward(self, view: Tensor) -> Tensor:
        """Map ``[batch, ...]`` to zeros ``[batch, channel, height, width]``."""
        return view.new_zeros((len(view), *self.features))


def second_pathway(eyes: int, left: nn.Module, shape: tuple[int, int, int], make: Callable[[], nn.Module]) -> nn.Module:
    """Return the right pathway of a network with one or two eyes.

    Parameters
    ----------
    eyes
        2 for a pathway like the left one, 1 for none: the subject then sees with the left eye only, as the networks
        that Kleinman et al. started from (Achille, Rovere & Soatto 2019), and still fits wherever two eyes do.
    left
        The left pathway.
    shape
        (channels, height, width) of what one eye sees.
    make
        Makes a pathway.

    Raises
    ------
    ValueError
        If ``eyes`` is neither 1 nor 2.
    """
    if eyes == 2:
        return make()
    if eyes != 1:
        raise ValueError(f"eyes must be 1 or 2, not {eyes}")
    was_training = left.training
    left.eval()  # measuring the shape must not move running averages
    with torch.no_grad():
        features = left(torch.zeros(1, *shape)).shape[1:]
    left.train(was_training)
    return Unseeing(tuple(features))


class PreActivationBlock(nn.Module):
    """Residual block with normalisation and rectification before each convolution (He et al. 2016, Fig. 4e)."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        reshapes = channels_in != channels or stride != 1
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False) if reshapes else None

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, channels_in, h, w]`` to ``[batch, channels, h/stride, w/stride]``."""
        activated = torch.relu(self.norm1(x))
        # As in the published network the shortcut of a reshaping block starts after the first rectification.
        carried = x if self.shortcut is None else pointwise(self.shortcut, activated)
        return carried + self.conv2(torch.relu(self.norm2(self.conv1(activated))))


def pointwise(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Apply a 1 x 1 convolution with the stride taken before, which computes the same.

    It is faster, and with a stride and fewer than 16 channels the gradient by the weights would write beyond its
    workspace (oneDNN issue 6035), which ends the process from 48 x 48 pixels on.
    """
    down, right = conv.stride
    return functional.conv2d(x[..., ::down, ::right], conv.weight, conv.bias)


class SplitCNN(TwoEyedNetwork):
    """Small split convolutional network for the laboratory scale.

    Per eye a 5 x 5 convolution, normalisation, rectification and one block of stride 2; after the sum three blocks of
    ``2 w, 2 w (stride 2), 4 w (stride 2)`` channels and a rectification; average pooling and a linear classifier.

    Parameters
    ----------
    shape
        (channels, height, width) of what one eye sees; height and width at least 8 pixels.
    n_classes
        Number of classes.
    width
        Channels w of each pathway; the final representation has 4 w channels.
    eyes
        2, or 1 for a subject that has the left pathway only.
    heads
        ``"one"``, or ``"per-eye"`` for a classifier for each eye and one for both, see `HeadPerEye`.
    """

    def __init__(
        self, shape: tuple[int, int, int], n_classes: int, width: int = 12, eyes: int = 2, heads: str = "one"
    ) -> None:
        super().__init__()
        if min(shape[1:]) < 8:
            raise ValueError(f"split-cnn needs stimuli of at least 8 x 8 pixels, not {shape[1]} x {shape[2]}")
        if width < 1:
            raise ValueError(f"width must be at least 1, not {width}")
        self.left = self._pathway(shape[0], width)
        self.right = second_pathway(eyes, self.left, shape, lambda: self._pathway(shape[0], width))
        self.trunk = nn.Sequential(
            PreActivationBlock(width, 2 * width),
            PreActivationBlock(2 * width, 2 * width, stride=2),
            PreActivationBlock(2 * width, 4 * width, stride=2),
            nn.ReLU(),
        )
        self.give_heads(
            heads, lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, n_classes))
        )

    @staticmethod
    def _pathway(channels: int, width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, width, 5, 1, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            PreActivationBlock(width, width, stride=2),
        )


class SplitMLP(TwoEyedNetwork):
    """Fully connected counterpart: one hidden layer per eye, a sum, and ``depth`` hidden layers after it.

    Parameters
    ----------
    shape, n_classes
        As for :class:`SplitCNN`.
    width
        Units of each hidden layer.
    depth
        Hidden layers after the sum, at least 1.
    """

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
        self.head: nn.Linear = nn.Linear(width, n_classes)

    @torch.no_grad()
    def classification_gradients(self, views: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return what a step of classification needs, written out: matrices so small wait for autograd's bookkeeping.

        Parameters
        ----------
        views
            ``[batch, eye, channel, height, width]``.
        labels
            ``[batch]`` int64.

        Returns
        -------
        loss
            Mean cross-entropy in nats.
        right
            Share of correct answers.
        gradients
            Of the loss, by the name of the weight.
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
            wrong = torch.ops.aten.threshold_backward(wrong.mm(layer.weight), below, 0)
        for name, eye in zip(("left.1", "right.1"), eyes, strict=True):
            gradients |= {f"{name}.weight": wrong.t().mm(eye), f"{name}.bias": wrong.sum(0)}
        return loss, correct, gradients
