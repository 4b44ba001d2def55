"""The frames of an animation of ocular dominance: histograms that change, over time lines with a hand."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.dominance import contralateral_bias
from binocular.report.figures.dominance import POSITIONS, classic_axes, per_cent, top_of_axis
from binocular.report.figures.style import (
    deficit_handles,
    eye_colour,
    group_colours,
    lived_through,
    number,
    title_panel,
    whole_epochs,
    words,
)
from binocular.store.sites import in_words
from binocular.store.statistics import interval

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from PIL.Image import Image

    from binocular.store.study import Condition, Study

__all__ = ["Film", "Frame"]

_MOST_STEPS = 48  # frames in which the hand goes from the first epoch to the last
_MOST_PANELS = 480  # panels drawn in all frames together
_FEWEST = 8  # frames, however many panels there are
_MOVE, _HOLD, _FIRST, _LAST = 100, 400, 1500, 3000  # milliseconds of a frame
_PALE = 0.5


@dataclass(frozen=True)
class Frame:
    """One picture: at which epoch, and for how long it is shown."""

    epoch: float
    milliseconds: int


class Film:
    """All conditions of a study side by side, at any epoch.

    At a checkpoint bars are the mean share of units over seeds, with 95 % intervals and one dot per seed. Between two
    checkpoints nothing was measured: bars glide from one to the next, pale and without dots. A panel is tinted while
    a deficit lasts; a condition that was reared for less time than another stays as it was at its end.

    Parameters
    ----------
    study
        A study with subjects that were probed at the site.
    site
        Where.
    dpi
        Dots per inch of the pictures.
    """

    def __init__(self, study: Study, site: str | None = None, dpi: int = 120) -> None:
        site = site or study.default_site
        shown = [c for c in study.reared if any(site in subject.sites for subject in c.subjects)]
        self._stories = [_Story(condition, site) for condition in shown]
        self.longest = max(story.stop for story in self._stories)
        checkpoints = sorted({int(epoch) for story in self._stories for epoch in story.epochs})
        self.frames = _frames(checkpoints, self.longest, len(shown))
        top = max(story.top for story in self._stories)
        self._figure, cells = _cells(len(shown))
        self._figure.set_dpi(dpi)
        self._panels = [
            _Panel(cell, story, study.treated_eye, top, self.longest)
            for cell, story in zip(cells, self._stories, strict=True)
        ]
        at = f", {in_words(site)}"
        letters = int(self._figure.get_figwidth() * 12) - 12  # leaves room for the counter
        title = textwrap.wrap(
            f"Ocular dominance through rearing{at} · {study.title}", letters, max_lines=3, placeholder=" ..."
        )
        self._figure.suptitle("\n".join(title), x=0.01, ha="left")
        self._counter = self._figure.text(
            0.99, 1 - 0.06 / self._figure.get_figheight(), "", ha="right", va="top", fontsize=10, animated=True
        )
        _legend(self._figure, [story.phases for story in self._stories])
        self._background: Any = None

    @property
    def _canvas(self) -> Any:
        return self._figure.canvas

    def show(self, frame: Frame) -> None:
        """Set everything that changes to a frame."""
        self._counter.set_text(f"epoch {int(frame.epoch)}")
        for panel in self._panels:
            panel.show(frame.epoch)

    def picture(self, frame: Frame) -> Image:
        """Return the picture of a frame."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        if self._background is None:
            FigureCanvasAgg(self._figure)
            self._canvas.draw()  # lays everything out
            self._background = self._canvas.copy_from_bbox(self._figure.bbox)
        self._canvas.restore_region(self._background)
        self.show(frame)
        for panel in self._panels:
            panel.draw()
        self._figure.draw_artist(self._counter)
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3].copy())


