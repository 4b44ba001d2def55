"""The list of figures that lay a study beside published data, and drawing them into a folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.report.figures.saving import save_figure
from binocular.report.figures.style import style
from binocular.store.ownership import remove_figures

if TYPE_CHECKING:
    from binocular.compare.comparison import Comparison

__all__ = ["COMPARISONS", "draw_comparison"]

COMPARISONS: dict[str, str] = {
    "experiment": "binocular.compare.experiment_figure:experiment_figures",
    "histograms": "binocular.compare.histogram_figures:histogram_figures",
    "units": "binocular.compare.histogram_figures:unit_figures",
    "sensitive-period": "binocular.compare.curve_figures:profile_figures",
    "dose-response": "binocular.compare.curve_figures:duration_figures",
    "recovery": "binocular.compare.curve_figures:recovery_figures",
}
"""By name of file the function that draws it: from a `Comparison` to as many figures as there is something to show."""


def draw_comparison(comparison: Comparison, folder: Path | str) -> list[Path]:
    """Draw all figures of a comparison, each as PNG (200 dpi) and SVG.

    Parameters
    ----------
    comparison
        What is compared.
    folder
        Made if missing; figures of an earlier comparison are replaced, or removed where this one has none.

    Returns
    -------
    list of Path
        The files that were written; a second page of a figure has ``-2`` in its name.

    Raises
    ------
    BadInput
        If the folder cannot be written.
    """
    protocol = comparison.study.attributes["protocol_hash"]
    written: list[Path] = []
    for name, function in COMPARISONS.items():
        module, function_name = function.split(":")
        with style():
            figures = getattr(import_module(module), function_name)(comparison)
        for page, figure in enumerate(figures, 1):
            written += save_figure(figure, Path(folder) / (name if page == 1 else f"{name}-{page}"), of=protocol)
    remove_figures(Path(folder), written)
    return written
