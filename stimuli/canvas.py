"""Figures that need no window and that a notebook shows by itself."""

from __future__ import annotations

import functools
import io
import re
import warnings
from typing import Any

from matplotlib.artist import allow_rasterization
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from binocular.stimuli.errors import warn

__all__ = ["Canvas", "plain_text"]

_DOTS_PER_INCH = 160
_PIXELS_PER_INCH = 96  # of a browser
_LETTERS = (  # fonts with the letters that DejaVu Sans has not, where one is installed
    "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Source Han Sans", "IPAGothic",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "Arial Unicode MS", "Hiragino Sans", "PingFang SC",
    "Apple SD Gothic Neo", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Segoe UI", "Nirmala UI",
    "Noto Sans Devanagari", "Noto Sans Thai", "Noto Emoji", "Symbola",
)  # fmt: skip
_told: set[str] = set()


def plain_text() -> dict[Any, Any]:
    """Return settings of matplotlib under which every text is drawn as it stands, whatever the user's settings are."""
    return {"text.usetex": False, "text.parse_math": False, "font.family": ["DejaVu Sans", *_installed()]}


@functools.cache
def _installed() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    names = {font.name for font in fontManager.ttflist}
    return tuple(name for name in _LETTERS if name in names)


class _Layout(ConstrainedLayoutEngine):
    """Constrained layout that is the same in every bit each time; its solver takes its variables in no fixed order."""

    def execute(self, fig: Figure) -> Any:
        """Lay out, and round where figures within the figure and axes stand to a billionth of it."""
        laid_out = super().execute(fig)
        for part in fig.subfigs:
            part.bbox_relative.set_points(part.bbox_relative.get_points().round(9))
        for ax in fig.axes:
            counts = ax.get_in_layout()  # set_position takes axes out of every later layout
            for which in ("original", "active"):
                box = ax.get_position(original=which == "original")
                ax.set_position(Bbox(box.get_points().round(9)), which)
            ax.set_in_layout(counts)
        return laid_out


class Canvas(Figure):
    """A matplotlib figure that is not known to pyplot, so that it need not be closed, and that notebooks display."""

    def set_layout_engine(self, layout: Any = None, **kwargs: Any) -> None:
        """Set the engine as matplotlib does; what it calls ``constrained`` is the same in every drawing here."""
        if layout == "constrained":
            super().set_layout_engine(_Layout(**kwargs))
        else:
            super().set_layout_engine(layout, **kwargs)

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw; letters that no font here has are said once and not at every place."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            super().draw(renderer)
        missing = {}
        for warning in caught:
            found = re.match(r"Glyph (\d+) .* missing from", str(warning.message))
            if found:
                missing[chr(int(found[1]))] = None
            else:
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        if new := "".join(letter for letter in missing if letter not in _told):
            _told.update(new)
            warn(f"no font here has {new}; figures show boxes in their place")

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        """Return the picture and the size at which a notebook shows it."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=_DOTS_PER_INCH, facecolor="white")
        width, height = self.get_size_inches()
        return picture.getvalue(), {
            "width": round(width * _PIXELS_PER_INCH),
            "height": round(height * _PIXELS_PER_INCH),
        }
