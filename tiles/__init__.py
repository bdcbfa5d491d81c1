"""From a layer to a tileset: the tiler and the lightener.

`build_tileset` is the door; `check_tiles` is asked before anything is published.
"""

from collections.abc import Iterable
from pathlib import Path

from cim_core.layer import (
    FILES,
    ExternalTileset,
    Features,
    Layer,
    PipeNetwork,
    PointCloud,
    Terrain,
    TexturedModel,
)
from cim_core.progress import Progress
from cim_core.store.layer_summary import TilesetSummary
from tiles.build import build_features
from tiles.check import check_tileset
from tiles.external import wrap_tileset
from tiles.network import PIPES, build_network, drawn_ids
from tiles.points import build_points
from tiles.points_check import check_points
from tiles.terrain import build_terrain
from tiles.textured import build_textured
from tiles.tree import Budget

NO_TILES = TilesetSummary(
    bytes=0, leaf_bytes=0, tiles=0, reused_tiles=0, triangles=0, deviation=0.0
)

__all__ = ["Budget", "build_tileset", "check_tiles", "check_tileset"]


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
    made: TilesetSummary | None = None
    match layer.content:
        case Features(_, meshes) as content if meshes:
            made = build_features(
                layer,
                content,
                content_folder,
                tileset,
                progress,
                budget or Budget(),
                before,
            )
        case PipeNetwork() as pipes:
            made = build_network(
                layer, pipes, content_folder, tileset, progress, budget or PIPES, before
            )
        case PointCloud() as cloud:
            made = build_points(layer, cloud, tileset, progress)
        case ExternalTileset() as external:
            made = wrap_tileset(external, layer.frame, tileset)
        case Terrain() as terrain:
            made = build_terrain(layer, terrain, tileset.parent / FILES, progress)
        case TexturedModel() as model:
            made = build_textured(layer, model, tileset)
    return made or NO_TILES


def check_tiles(
    layer: Layer,
    tileset: Path,
    expected: Iterable[str],
    progress: Progress,
    *,
    known: frozenset[str] = frozenset(),
) -> None:
    """Raise `BrokenTileset` unless the tileset of a layer is right; see `tiles.check`.

    `expected` and `known` are for a layer of elements; a tileset somebody else made was checked by
    its importer.
    """
    match layer.content:
        case Features():
            check_tileset(tileset, expected, progress, known=known)
        case PipeNetwork() as pipes:
            check_tileset(tileset, drawn_ids(layer, pipes), progress, known=known)
        case PointCloud(features):
            points = sum(int(str(feature.attributes["points"])) for feature in features)
            check_points(tileset, points, progress)
