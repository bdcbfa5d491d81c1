"""Where the contents of a tileset lie, of those that show things as exactly as a large-scale map."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import shapely

from cim_core.importers.tileset_volumes import corners, matrix_of, moved
from cim_core.mesh import Floats

FINE = 2.5
"""Metres: half a millimetre on a map of 1:5,000. A tile that shows more than leaves have to, but is
no further off than that, is as good as they are."""

_TERRAIN_ERROR = 77067.34
"""Of a quantized-mesh tile of level 0, metres; each level halves it."""


@dataclass(slots=True)
class Places:
    """Where things lie that are shown exactly.

    contents
        The outlines of the tiles that have a file as their content, by its path, degrees.
    listed
        All files that are the content of any tile.
    """

    contents: dict[str, list[shapely.Geometry]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)

    def of(self, path: Path) -> list[shapely.Geometry] | None:
        """The outlines of the tiles that show a file; none for a file that shows things from afar.

        None for a file that the tree does not list, as those of implicit tilings.
        """
        name = os.path.normpath(path)
        return self.contents.get(name, []) if name in self.listed else None


def read_places(tileset: Path) -> Places:
    """The places of a tileset and of the tilesets inside it; those were checked when it came."""
    places = Places()
    _read(tileset, None, places)
    return places


def _read(tileset: Path, matrix: Floats | None, places: Places) -> None:
    root = json.loads(tileset.read_bytes())["root"]
    stack = [(root, matrix)]
    while stack:
        tile, above = stack.pop()
        own = matrix_of(tile) if above is None else above @ matrix_of(tile)
        children = tile.get("children", [])
        stack.extend((child, own) for child in children)
        fine = not children or tile["geometricError"] <= FINE
        for uri in _contents(tile):
            path = os.path.normpath(tileset.parent / unquote(uri))
            if "implicitTiling" in tile:
                continue  # a template
            if path.endswith(".json"):
                _read(Path(path), own, places)
                continue
            places.listed.add(path)
            if fine:
                outline = _outline(tile["boundingVolume"], own)
                places.contents.setdefault(path, []).append(outline)


def _contents(tile: Mapping[str, Any]) -> Iterator[str]:
    for content in (tile.get("content"), *tile.get("contents", [])):
        if content:
            yield content.get("uri") or content["url"]


def _outline(volume: Mapping[str, Any], matrix: Floats) -> shapely.Geometry:
    return shapely.MultiPoint(corners(moved(volume, matrix))[:, :2]).convex_hull


def terrain_outline(pyramid: Path, z: int, x: int, y: int) -> shapely.Geometry | None:
    """Where a tile of a terrain pyramid lies, degrees; None if finer ones show the same better.

    The scheme is that of geographic tiles, rows from the south.
    """
    below = (pyramid / f"{z + 1}/{2 * x + i}/{2 * y + j}.terrain" for i in (0, 1) for j in (0, 1))
    if _TERRAIN_ERROR / (1 << z) > FINE and any(path.is_file() for path in below):
        return None
    side = 180.0 / (1 << z)
    west, south = x * side - 180.0, y * side - 90.0
    return shapely.box(west, south, west + side, south + side)
