"""Contact sheets: what the two eyes see, side by side and as a red-cyan anaglyph.

``contact_sheet`` draws any views onto an axes, also after a deficit; ``show`` makes a figure of a set of stimuli, and
``overview`` one of each kind, which serves as gallery and as smoke test at once.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from binocular.stimuli.base import LEFT, RIGHT, Split, StimulusSet
from binocular.stimuli.errors import BadInput
from binocular.stimuli.registry import STIMULI, stimulus_config
from binocular.stimuli.streams import stream
from binocular.stimuli.surroundings import own_settings

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LEFT_COLOUR", "OVERVIEWS", "RIGHT_COLOUR", "anaglyph", "contact_sheet", "overview", "show", "to_display"]

LEFT_COLOUR, RIGHT_COLOUR = "#0072B2", "#D55E00"
_INK = "#222222"
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "text.color": _INK,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.facecolor": "white",
}
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_COLUMNS = 8


def to_display(views: torch.Tensor, reach: float) -> np.ndarray:
    """Return views as colours for the screen.

    Parameters
    ----------
    views
        ``[batch, eye, channel, height, width]`` with 1 or 3 channels, 0 = grey.
    reach
        Value shown as white; its negative is black and zero is the middle grey. Values beyond are cut off.

    Returns
    -------
    numpy.ndarray
        ``[batch, eye, height, width, 3]`` from 0 to 1.

    Raises
    ------
    BadInput
        If the views have another number of channels or of eyes.
    """
    if views.ndim != 5 or views.shape[1] != 2 or views.shape[2] not in (1, 3):
        raise BadInput(
            f"views of shape {tuple(views.shape)} cannot be drawn; accepted is [batch, 2 eyes, 1 or 3 channels, "
            "height, width]"
        )
    colours = 0.5 + views.detach().cpu().double().numpy() / (2 * reach)
    colours = np.moveaxis(np.clip(colours, 0, 1), 2, -1)
    return np.repeat(colours, 3, axis=-1) if colours.shape[-1] == 1 else colours


def anaglyph(colours: np.ndarray) -> np.ndarray:
    """Return red-cyan anaglyphs: red is the left eye's luminance, green and blue are the right eye's.

    From colours ``[batch, eye, height, width, 3]``, as from ``to_display``, to ``[batch, height, width, 3]``. Seen
    through glasses with the red filter on the left eye, near figures stand out.
    """
    luminance = colours @ _LUMINANCE
    return np.stack([luminance[:, LEFT], luminance[:, RIGHT], luminance[:, RIGHT]], -1)


@own_settings()
def contact_sheet(
    views: torch.Tensor,
    titles: Sequence[str] | None = None,
    *,
    ax: Axes,
    columns: int = _COLUMNS,
    reach: float | None = None,
) -> Axes:
    """Draw pairs of views: the left eye above the right eye above their anaglyph.

    Parameters
    ----------
    views
        ``[batch, eye, channel, height, width]`` with 1 or 3 channels, 0 = grey.
    titles
        One per stimulus, drawn above it; broken at the first space.
    ax
        Where to draw; its frame and ticks are removed.
    columns
        Stimuli in one row.
    reach
        Value shown as white; by default the 98th percentile of all absolute values, the same for both eyes, so that
        differences of contrast between the eyes can be seen.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``.

    Raises
    ------
    BadInput
        If the views cannot be drawn, or the titles are not as many as the stimuli.
    """
    if titles is not None and len(titles) != len(views):
        raise BadInput(f"{len(titles)} titles were given for {len(views)} stimuli")
    if not len(views):
        raise BadInput("there is no stimulus to draw")
    if reach is None:
        reach = float(np.quantile(views.detach().abs().cpu().double().numpy(), 0.98)) or 1.0
    colours = to_display(views, reach)
    rows = [colours[:, LEFT], colours[:, RIGHT], anaglyph(colours)]
    labels = [("left eye", LEFT_COLOUR), ("right eye", RIGHT_COLOUR), ("both\nred–cyan", _INK)]

    # One picture is one unit wide; gaps and the room for titles are shares of it.
    tall = colours.shape[2] / colours.shape[3]
    gap, title_room = 0.1, 0.5 if titles is not None else 0.12
    block = 3 * (tall + gap) + title_room
    n_blocks = -(-len(views) // columns)
    for number in range(len(views)):
        x = (number % columns) * (1 + gap)
        top = -(number // columns) * block - title_room
        for row, pictures in enumerate(rows):
            y = top - row * (tall + gap)
            ax.imshow(
                pictures[number], extent=(x, x + 1, y - tall, y), interpolation="nearest", zorder=1, rasterized=False
            )
            colour = labels[row][1] if row < 2 else "#999999"
            ax.plot([x, x + 1, x + 1, x, x], [y, y, y - tall, y - tall, y], color=colour, linewidth=0.9, zorder=2)
        if titles is not None:
            # Line by line: a block of text would stand higher where its last line has no descender.
            for line, text in enumerate(reversed(titles[number].split(" ", 1))):
                ax.text(x + 0.5, top + 0.08 + 0.16 * line, text, ha="center", va="baseline")
    for number in range(n_blocks):
        for row, (label, colour) in enumerate(labels):
            y = -number * block - title_room - row * (tall + gap) - tall / 2
            ax.text(-0.12, y, label, ha="right", va="center", color=colour, fontweight="bold" if row < 2 else None)
    across = min(len(views), columns) * (1 + gap) - gap
    ax.text(
        across, -n_blocks * block - 0.02, f"grey = 0, white = {reach:.2g}, black = −{reach:.2g}",
        ha="right", va="top", fontsize="small", color="#666666",
    )  # fmt: skip
    ax.set_xlim(-0.95, across + 0.03)
    ax.set_ylim(-n_blocks * block - 0.25, 0.03)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _figure(views: torch.Tensor, titles: Sequence[str], heading: str) -> Figure:
    """Return a figure with one contact sheet of a size that fits it."""
    from matplotlib import rc_context

    from binocular.stimuli.canvas import Canvas, plain_text

    across = min(len(views), _COLUMNS)
    blocks = -(-len(views) // _COLUMNS)
    tall = views.shape[-2] / views.shape[-1]
    with rc_context({**_STYLE, **plain_text()}):
        figure = Canvas(
            figsize=((across * 1.1 + 1) * 0.78, (blocks * (3 * (tall + 0.1) + 0.5) + 0.3) * 0.78 + 0.35),
            layout="constrained",
        )
        ax = figure.add_subplot()
        contact_sheet(views, titles, ax=ax)
        lines = textwrap.wrap(heading, int(figure.get_figwidth() * 11), max_lines=3, placeholder=" ...")
        ax.set_title("\n".join(lines), loc="left", fontsize=9, fontweight="bold", pad=2)
    return figure


@own_settings()
def show(
    stimuli: StimulusSet,
    n: int = 8,
    split: Split = "train",
    seed: int = 0,
    heading: str | None = None,
    change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
) -> Figure:
    """Return a contact sheet of the first stimuli of a set, in which the classes take turns.

    Parameters
    ----------
    stimuli
        The set.
    n
        How many stimuli.
    split
        ``"train"`` with fresh noise and augmentation, or ``"test"``.
    seed
        Of the noise and augmentation.
    heading
        Title of the figure; by default kind and size.
    change
        What is done to views and labels before they are seen, for example a deficit; returns the views.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: it need not be closed.
    """
    import torch

    labels = stimuli.labels[split][:n]
    index = torch.arange(len(labels), device=labels.device)
    generator = stream(seed, "sheet", device=labels.device) if split == "train" else None
    views = stimuli.views(split, index, generator)
    if change is not None:
        views = change(views, labels)
    titles = [stimuli.class_names[label] for label in labels.tolist()]
    channels, height, width = stimuli.shape
    colour = "grey" if channels == 1 else "colour"
    return _figure(views, titles, heading or f"{stimuli.kind}, {height} × {width} pixels, {colour}")


def _grating_overview(**fields: Any) -> Figure:
    """Return gratings of all orientations for the left eye and of some for the right."""
    from binocular.stimuli.gratings import Gratings

    given = {"orientations": (0, 30, 60, 90), "phases": (0,), "frequencies": (2, 4), "aperture": 0.9} | fields
    shown = Gratings(**given).present((1, 32, 32))
    table = shown.parameters
    titles = [
        f"{angle:g}° {cycles:g}/image"
        for angle, cycles in zip(table["orientation"], table["cycles_per_image"], strict=True)
    ]
    return _figure(shown.views, titles, "gratings: orientation, cycles per image; the other eye sees grey")


def _stimulus_overview(kind: str, **fields: Any) -> Figure:
    """Return some stimuli of a kind."""
    config = stimulus_config({"kind": kind, "n_train": 16, "n_test": 16} | fields)
    stimuli = config.build(0)
    named = (getattr(config, name, None) for name in ("dataset", "texture"))
    source = next((f" ({name})" for name in named if name), "")
    height, width = stimuli.shape[1:]
    heading = f"{kind}{source}, {height} × {width} pixels"
    return show(stimuli, n=min(max(8, stimuli.n_classes), 16), heading=heading)


OVERVIEWS: dict[str, Callable[..., Figure]] = {
    **{kind: partial(_stimulus_overview, kind) for kind in STIMULI},
    "gratings": _grating_overview,
}
"""Kind of stimulus -> function that draws an overview; it takes the fields of that kind."""


@own_settings()
def overview(kind: str, **fields: Any) -> Figure:
    """Return a figure that shows what a kind of stimulus looks like.

    Parameters
    ----------
    kind
        One of ``OVERVIEWS``: every kind of ``binocular.stimuli.STIMULI``, and gratings.
    **fields
        Fields that differ from their defaults.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    BadInput
        For an unknown kind or a bad field.
    """
    if kind not in OVERVIEWS:
        raise BadInput(f"there is no stimulus {kind!r}; accepted are {', '.join(OVERVIEWS)}")
    return OVERVIEWS[kind](**fields)
