"""What closes the period? A study of this project: claims that could fall either way, declared before it was reared.

Repetition (scenes never repeated, only the noise new, or nothing new), how well either eye alone sees the outline, the
size of the set, and what the learning rate does. An effect counts where its whole 95 % interval lies above zero; a
quantity predicts where it explains at least half of what differs between cells that it has not seen. All differences
are between subjects of the same seed.

The criteria are older than the looks: they were declared before seeds 300 to 302, of which two sets of scenes decided
some claims at 95 % and all five left five undecided. Those seeds have no say in what is found now.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binocular.papers.claims import Claim, Had, Row, Scale, context, control, test
from binocular.papers.figures import SUBJECTS, new_figure, zero
from binocular.papers.looks import Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.what_closes.cells import (
    FIRST,
    LAST,
    LOGARITHMIC,
    PREDICTORS,
    RATES,
    SHOWN,
    share_left,
    skill,
    table,
)
from binocular.report.figures.style import title_panel
from binocular.store.statistics import interval

__all__ = ["CLAIMS", "LOOKS"]

LOOKS: dict[Scale, Looks] = {"lab": Looks((5, 10), first=600, pilots=(300, 301, 302))}
"""When the claims are looked at; what their earlier subjects did was known by then."""
PREDICTS = 0.5
"""Least skill of a quantity that predicts what is left."""
_WHOLE = tuple(StudyNeed(key, "what-closes-the-period", settings) for key, (_, settings) in SHOWN.items())
_FORGOTTEN = StudyNeed("forgotten", "what-closes-momentum")
"""The rate begun anew at the opening as in the table, but with momentum forgotten: a control that is no cell of it."""


def _forgotten(had: Had, site: str, less: bool) -> xr.DataArray:
    """Return the share left where momentum is forgotten; or by how much less that is than with a falling rate."""
    found = share_left(had["forgotten"], "forgotten", site)
    return share_left(had["scenes"], "falling", site) - found if less else found


def _apart(had: Had, site: str, by: str, more: str, less: str) -> xr.DataArray:
    """Return how much more of the turn is left at one rate, or where one thing is shown, than at another, ``[seed]``.

    Each is the mean over the other factor.
    """
    left = table({key: had[key] for key in SHOWN}, site)["left"].groupby(by).mean("cell", skipna=False)
    return left.sel({by: more}, drop=True) - left.sel({by: less}, drop=True)


def _cells(site: str, where: str) -> tuple[Row, ...]:
    """Return what is left in each cell."""

    def of(had: Had, key: str) -> xr.DataArray:
        found = table({key: had[key]}, site)
        return found["left"].assign_coords(cell=list(RATES))

    return tuple(
        context(f"share of the turn left, {where}, {words}, rate {{cell}}", lambda had, key=key: of(had, key))
        for key, (words, _) in SHOWN.items()
    )


def _effect(by: str, more: str, less: str, words: str) -> tuple[Row, Row]:
    return (
        test(f"share of the turn left, first binocular cells: {words}",
             lambda had: _apart(had, FIRST, by, more, less), at_least=0.0),
        control(f"the same at the last representation: {words}",
                lambda had: _apart(had, LAST, by, more, less), at_least=0.0),
    )  # fmt: skip


_WHERE = ((FIRST, "first cells"), (LAST, "last representation"))


_RATE_WORDS = {"falling": "falling", "constant": "constant", "cyclic": "cyclic", "restarted": "begun anew"}
_MARKERS: dict[str, str] = dict(zip(RATES, "osD^", strict=True))
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9")
_LEFT = "share of the turn left"
_AXES = {
    "loss": ("training loss", "cross-entropy, both eyes open (nats)"),
    "gradient": ("gradient", "norm, deprived pathway"),
    "turn": ("turn of the units", "mean RSV, closed less normal"),
    "fisher": ("Fisher information", "trace, deprived pathway"),
    "moved": ("distance moved", "of the weights, deprived pathway"),
    "rate_left": ("learning rates to come", "sum over the epochs after the opening"),
}
"""Each quantity in a word or two, and its axis."""
_MOST_TICKS = 7


def draw_table(had: Had) -> Figure:
    """Draw the share of the turn that is left in each cell, at the first binocular cells and at the last layer.

    For each learning rate a mean with its 95 % interval over subjects, and the subjects beside it.
    """
    figure = new_figure(6.6, 3.0)
    axes = figure.subplots(1, 2, sharey=True)
    at, apart = np.arange(len(RATES), dtype=float), 0.8 / max(len(had), 2)
    for ax, site, name in zip(axes, (FIRST, LAST), ("first binocular cells", "last representation"), strict=True):
        left = table(had, site)["left"]
        for number, (key, colour) in enumerate(zip(had, _COLOURS, strict=False)):
            here = at + apart * (number - len(had) / 2 + 0.35)
            values = left[(left["shown"] == key).to_numpy()]
            _crosses(ax, here, values, colour, SHOWN[key][0])
            ax.plot(here + min(0.1, 0.4 * apart), values, mec=colour, **SUBJECTS)
        zero(ax)
        zero(ax, 1)
        ax.set_xticks(at, [_RATE_WORDS[rate] for rate in RATES])
        ax.set_xlabel("learning rate")
        title_panel(ax, name, "means with 95 % intervals; circles: subjects")
    axes[0].set_ylabel(f"{_LEFT} (0 none, 1 all)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw_predictions(had: Had) -> Figure:
    """Draw what is left against each quantity at the opening of the eye, a point for a cell.

    A panel for each quantity: means over subjects with 95 % intervals both ways, and how well the quantity predicts a
    cell from the others, among all of them and among those that are shown the same.
    """
    cells = table(had)
    figure = new_figure(7.6, 5.6)
    axes = figure.subplots(2, 3, sharey=True).ravel()
    colours = dict(zip(had, _COLOURS, strict=False))
    for ax, (name, (words, axis)) in zip(axes, _AXES.items(), strict=True):
        for cell in range(cells.sizes["cell"]):
            one = cells.isel(cell=[cell])
            key, rate = str(one["shown"].item()), str(one["rate"].item())
            _crosses(ax, one[name], one["left"], colours[key], marker=_MARKERS[rate])
        if name in LOGARITHMIC:
            _powers_of_ten(ax)
        zero(ax)
        zero(ax, 1)
        within = interval(skill(cells, [name], ["shown"])).text()
        title_panel(ax, words, f"skill {interval(skill(cells, [name])).text()},\namong the same scenes {within}")
        ax.set_xlabel(axis)
    for ax in axes[::3]:
        ax.set_ylabel(_LEFT)
    points = [ax.plot([], [], "o", color=colours[key], label=SHOWN[key][0])[0] for key in had]
    points += [ax.plot([], [], _MARKERS[rate], color="#555555", label=f"rate {_RATE_WORDS[rate]}")[0] for rate in RATES]
    note = "means with 95 % intervals over subjects; skill for a cell left out: 1 perfect, 0 no better than a mean"
    figure.legend(handles=points, loc="outside lower center", ncols=3, fontsize=7, title=note, title_fontsize=7)
    return figure


def _crosses(
    ax: Axes, x: np.ndarray | xr.DataArray, y: xr.DataArray, colour: str, label: str = "", marker: str = "o"
) -> None:
    """Draw means over seeds with their 95 % intervals, those along x where it has seeds too."""
    up = interval(y)
    if isinstance(x, xr.DataArray):
        along = interval(x)
        ax.hlines(up.mean, along.low, along.high, color=colour, lw=0.8, alpha=0.6, zorder=2)
        x = np.asarray(along.mean)
    ax.vlines(x, up.low, up.high, color=colour, lw=0.8, alpha=0.8, zorder=2)
    ax.plot(x, up.mean, marker, color=colour, ms=4.5, mec="white", mew=0.5, label=label, zorder=3)


def _powers_of_ten(ax: Axes) -> None:
    """Write what stands on the axis as a logarithm to base 10 as the quantity itself."""
    low, high = ax.get_xlim()
    decades = 10.0 ** np.arange(np.floor(low), np.ceil(high) + 1)
    for steps in ((1, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
        inside = [at for at in np.outer(decades, steps).ravel() if low <= np.log10(at) <= high]
        if len(inside) <= _MOST_TICKS:
            break
    ax.set_xticks(np.log10(inside), [f"{at:g}" for at in inside])


def _claim(
    name: str,
    statement: str,
    rows: tuple[Row, ...],
    draw: Callable[[Had], Figure] | None = None,
    reason: str = "",
    more: tuple[StudyNeed, ...] = (),
) -> Claim:
    return Claim(
        name, statement, "a question of this project", {"lab": (*_WHOLE, *more)}, rows, draw, reason=reason,
        absent={"paper": "it is a study of this project, of one size"}, looks=LOOKS,
    )  # fmt: skip


_SKILL = (
    "Skill is 1 for a perfect prediction of a cell from all others and 0 for one as good as their mean; among cells "
    "that are shown the same, 0 is as good as the mean of these. The last three rows were asked after seeds 300 to 302."
)

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "closes-rate",
        "The fall of the learning rate closes the period: more of the turn is left than at a constant rate.",
        (*_effect("rate", "falling", "constant", "rate falling less constant"), *_cells(FIRST, "first cells")),
        draw_table,
    ),
    _claim(
        "closes-restart",
        "A learning rate that is begun anew when the eye is opened reopens the period.",
        (
            *_effect("rate", "falling", "restarted", "rate falling less begun anew"),
            *(control(f"rate falling less begun anew with momentum forgotten, {where}",
                      lambda had, site=site: _forgotten(had, site, less=True), at_least=0.0)
              for site, where in _WHERE),
            *(context(f"share of the turn left, rate begun anew and momentum forgotten, {where}",
                      lambda had, site=site: _forgotten(had, site, less=False))
              for site, where in _WHERE),
            *(context(f"share left, rate falling less cyclic, {where}",
                      lambda had, site=site: _apart(had, site, "rate", "falling", "cyclic"))
              for site, where in _WHERE),
        ),
        more=(_FORGOTTEN,),
    ),
    _claim(
        "closes-repetition",
        "That nothing is left to be learned closes the period: more of the turn is left where scenes are repeated.",
        (
            *_effect("shown", "few", "scenes", "few scenes learned by heart less no scene twice"),
            *_effect("shown", "none", "scenes", "nothing new less no scene twice"),
            *_cells(LAST, "last representation"),
        ),
    ),
    _claim(
        "closes-redundancy",
        "What either eye can do alone is not taken back: more of the turn is left where each eye sees the outline.",
        _effect("shown", "bright", "scenes", "outline clear less faint"),
    ),
    *(
        _claim(
            f"closes-by-{name}",
            f"At the opening of the eye one quantity says how much will be left, in all cells: {words}.",
            (
                test("skill for cells left out, first binocular cells",
                     lambda had, name=name: skill(table(had), [name]), at_least=PREDICTS),
                context("the same, last representation", lambda had, name=name: skill(table(had, LAST), [name])),
                context("together with the learning rates that are to come, first binocular cells",
                        lambda had, name=name: skill(table(had), [name, "rate_left"])),
                context("the learning rates that are to come, alone", lambda had: skill(table(had), ["rate_left"])),
                context("which scenes are shown, alone", lambda had: skill(table(had), ["shown"])),
                context("the quantity among cells that are shown the same, first binocular cells",
                        lambda had, name=name: skill(table(had), [name], ["shown"])),
                context("the quantity, cells of the same history until the opening left out together",
                        lambda had, name=name: skill(table(had), [name], left_out="history")),
            ),
            draw_predictions if name == "loss" else None,
            _SKILL,
        )
        for name, words in PREDICTORS.items()
    ),
)  # fmt: skip
