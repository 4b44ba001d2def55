"""Draws the house: the rooms of the project on their floors, from the imports of the code.

``python docs/house.py`` writes docs/images/house.png. Heights come from `tests.test_house`, which also forbids imports
that go up; arrows that only repeat a longer way are left out.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import networkx as nx

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "house.png"
sys.path.insert(0, str(ROOT))

from tests.test_house import FLOORS, MODULES, floor, graph, room  # noqa: E402


def about(name: str) -> str:
    """First sentence of a room's docstring, without its full stop."""
    folder = ROOT / name if (ROOT / name).is_dir() else ROOT / "binocular" / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").replace("\n", " ")
    return text.split(". ")[0].split(": ")[0].rstrip(".")


def wrapped(text: str, width: int) -> str:
    """Lines of at most ``width`` characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def draw() -> None:
    """Write the picture."""
    edges = [(a, b) for a, b in graph().edges if "binocular" not in (a, b) and floor(a) > floor(b)]
    rooms = nx.DiGraph((room(a), room(b)) for a, b in edges)
    lines = dict.fromkeys(rooms, 0)
    for name, path in MODULES.items():
        if room(name) in lines:
            lines[room(name)] += len(path.read_text(encoding="utf-8").splitlines())
    arrows = nx.transitive_reduction(rooms).edges
    places: dict[str, tuple[float, float]] = {}
    for height, level in reversed(list(enumerate(FLOORS))):
        # Below those who import it, as far as that goes: fewer arrows cross.
        above = {r: [places[a][0] for a, b in arrows if b == r] or [0.5] for r in level & set(rooms)}
        here = sorted(above, key=lambda r: (sum(above[r]) / len(above[r]), r))
        for i, name in enumerate(here):
            places[name] = ((i + 0.5) / len(here) + 0.06 * (-1) ** height * (len(here) % 2), height)
    figure, ax = plt.subplots(figsize=(11, 1.05 * len(FLOORS)), layout="constrained")
    boxes = {}
    for name, (x, y) in places.items():
        words = f"$\\bf{{{name}}}$  ({lines[name]:,} lines)\n{wrapped(about(name), 44)}"
        frame = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "0.3"}
        text = ax.text(x, y, words, ha="center", va="center", fontsize=8, bbox=frame, zorder=5)
        boxes[name] = text.get_bbox_patch()
    for a, b in arrows:
        arrow = {"arrowstyle": "-|>", "color": "0.5", "patchA": boxes[a], "patchB": boxes[b], "zorder": 0}
        ax.annotate("", places[b], places[a], arrowprops=arrow)
    ax.set(xlim=(0, 1), ylim=(-0.5, len(FLOORS) - 0.5))
    ax.axis("off")
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    draw()
