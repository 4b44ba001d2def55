"""Showing a protocol before it is run: time lines, the phase tree, what it will take, and what the eyes will see."""

from __future__ import annotations

import inspect
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text
from rich.tree import Tree
from torch import Tensor

from binocular.networks.build import network_class
from binocular.protocols import EpochConditions, Protocol, ResolvedCondition
from binocular.rearing.tree import Node, PhaseTree
from binocular.report.figures.style import eye_of
from binocular.report.terminal import Terminal, print_fitting
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.stimuli.surroundings import own_settings
from binocular.store.provenance import usable_cores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_stimulus", "expected_seconds", "planned_tree", "show_protocol", "stimulus_figure"]

_COLUMNS = 50
_MARKS = {"": "-", "left": "L", "right": "R", "both": "B"}


def planned_tree(protocol: Protocol) -> PhaseTree:
    """Return the phase tree of a protocol, without what only matters for the identity of states."""
    return PhaseTree(
        (
            condition.name,
            seed,
            f"seed {seed}",
            condition.epoch_conditions(),
            protocol.probes.checkpoints(condition.epochs, condition.phase_ends()),
        )
        for condition in protocol.resolved_conditions()
        for seed in protocol.seed_list
    )


def expected_seconds(protocol: Protocol, epochs: int, cores: int) -> float | None:
    """Estimate the seconds of rearing on a CPU like the measured one; None where nothing like it was measured.

    Parameters
    ----------
    protocol
        Its stimuli and network; sizes other than those measured are scaled by pixels and by width.
    epochs, cores
        Subject-epochs in all, and how many cores rear at once.
    """
    stimulus, kind = protocol.stimulus, network_class(protocol.network.kind)
    rate, usual = getattr(kind, "seconds_per_presentation", None), inspect.signature(kind).parameters.get("width")
    size, count = getattr(stimulus, "canvas", getattr(stimulus, "size", None)), getattr(stimulus, "n_train", None)
    if rate is None or usual is None or not isinstance(size, int) or not isinstance(count, int):
        return None
    width = protocol.network.options.get("width", usual.default)
    scale = (size / 16) ** 2 * (width / usual.default) ** 1.5 if isinstance(width, int) else 1.0
    return epochs * count * scale * rate / cores


def show_protocol(protocol: Protocol, svg: Path | None = None) -> None:
    """Print a protocol's time lines, tree and cost; draw them to a file if asked.

    Parameters
    ----------
    protocol, svg
        To show, and a file for a picture of its time lines; None for none.

    Raises
    ------
    BadInput
        If that file does not end in ``.svg``.
    """
    if svg is not None and svg.suffix != ".svg":
        raise BadInput(f"--svg: {svg} should end in .svg")
    console = Terminal()
    console.print(Text(protocol.title, style="bold"))
    for text in (protocol.reference, protocol.description):
        if text:
            console.print(Text(text))
    for deviation in protocol.deviations:
        console.print(Text(f"deviation: {deviation}", style="dim"))
    console.print()
    conditions = protocol.resolved_conditions()
    print_fitting(console, _time_lines(conditions))
    for condition in conditions:
        for stretch in condition.timeline(protocol.age_scale):
            rates = f"{stretch.rate_start:.3g}"
            rates += f" to {stretch.rate_stop:.3g}" if stretch.rate_stop != stretch.rate_start else ""
            ages = (
                f", age {stretch.age_start:.3g} to {stretch.age_stop:.3g} {protocol.age_scale.unit}s"
                if protocol.age_scale is not None
                else ""
            )
            when = f"{condition.name}: epochs {stretch.start}-{stretch.stop}{ages}"
            console.print(Text(f"{when}: {stretch.sentence} (learning rate {rates})"))
    console.print()
    tree = planned_tree(protocol)
    console.print(_tree(tree, protocol.seed_list[0]))
    seeds, shared, alone = len(protocol.seed_list), tree.epochs_shared, tree.epochs_alone
    console.print(
        f"\n{len(conditions)} conditions x {seeds} seeds: {shared} subject-epochs "
        f"({alone} without sharing of common beginnings, {alone / shared:.2f} times as many)"
    )
    cores = usable_cores()
    seconds = expected_seconds(protocol, shared, cores)
    if seconds is None:
        console.print(
            "expected time: not measured for this stimulus and network; 'check-network' measures an epoch, and 'run' "
            "says after a few"
        )
    else:
        text = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
        console.print(f"expected time: about {text} on {cores} cores of the kind measured (AMD EPYC, AVX-512)")
    if svg is not None:
        from binocular.report.figures.timeline import draw_timeline

        draw_timeline(protocol, tree, svg)
        console.print(f"drawn to {svg}", highlight=False)


