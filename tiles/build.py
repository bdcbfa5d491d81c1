"""A layer of features becomes a tileset: plan the tree, write the contents, then the root."""

from pathlib import Path

import numpy as np
from py3dtiles.tileset.tile import Tile

from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.layer import Features, Layer
from cim_core.mesh import Floats, transformed
from cim_core.progress import Progress
from cim_core.store.layers import TilesetSummary
from tiles.batch import Shader, primitives
from tiles.content import store_content, store_file
from tiles.glb import write_glb
from tiles.metadata import columns
from tiles.tileset import error_of, tile, write_tileset
from tiles.tree import Budget, Node, plan


def build_features(
    layer: Layer, content: Features, content_folder: Path, tileset: Path, progress: Progress,
    budget: Budget,
) -> TilesetSummary:  # fmt: skip
    """Tile features with geometry; raises `InvalidInput` when there are none."""
    builder = _Builder(layer, content, content_folder, progress)
    return builder.build(tileset, budget)


class _Builder:
    def __init__(self, layer: Layer, content: Features, folder: Path, progress: Progress) -> None:
        self._layer = layer
        self._folder = folder
        self._progress = progress
        self._shader = Shader(content.meshes)
        self._features = [f for f in content.features if self._triangles(f)]
        self._done = 0
        self._bytes = self._tiles = self._triangles_written = 0

    def _triangles(self, feature: Feature) -> int:
        return sum(len(self._shader[i.mesh_key].triangles) for i in feature.instances)

    def build(self, tileset: Path, budget: Budget) -> TilesetSummary:
        if not self._features:
            raise InvalidInput(f"the layer {self._layer.id} has no geometry to tile")
        bounds = np.array([self._bounds(feature) for feature in self._features])
        sizes = np.array([self._triangles(feature) for feature in self._features])
        self._progress(0, len(self._features), "tiling")
        tree = plan(bounds, sizes, budget)
        # The root's error is what a viewer lacks while it has not loaded the first tile.
        error = error_of(tree.bounds, None)
        root = self._tile(tree, None)
        document = write_tileset(root, self._layer.frame, error)
        store_file(tileset, document)
        return {
            "bytes": self._bytes + len(document),
            "tiles": self._tiles,
            "triangles": self._triangles_written,
        }

    def _bounds(self, feature: Feature) -> Floats:
        points = np.vstack(
            [
                transformed(self._shader[i.mesh_key].positions, i.transform)
                for i in feature.instances
            ]
        )
        return np.array([points.min(axis=0), points.max(axis=0)])

    def _tile(self, node: Node, parent_error: float | None) -> Tile:
        if node.children:
            error = error_of(node.bounds, parent_error)
            made = tile(node.bounds, error)
            for child in node.children:
                made.add_child(self._tile(child, error))
            return made
        features = sorted((self._features[row] for row in node.rows), key=lambda f: f.id)
        self._done += len(features)
        # Rounded, so that a feature more or less in a tile does not move all the others.
        center = np.round(node.bounds.mean(axis=0))
        parts = primitives(features, self._shader, center)
        table = columns(self._layer.id, features, self._layer.tile_attributes)
        data = write_glb(center, parts, table)
        name = store_content(self._folder, data)
        self._bytes += len(data)
        self._tiles += 1
        self._triangles_written += sum(len(part.triangles) for part in parts)
        self._progress(self._done, len(self._features), "tiling")
        return tile(node.bounds, 0.0, f"../{self._folder.name}/{name}")
