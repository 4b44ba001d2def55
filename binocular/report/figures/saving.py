"""The one place where a figure becomes a file: in the style of the project, whole or not at all, without a date."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.report.figures.style import style
from binocular.store.ownership import about_figure
from binocular.store.sealing import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DOTS_PER_INCH", "picture", "save_figure"]

DOTS_PER_INCH = 200


def picture(figure: Figure, ending: str = "svg", dpi: float = DOTS_PER_INCH, of: object = "") -> bytes:
    """Return a figure as the bytes of a file.

    Parameters
    ----------
    figure
        What is drawn; the same figure gives the same bytes again.
    ending
        Format by its usual ending, such as ``png``, ``svg`` or ``pdf``.
    dpi
        Dots per inch.
    of
        Hash of the protocol that it is of, noted inside so that it is never taken for a figure of another study.
    """
    # Formats that would note the time of drawing say so by this name.
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending, {})
    undated |= about_figure(ending, of) if of else {}
    content = io.BytesIO()
    with style():
        figure.savefig(content, format=ending, metadata=undated, dpi=dpi)
    return content.getvalue()


def save_figure(
    figure: Figure,
    path: Path | str,
    endings: Sequence[str] = ("png", "svg"),
    dpi: float = DOTS_PER_INCH,
    of: object = "",
) -> list[Path]:
    """Write a figure in several formats, each file whole or not at all; return the files in the order of ``endings``.

    Parameters
    ----------
    figure, dpi, of
        As for `picture`.
    path
        The files without their endings; the folder is made if missing, files of the same name are replaced.
    endings
        The formats, in order.

    Raises
    ------
    BadInput
        If the folder cannot be written or the disk is full.
    """
    path = Path(path)
    files = [path.with_name(f"{path.name}.{ending}") for ending in endings]
    layout = figure.get_layout_engine()
    try:
        for file, ending in zip(files, endings, strict=True):
            with atomic_write(file) as temporary:
                temporary.write_bytes(picture(figure, ending, dpi, of))
            with style():  # what was laid out for the first format holds for the others
                figure.set_layout_engine(None)
    finally:
        figure.set_layout_engine(layout)
    return files