class _Story:
    """What a condition's film shows: shares of the groups at the checkpoints that all of its seeds have."""

    def __init__(self, condition: Condition, site: str) -> None:
        subjects = [subject for subject in condition.subjects if site in subject.sites]
        at = [np.asarray(subject.sites[site].epoch) for subject in subjects]
        self.epochs = np.array(sorted(set(at[0]).intersection(*map(set, at[1:]))))
        groups = [d.groups[np.isin(epoch, self.epochs)] for d, epoch in zip(condition.dominance(site), at, strict=True)]
        counts = np.stack(groups, axis=1)  # [checkpoint, seed, group]
        self.shares = np.stack([per_cent(row) for row in counts])
        self.found = [interval(row) for row in self.shares]
        self.bias = [interval(contralateral_bias(row, condition.treated_eye)).mean for row in counts]
        self.phases = subjects[0].phases
        self.label = condition.label
        self.stop = max(int(self.epochs[-1]), *(phase["stop"] for phase in self.phases))
        self.top = max(top_of_axis(found, shares) for found, shares in zip(self.found, self.shares, strict=True))

    def means(self, epoch: float) -> tuple[np.ndarray, int, bool]:
        """Return the height of each bar, the checkpoint that was last, and whether this is what was measured there."""
        last = max(int(np.searchsorted(self.epochs, epoch, side="right")) - 1, 0)
        heights = np.nan_to_num(self.found[last].mean)
        if last + 1 == len(self.epochs) or epoch <= self.epochs[last]:
            return heights, last, True
        after = np.nan_to_num(self.found[last + 1].mean)
        share = (epoch - self.epochs[last]) / (self.epochs[last + 1] - self.epochs[last])
        return heights + share * (after - heights), last, False

    def deficit(self, epoch: float) -> Mapping[str, Any] | None:
        """Return the phase that leads up to an epoch if something is done to an eye in it."""
        phases = (phase for phase in self.phases if phase["start"] < epoch <= phase["stop"])
        return next((phase for phase in phases if phase["deficits"]), None)


class _Panel:
    """A histogram and its time line, of which only what changes is drawn anew."""

    def __init__(self, cell: SubFigure, story: _Story, treated_eye: str, top: float, longest: int) -> None:
        from matplotlib.collections import LineCollection

        self._story = story
        above, below = cell.subplots(2, 1, height_ratios=[7, 1])
        classic_axes(above, treated_eye, top)
        above.set_ylabel("share of units (%)")
        title_panel(above, story.label, lived_through(story.phases))
        self._above, self._below = above, below
        moving: dict[str, Any] = {"animated": True}
        self._tint = above.axvspan(0.4, 7.6, alpha=0.12, lw=0, zorder=0, **moving)
        self._bars = above.bar(POSITIONS, np.zeros(7), width=0.86, color=group_colours(), lw=0, zorder=1, **moving)
        self._whiskers = LineCollection([], colors="#222222", linewidths=0.9, zorder=3, **moving)
        above.add_collection(self._whiskers, autolim=False)
        seeds = story.shares.shape[1]
        offsets = np.linspace(-0.22, 0.22, seeds) if seeds > 1 else np.zeros(1)
        self._dots = [
            above.plot(POSITIONS + offset, np.zeros(7), "o", ms=2.6, mfc="white", mec="#222222", mew=0.6, **moving)[0]
            for offset in offsets
        ]
        self._limit = top
        corner: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", **moving}
        self._bias = above.annotate("", (0, 1), (3, -3), ha="left", fontsize=7, **corner)
        self._now = above.annotate("", (1, 1), (-3, -3), ha="right", fontsize=7, **corner)
        self._hand = _time_line(below, story, longest)

    def show(self, epoch: float) -> None:
        heights, last, measured = self._story.means(epoch)
        deficit = self._story.deficit(epoch)
        for bar, height in zip(self._bars, heights, strict=True):
            bar.set_height(height)
            bar.set_alpha(1 if measured else _PALE)
        found = self._story.found[last]
        spread = np.isfinite(found.low) & measured
        ends = np.clip(np.stack([found.low, found.high]), 0, self._limit)
        self._whiskers.set_segments([[(x, ends[0][i]), (x, ends[1][i])] for i, x in enumerate(POSITIONS) if spread[i]])
        for dots, seed in zip(self._dots, self._story.shares[last], strict=True):
            dots.set_ydata(seed)
            dots.set_visible(measured)
        bias = float(self._story.bias[last])
        self._bias.set_text(f"CBI {number(bias)}" if np.isfinite(bias) else "all units silent")
        self._bias.set_alpha(1 if measured else _PALE)
        over = f"reared to epoch {self._story.stop}" if epoch > self._story.stop else ""
        colour = "#595959" if deficit is None else eye_colour(deficit["deficits"])
        self._tint.set_visible(deficit is not None)
        self._tint.set_facecolor(colour)
        self._now.set_text(over if deficit is None else textwrap.shorten(words(deficit), 34, placeholder=" ..."))
        self._now.set_color(colour)
        at = min(epoch, self._story.stop)
        self._hand.set_xdata([at, at])

    def draw(self) -> None:
        above: list[Artist] = [self._tint, *self._bars, self._whiskers, *self._dots, self._bias, self._now]
        for artist in [*above, self._above.spines["bottom"]]:
            self._above.draw_artist(artist)
        self._below.draw_artist(self._hand)


