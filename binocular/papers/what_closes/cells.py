"""The cells of the table (what is shown x what the learning rate does), what stays in each, and what could predict it.

A cell's outcome is the share of the turn of the units that is left at the end: how far they lie towards the other eye
in subjects that had an eye closed, less those that had not, at the end of rearing over the same at the opening. A
prediction is judged by leaving one cell out: a line through all other cells of the same seed says what this one should
show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import xarray as xr

from binocular.papers.numbers import When, dominance, over
from binocular.probes.base import NETWORK
from binocular.probes.plasticity import distance
from binocular.probes.weights import PARTS
from binocular.store.records import SubjectRecord
from binocular.store.study import Condition, Study

__all__ = ["FIRST", "LAST", "LOGARITHMIC", "PREDICTORS", "RATES", "SHOWN", "share_left", "skill", "table"]

SHOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "scenes": ("no scene twice", ()),
    "noise": ("scenes repeated, noise new", ('stimulus.fresh="noise"',)),
    "none": ("scenes repeated, noise and all", ('stimulus.fresh="none"',)),
    "few": ("a quarter of the scenes, repeated",
            ('stimulus.fresh="none"', "stimulus.n_train=300", "training.batch_size=25")),
    "bright": ("no scene twice, outline clear to either eye", ("stimulus.figure_mean=3",)),
}  # fmt: skip
"""What is shown, by the key of the study: in words, and how the protocol is changed. Steps in an epoch are the same."""
RATES = ("falling", "constant", "cyclic", "restarted")
"""What the learning rate does, as in the names of conditions."""
FIRST, LAST = "first_binocular", "representation"
"""Where units are recorded: the first binocular cells, and the last representation."""
PREDICTORS = {
    "loss": "training loss, both eyes open",
    "gradient": "gradient norm of the deprived pathway",
    "turn": "turn of the units",
    "fisher": "Fisher information of the deprived pathway",
    "moved": "distance that the deprived pathway has moved",
}
"""Quantities at the opening of the eye, in words."""
LOGARITHMIC = ("loss", "gradient", "fisher", "moved", "rate_left")
_LEAST_TURN = 0.1
"""Below this nothing has turned, so that no share of it can be left."""


def table(had: Mapping[str, Study], site: str = FIRST) -> xr.Dataset:
    """Return outcome and predictors of each cell, ``[cell, seed]``.

    Parameters
    ----------
    had, site
        Studies of the protocol ``what-closes-the-period`` by what is shown; and where the units are recorded.

    Returns
    -------
    xarray.Dataset
        ``left``, the share of the turn that is left (NaN where it was below 0.1 at the opening), the `PREDICTORS`, and
        ``rate_left``, the sum of the learning rates after the opening. All but ``left`` and ``turn`` as logarithms to
        base 10. ``history`` says what was the same until the opening: a rate is begun anew only then.
    """
    cells = [_cell(study, rate, site) for study in had.values() for rate in RATES]
    found = xr.concat(cells, "cell", join="outer").assign_coords(
        shown=("cell", [shown for shown in had for _ in RATES]),
        rate=("cell", list(RATES) * len(had)),
        history=("cell", [f"{shown} {'falling' if rate == 'restarted' else rate}" for shown in had for rate in RATES]),
    )
    for name in LOGARITHMIC:
        found[name] = np.log10(found[name])
    return found


def _turn(study: Study, rate: str, site: str, when: When) -> xr.DataArray:
    """Return how far closing an eye has turned the units, ``[seed]``; ``when`` is an epoch, or "end"."""
    closed, normal = (dominance(study, f"{name}-{rate}", "mean_rsv", site, when) for name in ("closed", "normal"))
    return closed - normal


def _opening(study: Study, rate: str) -> int:
    return int(study.condition(f"closed-{rate}").subjects[0].phases[0]["stop"])


def share_left(study: Study, rate: str, site: str = FIRST) -> xr.DataArray:
    """Return the share of the turn that is left in one pair of conditions, ``[seed]``; NaN where nothing had turned.

    Parameters
    ----------
    study, rate, site
        With the conditions ``normal-RATE`` and ``closed-RATE``; which; and where the units are recorded.
    """
    then = _turn(study, rate, site, _opening(study, rate))
    return (_turn(study, rate, site, "end") / then).where(then >= _LEAST_TURN)


def _cell(study: Study, rate: str, site: str) -> xr.Dataset:
    closed, opening = f"closed-{rate}", _opening(study, rate)

    def measured(probe: str, of: str, part: str | None) -> xr.DataArray:
        def value(condition: Condition, subject: SubjectRecord) -> float:
            record = subject.measures[probe, NETWORK]
            values = record.values[of]
            if of == "position":
                values = distance(values, values[:1])
            row = values[list(record.epoch).index(opening)]
            return float(row if part is None else row[list(PARTS).index(part)])

        return over(study, closed, value)

    def rate_left(condition: Condition, subject: SubjectRecord) -> float:
        return float(subject.history["learning_rate"][subject.history["epoch"] > opening].sum())

    deprived = study.treated_eye
    return xr.Dataset(
        {
            "left": share_left(study, rate, site),
            "turn": _turn(study, rate, site, opening),
            "loss": measured("plasticity", "loss", None),
            "gradient": measured("plasticity", "gradient_norm", deprived),
            "moved": measured("plasticity", "position", deprived),
            "fisher": measured("fisher", "fisher_trace", deprived),
            "rate_left": over(study, closed, rate_left),
        }
    )


def skill(cells: xr.Dataset, names: Sequence[str], beyond: Sequence[str] = (), left_out: str = "cell") -> xr.DataArray:
    """Return how well some quantities predict what is left in a cell from all the other cells, ``[seed]``.

    Parameters
    ----------
    cells, names
        From `table`, and quantities in it; the prediction is linear in them. A text, such as ``shown``, gives each of
        its values a level of its own.
    beyond
        Those that are known already; none for nothing but a mean.
    left_out
        Cells in which this is the same are left out together: ``cell``, or ``history``.

    Returns
    -------
    xarray.DataArray
        1 less the summed squared errors over those of a prediction from ``beyond`` alone: 1 for a perfect prediction,
        0 for one as good as that, negative for a worse one. NaN with fewer than three cells more than quantities.
    """

    def of(seed: int) -> float:
        here = cells.sel(seed=seed)
        wanted = here["left"].to_numpy()
        known = np.column_stack([np.ones_like(wanted), *_columns(here, beyond)])
        given = np.column_stack([known, *_columns(here, names)])
        whole = np.isfinite(wanted) & np.isfinite(given).all(1)
        if whole.sum() < given.shape[1] + 2:
            return float("nan")
        group = here[left_out].to_numpy()[whole]
        errors, plain = (_left_out(wanted[whole], columns[whole], group) for columns in (given, known))
        return 1 - errors / plain

    seeds = cells["seed"].to_numpy()
    return xr.DataArray([of(seed) for seed in seeds], {"seed": seeds}, ("seed",))


def _columns(cells: xr.Dataset, names: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield what a prediction may use, ``[cell]``: a quantity, or for a text whether it is one of its values."""
    for name in names:
        values = cells[name].to_numpy()
        if values.dtype.kind == "f":
            yield values
        else:
            yield from (np.where(values == value, 1.0, 0.0) for value in np.unique(values)[1:])


def _left_out(wanted: np.ndarray, given: np.ndarray, group: np.ndarray) -> float:
    """Return the sum of squared errors of cells predicted from those of all other groups."""
    errors = []
    for at, own in enumerate(group):
        others = group != own
        weights = np.linalg.lstsq(given[others], wanted[others], rcond=None)[0]
        errors.append(wanted[at] - given[at] @ weights)
    return float(np.square(errors).sum())
