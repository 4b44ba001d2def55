"""Pages from templates: one environment for every page, in which all text is escaped."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from binocular.report.figures.saving import picture
from binocular.report.figures.style import EYE_COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["embedded", "render"]


def render(template: str, package: str = "binocular.report", **values: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template
        Name of a file in the ``templates`` folder of the package. It may extend ``base.html``, the frame and the style
        sheet of all pages. Whatever it puts in is escaped.
    package
        Where the template is.
    values
        What the template names; a name that is not given is an error.

    Examples
    --------
    >>> "&lt;b&gt;" in render("base.html", title="<b>")
    True
    """
    return _environment(package).get_template(template).render(eyes=EYE_COLOURS, **values)


@cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, "binocular.report"))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def embedded(figure: Figure | bytes) -> str:
    """Return a figure, or its SVG, as the address of a picture that holds it: the page then needs no other file."""
    content = figure if isinstance(figure, bytes) else picture(figure, "svg")
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"
