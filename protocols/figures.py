"""Figures of a user's own that a protocol asks for: functions of a study, found like all other kinds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from binocular.stimuli.errors import BadInput
from binocular.stimuli.kinds import Kinds

__all__ = ["OWN_FIGURES", "own_figure"]

OWN_FIGURES = Kinds("figures", {}, None)
"""Figures of installed packages; those that ship are in `binocular.report.figures.FIGURES`."""


def own_figure(name: str, where: str = "figures") -> tuple[Callable[..., Any], bool]:
    """Return the function of a figure, and whether it is drawn for each site.

    Parameters
    ----------
    name
        ``module:function``, or the name that an installed package gave it.
    where
        What a message calls the field that names it.

    Raises
    ------
    BadInput
        If there is none, nobody has allowed its code to be run, or it takes other arguments than ``(study)`` or
        ``(study, site)``.
    """
    function = OWN_FIGURES.named(name, where)
    takes = inspect.signature(function)
    for per_site, given in ((True, ("study", "site")), (False, ("study",))):
        try:
            takes.bind(*given)
        except TypeError:
            continue
        return function, per_site
    raise BadInput(f"{where} names {name}, which takes {takes}; accepted: (study) or (study, site)")
