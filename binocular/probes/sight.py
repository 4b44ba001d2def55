"""What the subject can see: accuracy with both eyes and with each eye alone, and on each task of the stimulus."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from binocular.networks.declared import has_pathways
from binocular.networks.fusion import fuse
from binocular.probes.recording import at_once
from binocular.stimuli.base import LEFT, RIGHT, StimulusSet
from binocular.store.schema import VISION

__all__ = ["class_scores", "task_scores", "vision"]

_AT_ONCE = 250  # presentations


@torch.no_grad()
def vision(network: nn.Module, stimulus: StimulusSet, test_size: int | None = None) -> dict[str, float]:
    """Test a subject on undisturbed stimuli.

    Parameters
    ----------
    network
        A two-eyed network, in evaluation mode.
    stimulus
        Its test split is used.
    test_size
        Number of test stimuli; all where None.

    Returns
    -------
    dict of str to float
        ``test_accuracy`` (both eyes), ``accuracy_left_only`` and ``accuracy_right_only`` (the other eye sees grey), and
        one accuracy per task of the stimulus, read from the class probabilities added up over the classes that share
        a value, all between 0 and 1.
    """
    labels = stimulus.labels["test"]
    count = len(labels) if test_size is None else min(test_size, len(labels))
    names = [*VISION, *stimulus.tasks]
    correct = dict.fromkeys(names, 0)
    batch = at_once(_AT_ONCE, stimulus.shape)
    for start in range(0, count, batch):
        index = torch.arange(start, min(start + batch, count), device=labels.device)
        views, truth = stimulus.views("test", index, None), labels[index]
        scores = dict(zip(VISION, _scores(network, views), strict=True))
        for name, answered in scores.items():
            correct[name] += _count(answered, truth)
        for task, values in stimulus.tasks.items():
            correct[task] += _count(task_scores(scores["test_accuracy"], values), values[truth])
    return {name: hits / count for name, hits in correct.items()}


@torch.no_grad()
def class_scores(network: nn.Module, views: Tensor) -> Tensor:
    """Return the scores of the classes for many presentations, ``[presentation, class]`` float32.

    Parameters
    ----------
    network
        A two-eyed network, in evaluation mode.
    views
        What both eyes see, ``[presentation, eye, channel, height, width]``.
    """
    return torch.cat([network(part) for part in views.split(_AT_ONCE)]).float()


def task_scores(scores: Tensor, values: Tensor) -> Tensor:
    """Return the probability of each value of a task: that of the classes that share it, added up.

    Parameters
    ----------
    scores
        Of the classes, ``[presentation, class]``.
    values
        Value of the task for each class, ``[class]`` int64 from 0.
    """
    chance = scores.float().softmax(dim=1)
    pooled = torch.zeros(len(scores), int(values.max()) + 1, device=chance.device)
    return pooled.index_add_(1, values, chance)


def _scores(network: nn.Module, views: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores with both eyes, with the left eye alone and with the right eye alone."""
    blank = torch.zeros_like(views[:1, LEFT])
    if not has_pathways(network):
        grey = blank.expand_as(views[:, LEFT])
        pairs = ((views[:, LEFT], grey), (grey, views[:, RIGHT]))
        left_only, right_only = (network(torch.stack(pair, dim=1)) for pair in pairs)
        return network(views), left_only, right_only
    left, right = network.left(views[:, LEFT]), network.right(views[:, RIGHT])  # type: ignore[operator]
    dark_left, dark_right = network.left(blank), network.right(blank)  # type: ignore[operator]
    dark_left = dark_left.expand(len(views), *dark_left.shape[1:])
    dark_right = dark_right.expand(len(views), *dark_right.shape[1:])
    pairs = ((left, right), (left, dark_right), (dark_left, right))
    both, left_only, right_only = (network.head(network.trunk(fuse(network, *pair))) for pair in pairs)  # type: ignore[operator]
    return both, left_only, right_only


def _count(scores: Tensor, truth: Tensor) -> int:
    return int((scores.argmax(dim=1) == truth).sum())