def _time_line(ax: Axes, story: _Story, longest: int) -> Any:
    """Draw a condition's history as a bar, its checkpoints as ticks, and return the hand that moves over it."""
    ax.axhspan(0.3, 0.7, 0, story.stop / longest, color="#E3E3E3", lw=0)
    for phase in story.phases:
        if phase["deficits"]:
            ax.axhspan(
                0.3,
                0.7,
                phase["start"] / longest,
                phase["stop"] / longest,
                color=eye_colour(phase["deficits"]),
                lw=0,
                zorder=2,
            )
    ax.vlines(story.epochs, 0.3, 0.0, color="#333333", lw=0.7, clip_on=False)
    ax.set_xlim(0, longest)
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    whole_epochs(ax)
    ax.set_xlabel("epochs of rearing")
    return ax.plot([0, 0], [0.05, 0.95], color="black", lw=1.6, zorder=4, clip_on=False, animated=True)[0]


def _cells(n: int) -> tuple[Figure, list[SubFigure]]:
    """Return a figure of ``n`` equal cells, wrapped into rows."""
    from binocular.stimuli.canvas import Canvas

    columns = n if n <= 4 else 4 if n <= 12 else 6
    rows = -(-n // columns)
    figure = Canvas((max(2.35 * columns, 4.6), 2.9 * rows + 0.7), layout="constrained")
    grid = np.atleast_1d(figure.subfigures(rows, columns, squeeze=False)).ravel()
    return figure, list(grid[:n])


def _legend(figure: Figure, histories: Sequence[Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color="#8A8A8A", lw=0, label="mean over seeds, 95 % interval"),
        Line2D([], [], ls="none", marker="o", ms=3, mfc="white", mec="#222222", mew=0.6, label="one seed"),
        Patch(color="#8A8A8A", alpha=_PALE, lw=0, label="pale: between checkpoints, not measured"),
        *deficit_handles(histories),
    ]
    columns = 5 if figure.get_figwidth() > 9 else 3 if figure.get_figwidth() > 6 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, handlelength=1.3, columnspacing=1.4)


def _frames(checkpoints: Sequence[int], longest: int, panels: int) -> list[Frame]:
    """Return the frames: every checkpoint, for a moment longer, and steps of equal speed between them.

    Many panels make large pictures: then there are fewer steps, and in the end not every checkpoint has a frame.
    """
    per_epoch = min(_MOST_STEPS, _MOST_PANELS // (2 * panels)) / longest
    frames = [Frame(float(checkpoints[0]), _FIRST)]
    for before, after in itertools.pairwise(checkpoints):
        steps = max(1, round(per_epoch * (after - before)))
        frames += [Frame(before + (after - before) * step / steps, _MOVE) for step in range(1, steps)]
        frames.append(Frame(float(after), _HOLD))
    most = max(_FEWEST, _MOST_PANELS // panels)
    if len(frames) > most:
        held = [frame for frame in frames if frame.milliseconds != _MOVE]
        frames = [held[i] for i in np.unique(np.linspace(0, len(held) - 1, most).round().astype(int))]
    return [*frames[:-1], Frame(frames[-1].epoch, _LAST)]
