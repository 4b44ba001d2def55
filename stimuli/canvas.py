"""Figures that need no window and that a notebook shows by itself."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

__all__ = ["Canvas"]

_DOTS_PER_INCH = 160
_PIXELS_PER_INCH = 96  # of a browser


class Canvas(Figure):
    """A matplotlib figure that is not known to pyplot, so that it need not be closed, and that notebooks display."""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        """Return the picture and the size at which a notebook shows it."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
        width, height = self.get_size_inches()
        return picture.getvalue(), {
            "width": round(width * _PIXELS_PER_INCH),
            "height": round(height * _PIXELS_PER_INCH),
        }
