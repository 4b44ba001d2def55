"""Published numbers, read with their provenance, and the comparison of a study with them.

Everything that is compared comes from ``data/literature`` or from a folder of the user's in the same format (see
``docs/literature-format.md``); nothing is filled in. Names are loaded when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
