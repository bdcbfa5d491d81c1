"""A layer of features becomes a tileset: plan the tree, write the contents, then the root."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.layer import ClassStyle, Features, Layer
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.store.layer_summary import TilesetSummary
from tiles.batch import Content, Packer, assemble
from tiles.content import store_content, store_file
from tiles.glb import write_glb
from tiles.ledger import FILE_NAME, Entry, Ledger, key_of
from tiles.levels import Levels
from tiles.metadata import columns
from tiles.shapes import Drawing, Placements
from tiles.tileset import tile, write_tileset
from tiles.tree import Budget, Node, plan
from tiles.visible import seen_from_outside

if TYPE_CHECKING:
    from py3dtiles.tileset.tile import Tile

_SHRINK = 1.01
"""A tile's error is larger than its children's, though it may measure the same."""

_SHOWN = ClassStyle({}, "", True)


def build_features(
    layer: Layer, content: Features, content_folder: Path, tileset: Path, progress: Progress,
    budget: Budget, before: Path | None,
) -> TilesetSummary:  # fmt: skip
    """Tile features with geometry; raises `InvalidInput` when there are none."""
    drawing = Drawing(content.features, content.meshes)
    if not drawing.features:
        raise InvalidInput(f"the layer {layer.id} has no geometry to tile")
    ledger = Ledger(before.with_name(FILE_NAME) if before else None)
    builder = _Builder(layer, drawing, content_folder, ledger, progress, budget)
    summary = builder.build(tileset)
    ledger.save(tileset.with_name(FILE_NAME))
    return summary


@dataclass(frozen=True, slots=True)
class _Made:
    """A tile of the tree, its box (2, 3), and the largest error below it or in it."""

    tile: "Tile"
    bounds: Floats
    error: float


class _Builder:
    def __init__(
        self, layer: Layer, drawing: Drawing, folder: Path, ledger: Ledger, progress: Progress,
        budget: Budget,
    ) -> None:  # fmt: skip
        self._layer = layer
        self._drawing = drawing
        self._folder = folder
        self._ledger = ledger
        self._progress = progress
        self._budget = budget
        hidden = [
            not layer.class_styles.get(feature.feature_class, _SHOWN).visible
            for feature in drawing.features
        ]
        self._hidden = np.array(hidden)
        self._packer = Packer(drawing.shape)
        self._levels = Levels(drawing, ~self._hidden, budget)
        self._done = self._tiles = 0
        self._entries: list[Entry] = []

    def build(self, tileset: Path) -> TilesetSummary:
        drawing = self._drawing
        self._progress(0, len(drawing.features), "tiling")
        tree = plan(_feature_boxes(drawing), _weights(drawing), self._budget)
        if not tree.children and drawing.triangles.sum() > self._budget.far_triangles / 4:
            tree = Node(tree.bounds, tree.rows, [tree])  # so that it, too, is light from afar
        if tree.children:
            self._seen = seen_from_outside(drawing, self._hidden)
        made = self._tile(tree)
        # The root's error is what a viewer lacks while it has not loaded the first tile.
        diagonal = float(np.linalg.norm(tree.bounds[1] - tree.bounds[0]))
        document = write_tileset(made.tile, self._layer.frame, max(diagonal, _SHRINK * made.error))
        store_file(tileset, document)
        leaves = [entry for entry in self._entries if entry["error"] == 0]
        return {
            "bytes": sum(entry["bytes"] for entry in self._entries) + len(document),
            "leaf_bytes": sum(entry["packed"] for entry in leaves),
            "tiles": len(self._entries),
            "reused_tiles": self._ledger.reused,
            "triangles": sum(entry["triangles"] for entry in leaves),
            "deviation": round(max(entry["shift"] for entry in leaves), 6),
        }

    def _tile(self, node: Node) -> _Made:
        if not node.children:
            return self._leaf(node)
        below = [self._tile(child) for child in node.children]
        entry = self._far(node)
        error = max(entry["error"], *(_SHRINK * made.error for made in below))
        # Rounding to a coarse lattice may reach over the box of what was rounded.
        low, high = node.bounds[0] - entry["shift"], node.bounds[1] + entry["shift"]
        low = np.min([low, *(made.bounds[0] for made in below)], axis=0)
        high = np.max([high, *(made.bounds[1] for made in below)], axis=0)
        bounds = np.array([low, high])
        made = tile(bounds, error, self._uri(entry))
        for child in below:
            made.add_child(child.tile)
        return _Made(made, bounds, error)

    def _leaf(self, node: Node) -> _Made:
        rows = np.sort(node.rows)
        placements = self._of(rows)
        # Rounded, so that a feature more or less in a tile does not move all the others.
        center = np.round(node.bounds.mean(axis=0))
        key = key_of([center.tobytes(), *self._identity(rows, placements, far=False)])
        entry = self._ledger.find(key, self._folder)
        if entry is None:
            self._drawing.prepare(np.unique(placements.shapes))
            numbered = replace(placements, features=np.searchsorted(rows, placements.features))
            content = assemble(numbered, self._packer, center)
            entry = self._write(key, content, rows, center, 0.0)
        self._entries.append(entry)
        self._done += len(rows)
        self._progress(self._done, len(self._drawing.features), "tiling")
        low, high = node.bounds
        bounds = np.array([low - entry["shift"], high + entry["shift"]])
        return _Made(tile(bounds, 0.0, self._uri(entry)), bounds, 0.0)

    def _far(self, node: Node) -> Entry:
        rows = np.sort(node.rows)
        seen = rows[self._seen[rows]]
        placements = self._of(seen)
        center = np.round(node.bounds.mean(axis=0))
        whole = len(seen) == len(rows)
        parts: list[bytes | str] = [node.bounds.tobytes(), repr((whole, self._budget))]
        key = key_of([*parts, *self._identity(seen, placements, far=True)])
        entry = self._ledger.find(key, self._folder)
        if entry is None:
            self._drawing.prepare(np.unique(placements.shapes))
            far = self._levels.tile(placements, node.bounds, center, whole=whole)
            entry = self._write(key, far.content, far.rows, center, far.error)
        self._entries.append(entry)
        self._progress(self._done, len(self._drawing.features), "tiling")
        return entry

    def _of(self, rows: NDArray[np.int64]) -> Placements:
        chosen = np.zeros(len(self._drawing.features), bool)
        chosen[rows] = True
        return self._drawing.placements[chosen[self._drawing.placements.features]]

    def _identity(
        self, rows: NDArray[np.int64], placements: Placements, *, far: bool
    ) -> Iterable[bytes | str]:
        """All that a tile of these features and placements is made from."""
        table = self._table(rows, far=far)
        yield repr(table)
        yield repr([self._drawing.keys[number] for number in placements.shapes.tolist()])
        yield np.searchsorted(rows, placements.features).tobytes()
        yield placements.transforms.tobytes()

    def _table(self, rows: NDArray[np.int64], *, far: bool) -> dict[str, list[str]]:
        features = [self._drawing.features[row] for row in rows.tolist()]
        attributes = self._layer.tile_attributes[:1] if far else self._layer.tile_attributes
        return columns(self._layer.id, features, attributes, far=far)

    def _write(
        self,
        key: str,
        content: Content,
        rows: NDArray[np.int64],
        center: Floats,
        error: float,
    ) -> Entry:
        table = self._table(rows, far=error > 0)
        data = write_glb(center, content.batches, content.repeats, table)
        name, packed = store_content(self._folder, data)
        return self._ledger.keep(
            key,
            {
                "content": name,
                "bytes": len(data),
                "packed": packed,
                "triangles": content.triangles,
                "shift": content.shift,
                "error": error,
            },
        )

    def _uri(self, entry: Entry) -> str:
        return f"../{self._folder.name}/{entry['content']}"


def _feature_boxes(drawing: Drawing) -> Floats:
    """(f, 2, 3): what each feature's placements reach over."""
    low = np.full((len(drawing.features), 3), np.inf)
    high = -low
    np.minimum.at(low, drawing.placements.features, drawing.placements.bounds[:, 0])
    np.maximum.at(high, drawing.placements.features, drawing.placements.bounds[:, 1])
    return np.stack([low, high], axis=1)


def _weights(drawing: Drawing) -> NDArray[np.int64]:
    """How many triangles each feature adds to a file, (f,): repeated shapes are written once."""
    shapes = drawing.placements.shapes
    shares = np.maximum(drawing.triangles[shapes] / drawing.repeats[shapes], 1)
    return np.bincount(drawing.placements.features, shares, minlength=len(drawing.features)).astype(
        np.int64
    )
