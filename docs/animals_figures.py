"""Draws the figures of 'Networks and animals' from the files of results.

``python docs/animals_figures.py`` writes docs/images/animals/*.png from ``data/results/animal-histories.json``,
``data/results/deprivation-controls.json`` and the published numbers; nothing is reared or measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from animals_page import RESULTS  # noqa: E402

from binocular.compare.histogram_figures import PUBLISHED, oriented_histogram  # noqa: E402
from binocular.report.figures.style import BOTH_EYES, EYE_COLOURS, style, title_panel  # noqa: E402
from binocular.stimuli.canvas import Canvas  # noqa: E402

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONTROLS = ROOT / "data" / "results" / "deprivation-controls.json"
PICTURES = ROOT / "docs" / "images" / "animals"
TREATED, FELLOW = EYE_COLOURS["right"], EYE_COLOURS["left"]
_START, _EPOCHS_PER_WEEK, _CLOSED = 3, 4, 12
"""Scale of age of the histories, in weeks, and epochs of the closures that are compared at several ages."""


def mitchell_1977(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw the five kittens of Mitchell, Cynader & Movshon 1977 above the subjects to whom the same was done."""
    pairs = [
        one
        for one in found["histograms"]
        if one["id"].startswith("kitten_md") and one["condition"].startswith("closed-to-day-")
    ]
    figure = Canvas((1.9 * len(pairs) + 0.3, 4.5), layout="constrained")
    axes = figure.subplots(2, len(pairs), sharey=True)
    for (above, below), one in zip(axes.T, pairs, strict=True):
        oriented_histogram(one["shares"]["animal"], above, named=False)
        way = "reversed" if "reverse" in one["id"] else "both open"
        title_panel(above, f"day {one['id'][9:11]}, {way}", f"kitten, {one['cells']} cells, digitised")
        oriented_histogram(
            one["shares"]["ours"], below, outline=one["shares"]["opening"], deprived_eye="right", first="closed first"
        )
        when = f"{one['after']} epochs after it" if one["after"] > 0 else "at its end"
        title_panel(below, "", f"{one['subjects']} networks, {when}")
    for row, name in zip(axes[:, 0], ("share of cells (%)", "share of first binocular cells (%)"), strict=True):
        row.set_ylabel(name)
    return figure


