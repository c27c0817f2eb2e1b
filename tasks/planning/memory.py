"""Memory that a step over all rows has freed: given back to the machine, not kept in the heap."""

import ctypes
import gc
import sys

import pyarrow as pa


def give_back() -> None:
    """Return freed memory to the machine.

    Allocators keep what was freed for the next request, in pieces that may fit none: after a step
    that held something of every row, the next one would begin with its peak.
    """
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)
