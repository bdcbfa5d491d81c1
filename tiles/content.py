"""Tile contents on disk, each under the hash of its bytes, written once whoever needs it."""

import gzip
import hashlib
from pathlib import Path

from cim_core.files import write_whole

_WORTH_IT = 0.95
"""A compressed copy is kept where it is smaller than this share of the plain one."""


def store_content(folder: Path, data: bytes) -> tuple[str, int]:
    """Keep a tile's content; returns its file name, <hash>.glb, and the bytes that travel."""
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.glb"
    return name, store_file(folder / name, data)


def store_file(path: Path, data: bytes) -> int:
    """Write a file, and beside it a gzip copy where that is smaller, the copy first.

    What exists already is left alone: under one name there is ever only one content. Returns the
    size of the smaller of the two.
    """
    packed = path.with_name(f"{path.name}.gz")
    if not path.exists():
        small = gzip.compress(data, 9, mtime=0)
        if len(small) < _WORTH_IT * len(data):
            write_whole(packed, small)
        write_whole(path, data)
    return packed.stat().st_size if packed.exists() else len(data)
