"""Benchmarks: how fast the experiment is, as ratios measured in one run, each with its limit.

`binocular.bench.registry` lists the cases, one line each; a module per group holds what they measure.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
