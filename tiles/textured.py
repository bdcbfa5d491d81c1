"""A textured model as a tileset: one tile."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.layer import Layer, TexturedModel
from cim_core.mesh import Floats
from cim_core.store.layer_summary import TilesetSummary
from tiles.content import store_file
from tiles.tileset import tile, write_tileset


def build_textured(layer: Layer, content: TexturedModel, tileset: Path) -> TilesetSummary:
    """Write a tileset.json whose only tile is the model, which stands in the layer's frame."""
    document = _document(content.model)
    bounds = _bounds(document)
    uri = content.model.relative_to(tileset.parent).as_posix()
    diagonal = float(np.linalg.norm(bounds[1] - bounds[0]))
    text = write_tileset(tile(bounds, 0.0, uri), layer.frame, diagonal)
    store_file(tileset, text)
    size = content.model.stat().st_size
    return TilesetSummary(
        bytes=size + len(text),
        leaf_bytes=size,
        tiles=1,
        reused_tiles=0,
        triangles=sum(
            document["accessors"][primitive["indices"]]["count"] // 3
            for mesh in document["meshes"]
            for primitive in mesh["primitives"]
        ),
        deviation=0.0,
    )


def _document(path: Path) -> dict[str, Any]:
    """The JSON of a GLB of our own."""
    with path.open("rb") as file:
        (length,) = struct.unpack_from("<I", file.read(20), 12)
        document: dict[str, Any] = json.loads(file.read(length))
    return document


def _bounds(document: dict[str, Any]) -> Floats:
    """The box (2, 3) in the frame, z up, of meshes that stand as they are, y up."""
    boxes = [
        document["accessors"][primitive["attributes"]["POSITION"]]
        for mesh in document["meshes"]
        for primitive in mesh["primitives"]
    ]
    low = np.min([box["min"] for box in boxes], axis=0)
    high = np.max([box["max"] for box in boxes], axis=0)
    return np.array([[low[0], -high[2], low[1]], [high[0], -low[2], high[1]]])
