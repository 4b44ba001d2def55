"""Draws the figures of 'Networks and animals' from the files of results.

``python docs/animals_figures.py`` writes docs/images/animals/*.png from ``data/results/animal-histories.json``,
``data/results/deprivation-controls.json`` and the published numbers; nothing is reared or measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
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
        low, high = one["ends"]["animal"]
        oriented_histogram(one["shares"]["animal"], above, low=_numbers(low), high=_numbers(high), named=False)
        way = "reversed" if "reverse" in one["id"] else "both open"
        title_panel(above, f"day {one['id'][9:11]}, {way}", f"kitten, {one['cells']} cells, digitised")
        low, high = map(_numbers, one["ends"]["ours"])
        oriented_histogram(
            one["shares"]["ours"], below, low=low, high=high, outline=one["shares"]["opening"], deprived_eye="right",
            first="closed first",
        )  # fmt: skip
        when = f"{one['after']} epochs open" if one["after"] > 0 else "reversal's end"
        title_panel(below, "", f"{one['subjects']} networks, {when}")
    for row, name in zip(axes[:, 0], ("share of cells (%)", "share of first binocular cells (%)"), strict=True):
        row.set_ylabel(name)
    return figure


def moments(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw cells at both times of recording, and how many hear both eyes, by history."""
    rows = found["conditions"]
    figure = Canvas((7.6, 0.19 * len(rows) + 1.2), layout="constrained")
    cells, both = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(rows))[::-1]
    for y, one in zip(places, rows, strict=True):
        opening, end = one["opening"], one["end"]
        if one["stop"] not in (None, one["epochs"]):
            _with_interval(cells, opening, y + 0.18, "black", face="white")
            y_end = y - 0.18
        else:
            y_end = y
        _with_interval(cells, end, y_end, "black")
        _with_interval(both, one["binocular"], y, BOTH_EYES)
    _by_history(cells, rows, "0 fellow eye, 0.5 both, 1 treated eye", 0.5)
    _by_history(both, rows, "share of first binocular cells", None)
    title_panel(cells, "CBI, first cells", f"open: deficit ends; filled: end; {_of_whom(rows)}")
    title_panel(both, "cells that hear both eyes", "groups 2 to 6, at the end")
    return figure


def vision(found: dict[str, Any], controls: dict[str, Any]) -> Figure:
    """Draw what each eye tells alone, stereopsis, and its thresholds in each subject, by history."""
    rows = found["conditions"]
    figure = Canvas((10.4, 0.19 * len(rows) + 1.2), layout="constrained")
    eyes, depth, correlation, disparity_ = figure.subplots(1, 4, sharey=True)
    places = np.arange(len(rows))[::-1]
    for y, one in zip(places, rows, strict=True):
        for name, colour, above in (("treated", TREATED, 0.18), ("fellow", FELLOW, -0.18)):
            _with_interval(eyes, one[name], y + above, colour, marker="o" if name == "treated" else "s")
        if one["treated"][0] is None:
            _not_measured(eyes, y)
        _with_interval(depth, one["stereopsis"], y, BOTH_EYES)
        for ax, vary, none in ((correlation, "correlation", _NONE), (disparity_, "disparity", 2 * _NONE)):
            _thresholds(ax, one["thresholds"][vary], y, none)
    _by_history(eyes, rows, "share right (0.5: guessing)", 0.5)
    _by_history(depth, rows, "share right (0.5: guessing)", 0.5)
    title_panel(eyes, "outline, one eye alone", f"circle: treated, square: fellow; {_of_whom(rows)}")
    title_panel(depth, "near from far", "both open, scenes of rearing")
    for ax, name, low, most, ticks, none in (
        (correlation, "interocular correlation", 0.04, 1, (0.05, 0.1, 0.2, 0.5, 1), _NONE),
        (disparity_, "disparity (pixels)", 0.05, 2, (0.06, 0.12, 0.25, 0.5, 1, 2), 2 * _NONE),
    ):
        ax.set_xscale("log")
        ax.set_xlim(low, none * 1.35)
        ax.minorticks_off()
        ax.set_xticks([*ticks, none], [*(f"{tick:g}" for tick in ticks), "none"])
        ax.axvspan(most * 1.12, none * 1.35, color="#EEEEEE", lw=0, zorder=0)
        ax.set_xlabel(name)
        ax.grid(axis="y", color="#EEEEEE", lw=0.6)
    title_panel(correlation, "stereopsis, threshold", "each subject; line: their mean")
    title_panel(disparity_, "stereoacuity", "each subject; line: their mean")
    return figure


