"""How figures look: colours, sizes, panels. Nothing here changes matplotlib's settings beyond a ``with`` block."""

from __future__ import annotations

import contextlib
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from binocular.store.study import Study

from binocular.store.conditions import in_words
from binocular.store.statistics import printed as number

__all__ = [
    "BOTH_EYES",
    "EYE_COLOURS",
    "NORMAL_VISION",
    "TASK_COLOURS",
    "axes_or_new",
    "deficit_handles",
    "eye_colour",
    "eye_ends",
    "eye_of",
    "group_colours",
    "has_intervals",
    "lived_through",
    "number",
    "numbered",
    "panels",
    "shade_deficits",
    "style",
    "title_figure",
    "title_panel",
    "whole_epochs",
    "words",
]

EYE_COLOURS = {"left": "#0072B2", "right": "#D55E00"}
"""Left eye blue, right eye vermilion, in every figure; apart for all common kinds of colour blindness."""
BOTH_EYES = "#4D4D4D"
NORMAL_VISION = "#E3E3E3"
"""Time in which nothing is done to the eyes."""
TASK_COLOURS = ("#000000", "#009E73", "#AA4499", "#B8860B", "#56B4E9")
"""For tasks, in order; none of them an eye's colour."""

_SETTINGS: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "figure.titlesize": 10,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": "#333333",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "svg.fonttype": "path",
    "svg.hashsalt": "binocular",
}


def group_colours() -> tuple[tuple[float, ...], ...]:
    """Return the colours of groups 1 to 7: from the right eye's over grey to the left eye's."""
    from matplotlib.colors import to_rgb

    grey, steps = np.full(3, 0.76), np.linspace(-1, 1, 7)
    eyes = [np.array(to_rgb(EYE_COLOURS["right" if step < 0 else "left"])) for step in steps]
    return tuple(tuple(grey + (eye - grey) * abs(step)) for eye, step in zip(eyes, steps, strict=True))


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw in the style of this project inside the block; matplotlib's settings are as before after it."""
    import matplotlib as mpl
    import matplotlib.style

    from binocular.stimuli.canvas import plain_text

    with mpl.rc_context():
        matplotlib.style.use(["default", {**_SETTINGS, **plain_text()}])
        yield


def axes_or_new(ax: Axes | None) -> Axes:
    """Return ``ax``, or the axes of a new figure without a window where it is None."""
    from binocular.stimuli.canvas import Canvas

    return Canvas((3.2, 2.6), layout="constrained").add_subplot() if ax is None else ax


