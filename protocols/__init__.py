"""What is done to the eyes, and when: deficits, schedules and named experiments. Loading a protocol needs no torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
