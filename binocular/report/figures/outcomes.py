"""All conditions side by side: the measures at the end of rearing with their intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from binocular.report.figures.style import BOTH_EYES, axes_or_new, has_intervals, numbered, title_figure
from binocular.stimuli.canvas import Canvas
from binocular.store.statistics import interval
from binocular.store.study import Condition, Study

__all__ = ["interval_rows", "outcomes_figure"]


def interval_rows(
    values: Sequence[ArrayLike],
    ax: Axes | None = None,
    *,
    limits: tuple[float, float] | None = None,
    reference: float | None = None,
) -> Axes:
    """Draw one row per condition: its seeds as small dots, their mean with its 95 % t interval.

    Parameters
    ----------
    values
        For each row the values of its seeds, ``[seed]``; the first row is at the top.
    ax
        Where to draw; a new figure by default.
    limits
        Range of the measure; intervals that leave it are cut at its ends.
    reference
        Value marked by a thin line, such as the balance of the eyes.
    """
    ax = axes_or_new(ax)
    if reference is not None:
        ax.axvline(reference, color="#999999", lw=0.7, ls=":", zorder=0)
    for row, seeds in enumerate(values):
        found = interval(np.asarray(seeds, dtype=np.float64))
        ax.plot(seeds, np.full(np.shape(seeds), row + 0.24), "o", ms=2.8, mfc="white", mec="#8A8A8A", mew=0.7)
        if np.isfinite(found.low):
            low, high = (found.low, found.high) if limits is None else np.clip([found.low, found.high], *limits)
            ax.hlines(row, low, high, color=BOTH_EYES, lw=1.6, zorder=2)
        if np.isfinite(found.mean):
            ax.plot(found.mean, row, "D", ms=3.6, color="black", zorder=3)
    for row in range(len(values)):
        ax.axhline(row, color="#EEEEEE", lw=0.6, zorder=-1)
    ax.set_ylim(len(values) - 0.5, -0.5)
    if limits is not None:
        margin = 0.03 * (limits[1] - limits[0])
        ax.set_xlim(limits[0] - margin, limits[1] + margin)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _at_end(condition: Condition, site: str, measure: str) -> list[float]:
    if measure.startswith("group "):
        return condition.shares(site)[:, int(measure[-1]) - 1].tolist()
    return [float(getattr(dominance, measure)[-1]) for dominance in condition.dominance(site)]


def outcomes_figure(study: Study, site: str | None = None) -> Figure:
    """Draw the measures at the end of rearing for all conditions: dominance on the left, vision on the right.

    Parameters
    ----------
    study, site
        As for `figure_of`; without a site `study.default_site`.
    """
    site = site or study.default_site
    shown = list(study.reared)
    end = f"group {study.end_group}"
    dominance = [
        ("cbi", f"CBI\n0 {study.fellow_eye} … 1 {study.treated_eye} (treated)", 0.5),
        (end, f"{end}: share of {study.unit_word(site)}\n{study.fellow_eye} (fellow) eye only", None),
        ("binocular_share", "binocular share\ngroups 2–6", None),
    ]
    vision = [task for task in study.tasks if any(np.isfinite(c.last(task)).any() for c in shown)] or ["test_accuracy"]
    names = {"test_accuracy": "accuracy\nboth eyes"}
    count = len(dominance) + len(vision)
    height = 0.3 * max(len(shown), 2) + 1.6
    figure = Canvas((1.6 + 1.5 * count, height), layout="constrained")
    axes = list(figure.subplots(1, count, sharey=True, squeeze=False).flat)
    for (measure, label, reference), ax in zip(dominance, axes, strict=False):
        interval_rows([_at_end(c, site, measure) for c in shown], ax, limits=(0, 1), reference=reference)
        ax.set_xlabel(label)
    for task, ax in zip(vision, axes[len(dominance) :], strict=True):
        interval_rows([condition.last(task) for condition in shown], ax, limits=(0, 1), reference=_chance(study, task))
        ax.set_xlabel(names.get(task, f"{task}\naccuracy"))
    labels = ["\n".join(textwrap.wrap(c.label, 30, max_lines=2, placeholder=" ...")) for c in shown]
    axes[0].set_yticks(range(len(shown)), labels)
    for ax in axes:
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    handles = [
        Line2D([], [], ls="none", marker="D", ms=3.6, color="black", label=f"mean over seeds ({numbered(study)})"),
        *([Line2D([], [], color=BOTH_EYES, lw=1.6, label="95 % interval")] if has_intervals(study) else []),
        Line2D([], [], ls="none", marker="o", ms=2.8, mfc="white", mec="#8A8A8A", mew=0.7, label="one seed"),
        Line2D([], [], color="#999999", lw=0.7, ls=":", label="balance of the eyes; chance"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=1.3, columnspacing=1.4)
    title_figure(figure, "Conditions compared at the end of rearing", study.title, site)
    return figure


def _chance(study: Study, task: str) -> float | None:
    """Return what guessing gives in a task, where the subjects say it."""
    levels = (s.attributes.get("chance", {}).get(task) for c in study.reared for s in c.subjects)
    return next((float(level) for level in levels if level is not None), None)
