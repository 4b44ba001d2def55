"""Probes: measurements that change nothing.

They are classes listed in `PROBES` (see `binocular.probes.base`), taken at the checkpoints of rearing or later from
snapshots; what a subject can see is tested by `vision`. Names are loaded when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