def moments(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw cells at both times of recording, stereopsis and the sight of each eye, by history."""
    rows = found["conditions"]
    figure = Canvas((9.4, 0.19 * len(rows) + 1.2), layout="constrained")
    cells, depth, eyes = figure.subplots(1, 3, sharey=True)
    places = np.arange(len(rows))[::-1]
    for y, one in zip(places, rows, strict=True):
        opening, end = one["opening"], one["end"]
        if one["stop"] not in (None, one["epochs"]):
            cells.plot([opening[0], end[0]], [y, y], color="#AAAAAA", lw=0.8, zorder=1)
            cells.plot(opening[0], y, "o", mfc="white", mec="black", ms=4.5, zorder=3)
        _with_interval(cells, end, y, "black")
        _with_interval(depth, one["stereopsis"], y, BOTH_EYES)
        for name, colour, above in (("treated", TREATED, 0.15), ("fellow", FELLOW, -0.15)):
            _with_interval(eyes, one[name], y + above, colour)
    cells.set_yticks(places, [one["label"] for one in rows])
    for ax, name, chance in (
        (cells, "0 fellow, 0.5 both, 1 treated eye", 0.5),
        (depth, "share right (0.5: guessing)", 0.5),
        (eyes, "share right (0.5: guessing)", 0.5),
    ):
        ax.axvline(chance, color="grey", lw=0.7, ls="--", zorder=0)
        ax.set_xlim(-0.03, 1.03)
        ax.set_xlabel(name)
        ax.grid(axis="y", color="#EEEEEE", lw=0.6)
    cells.set_ylim(-0.7, len(rows) - 0.3)
    title_panel(cells, "CBI, first cells", "open: the deficit ends; filled: the end")
    title_panel(depth, "near from far", "both eyes open, at the end")
    title_panel(eyes, "outline by one eye", "the other closed; where it was measured")
    for y, name, colour in ((0.06, "treated eye", TREATED), (0.03, "fellow eye", FELLOW)):
        eyes.text(0.03, y, name, color=colour, transform=eyes.transAxes, fontsize=7)
    return figure


def _with_interval(ax: Axes, numbers: Sequence[float | None], y: float, colour: str) -> None:
    mean, low, high = numbers
    if mean is not None:
        ax.plot(mean, y, "o", color=colour, ms=3.5, zorder=4)
    if low is not None and high is not None:
        ax.plot(np.clip([low, high], 0, 1), [y, y], color=colour, lw=1.0, zorder=2)


def period_and_dose(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw the effect of a closure on the first cells by its age, and by its length, at both times of recording."""
    from binocular.compare import load_literature

    literature = load_literature()
    figure = Canvas((7.4, 3.1), layout="constrained")
    period, dose = figure.subplots(1, 2)
    normal = next(one for one in found["conditions"] if one["condition"] == "normal")["end"][0]
    closures = [
        one
        for one in sorted(found["conditions"], key=lambda one: one["start"] or 0)
        if one["treatment"] == "one eye closed" and one["stop"] - one["start"] == _CLOSED
    ]
    ages = [_START + one["start"] / _EPOCHS_PER_WEEK for one in closures]
    for key, face, name in (("opening", "white", "where it ended"), ("end", "black", "8 epochs after it")):
        shown = [
            (age, one[key])
            for age, one in zip(ages, closures, strict=True)
            if key == "opening" or one["stop"] < one["epochs"]
        ]
        at = [age + (0.15 if key == "end" else 0.0) for age, _ in shown]
        mean, low, high = np.array([numbers for _, numbers in shown], dtype=np.float64).T
        period.errorbar(
            at,
            normal - mean,
            [high - mean, mean - low],
            fmt="o-" if key == "opening" else "o",
            color="black",
            mfc=face,
            ms=4.5,
            lw=0.9,
            label=name,
        )
    period.axhline(0, color="grey", lw=0.7, ls="--")
    theirs = literature.profiles["cat"]
    period.plot(
        [point.age * (1 / 7 if point.age_unit == "day" else 1) for point in theirs],
        [0.5 * point.relative_effect for point in theirs],
        "D", mfc="white", mec=PUBLISHED, ms=5, label="cats, from words (greatest effect = 0.5)",
    )  # fmt: skip
    period.set_xlabel(f"age at which a closure of {_CLOSED} epochs begins (weeks)")
    period.set_ylabel("CBI of normal subjects less theirs")
    title_panel(period, "sensitive period", "first binocular cells, seeds of the histories, n = 5")

    rows = [(0, _named(controls, "normal"))] + [
        (length, _named(controls, name))
        for length, name in ((2, "early-2"), (4, "early-4"), (8, "early-8"), (12, "early"))
    ]
    for key, face in (("opening", "white"), ("end", "black")):
        points = np.array([row["cells"][key] for _, row in rows])
        at = np.array([length for length, _ in rows]) + (0.15 if key == "end" else -0.15)
        dose.errorbar(
            at, points[:, 0], np.abs(np.clip(points[:, 1:], 0, 1).T - points[:, 0]), fmt="o-", color="black", mfc=face,
            ms=4.5, lw=0.9, label={"opening": "where the closure ended", "end": "at the end of rearing"}[key],
        )  # fmt: skip
    dose.set_xlabel("epochs that the right eye was closed from the beginning")
    dose.set_ylabel("cells of the open eye (groups 6, 7)")
    dose.set_ylim(-0.03, 1.03)
    title_panel(dose, "dose and response", "first binocular cells, seeds of the controls, n = 5")
    for ax in (period, dose):
        ax.legend(fontsize=7)
    return figure


def _named(controls: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in controls["conditions"] if one["name"] == name)


def disparity(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw how well cells of normal subjects tell disparity against their dominance, and the rank correlations."""
    kept = next(one for one in found["disparity"] if one["condition"] == "normal")
    figure = Canvas((6.4, 2.9), layout="constrained")
    cells, subjects = figure.subplots(1, 2, width_ratios=(1.7, 1))
    for index, rsv in kept["cells"]:
        cells.plot(
            [np.nan if value is None else value for value in rsv],
            [np.nan if value is None else value for value in index],
            "o", color=BOTH_EYES, ms=2.2, alpha=0.4, mew=0,
        )  # fmt: skip
    cells.set_xlabel("|RSV|: 0 binocular, 1 monocular")
    cells.set_ylabel("disparity discrimination index")
    title_panel(
        cells,
        "first binocular cells",
        f"{sum(len(index) for index, _ in kept['cells'])} cells of {len(kept['cells'])} normal subjects",
    )
    subjects.axhspan(-0.2, 0.2, color="#EEEEEE", lw=0)
    subjects.plot(range(len(kept["correlations"])), kept["correlations"], "o", color="black", ms=4)
    mean, low, high = kept["correlation"]
    subjects.errorbar(
        [len(kept["correlations"]) + 0.4], [mean], [[mean - low], [high - mean]], fmt="D", color="black", ms=5
    )
    subjects.axhline(0, color="grey", lw=0.7, ls="--")
    subjects.set_xticks(
        [*range(len(kept["correlations"])), len(kept["correlations"]) + 0.4],
        [*map(str, range(1, len(kept["correlations"]) + 1)), "mean"],
    )
    subjects.set_xlabel("subject")
    subjects.set_ylabel("rank correlation over cells")
    subjects.set_ylim(-0.6, 0.6)
    title_panel(subjects, "by subject", "grey band: counts as none")
    return figure


FIGURES: dict[str, Callable[[dict[str, Any], dict[str, Any]], Figure]] = {
    "mitchell-1977": mitchell_1977,
    "moments": moments,
    "period-and-dose": period_and_dose,
    "disparity": disparity,
}


def draw(folder: Path = PICTURES) -> list[Path]:
    """Draw all figures into a folder; return the files."""
    from binocular.report.figures.saving import picture

    found, controls = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, CONTROLS))
    folder.mkdir(exist_ok=True)
    with style():
        for name, function in FIGURES.items():
            figure = function(found, controls)
            tall = figure.get_size_inches()[1] > 6  # a page of rows: small enough for the repository all the same
            (folder / f"{name}.png").write_bytes(picture(figure, "png", dpi=100 if tall else 150))
    return [folder / f"{name}.png" for name in FIGURES]


if __name__ == "__main__":
    print(*draw(), sep="\n")
