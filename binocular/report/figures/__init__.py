"""Figures, each drawn from a study file alone.

The functions that draw one panel take arrays and ``ax`` and return the ``ax``; those that end in ``_figure`` take a
`binocular.store.study.Study` and return a matplotlib figure. ``FIGURES`` names the latter; a new figure is one function
and one line there. Drawn inside ``with binocular.report.figures.style.style():`` they look as in the report.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
