"""The ocular-dominance experiment for two-eyed networks: rear, measure, store and draw.

Names are loaded when first used, so that ``import binocular`` costs nothing.
"""

from binocular.imports import prefer_installed

prefer_installed()

import lazy_loader  # noqa: E402 - whatever is imported from here on is the installed module

_named, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("binocular-lab")
    return _named(name)