def panels(n: int, size: tuple[float, float] = (2.35, 2.15), sharey: bool = True) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``n`` equal panels, wrapped into rows; room for titles is added to their size (inches).

    Parameters
    ----------
    n
        Number of panels, at least 1.
    size
        Width and height of one panel, in inches.
    sharey
        Whether all panels have the same y axis.
    """
    from binocular.stimuli.canvas import Canvas

    n = max(n, 1)
    columns = n if n <= 4 else 4 if n <= 12 else 5 if n <= 20 else 6
    rows = math.ceil(n / columns)
    width = max(columns * size[0] + 0.4, 4.6)
    figure = Canvas((width, rows * size[1] + 1.0), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.07)  # type: ignore[union-attr]
    grid = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    axes = list(grid.flat)
    for index, ax in enumerate(axes):
        if index >= n:
            ax.set_visible(False)
        elif sharey and index % columns:
            ax.tick_params(labelleft=False)
    return figure, axes[:n]


def title_panel(ax: Axes, label: str, below: str = "") -> None:
    """Write a panel's name and, smaller and grey, what its subjects lived through.

    Parameters
    ----------
    ax, label, below
        The panel, its name, and what its subjects lived through; nothing if empty.
    """
    lines = textwrap.wrap(below, 40, max_lines=3, placeholder=" ...")
    name = "\n".join(textwrap.wrap(label, 32, max_lines=2, placeholder=" ..."))
    ax.set_title(name, loc="left", fontweight="bold", pad=5 + 9 * len(lines))
    if lines:
        ax.annotate(
            "\n".join(lines), (0, 1), (0, 3), "axes fraction", "offset points",
            va="bottom", ha="left", fontsize=6.8, color="#595959", linespacing=1.1,
        )  # fmt: skip


def lived_through(phases: Sequence[Mapping[str, Any]]) -> str:
    """Return the deficits of a rearing history in words: what, and from which epoch to which."""
    parts = [f"{words(phase)}, epochs {phase['start']}–{phase['stop']}" for phase in phases if phase["deficits"]]
    return "; ".join(parts) if parts else "normal vision throughout"


def title_figure(figure: Figure, what: str, study: str, site: str = "") -> None:
    """Write what a figure shows and of which study, wrapped to its width.

    Parameters
    ----------
    figure, what, study
        To write above, what it shows, and the name of the study.
    site
        Where in the network it was recorded; left out if empty.
    """
    site_named = f", {in_words(site)}" if site else ""
    letters = int(figure.get_figwidth() * 12)
    parts = [f"{what}{site_named}", study]
    if len(whole := " · ".join(parts)) <= letters:
        parts = [whole]
    lines = [line for part in parts for line in textwrap.wrap(part, letters, max_lines=2, placeholder=" ...")]
    figure.suptitle("\n".join(lines), x=0.01, ha="left")


def numbered(study: Study) -> str:
    """Return how many subjects a condition of a study has: ``n = 5``, ``n = 3 to 5``."""
    counts = {len(condition.subjects) for condition in study.reared} or {0}
    return f"n = {min(counts)}" + (f" to {max(counts)}" if len(counts) > 1 else "")


def has_intervals(study: Study) -> bool:
    """Say whether any condition of a study has two subjects or more, so that intervals are drawn."""
    return any(len(condition.subjects) > 1 for condition in study.reared)


def words(phase: Mapping[str, Any]) -> str:
    """Return what happens in a phase, in words."""
    if phase.get("description"):
        return str(phase["description"])
    eyes = {"left": "left eye: ", "right": "right eye: ", "both": "both eyes: "}
    return ", ".join(
        eyes.get(str(deficit.get("eye")), "") + str(deficit.get("kind", "deficit")) for deficit in phase["deficits"]
    )


def eye_of(deficits: Sequence[Mapping[str, Any]]) -> str:
    """Return whom the deficits of a phase concern: ``left``, ``right`` or ``both`` eyes, or nothing without any."""
    eyes = {str(deficit.get("eye", "both")) for deficit in deficits}
    return "" if not eyes else eyes.pop() if len(eyes) == 1 else "both"


def eye_colour(deficits: Sequence[Mapping[str, Any]]) -> str:
    """Return the colour of the eye that the deficits of a phase concern; dark grey for both, light for none."""
    return {"": NORMAL_VISION, **EYE_COLOURS}.get(eye_of(deficits), BOTH_EYES)


def deficit_handles(histories: Iterable[Sequence[Mapping[str, Any]]]) -> list[Patch]:
    """Return the entries of a legend for the deficits that `shade_deficits` marks in these histories."""
    from matplotlib.patches import Patch

    names = {
        EYE_COLOURS["left"]: "of the left eye",
        EYE_COLOURS["right"]: "of the right eye",
        BOTH_EYES: "of both eyes",
    }
    there = {eye_colour(phase["deficits"]) for phases in histories for phase in phases if phase["deficits"]}
    return [Patch(color=colour, lw=0, label=f"deficit {name}") for colour, name in names.items() if colour in there]


def shade_deficits(ax: Axes, phases: Sequence[Mapping[str, Any]], fill: bool = True) -> None:
    """Mark the epochs with a deficit: a bar along the top in the eye's colour (grey for both) and a light shade.

    Parameters
    ----------
    ax
        Axes with epochs along x.
    phases
        Mappings with ``start`` and ``stop`` (epochs, half open) and ``deficits``.
    fill
        Shade the panel too; else only the bar and thin lines at its ends, for panels that are filled by an image.
    """
    for phase in phases:
        if not phase["deficits"]:
            continue
        colour = eye_colour(phase["deficits"])
        start, stop = phase["start"], phase["stop"]
        ax.axvspan(start, stop, 0.965, 1.0, color=colour, lw=0, zorder=3)
        if fill:
            ax.axvspan(start, stop, 0, 0.965, color=colour, alpha=0.13, lw=0, zorder=0)
        else:
            for at in (start, stop):
                ax.axvline(at, color=colour, lw=0.9, ls=(0, (3, 2)), zorder=2.5)


def whole_epochs(ax: Axes) -> None:
    """Label whole epochs along x."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 5, 10]))


def eye_ends(treated_eye: str) -> dict[str, str]:
    """Return for each eye its name with its part in the study, such as ``right eye (treated)``, on two lines."""
    return {eye: f"{eye} eye\n({'treated' if eye == treated_eye else 'fellow'})" for eye in EYE_COLOURS}
