"""The experiment beside the animals: above what was published, below our subjects to whom the same was done."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from binocular.compare.comparison import Comparison
from binocular.compare.histogram_figures import GREY, GROUPS, PUBLISHED, group_axes, oriented_histogram
from binocular.compare.histograms import epoch_recorded, like_for_like
from binocular.compare.published import HistogramRecord
from binocular.compare.rows import PartsRow
from binocular.compare.samples import Sample, samples_of
from binocular.report.figures.style import EYE_COLOURS, number, title_figure
from binocular.stimuli.canvas import Canvas
from binocular.store.statistics import interval

__all__ = ["Column", "columns_of", "experiment_figures"]

_ACROSS = 4
_LINE = 8.2
"""Points from one line of small print to the next."""
_SITES = {"first_binocular": "first binocular cells", "representation": "last representation"}
_GREYS = ("#B9B9B9", "#5F5F5F")
"""Of the younger and the older animal where two stand for one condition; one alone is in between."""


@dataclass(frozen=True)
class Column:
    """A condition and what was published on animals to which the same was done.

    Attributes
    ----------
    sample
        The subjects of the condition.
    animals
        Histograms of one species: the one most alike, or both neighbours in age where none is of about the same age.
    parts
        Else shares of one eye alone, both and the other alone.
    """

    sample: Sample
    animals: tuple[HistogramRecord, ...] = ()
    parts: PartsRow | None = None


def columns_of(comparison: Comparison) -> list[Column]:
    """Return the conditions that have a published counterpart, chosen by what was done (see `like_for_like`)."""
    records = [record for record in comparison.literature.histograms.values() if not record.is_network]
    found = []
    for sample in samples_of(comparison.study, comparison.site, comparison.at):
        if np.isnan(sample.shares).any():
            continue
        alike = like_for_like(sample, records, comparison.literature, comparison.at)
        animals = tuple(record for record in alike if record.species == alike[0].species)
        if animals and comparison.at == "recorded":
            epoch = epoch_recorded(sample.treatment, animals[0], comparison.literature)
            sample = sample.at(epoch)
        parts = comparison.literature.parts.get(sample.treatment.name)
        if animals or parts is not None:
            found.append(Column(sample, animals, None if animals else parts))
    return found


def _published_groups(ax: Axes, animals: Sequence[HistogramRecord]) -> None:
    """Draw the histogram of an animal, or of two side by side, the younger one lighter; shares in per cent."""
    colours = (GREY,) if len(animals) == 1 else _GREYS
    width = 0.86 / len(animals)
    for index, (record, colour) in enumerate(zip(animals, colours, strict=True)):
        place = GROUPS + width * (index - (len(animals) - 1) / 2)
        ax.bar(place, 100 * record.shares, width=width, color=colour, lw=0, zorder=1)


def _published_parts(ax: Axes, parts: PartsRow) -> None:
    """Draw shares of one eye alone, of both and of the other alone in per cent, open where they were made of words.

    What is known of groups 2 to 6 together is drawn as a box over all five: its area is their share.
    """
    look = {"fc": GREY, "ec": "white", "lw": 0.0, "ls": "-"}
    if parts.from_words:
        look = {"fc": "white", "ec": PUBLISHED, "lw": 0.9, "ls": (0, (3, 2))}
    one, both, other = parts.shares
    ax.bar([1, 7], [100 * one, 100 * other], width=0.86, zorder=1, **look)
    ax.bar([4], [100 * both / 5], width=4.86, zorder=1, **look)
    stated = parts.both if parts.unit == "%" else 100 * both  # as published, whatever the three add up to
    ax.annotate(
        f"{stated:.0f} % in groups 2–6", (4, 20 * both), (0, 2), textcoords="offset points",
        ha="center", va="bottom", fontsize=6.8, color=PUBLISHED,
    )  # fmt: skip


def experiment_figures(comparison: Comparison) -> list[Figure]:
    """Draw the conditions that have a counterpart, four a figure: the animals above, ours below on the same scale."""
    columns, word = columns_of(comparison), comparison.study.unit_word(comparison.site)
    figures = []
    for start in range(0, len(columns), _ACROSS):
        page = columns[start : start + _ACROSS]
        figure = Canvas((max(1.95 * len(page) + 0.25, 4.6), 5.3), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.05, h_pad=0.06, hspace=0.04)  # type: ignore[union-attr]
        axes = figure.subplots(2, len(page), squeeze=False)
        for column, (above, below) in zip(page, axes.T, strict=True):
            _column(comparison, column, above, below)
        _titles(axes[0], [column.sample.label for column in page], [_told(column) for column in page])
        _titles(axes[1], [""] * len(page), [[_lived(column.sample), _counted(column.sample, word)] for column in page])
        axes[0][0].set_ylabel("share of cells (%)\nanimals, primary visual cortex")
        axes[1][0].set_ylabel(f"share of {word} (%)\nnetworks, {_SITES.get(comparison.site, comparison.site)}")
        _legend(figure, comparison, page)
        figures.append(figure)
    return figures


def _column(comparison: Comparison, column: Column, above: Axes, below: Axes) -> None:
    sample = column.sample
    low, high = np.quantile(sample.resampled, [0.025, 0.975], axis=0)
    first, top = sample.at(0), _top(column, high)
    untrained = first.shares if first.epoch == 0 < sample.epoch else None
    if column.parts is not None:
        _published_parts(above, column.parts)
    else:
        _published_groups(above, column.animals)
    group_axes(above, top)
    oriented_histogram(
        sample.shares, below, low=np.clip(low, 0, 1), high=np.clip(high, 0, 1), top=top,
        outline=untrained, deprived_eye=sample.treatment.deprived_eye, named=False,
    )  # fmt: skip
    ticks = [tick for tick in range(0, 101, 20 if top > 45 else 10) if tick <= top]
    for ax in (above, below):
        ax.set_yticks(ticks)
    words = {"normal": ("", ""), "both eyes closed": ("closed", "closed")}.get(sample.treatment.name)
    animals = ("closed\neye", "open\neye") if words is None else ("one\neye", "other\neye")
    _ends(above, *animals, PUBLISHED, PUBLISHED)
    eye = sample.treatment.deprived_eye
    other = {"left": "right", "right": "left"}[eye]
    one, two = words or ("closed", "open")
    _ends(below, f"{eye} eye\n{one}", f"{other} eye\n{two}", EYE_COLOURS[eye], EYE_COLOURS[other])
    _distance(comparison, column, below)


def _top(column: Column, high: np.ndarray) -> float:
    shares = [record.shares for record in column.animals] + [column.sample.shares, high]
    if column.parts is not None:
        one, both, other = column.parts.shares
        shares.append(np.array([one, both / 5 * 1.2, other]))
    return float(np.clip(10 * np.ceil(13 * max(float(np.max(values)) for values in shares)), 30, 120))


def _told(column: Column) -> list[str]:
    """Return who the animals were, how many cells, how known, when recorded and where published."""
    if column.parts is not None:
        parts = column.parts
        cells = f"{parts.cells_counted} cells, " if parts.cells_counted else ""
        return [parts.name, f"{cells}{_origin(parts)}"]
    if len(column.animals) == 1:
        record = column.animals[0]
        return [record.name, f"{record.cells} cells, {record.recorded}", _origin(record)]
    younger, older = sorted(column.animals, key=lambda record: record.age)
    return [
        f"{younger.species}, closed at {younger.onset} (light) and {older.onset} (dark)",
        f"{younger.cells} and {older.cells} cells, {older.recorded}",
        _origin(older),
    ]


def _origin(record: HistogramRecord | PartsRow) -> str:
    """Return authors and year of the reference, and how the numbers were obtained."""
    match = re.match(r".*?\b(?:18|19|20)\d\d\b", record.reference)
    return f"{match[0] if match else record.reference} ({record.evidence})"


def _lived(sample: Sample) -> str:
    treatment = sample.treatment
    if treatment.start is None or treatment.stop is None:
        return f"normal vision for {sample.epoch} epochs"
    after = sample.epoch - treatment.stop
    recovered = f", then open for {after} epochs" if after > 0 else ", recorded at its end"
    return f"epochs {treatment.start}–{treatment.stop} closed{recovered}"


def _counted(sample: Sample, word: str) -> str:
    each = sample.counts.sum(1)
    units = f"{int(each[0])}" if len(set(each.tolist())) == 1 else f"{each.mean():.0f}"
    seeds = f"{len(each)} subject{'s' if len(each) != 1 else ''}"
    silent = f", {np.mean(sample.silent):.2g} silent" if any(sample.silent) else ""
    return f"{units} {word} × {seeds}{silent}"


def _distance(comparison: Comparison, column: Column, ax: Axes) -> None:
    """Write how far ours lie from the animals: by W1, or by the binocular share where no groups were published."""
    sample = column.sample
    heavy = sample.shares[4:].sum() > sample.shares[:3].sum() + 0.2
    lines = []
    if column.parts is not None:
        both = [float(one[1:6].sum() / one.sum()) for one in sample.counted]
        found = interval(both)
        lines.append(f"groups 2–6: {100 * found.mean:.0f} %")
    for record in column.animals:
        pairs = ((one.record.id, one.sample.name, one) for one in comparison.histograms)
        beside = next((one for of, name, one in pairs if (of, name) == (record.id, sample.name)), None)
        if beside is not None:
            which = "" if len(column.animals) == 1 else f" from {record.onset}"
            lines.append(f"W₁{which} {beside.test.distance.text(digits=1)}")
    ax.annotate(
        "\n".join(lines), (0.03 if heavy else 0.97, 0.985), xycoords="axes fraction", ha="left" if heavy else "right",
        va="top", fontsize=6.8, linespacing=1.25, zorder=5,
    )  # fmt: skip


def _ends(ax: Axes, first: str, last: str, *colours: str) -> None:
    texts = ((0.4, first, "left", colours[0]), (4, "group", "center", PUBLISHED), (7.6, last, "right", colours[1]))
    for x, text, side, colour in texts:
        ax.annotate(
            text, (x, 0), (0, -14), ("data", "axes fraction"), "offset points",
            ha=side, va="top", fontsize=7, linespacing=1.1, color=colour,
        )  # fmt: skip


def _titles(axes: Sequence[Axes], names: Sequence[str], told: Sequence[Sequence[str]]) -> None:
    """Write over each panel of a row a name and what is told below it, with the same room over all of them."""
    wrapped = [[line for text in texts for line in textwrap.wrap(text, 35)] for texts in told]
    room = _LINE * max(map(len, wrapped))
    for ax, name, lines in zip(axes, names, wrapped, strict=True):
        ax.set_title(textwrap.shorten(name, 30, placeholder=" ..."), loc="left", fontweight="bold", pad=5 + room)
        ax.annotate(
            "\n".join(lines), (0, 1), (0, 3 + room), "axes fraction", "offset points",
            va="top", ha="left", fontsize=6.4, color="#4D4D4D", linespacing=1.15,
        )  # fmt: skip


def _legend(figure: Figure, comparison: Comparison, page: Sequence[Column]) -> None:
    handles = [
        Patch(color=GREY, lw=0, label="animals, published"),
        Patch(color=EYE_COLOURS["left"], lw=0, label="networks, in the colours of the eyes"),
        Line2D([], [], color="#111111", ls="none", marker="|", mew=1, ms=9, label="95 % interval"),
        Line2D([], [], color="#000000", lw=0.9, label="untrained networks"),
    ]
    if any(column.parts is not None and column.parts.from_words for column in page):
        handles.insert(1, Patch(fc="white", ec=PUBLISHED, ls=(0, (3, 2)), label="from words, not from counts"))
    twins = {one.record.name: one.twins for one in comparison.histograms if one.twins}
    note = "W₁: groups by which cells would have to move to make ours the animals' histogram"
    if twins:
        name, distances = next(iter(twins.items()))
        note += f"; two animals of one treatment ({name}) lie {number(distances[0], 1)} apart"
    wrapped = "\n".join(textwrap.wrap(note + ".", int(figure.get_figwidth() * 18)))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, handlelength=1.3, columnspacing=1.2,
        title=wrapped, title_fontsize=6.8, alignment="left",
    )  # fmt: skip
    title_figure(figure, "Ocular dominance in animals and in networks", comparison.study.title)
