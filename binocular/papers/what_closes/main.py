"""What closes the period? A study of this project: claims that could fall either way, declared before it was reared.

Repetition (scenes never repeated, only the noise new, or nothing new), how well either eye alone sees the outline, the
size of the set, and what the learning rate does; at laboratory scale no scene twice or few learned by heart, and all
rates. An effect counts where its whole 95 % interval lies above zero; a quantity predicts where it explains at least
half of what differs between cells that it has not seen. All differences are between subjects of the same seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import xarray as xr

from binocular.papers.claims import Claim, Had, Row, context, control, test
from binocular.papers.needs import StudyNeed
from binocular.papers.what_closes.cells import FIRST, LAST, PREDICTORS, RATES, SHOWN, share_left, skill, table
from binocular.papers.what_closes.figures import draw_predictions, draw_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS"]

PREDICTS = 0.5
"""Least skill of a quantity that predicts what is left."""
_WHOLE = tuple(StudyNeed(key, "what-closes-the-period", settings) for key, (_, settings) in SHOWN.items())
_FORGOTTEN = StudyNeed("forgotten", "what-closes-momentum")
"""The rate begun anew at the opening as in the table, but with momentum forgotten: a control that is no cell of it."""


def _forgotten(had: Had, site: str, less: bool) -> xr.DataArray:
    """Return the share left where momentum is forgotten; or by how much less that is than with a falling rate."""
    found = share_left(had["forgotten"], "forgotten", site)
    return share_left(had["scenes"], "falling", site) - found if less else found


def _apart(had: Had, site: str, by: str, more: str, less: str) -> xr.DataArray | None:
    """Return how much more of the turn is left at one rate, or where one thing is shown, than at another, ``[seed]``.

    Each is the mean over the other factor; None where one of them was not reared.
    """
    cells = {key: had[key] for key in SHOWN if key in had}
    if by == "shown" and not {more, less} <= set(cells):
        return None
    left = table(cells, site)["left"].groupby(by).mean("cell", skipna=False)
    return left.sel({by: more}, drop=True) - left.sel({by: less}, drop=True)


def _cells(site: str, where: str) -> tuple[Row, ...]:
    """Return what is left in each cell."""

    def of(had: Had, key: str) -> xr.DataArray | None:
        if key not in had:
            return None
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


def _claim(
    name: str,
    statement: str,
    rows: tuple[Row, ...],
    draw: Callable[[Had], Figure] | None = None,
    reason: str = "",
    lab: tuple[str, ...] = ("scenes", "few"),
    more: tuple[StudyNeed, ...] = (),
) -> Claim:
    small = tuple(need for need in _WHOLE if need.key in lab) + more
    return Claim(
        name, statement, "a question of this project", {**({"lab": small} if lab else {}), "paper": (*_WHOLE, *more)},
        rows, draw, reason=reason,
        absent={} if lab else {"lab": "its cells are part of the whole table, --scale paper"},
    )  # fmt: skip


_SKILL = (
    "Skill is 1 for a perfect prediction of a cell from all others and 0 for one as good as their mean; among cells "
    "that are shown the same, 0 is as good as the mean of these. The last three rows were asked after rearing."
)

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "closes-rate",
        "The fall of the learning rate closes the period: more of the turn is left than at a constant rate.",
        (*_effect("rate", "falling", "constant", "rate falling less constant"), *_cells(FIRST, "first cells")),
        draw_table,
        lab=("scenes",),
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
        lab=("scenes",),
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
        draw_table,
    ),
    _claim(
        "closes-redundancy",
        "What either eye can do alone is not taken back: more of the turn is left where each eye sees the outline.",
        _effect("shown", "bright", "scenes", "outline clear less faint"),
        lab=(),
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
