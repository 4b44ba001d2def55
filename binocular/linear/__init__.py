"""Deep linear networks of several pathways: exact theory, and gradient descent on many networks at once.

Names are loaded when first used, so that importing the package costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
