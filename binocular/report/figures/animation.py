"""The seven-group histogram through rearing as an animation: GIF, or MP4 where ffmpeg is installed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError

import numpy as np
from matplotlib.animation import FuncAnimation, writers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binocular.dominance import contralateral_bias, groups_of
from binocular.report.figures.dominance import POSITIONS, classic_axes, per_cent
from binocular.report.figures.style import (
    deficit_handles,
    eye_colour,
    group_colours,
    lived_through,
    number,
    panels,
    style,
    title_figure,
    title_panel,
    words,
)
from binocular.stimuli.errors import BadInput
from binocular.store.sealing import atomic_write
from binocular.store.statistics import interval
from binocular.store.study import Condition, Study, load_study

__all__ = ["MOST_BYTES", "animate", "film"]

MOST_BYTES = 2_000_000
"""An animation is made smaller until it takes no more than this."""
_DPI, _COARSEST = 100, 30
_STEPS = 48
"""Frames in which the counter goes from the first epoch to the last."""
_PER_SECOND = 10
_HOLD = 15
"""Frames for which the first and the last epoch stand still."""


def animate(study: Path | str, out: Path | str, site: str | None = None, most_bytes: int = MOST_BYTES) -> Path:
    """Draw ocular dominance through rearing, all conditions side by side, as an animation; return the file.

    Parameters
    ----------
    study
        A ``study.h5``, or the folder that holds one.
    out
        File to write, ``.gif`` or ``.mp4``.
    site
        Where the units were probed; the study's default site if None.
    most_bytes
        The picture is made coarser until the file takes no more than this, or can hardly be seen.

    Raises
    ------
    BadInput
        If the study cannot be opened, was not probed at that site, the file's ending is another one, or an MP4 is
        wanted and ffmpeg is not there or fails.
    """
    out = Path(out)
    kind = {".gif": "pillow", ".mp4": "ffmpeg"}.get(out.suffix.lower())
    if kind is None:
        raise BadInput(f"--out: {out} should end in .gif or .mp4")
    if not writers.is_available(kind):
        raise BadInput(f"--out: {out}: an MP4 needs the program ffmpeg, which is not installed; a .gif needs nothing")
    loaded = load_study(study)
    if not loaded.reared:
        raise BadInput(f"the study {loaded.title!r} has no subjects to draw; accepted is one with at least one")
    site = site or loaded.default_site
    if site not in loaded.sites:
        raise BadInput(f"--site: the study was not probed at '{site}'; accepted: {', '.join(loaded.sites)}")
    with style(), tempfile.TemporaryDirectory() as folder:
        figure, show, frames = film(loaded, site)
        moving = FuncAnimation(figure, show, frames, init_func=lambda: None, blit=False, cache_frame_data=False)
        written, dpi = Path(folder) / f"film{out.suffix.lower()}", float(_DPI)
        try:
            moving.save(written, writers[kind](fps=_PER_SECOND), dpi=dpi)
            while written.stat().st_size > most_bytes and dpi > _COARSEST:
                dpi *= max(0.5, 0.95 * (most_bytes / written.stat().st_size) ** 0.5)
                moving.save(written, writers[kind](fps=_PER_SECOND), dpi=dpi)
        except CalledProcessError as error:
            raise BadInput(f"ffmpeg could not write {out}: {error}; a .gif needs no ffmpeg") from error
        with atomic_write(out) as temporary:
            temporary.write_bytes(written.read_bytes())
    return out


def film(study: Study, site: str) -> tuple[Figure, Callable[[float], None], list[float]]:
    """Return a figure of all conditions, what sets it to an epoch, and the epochs of the frames.

    Bars are mean shares over seeds. Between two checkpoints nothing was measured: they glide from one to the next in a
    straight line. A panel is tinted while a deficit lasts; a condition that was reared for less time than another stays
    as it was at its end.

    Parameters
    ----------
    study, site
        As for `animate`.
    """
    shown = study.measured_at(site)
    courses = [_course(condition, site) for condition in shown]
    longest = max(float(epochs[-1]) for epochs, _ in courses)
    top = float(np.clip(10 * np.ceil(max(np.nan_to_num(shares).max() for _, shares in courses) / 10), 30, 100))
    figure, axes = panels(len(shown), (2.35, 2.3))
    panels_shown = [
        _panel(condition, *course, ax, top) for condition, course, ax in zip(shown, courses, axes, strict=True)
    ]
    title_figure(figure, "Ocular dominance through rearing", study.title, site)
    counter = figure.text(0.99, 0.01, "", ha="right", va="bottom", fontsize=10)
    handles = deficit_handles(condition.subjects[0].phases for condition in shown)
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=3, handlelength=1.3)

    def show(epoch: float) -> None:
        counter.set_text(f"epoch {int(epoch)}")
        for panel in panels_shown:
            panel(epoch)

    # Laid out once: what moves changes no size.
    show(0.0)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    held = [0.0] * _HOLD, [longest] * 2 * _HOLD
    return figure, show, [*held[0], *np.linspace(0, longest, _STEPS).tolist(), *held[1]]


def _course(condition: Condition, site: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the epochs at which all seeds were probed, and the mean share of each group there in per cent."""
    epochs, rsv = condition.common_checkpoints(site)
    counts = np.stack([groups_of(values) for values in rsv], axis=1)  # [checkpoint, seed, group]
    return epochs, np.stack([interval(per_cent(row)).mean for row in counts])


def _panel(
    condition: Condition, epochs: np.ndarray, shares: np.ndarray, ax: Axes, top: float
) -> Callable[[float], None]:
    """Lay out the panel of a condition and return what sets it to an epoch."""
    phases = condition.subjects[0].phases
    classic_axes(ax, condition.treated_eye, top)
    title_panel(ax, condition.label, lived_through(phases))
    if ax.get_subplotspec().is_first_col():  # type: ignore[union-attr]
        ax.set_ylabel("share of units (%)")
    tint = ax.axvspan(0.4, 7.6, alpha=0.12, lw=0, zorder=0)
    bars = ax.bar(POSITIONS, np.zeros(7), width=0.86, color=group_colours(), lw=0, zorder=1)
    said = ax.annotate("", (0, 1), xycoords="axes fraction", ha="left", va="top", fontsize=7, linespacing=1.2)
    stop = max(int(epochs[-1]), *(int(phase["stop"]) for phase in phases))

    def show(epoch: float) -> None:
        heights = np.array([np.interp(epoch, epochs, shares[:, group]) for group in range(7)])
        for bar, height in zip(bars, np.nan_to_num(heights), strict=True):
            bar.set_height(height)
        now = next((p for p in phases if p["deficits"] and p["start"] < epoch <= p["stop"]), None)
        tint.set_visible(now is not None)
        if now is not None:
            tint.set_facecolor(eye_colour(now["deficits"]))
        silent = bool(np.isnan(heights).any())
        bias = "all units silent" if silent else number(float(contralateral_bias(heights, condition.treated_eye)))
        below = words(now) if now is not None else f"reared to epoch {stop}" if epoch > stop else ""
        said.set_text(f"{'' if silent else 'CBI '}{bias}\n{below}")

    return show