_NONE = 1.7
"""Where subjects without a threshold stand, to the right of all correlations; for disparities twice as far."""


def _thresholds(ax: Axes, values: Sequence[float | str | None], y: float, none: float) -> None:
    """Draw the threshold of each subject, and their mean where all have one; those without stand in a column apart."""
    told = [value for value in values if isinstance(value, float)]
    if all(value is None for value in values):
        _not_measured(ax, y)
    elif None in values:
        _not_measured(ax, y, f"{values.count(None)} not measured")
    for index, value in enumerate(values):
        at = y + 0.12 * (index - (len(values) - 1) / 2)
        if value == "none":
            ax.plot(none * 1.08 ** (index - (len(values) - 1) / 2), y, "x", color="black", ms=2.6, mew=0.7)
        elif isinstance(value, str):
            ax.plot(float(value[1:]), at, "<", color="black", mfc="white", ms=3, mew=0.7)
        elif value is not None:
            ax.plot(value, at, "o", color=BOTH_EYES, ms=2.8, mew=0)
    if told and len(told) == len(values):
        ax.plot([np.mean(told)] * 2, [y - 0.38, y + 0.38], color="black", lw=1.1)


def _not_measured(ax: Axes, y: float, words: str = "not measured") -> None:
    ax.text(0.02, y, words, color="#767676", transform=ax.get_yaxis_transform(), fontsize=5.5, va="center")


def _by_history(ax: Axes, rows: Sequence[dict[str, Any]], name: str, chance: float | None) -> None:
    """Give a panel with a row for each history its names, its scale from 0 to 1 and its level of chance."""
    if chance is not None:
        ax.axvline(chance, color="grey", lw=0.7, ls="--", zorder=0)
    ax.set_yticks(np.arange(len(rows))[::-1], [one["label"] for one in rows])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xlabel(name)
    ax.grid(axis="y", color="#EEEEEE", lw=0.6)


def _of_whom(rows: Iterable[dict[str, Any]]) -> str:
    """Return how many subjects the rows have."""
    counts = sorted({one["subjects"] if "subjects" in one else one["n"] for one in rows})
    return f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _with_interval(
    ax: Axes, numbers: Sequence[float | None], y: float, colour: str, face: str | None = None, marker: str = "o"
) -> None:
    mean, low, high = numbers
    if mean is not None:
        ax.plot(mean, y, marker, color=colour, mfc=face or colour, ms=3.5, zorder=4)
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
    period.set_ylim(-0.12, 0.72)
    title_panel(period, "sensitive period", f"first binocular cells, {_of_whom(closures)}")

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
    dose.set_ylim(-0.03, 1.32)
    dose.set_yticks(np.arange(0, 1.01, 0.2))
    title_panel(dose, "dose and response", f"first binocular cells, {_of_whom(one for _, one in rows)}")
    period.legend(fontsize=7, loc="upper right")
    dose.legend(fontsize=7, loc="upper left")
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
    "vision": vision,
    "period-and-dose": period_and_dose,
    "disparity": disparity,
}


def draw(folder: Path = PICTURES) -> list[Path]:
    """Draw all figures into a folder; return the files."""
    from PIL import Image

    from binocular.report.figures.saving import picture

    found, controls = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, CONTROLS))
    folder.mkdir(exist_ok=True)
    with style():
        for name, function in FIGURES.items():
            figure = function(found, controls)
            tall = figure.get_size_inches()[1] > 6  # a page of rows: small enough for the repository all the same
            drawn = Image.open(BytesIO(picture(figure, "png", dpi=100 if tall else 150)))
            drawn.convert("RGB").quantize(256).save(folder / f"{name}.png", optimize=True)
    return [folder / f"{name}.png" for name in FIGURES]


if __name__ == "__main__":
    print(*draw(), sep="\n")
