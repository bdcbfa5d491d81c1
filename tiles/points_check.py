"""What the tiles of a point cloud are checked for before anyone sees them.

By a reading of `pnts` (3D Tiles 1.0, section "Point Cloud") that shares nothing with their writer.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.layer import FILES
from cim_core.mesh import Floats
from cim_core.progress import Progress
from tiles.check import BrokenTileset

_HEADER = struct.Struct("<4s6I")
_SLACK = 1e-5
"""Of a tile's size: what single precision leaves."""

_TYPES: dict[str, np.dtype[Any]] = {
    "UNSIGNED_BYTE": np.dtype("<u1"), "UNSIGNED_SHORT": np.dtype("<u2"),
}  # fmt: skip

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Points:
    """A `pnts` content: (n, 3) positions, (n, 3) colours or None, (n,) of each property."""

    positions: NDArray[np.float32]
    colors: NDArray[np.uint8] | None
    properties: dict[str, NDArray[Any]]


def check_points(tileset: Path, expected: int, progress: Progress) -> None:
    """Raise `BrokenTileset` unless the tileset at `tileset` is right.

    Checked: lengths and alignment of every content, its points inside the tile, children inside
    their parents, errors that do not grow, each file used once, and that the tiles below the root,
    which add to one another, hold the `expected` number of points.
    """
    root = json.loads(tileset.read_bytes())["root"]
    files = {path for path in (tileset.parent / FILES).rglob("*") if path.is_file()}
    total = len(files)
    counted = 0
    for tile, path, depth in _walk(root, tileset, 0):
        progress(total - len(files), total, "checking")
        if path not in files:
            raise BrokenTileset(f"{path.name}: a tile of points is missing or used twice")
        files.remove(path)
        if path.suffix == ".json":
            continue
        try:
            points = read_pnts(path.read_bytes())
        except ValueError as error:
            raise BrokenTileset(f"{path.name}: {error}") from error
        low, high = _box(tile)
        slack = _SLACK * float(np.abs([low, high]).max())
        if (points.positions < low - slack).any() or (points.positions > high + slack).any():
            raise BrokenTileset(f"{path.name}: points lie outside their tile")
        counted += len(points.positions) if depth else 0
    if files:
        raise BrokenTileset(f"{min(files).name}: no tile uses it")
    if counted != expected:
        raise BrokenTileset(f"the tiles hold {counted} points instead of {expected}")


def _walk(tile: Json, at: Path, depth: int) -> Iterator[tuple[Json, Path, int]]:
    """All tiles with a content, its path and its depth; each step from parent to child checked."""
    children = [(child, at) for child in tile.get("children", ())]
    if "content" in tile:
        path = at.parent / tile["content"]["uri"]
        yield tile, path, depth
        if path.suffix == ".json":
            children.append((json.loads(path.read_bytes())["root"], path))
    low, high = _box(tile)
    slack = _SLACK * float(np.abs([low, high]).max())
    for child, beside in children:
        child_low, child_high = _box(child)
        if np.any(child_low < low - slack) or np.any(child_high > high + slack):
            raise BrokenTileset("a tile of points reaches beyond its parent")
        if child["geometricError"] > tile["geometricError"]:
            raise BrokenTileset("the error of a tile of points is larger than its parent's")
        yield from _walk(child, beside, depth + 1)


def _box(tile: Json) -> Floats:
    box = np.array(tile["boundingVolume"]["box"])
    half = np.abs(box[3:].reshape(3, 3)).sum(axis=0)
    return np.array([box[:3] - half, box[:3] + half])


def read_pnts(data: bytes) -> Points:
    """Read a content; raises `ValueError` when something is wrong with it."""
    if len(data) < _HEADER.size:
        raise ValueError("it is shorter than a header")
    magic, version, length, *sizes = _HEADER.unpack_from(data)
    if (magic, version) != (b"pnts", 1):
        raise ValueError("it is no pnts of version 1")
    if length != len(data) or _HEADER.size + sum(sizes) != length:
        raise ValueError("the lengths in its header are wrong")
    if length % 8 or any((_HEADER.size + sum(sizes[:part])) % 8 for part in (1, 2, 3)):
        raise ValueError("its parts are not aligned to 8 bytes")
    starts = np.cumsum([_HEADER.size, *sizes])
    table, values, batch, batch_values = (data[start:stop] for start, stop in pairwise(starts))
    features: Json = json.loads(table)
    count = features["POINTS_LENGTH"]
    positions = _values(values, features["POSITION"]["byteOffset"], count * 3, np.dtype("<f4"))
    if not count or not np.isfinite(positions).all():
        raise ValueError("it has no points, or points that are nowhere")
    colors = None
    if "RGB" in features:
        colors = _values(values, features["RGB"]["byteOffset"], count * 3, np.dtype("<u1"))
    properties = {}
    for name, entry in (json.loads(batch) if batch else {}).items():
        if entry["type"] != "SCALAR":
            raise ValueError(f"its property {name} is not one number for each point")
        dtype = _TYPES[entry["componentType"]]
        properties[name] = _values(batch_values, entry["byteOffset"], count, dtype)
    return Points(
        positions.reshape(-1, 3), None if colors is None else colors.reshape(-1, 3), properties
    )


def _values(data: bytes, start: int, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    if start % dtype.itemsize or start + count * dtype.itemsize > len(data):
        raise ValueError("an array in it is not aligned, or reaches beyond its end")
    return np.frombuffer(data, dtype, count, start)
