"""From a layer to a tileset: the tiler and the lightener.

`build_tileset` is the door; `check_tileset` is asked before anything is published.
"""

from pathlib import Path

from cim_core.layer import Features, Layer
from cim_core.progress import Progress
from cim_core.store.layers import TilesetSummary
from tiles.build import build_features
from tiles.check import check_tileset
from tiles.tree import Budget

NO_TILES = TilesetSummary(
    bytes=0, leaf_bytes=0, tiles=0, reused_tiles=0, triangles=0, deviation=0.0
)

__all__ = ["Budget", "build_tileset", "check_tileset"]


def build_tileset(
    layer: Layer,
    content_folder: Path,
    tileset: Path,
    progress: Progress,
    budget: Budget | None = None,
    *,
    before: Path | None = None,
) -> TilesetSummary:
    """Write the layer's tiles and its tileset.json, and say what they amount to.

    Contents go under their hashes to `content_folder`, a sibling of the folder of `tileset`. The
    same layer gives the same bytes. `before` is the tileset.json of the version before: its tiles
    that are still right are not made again. What is not drawn as 3D Tiles (outlines, terrain,
    imagery) gets no tileset.json.
    """
    match layer.content:
        case Features(_, meshes) as content if meshes:
            return build_features(
                layer,
                content,
                content_folder,
                tileset,
                progress,
                budget or Budget(),
                before,
            )
        case _:
            return NO_TILES
