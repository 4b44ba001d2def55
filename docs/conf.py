"""How the documentation is built: `make docs`. What is drawn or listed from the code is made anew at every build."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from site_pages import write_all
from site_pages.formulas import add_formulas

project = "binocular"
author = "the authors of binocular"
release = importlib.metadata.version("binocular-lab")
copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "slurm/*"]
root_doc = "index"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
default_role = "literal"

html_theme = "furo"
html_title = "binocular"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]


def setup(app) -> None:
    """Write the pages that come from the code before Sphinx looks for pages, and have formulas drawn."""
    add_formulas(app)
    app.connect("builder-inited", lambda app: write_all(Path(app.srcdir) / "generated"))
