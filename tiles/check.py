"""What every tileset is checked for before anyone sees it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import CimError
from cim_core.mesh import Floats
from cim_core.progress import Progress
from tiles.glb import read_glb
from tiles.metadata import decode_strings

_TOLERANCE = 0.002
_FLOAT32 = 1e-6  # of its size: what single precision leaves of a very large tile
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


class BrokenTileset(CimError):
    """A tileset of our own making that must not be published: a fault of this program."""


def check_tileset(tileset: Path, expected: Iterable[str], progress: Progress) -> None:
    """Raise `BrokenTileset` unless the tileset at `tileset` is right.

    Checked: children lie inside their parents, errors shrink, geometry lies inside its tile,
    accessors are aligned and their limits true, every vertex belongs to a feature, and the leaves
    hold each of the `expected` feature ids exactly once.
    """
    root = json.loads(tileset.read_bytes())["root"]
    seen: Counter[str] = Counter()
    leaves = list(_walk(root))
    for number, leaf in enumerate(leaves):
        progress(number, len(leaves), "checking")
        seen.update(_check_content(tileset.parent / leaf["content"]["uri"], _box(leaf)))
    wanted = Counter(expected)
    if seen != wanted:
        odd = next(iter((seen - wanted) + (wanted - seen)))
        raise BrokenTileset(
            f"the tiles hold feature {odd} {seen[odd]} times instead of {wanted[odd]}"
        )
    progress(len(leaves), len(leaves), "checking")


def _walk(tile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The leaves, after checking every step from parent to child."""
    children = tile.get("children", [])
    if not children:
        if "content" not in tile:
            raise BrokenTileset("a leaf of the tileset has no content")
        yield tile
    low, high = _box(tile)
    for child in children:
        child_low, child_high = _box(child)
        if np.any(child_low < low - _TOLERANCE) or np.any(child_high > high + _TOLERANCE):
            raise BrokenTileset("a tile reaches beyond its parent")
        if not child["geometricError"] < tile["geometricError"]:
            raise BrokenTileset("a tile's error is not smaller than its parent's")
        yield from _walk(child)


def _box(tile: dict[str, Any]) -> Floats:
    box = np.array(tile["boundingVolume"]["box"])
    half = np.abs(box[3:].reshape(3, 3)).sum(axis=0)
    return np.array([box[:3] - half, box[:3] + half])


def _check_content(path: Path, box: Floats) -> list[str]:
    document, binary = read_glb(path.read_bytes())
    for view in document["bufferViews"]:
        if view["byteOffset"] % 8 or view["byteOffset"] + view["byteLength"] > len(binary):
            raise BrokenTileset(f"{path.name}: a buffer view is misaligned or too long")
    table = document["extensions"]["EXT_structural_metadata"]["propertyTables"][0]
    ids = _strings(document, binary, table["properties"]["id"])
    if len(ids) != table["count"]:
        raise BrokenTileset(
            f"{path.name}: its property table has {len(ids)} rows of {table['count']}"
        )
    matrix = np.array(document["nodes"][0]["matrix"]).reshape(4, 4).T
    used: set[int] = set()
    for primitive in document["meshes"][0]["primitives"]:
        positions = _accessor(document, binary, primitive["attributes"]["POSITION"])
        limits = document["accessors"][primitive["attributes"]["POSITION"]]
        if (
            positions.min(axis=0).tolist() != limits["min"]
            or positions.max(axis=0).tolist() != limits["max"]
        ):
            raise BrokenTileset(f"{path.name}: an accessor's limits are not those of its data")
        x, y, z = (positions.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]).T
        points = np.column_stack([x, -z, y])
        slack = _TOLERANCE + _FLOAT32 * float((box[1] - box[0]).max())
        if np.any(points < box[0] - slack) or np.any(points > box[1] + slack):
            raise BrokenTileset(f"{path.name}: geometry lies outside its tile")
        indices = _accessor(document, binary, primitive["indices"])
        if indices.max() >= len(positions):
            raise BrokenTileset(f"{path.name}: a triangle refers to a vertex that is not there")
        rows = _accessor(document, binary, primitive["attributes"]["_FEATURE_ID_0"])
        used.update(np.unique(rows).tolist())
    if used != set(range(len(ids))):
        raise BrokenTileset(f"{path.name}: its vertices do not use every row of its property table")
    return ids


def _strings(document: dict[str, Any], binary: bytes, column: dict[str, Any]) -> list[str]:
    text, offsets = (_bytes(document, binary, column[part]) for part in ("values", "stringOffsets"))
    return decode_strings(text, offsets)


def _bytes(document: dict[str, Any], binary: bytes, view: int) -> bytes:
    described = document["bufferViews"][view]
    return binary[described["byteOffset"] : described["byteOffset"] + described["byteLength"]]


def _accessor(document: dict[str, Any], binary: bytes, number: int) -> NDArray[Any]:
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    kind = np.dtype(_COMPONENTS[accessor["componentType"]])
    width = _WIDTHS[accessor["type"]]
    stride = view.get("byteStride", kind.itemsize * width)
    array: NDArray[Any] = np.ndarray(
        (accessor["count"], width), kind, binary, view["byteOffset"], (stride, kind.itemsize)
    )
    return array if width > 1 else array[:, 0]
