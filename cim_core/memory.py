"""Giving memory back: what a large file needed once should not be there beside what follows."""

import ctypes
import sys


def give_back() -> None:
    """Return what was freed to the operating system, where the C library can (glibc).

    It keeps freed blocks for later use otherwise, several times a large file's size.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
