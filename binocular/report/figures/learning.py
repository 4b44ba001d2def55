"""Learning curves: the tasks, and what each eye can do alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from binocular.report.figures.style import (
    BOTH_EYES,
    EYE_COLOURS,
    TASK_COLOURS,
    axes_or_new,
    deficit_handles,
    has_intervals,
    lived_through,
    numbered,
    panels,
    shade_deficits,
    title_figure,
    title_panel,
    whole_epochs,
)
from binocular.store.statistics import interval
from binocular.store.study import Condition, Study

__all__ = ["learning_curves", "learning_figure"]

_EYES = {"accuracy_left_only": "left", "accuracy_right_only": "right"}


def learning_curves(
    epoch: ArrayLike,
    columns: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    *,
    phases: Sequence[Mapping[str, Any]] = (),
    chance: Mapping[str, float] | None = None,
) -> Axes:
    """Draw accuracy over epochs, a labelled line a curve: mean over seeds with its 95 % t interval as a band.

    Parameters
    ----------
    epoch
        Epochs of rearing completed, ``[epoch]``.
    columns
        For each curve ``[seed, epoch]`` in [0, 1]; NaN = not tested in that epoch. ``accuracy_left_only`` and
        ``accuracy_right_only`` take the eyes' colours, ``test_accuracy`` is drawn as both eyes, others as tasks.
    ax
        Where to draw; a new figure by default.
    phases
        Mappings with ``start``, ``stop`` and ``deficits``; those with deficits are shaded.
    chance
        Share of right answers by guessing for each column, drawn as a dotted line in the curve's colour; curves of the
        same chance share one grey line.
    """
    ax = axes_or_new(ax)
    at = np.asarray(epoch, dtype=np.float64)
    for name, look in _looks(list(columns)).items():
        found = interval(np.asarray(columns[name], dtype=np.float64).reshape(-1, len(at)))
        given = np.isfinite(found.mean)
        many = int(given.sum()) > 1
        ax.plot(at[given], found.mean[given], marker=None if many else "o", ms=3, zorder=3, **look)
        band = given & np.isfinite(found.low)
        low, high = np.clip(found.low[band], 0, 1), np.clip(found.high[band], 0, 1)
        ax.fill_between(at[band], low, high, color=look["color"], alpha=0.12, lw=0, zorder=2)
    _chance_levels(ax, {name: (chance or {}).get(name) for name in columns})
    shade_deficits(ax, phases)
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_xlim(0, max(float(at[-1]) if len(at) else 1.0, 1.0))
    whole_epochs(ax)
    return ax


def _chance_levels(ax: Axes, chance: Mapping[str, float | None]) -> None:
    levels: dict[float, list[str]] = {}
    for name, level in chance.items():
        if level is not None:
            levels.setdefault(level, []).append(name)
    looks = _looks(list(chance))
    for level, names in levels.items():
        colour = looks[names[0]]["color"] if len(names) == 1 else "#8A8A8A"
        label = "dotted: chance" if not ax.get_legend_handles_labels()[1].count("dotted: chance") else None
        ax.axhline(level, color=colour, lw=0.9, ls=":", zorder=1, label=label)


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour, line and label of each curve, tasks first."""
    tasks = [name for name in names if name not in _EYES and name != "test_accuracy"]
    looks: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(tasks):
        looks[name] = {"color": TASK_COLOURS[index % len(TASK_COLOURS)], "label": f"{name}, both eyes"}
    if "test_accuracy" in names:
        looks["test_accuracy"] = {"color": BOTH_EYES, "ls": (0, (4, 1.5)), "lw": 1.1, "label": "all classes, both eyes"}
    for name, eye in _EYES.items():
        if name in names:
            looks[name] = {"color": EYE_COLOURS[eye], "lw": 1.1, "label": f"all classes, {eye} eye alone"}
    return looks


def _columns(condition: Condition, tasks: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return epochs and curves; a subject whose rearing ended sooner is NaN from there on."""
    longest = max(len(subject.history["epoch"]) for subject in condition.subjects)
    columns = {}
    for name in (*tasks, "test_accuracy", *_EYES):
        rows = np.full((len(condition.subjects), longest), np.nan)
        for row, subject in zip(rows, condition.subjects, strict=True):
            values = subject.history.get(name)
            if values is not None:
                row[: len(values)] = values
        if np.isfinite(rows).any():
            columns[name] = rows
    return np.arange(1, longest + 1), columns


def learning_figure(study: Study) -> Figure:
    """Draw the learning curves of all conditions, one panel each."""
    shown = list(study.reared)
    figure, axes = panels(len(shown), (2.35, 2.0 if len(shown) > 1 else 2.4))  # a narrow figure has a high legend
    labels: dict[str, Any] = {}
    for condition, ax in zip(shown, axes, strict=False):
        epoch, columns = _columns(condition, study.tasks)
        first = condition.subjects[0]
        learning_curves(epoch, columns, ax, phases=first.phases, chance=first.attributes.get("chance"))
        title_panel(ax, condition.label, lived_through(first.phases))
        ax.set_xlabel("epochs of rearing")
        labels.update({str(line.get_label()): line for line in ax.get_lines() if str(line.get_label())[0] != "_"})
        if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            ax.set_ylabel("accuracy on test stimuli")
    title_figure(figure, "Learning, and what each eye can do alone", study.title)
    if labels:
        marked = deficit_handles(condition.subjects[0].phases for condition in shown)
        if has_intervals(study):
            marked.insert(0, Patch(color=BOTH_EYES, alpha=0.2, lw=0, label=f"95 % interval ({numbered(study)})"))
        columns = 4 if len(axes) >= 4 else 3 if len(axes) == 3 else 2
        handles = [*labels.values(), *marked]
        names = [*labels, *(str(patch.get_label()) for patch in marked)]
        figure.legend(handles, names, loc="outside lower center", ncols=columns, handlelength=1.8, columnspacing=1.4)
    return figure
