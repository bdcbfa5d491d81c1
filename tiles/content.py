"""Tile contents on disk, each under the hash of its bytes, written once whoever needs it."""

import gzip
import hashlib
from pathlib import Path

from cim_core.files import write_whole

_WORTH_IT = 0.95
"""A compressed copy is kept where it is smaller than this share of the plain one."""


def store_content(folder: Path, data: bytes) -> str:
    """Keep a tile's content and return its file name, <hash>.glb."""
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.glb"
    store_file(folder / name, data)
    return name


def store_file(path: Path, data: bytes) -> None:
    """Write a file, and beside it a gzip copy where that is smaller, the copy first.

    What exists already is left alone: under one name there is ever only one content.
    """
    if path.exists():
        return
    packed = gzip.compress(data, 9, mtime=0)
    if len(packed) < _WORTH_IT * len(data):
        write_whole(path.with_name(f"{path.name}.gz"), packed)
    write_whole(path, data)
