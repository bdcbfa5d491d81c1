"""Memory: given back when it is not needed any more, and not searched for garbage in vain."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def give_back() -> None:
    """Return what was freed to the operating system, where the C library can (glibc).

    It keeps freed blocks for later use otherwise, several times a large file's size.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


@contextmanager
def without_collection() -> Iterator[None]:
    """Make many objects that stay without looking for garbage among them again and again.

    What is not part of a circle is freed all the same.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
