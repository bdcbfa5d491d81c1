"""What came out: bytes, tiles, triangles, and which elements can still be told apart."""

import gzip
import json
import re
import struct
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import ifcopenshell
import ifcopenshell.geom
import ifcopenshell.guid
import numpy as np

from bim_import.ifc_geometry import KERNELS

_CONTENTS = (".glb", ".b3dm", ".json")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_AREA = 1e-12

_geom: Any = ifcopenshell.geom


class Level(TypedDict):
    """The tiles at one depth of a tileset, and the triangles they draw."""

    tiles: int
    triangles: int


def sizes(paths: list[Path]) -> tuple[int, int]:
    """Bytes of files, plain and gzipped one by one."""
    data = [path.read_bytes() for path in paths]
    return sum(map(len, data)), sum(len(gzip.compress(part, 9)) for part in data)


def contents(folder: Path) -> list[Path]:
    """The files a viewer would load."""
    return sorted(p for p in folder.rglob("*") if p.suffix in _CONTENTS and p.is_file())


def elements(source: Path) -> tuple[dict[str, str], float]:
    """What the geometry kernel alone makes of a file, element after element.

    GlobalId → class of all elements that get a surface, and the CPU seconds it takes.
    """
    model, settings = ifcopenshell.open(str(source)), _geom.settings()
    iterator = _geom.iterator(settings, model, 1, geometry_library=KERNELS[0])
    found: dict[str, str] = {}
    begin = time.process_time()
    more = iterator.initialize()
    while more:
        shape = iterator.get()
        points = np.frombuffer(shape.geometry.verts_buffer, np.float64).reshape(-1, 3)
        a, b, c = points[np.frombuffer(shape.geometry.faces_buffer, np.int32)].reshape(-1, 3, 3).swapaxes(0, 1)  # fmt: skip
        if (np.linalg.norm(np.cross(b - a, c - a), axis=1) > _NO_AREA).any():
            found[str(shape.guid)] = str(shape.type)
        more = iterator.next()
    return found, time.process_time() - begin


def named(paths: list[Path], ids: set[str]) -> set[str]:
    """Which GlobalIds occur in files, as they are or as the UUIDs they stand for."""
    data = b"\n".join(path.read_bytes() for path in paths)
    expanded = {uuid.UUID(found.decode()).hex for found in _UUID.findall(data)}
    return {
        item for item in ids if item.encode() in data or ifcopenshell.guid.expand(item) in expanded
    }


def levels(tileset: Path) -> list[Level]:
    """The levels of a tileset of GLBs, the root first."""
    found: list[Level] = []
    for depth, path in _walk(json.loads(tileset.read_bytes())["root"], tileset.parent, 0):
        while len(found) <= depth:
            found.append({"tiles": 0, "triangles": 0})
        found[depth]["tiles"] += 1
        found[depth]["triangles"] += _triangles(path)
    return found


def leaves(tileset: Path) -> list[Path]:
    """The contents of the tiles that have no children."""
    root = json.loads(tileset.read_bytes())["root"]
    inner = {path for _, path in _walk(root, tileset.parent, 0, inner=True)}
    return sorted({path for _, path in _walk(root, tileset.parent, 0)} - inner)


def root_content(tileset: Path) -> Path:
    """The content of the first tile."""
    return next(_walk(json.loads(tileset.read_bytes())["root"], tileset.parent, 0))[1]


def _walk(
    tile: dict[str, Any], folder: Path, depth: int, *, inner: bool = False
) -> Iterator[tuple[int, Path]]:
    """Depth and content of each tile; of those that have children only, if `inner`."""
    if tile.get("children") or not inner:
        yield depth, (folder / tile["content"]["uri"]).resolve()
    for child in tile.get("children", ()):
        yield from _walk(child, folder, depth + 1, inner=inner)


def _triangles(path: Path) -> int:
    data = path.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    counts = [accessor["count"] for accessor in document["accessors"]]
    total = 0
    for node in document["nodes"]:
        if "mesh" in node:
            parts = document["meshes"][node["mesh"]]["primitives"]
            instancing = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
            times = counts[instancing["attributes"]["TRANSLATION"]] if instancing else 1
            total += times * sum(counts[part["indices"]] // 3 for part in parts)
    return total
