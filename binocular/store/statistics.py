"""Numbers with their intervals, and what they say of a criterion: tables, comparison and claims use these alone.

The interval over seeds is Student's t, mean +- t(0.975, n - 1) * s / sqrt(n). One seed has no spread: its interval is
NaN, and whoever draws or prints it says so. The ends are not clipped to the range of the measure.

A criterion is a floor, a ceiling or both. A number ``holds`` where its whole interval lies within the bounds, ``does
not hold`` where all of it lies outside, and is ``undecided`` between. A number without an interval is undecided
whatever its value: nobody knows how far the next seed would have moved it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["VERDICTS", "Interval", "Verdict", "exact", "interval", "overall", "printed", "verdict_of"]

Verdict = Literal["holds", "does not hold", "undecided", "not run"]
VERDICTS: tuple[Verdict, ...] = ("holds", "does not hold", "undecided", "not run")
"""``"not run"``: there is no number, because nothing was reared or measured that would give one."""


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 95 % interval: floats, or arrays of the same shape.

    That of a single number prints as ``0.12 [0.08, 0.16]``.

    Attributes
    ----------
    mean
        NaN where nothing was measured.
    low, high
        The ends; NaN where there is no interval, as for one seed. Those of an exact number are the number.
    n
        Seeds (or cases) that have a value.
    how
        Where the interval comes from: ``"t"`` over seeds, ``"bootstrap"``, ``"exact"`` for a number without a sampling
        error (a closed form, or the largest error over all cases), empty where it is not known.
    """

    mean: Any
    low: Any = math.nan
    high: Any = math.nan
    n: Any = 0
    how: str = ""

    def __str__(self) -> str:
        return self.text() if np.ndim(self.mean) == 0 else repr(self)

    def text(self, with_interval: bool = True, digits: int = 2, missing: str = "") -> str:
        """Return a single number in print; a dash where nothing was measured.

        Parameters
        ----------
        with_interval
            Whether to print the interval, where there is one and the number is not exact.
        digits
            Decimals. An exact number that is too small for them is printed as a power of ten.
        missing
            Printed in brackets in the place of an interval that is not there; empty for nothing.

        Examples
        --------
        >>> Interval(0.61, 0.55, 0.67, 4, "t").text()
        '0.61 [0.55, 0.67]'
        >>> Interval(0.61).text(missing="no interval")
        '0.61 [no interval]'
        """
        if not np.isfinite(self.mean):
            return "–"
        if self.how == "exact":
            tiny = 0 < abs(self.mean) < 0.5 * 10.0**-digits
            return f"{self.mean:.0e}".replace("-", "−") if tiny else printed(self.mean, digits)
        mean = printed(self.mean, digits)
        if not with_interval:
            return mean
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            return f"{mean} [{missing}]" if missing else mean
        return f"{mean} [{printed(self.low, digits)}, {printed(self.high, digits)}]"


def printed(value: float, digits: int = 2) -> str:
    """Return a number for print: a true minus sign, and none before a zero.

    Parameters
    ----------
    value, digits
        Any number, and how many digits are printed behind the point.
    """
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def interval(values: ArrayLike | xr.DataArray, coverage: float = 0.95) -> Interval:
    """Return mean and t interval over seeds.

    Parameters
    ----------
    values
        One row per seed, ``[seed, ...]``, or an array of xarray with a dimension ``seed``, wherever it stands;
        NaN = no value, left out and not counted.
    coverage
        Of the interval, 0 to 1; wider where a number is looked at again after more seeds (`binocular.store.looks`).

    Returns
    -------
    Interval
        Floats for one value a seed, else arrays of the other dimensions; the ends are NaN for fewer than two values,
        the mean for none.

    Examples
    --------
    >>> print(interval([0.4, 0.5, 0.6]))
    0.50 [0.25, 0.75]
    >>> print(interval([0.4]))
    0.40
    """
    from scipy.special import stdtrit

    ordered: Any = values.transpose("seed", ...) if hasattr(values, "dims") else values  # type: ignore[union-attr]
    rows = np.asarray(ordered, dtype=np.float64)
    present = ~np.isnan(rows)
    n = present.sum(0)
    filled = np.where(present, rows, 0.0)
    nan = np.full(n.shape, np.nan)
    mean = np.divide(filled.sum(0), n, out=nan.copy(), where=n > 0)
    squares = (np.where(present, rows - mean, 0.0) ** 2).sum(0)
    variance = np.divide(squares, n - 1, out=nan.copy(), where=n > 1)
    half = stdtrit(np.maximum(n - 1, 1), (1 + coverage) / 2) * np.sqrt(variance / np.maximum(n, 1))
    if rows.ndim == 1:
        return Interval(float(mean), float(mean - half), float(mean + half), int(n), "t")
    return Interval(mean, mean - half, mean + half, n.astype(np.int64), "t")


def exact(value: float, n: int = 0) -> Interval:
    """Return a number that has no sampling error: a closed form, or the largest error over ``n`` cases.

    Parameters
    ----------
    value, n
        The number, and how many cases it is the largest of; 0 for a closed form.
    """
    return Interval(float(value), float(value), float(value), n, "exact")


def verdict_of(found: Interval, at_least: float | None = None, at_most: float | None = None) -> Verdict:
    """Return what a single number says of a criterion; see the top of this module.

    Parameters
    ----------
    found
        The number with its interval.
    at_least, at_most
        Bounds, part of the criterion; None for no bound.

    Examples
    --------
    >>> verdict_of(Interval(0.61, 0.55, 0.67), at_least=0.5)
    'holds'
    >>> verdict_of(Interval(0.61), at_least=0.5)
    'undecided'
    """
    if math.isnan(found.low) or math.isnan(found.high):
        return "undecided"
    floor = -math.inf if at_least is None else at_least
    ceiling = math.inf if at_most is None else at_most
    if floor <= found.low and found.high <= ceiling:
        return "holds"
    return "does not hold" if found.high < floor or found.low > ceiling else "undecided"


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what several deciding numbers say together: the worst of them, and ``"not run"`` where there is none."""
    said = set(verdicts)
    if "does not hold" in said:
        return "does not hold"
    if "undecided" in said:
        return "undecided"
    return "holds" if "holds" in said else "not run"
