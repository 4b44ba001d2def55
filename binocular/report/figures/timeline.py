"""A protocol before it is run: the time line of each condition, and where their histories part."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from binocular.protocols import Protocol
from binocular.rearing.tree import Node, PhaseTree
from binocular.report.figures.saving import save_figure
from binocular.report.figures.style import BOTH_EYES, EYE_COLOURS, NORMAL_VISION, eye_colour, style
from binocular.stimuli.canvas import Canvas

__all__ = ["draw_timeline", "time_lines", "timeline_figure"]

_HATCHED = "#8A8A8A"
_HATCHES = {"reconstruction": ("////", "hidden patches rebuilt"), "none": ("..", "nothing learned")}
"""Pattern and name of what is learned, where it is not the classes."""
_LEGEND = {
    NORMAL_VISION: "normal vision",
    EYE_COLOURS["left"]: "left eye treated",
    EYE_COLOURS["right"]: "right eye treated",
    BOTH_EYES: "both eyes treated",
}


def time_lines(protocol: Protocol, ax: Axes) -> Axes:
    """Draw one bar per condition along epochs, coloured by the eye that something is done to.

    Parameters
    ----------
    protocol, ax
        A checked protocol, and where to draw.
    """
    conditions = protocol.resolved_conditions()
    longest = max(condition.epochs for condition in conditions)
    learned: set[str] = set()
    for row, condition in enumerate(conditions):
        for stretch in condition.timeline(protocol.age_scale):
            width = stretch.stop - stretch.start
            ax.barh(row, width, 0.62, stretch.start, color=eye_colour(stretch.deficits), lw=0)
            hatch = _HATCHES.get(stretch.objective["kind"])
            if hatch is not None:
                learned.add(stretch.objective["kind"])
                ax.barh(row, width, 0.62, stretch.start, fill=False, hatch=hatch[0], edgecolor=_HATCHED, lw=0)
            told = stretch.deficits or hatch is not None
            if told and width > 0.16 * longest:
                text = stretch.sentence if width > 0.012 * longest * len(stretch.sentence) else stretch.phase
                colour = "white" if stretch.deficits else "#333333"
                behind = {"fc": eye_colour(stretch.deficits), "ec": "none", "boxstyle": "square,pad=0.15"}
                ax.text(
                    stretch.start + width / 2, row, text, ha="center", va="center", color=colour, fontsize=6.5,
                    bbox=behind,
                )  # fmt: skip
    ax.set_yticks(range(len(conditions)), [condition.name for condition in conditions])
    ax.set_ylim(len(conditions) - 0.5, -0.5)
    ax.set_xlim(0, longest)
    ax.set_xlabel("epoch of rearing")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    handles = [Patch(facecolor=colour, label=label) for colour, label in _LEGEND.items()]
    handles += [
        Patch(facecolor=NORMAL_VISION, edgecolor=_HATCHED, hatch=hatch, lw=0, label=label)
        for kind, (hatch, label) in _HATCHES.items()
        if kind in learned
    ]
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=4 if not learned else 3, borderaxespad=0.2
    )
    return ax


def _phase_tree(tree: PhaseTree, seed: int, ax: Axes) -> None:
    """Draw the branches of one seed: what conditions have in common is one line."""
    nodes = [node for node in tree.nodes() if node.seed == seed]
    finishing: dict[str, list[str]] = {}
    for (name, of), path in tree.path.items():
        if of == seed:
            finishing.setdefault(path[-1], []).append(name)
    rows: dict[str, float] = {}

    def place(identity: str) -> float:
        """Give each end a row of its own and each fork the middle of its branches, depth first: no branch crosses."""
        children = [place(child) for child in tree.graph.successors(identity)]
        if not children:
            children = [float(len(ends))]
            ends.append(identity)
        rows[identity] = sum(children) / len(children)
        return rows[identity]

    ends: list[str] = []
    for node in nodes:
        if node.is_root:
            place(node.identity)
    for node in nodes:
        at = rows[node.identity]
        goes_on = tree.graph.out_degree(node.identity) > 0
        for start, stop, colour in _runs(node):
            ax.plot([start, stop], [at, at], color=colour, lw=4, solid_capstyle="butt")
        for child in tree.graph.successors(node.identity):
            ax.plot([node.stop, node.stop], [at, rows[child]], color="#888888", lw=0.8)
        ax.annotate(
            ", ".join(finishing.get(node.identity, [])),
            (node.stop, at),
            (-3, 3) if goes_on else (4, 0),
            textcoords="offset points",
            ha="right" if goes_on else "left",
            va="bottom" if goes_on else "center",
            fontsize=6.8,
        )
    ax.set_ylim(len(ends) - 0.5, -0.5)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"epoch of rearing (phase tree of seed {seed})")
    longest = max(node.stop for node in nodes)
    ax.set_xlim(0, longest * 1.25)
    ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= longest])


def timeline_figure(protocol: Protocol) -> Figure:
    """Return the time lines of a protocol as a figure; a notebook shows it by itself."""
    with style():
        figure = Canvas((6.8, 0.26 * len(protocol.conditions) + 1.0), layout="constrained")
        time_lines(protocol, figure.add_subplot())
    return figure


def draw_timeline(protocol: Protocol, tree: PhaseTree, path: Path) -> None:
    """Write time lines and phase tree to a picture, SVG by name.

    Parameters
    ----------
    protocol, tree, path
        Whose conditions are drawn, its phase tree, and the picture, with the ending ``.svg``.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    count = len(protocol.conditions)
    with style():
        height = 0.26 * count + 0.9
        figure = Canvas((6.8, 2 * height + 0.3), layout="constrained")
        figure.suptitle(protocol.title, x=0.01, ha="left", fontweight="bold")
        above, below = figure.subplots(2, 1)
        time_lines(protocol, above)
        _phase_tree(tree, protocol.seed_list[0], below)
    save_figure(figure, path.with_suffix(""), [path.suffix[1:] or "svg"])


def _runs(node: Node) -> list[tuple[int, int, str]]:
    """Stretches of a node in one colour: start, stop and colour."""
    runs, start = [], node.start
    colours = (eye_colour([deficit.model_dump(mode="json") for deficit in epoch.deficits]) for epoch in node.epochs)
    for colour, alike in groupby(colours):
        stop = start + len(list(alike))
        runs.append((start, stop, colour))
        start = stop
    return runs
