"""Writing files so that they are seen whole or not at all, and stay after a power cut."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: bytes | Callable[[BinaryIO], object]) -> None:
    """Write bytes (or what `write` writes) beside `path`, make it durable, then put it in place."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            if callable(write):
                write(file)
            else:
                file.write(write)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def make_durable(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_tree_durable(folder: Path) -> None:
    """Make all that was written below a folder survive a power cut.

    At once, not file by file: of a hundred thousand tiles each would wait for the disk.
    """
    if hasattr(os, "sync"):
        os.sync()
    make_durable(folder)
