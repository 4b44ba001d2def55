"""The teaching lab: a subject reared live, under controls that a class works, on a page in the browser.

`Session` is the lab without a page: it rears, measures, saves and loads. `serve` puts the page before it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
