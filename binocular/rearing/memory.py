"""What a process does with memory that tensors gave back: keep it for the next step instead of returning it.

A step of a small network allocates and frees some tens of megabytes. The C library hands most of it back to the system
each time, and the system clears every page before it gives it out again: about 2,000 page faults a step for the
laboratory's network, an eighth of its time (docs/speed.md).
"""

from __future__ import annotations

import ctypes
import functools
import sys

__all__ = ["keep_freed_memory"]

# Names and numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_NEVER, _ONE_GIGABYTE = 2**31 - 1, 2**30


@functools.cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory that its tensors free, with the same peak; say whether the C library complied.

    Nothing is computed differently. Only the GNU C library can be told; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all([mallopt(_M_MMAP_THRESHOLD, _ONE_GIGABYTE), mallopt(_M_TRIM_THRESHOLD, _NEVER)])