def _time_lines(conditions: tuple[ResolvedCondition, ...]) -> Table:
    longest = max(condition.epochs for condition in conditions)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("condition", no_wrap=True)
    table.add_column(f"epochs 0 to {longest} (- both eyes see, L R B what is done to the left, right or both eyes)")
    for condition in conditions:
        line = ""
        for stretch in condition.timeline():
            until = max(len(line) + 1, round(_COLUMNS * stretch.stop / longest))
            line += _MARKS[eye_of(stretch.deficits)] * (until - len(line))
        table.add_row(condition.name, Text(line))
    return table


def _tree(tree: PhaseTree, seed: int) -> Tree:
    drawn = Tree(f"phase tree of one seed ({seed})", highlight=False)
    branches: dict[str, Tree] = {}
    for node in tree.nodes():
        if node.seed != seed:
            continue
        where = drawn if node.is_root else branches[node.parent]
        text = f"epochs {node.start}-{node.stop}: {_history(node)}  \\[{', '.join(node.conditions)}]"
        branches[node.identity] = where.add(text, highlight=False)
    return drawn


def _history(node: Node) -> str:
    """Say what happens in a node, in order."""

    def told(epoch: EpochConditions) -> str:
        what = " and ".join(deficit.sentence() for deficit in epoch.deficits) or "normal vision"
        what += f", {epoch.objective.sentence()}" if epoch.objective.sentence() else ""
        return what + (", a fresh head" if epoch.head_reset else "")

    parts = [what for what, _ in groupby(map(told, node.epochs))]
    return ", then ".join(parts) if len(parts) <= 4 else f"{parts[0]}, then ... (changing) ..., {parts[-1]}"


@own_settings()
def stimulus_figure(
    protocol: Protocol, condition: str | None = None, phase: int = 1, pairs: int = 8, seed: int = 0
) -> Figure:
    """Return a contact sheet of what the two eyes see in a protocol; a notebook shows it by itself.

    Parameters
    ----------
    protocol
        A checked protocol.
    condition
        With the deficits of this condition; undisturbed by default.
    phase
        In which of its phases, counted from 1; deficits that change are shown as at its beginning.
    pairs, seed
        Number of pairs of views, and the seed of the stimuli.

    Raises
    ------
    BadInput
        If there is no such condition or phase.
    """
    from binocular.stimuli.sheets import show

    deficits, title = (), None
    if condition is not None:
        known = {c.name: c for c in protocol.resolved_conditions()}
        if condition not in known:
            raise BadInput(f"--condition: there is no condition '{condition}'; accepted: {', '.join(known)}")
        phases = known[condition].phases
        if not 1 <= phase <= len(phases):
            raise BadInput(f"--phase: {condition} has {len(phases)} phases, not {phase}")
        deficits = phases[phase - 1].deficits_at(0)
        title = f"{condition}: {phases[phase - 1].sentence()}"

    def change(views: Tensor, labels: Tensor) -> Tensor:
        generator = stream(seed, "deficit")
        for deficit in deficits:
            views, labels = deficit(views, labels, generator)
        return views

    return show(protocol.stimulus.build(seed), pairs, "test", seed, title, change)


def draw_stimulus(protocol: Protocol, out: Path, condition: str | None, phase: int, pairs: int, seed: int) -> Path:
    """Draw a contact sheet of a protocol's stimuli, with the deficits of a phase if asked.

    Parameters
    ----------
    protocol, condition, phase, pairs, seed
        As for `stimulus_figure`.
    out
        Picture to write; its ending says the format.

    Raises
    ------
    BadInput
        If there is no such condition or phase, or the file cannot be written.
    """
    from binocular.report.figures.saving import save_figure

    if out.suffix not in (".png", ".svg", ".pdf"):
        raise BadInput(f"--out: {out} is not a kind of picture that can be written; accepted: .png, .svg, .pdf")
    figure = stimulus_figure(protocol, condition, phase, pairs, seed)
    return save_figure(figure, out.with_suffix(""), [out.suffix[1:]], dpi=150)[0]
