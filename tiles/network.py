"""A pipe network becomes a tileset: tubes near, lines of a least width from afar.

Tubes are swept tile by tile from arrays; no mesh is made for a segment.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import cim_core
from cim_core.layer import Layer, PipeNetwork
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from cim_core.store.layer_summary import TilesetSummary
from cim_core.sweep import Swept, joined_swept, sweep
from cim_core.sweep_models import model
from cim_core.sweep_nodes import Parts
from cim_core.sweep_scene import Scene, network_scene
from tiles.batch import Content
from tiles.content import store_content, store_file
from tiles.glb import Batch, Repeats, write_glb
from tiles.ledger import FILE_NAME, Entry, Ledger, key_of
from tiles.metadata import Columns, columns
from tiles.network_levels import Levels, Lines, error_of
from tiles.network_parts import Grouped, Kinds, apart, placed_model, shape_of
from tiles.packing import NEAR, far_lattice, pack
from tiles.tileset import tile, write_tileset
from tiles.tree import Budget, Node, plan
from tiles.turns import quaternions

if TYPE_CHECKING:
    from py3dtiles.tileset.tile import Tile

PIPES = Budget(triangles=96_000, features=2_500)
"""Of a leaf, unless said otherwise: pipes are many and thin, and all of one batch."""

_SHRINK = 1.01
"""A tile's error is larger than its children's, though it may measure the same."""

_FAR_LINES = 6_000
"""How many lines a tile may have that stands for others."""

_LATTICE = NEAR.finest * np.array([2.0, 2.0, 1.0])
"""Heights are surveyed to the millimetre; where a pipe lies in plan is not known as well."""

_FEWEST_REPEATS = 6
"""Fewer models of a kind in a tile are merged: each kind that is repeated costs a call."""

_LARGEST_LEAF = 1024.0
"""Metres: viewers choose a tile's level by its nearest point, and tubes much farther cannot be seen."""

_LARGEST = 80.0
"""A tile is at most so many times as large as its error: for the same reason. It is first shown from
about that distance, so lines are thin at most by half at its far end."""

_SEEN_AFAR = 16.0
"""The root's error is at least so many metres: a small network, too, is lines seen from kilometres away."""

_HORIZON = 8.0
"""A viewer shows nothing of a tileset whose own error is too small to be seen."""


def build_network(
    layer: Layer, content: PipeNetwork, content_folder: Path, tileset: Path, progress: Progress,
    budget: Budget, before: Path | None,
) -> TilesetSummary | None:  # fmt: skip
    """Tile a pipe network; None when nothing of it has a place in space."""
    progress(0, 0, "tiling")
    scene = network_scene(content, layer.frame, layer.class_styles)
    if not scene.features:
        return None
    ledger = Ledger(before.with_name(FILE_NAME) if before else None)
    summary = _Builder(layer, scene, content_folder, ledger, progress, budget).build(tileset)
    ledger.save(tileset.with_name(FILE_NAME))
    return summary


def drawn_ids(layer: Layer, content: PipeNetwork) -> list[str]:
    """The ids of the features that have something to draw."""
    scene = network_scene(content, layer.frame, layer.class_styles)
    return [feature.id for feature in scene.features]


@dataclass(frozen=True, slots=True)
class _Made:
    """A tile of the tree, its box (2, 3), its error, its features."""

    tile: "Tile"
    bounds: Floats
    error: float
    rows: Rows


class _Builder:
    def __init__(
        self, layer: Layer, scene: Scene, folder: Path, ledger: Ledger, progress: Progress,
        budget: Budget,
    ) -> None:  # fmt: skip
        self._layer = layer
        self._scene = scene
        self._folder = folder
        self._ledger = ledger
        self._progress = progress
        self._budget = budget
        self._levels = Levels(scene)
        self._kinds = Kinds(scene.parts, scene.part_colors)
        self._tubes_of = Grouped(scene.tubes.owners, len(scene.features))
        self._parts_of = Grouped(scene.parts.owners, len(scene.features))
        table = columns(layer.id, scene.features, layer.tile_attributes, far=False)
        table["assumed"] = scene.assumed.tolist()
        self._table = {name: np.array(values, object) for name, values in table.items()}
        self._said = ["\x1f".join(row) for row in zip(*table.values(), strict=True)]
        self._entries: list[Entry] = []
        self._done = 0

    def build(self, tileset: Path) -> TilesetSummary:
        tree = plan(self._boxes(), self._weights(), self._budget, _LARGEST_LEAF)
        self._progress(0, len(self._scene.features), "tiling")
        diagonal = float(np.linalg.norm(tree.bounds[1] - tree.bounds[0]))
        level = 0
        while error_of(level) < _SEEN_AFAR or not self._fits(tree, level):
            level += 1
        [made] = self._tiles(tree, level)
        error = max(diagonal, _HORIZON * made.error)
        document = write_tileset(made.tile, self._layer.frame, error)
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

    def _tiles(self, node: Node, level: int) -> list[_Made]:
        """Tiles of a level that show all of a node, one if they may.

        Each level is three times as coarse as the one below; none is skipped, or lines would vanish
        between them.
        """
        if level < 0:
            if not node.children:
                return [self._leaf(node)]
        elif self._fits(node, level):
            return [self._over(self._tiles(node, level - 1), level)]
        return [made for child in node.children for made in self._tiles(child, level)]

    def _fits(self, node: Node, level: int) -> bool:
        if not node.children:
            return True
        if np.ptp(node.bounds, axis=0).max() > max(1.5 * _LARGEST_LEAF, _LARGEST * error_of(level)):
            return False
        tubes = self._tubes_of[node.rows]
        return self._levels.count(tubes, level) <= _FAR_LINES if len(tubes) else True

    def _leaf(self, node: Node) -> _Made:
        rows = np.sort(node.rows)
        # Rounded, so that a feature more or less in a tile does not move all the others.
        center = np.round(node.bounds.mean(axis=0))
        scene = self._scene
        chosen, placed = self._tubes_of[rows], self._parts_of[rows]
        tubes = scene.tubes[chosen]
        tubes = replace(tubes, owners=np.searchsorted(rows, tubes.owners))
        parts = scene.parts[placed]
        parts = replace(parts, owners=np.searchsorted(rows, parts.owners))
        arrays = [getattr(item, name) for item in (tubes, parts) for name in type(item).__slots__]
        colors = scene.tube_colors[chosen]
        arrays += [colors, self._kinds.numbers[placed], scene.part_colors[placed]]
        key = self._key(center, rows, arrays)
        entry = self._ledger.find(key, self._folder)
        if entry is None:
            numbered = replace(tubes, owners=np.arange(len(tubes)))
            batches = [(sweep(numbered, lattice=_LATTICE), tubes.owners, colors)]
            content = self._content(batches, parts, self._kinds.numbers[placed], center)
            entry = self._write(key, content, rows, center, 0.0, content.shift)
        self._entries.append(entry)
        self._done += len(rows)
        self._progress(self._done, len(scene.features), "tiling")
        low, high = node.bounds
        bounds = np.array([low - entry["shift"], high + entry["shift"]])
        return _Made(tile(bounds, 0.0, self._uri(entry)), bounds, 0.0, node.rows)

    def _over(self, below: list[_Made], level: int) -> _Made:
        """A tile that stands for others."""
        rows = np.sort(np.concatenate([made.rows for made in below]))
        bounds = np.array(
            [np.min([made.bounds[0] for made in below], axis=0),
             np.max([made.bounds[1] for made in below], axis=0)]
        )  # fmt: skip
        center = np.round(bounds.mean(axis=0))
        scene = self._scene
        tubes, placed = self._tubes_of[rows], self._parts_of[rows]
        seen = placed[self._kinds.shown[placed]] if level == 0 else placed[:0]
        if not len(tubes):  # nothing but things that stand alone
            seen = placed[:: max(1, len(placed) // _FAR_LINES)]
        error = float(self._kinds.reach[np.setdiff1d(placed, seen)].max(initial=0.0))
        used = [scene.parts.owners[seen]]
        arrays: list[NDArray[np.generic]] = []
        lines: Lines | None = None
        if len(tubes):
            lines = self._levels.lines(tubes, level)
            used.append(lines.owners)
            arrays = [lines.positions, lines.owners, lines.colors]
            bounds = _around(bounds, lines.positions)
            error = max(error, lines.error)
        shown = np.unique(np.concatenate(used))
        parts = scene.parts[seen]
        parts = replace(parts, owners=np.searchsorted(shown, parts.owners))
        arrays += [getattr(parts, name) for name in Parts.__slots__]
        arrays += [self._kinds.numbers[seen], scene.part_colors[seen]]
        key = self._key(center, shown, arrays)
        entry = self._ledger.find(key, self._folder)
        error = max(error_of(level), error, _SHRINK * max(made.error for made in below))
        if entry is None:
            content = self._content([], parts, self._kinds.numbers[seen], center)
            if lines is not None:
                packed = pack(lines.shape(), far_lattice(error_of(level)))
                batch = Batch(packed, np.searchsorted(shown, lines.owners), 0.0)
                content = Content([batch, *content.batches], content.repeats)
            entry = self._write(key, content, shown, center, error, content.shift)
        self._entries.append(entry)
        self._progress(self._done, len(scene.features), "tiling")
        bounds = np.array([bounds[0] - entry["shift"], bounds[1] + entry["shift"]])
        made = tile(bounds, error, self._uri(entry))
        for child in below:
            made.add_child(child.tile)
        return _Made(made, bounds, error, rows)

    def _content(
        self, swept: list[tuple[Swept, Rows, Floats]], parts: Parts, kinds: Rows, center: Floats
    ) -> Content:
        """Tubes and the models that stand alone as one batch, the other models as instances."""
        repeats, merged = [], []
        counts = np.bincount(kinds, minlength=len(self._kinds.keys))
        for kind in np.flatnonzero(counts).tolist():
            rows = np.flatnonzero(kinds == kind)
            name, size, ratio, color = self._kinds.keys[kind]
            shape = model(name, size, ratio)
            if len(rows) < _FEWEST_REPEATS:
                placed = placed_model(shape, parts, rows)
                merged.append((placed, parts.owners[rows], np.tile(color, (len(rows), 1))))
                continue
            packed = pack(shape_of(shape, np.tile(color, (len(shape.positions), 1))), NEAR)
            turns = quaternions(parts.turns[rows])
            offsets = parts.places[rows] - center
            repeats.append(Repeats(packed, parts.owners[rows], offsets, turns, 1.0))
        every = [*swept, *merged]
        every = [item for item in every if len(item[0].positions)]
        if not every:
            return Content([], repeats)
        whole = joined_swept([item for item, _, _ in every])
        owners = np.concatenate([of[item.owners] for item, of, _ in every])
        colors = np.concatenate([color[item.owners] for item, _, color in every])
        batches = [
            Batch(pack(shape_of(part, colors[rows]), NEAR, wide=True), owners[rows], 0.0)
            for part, rows in apart(whole, owners)
        ]
        return Content(batches, repeats)

    def _write(
        self, key: str, content: Content, rows: Rows, center: Floats, error: float, shift: float
    ) -> Entry:
        table: Columns = {name: values[rows].tolist() for name, values in self._table.items()}
        if error:  # from afar no names, and nothing that nobody has
            said = {name: values for name, values in table.items() if any(values)}
            table = {name: values for name, values in said.items() if name != "name"}
        data = write_glb(center, content.batches, content.repeats, table)
        name, packed = store_content(self._folder, data)
        return self._ledger.keep(
            key,
            {
                "content": name, "bytes": len(data), "packed": packed,
                "triangles": content.triangles, "shift": shift, "error": error,
            },
        )  # fmt: skip

    def _key(self, center: Floats, rows: Rows, arrays: list[NDArray[np.generic]]) -> str:
        said = "\x1e".join([self._said[row] for row in rows.tolist()])
        names = "\x1f".join(self._table)
        return key_of([_CODE, center.tobytes(), names, said, *(a.tobytes() for a in arrays)])

    def _uri(self, entry: Entry) -> str:
        return f"../{self._folder.name}/{entry['content']}"

    def _boxes(self) -> Floats:
        """(f, 2, 3): what each feature reaches over."""
        scene = self._scene
        low = np.full((len(scene.features), 3), np.inf)
        high = -low
        if len(scene.tubes):
            bounds = scene.tubes.bounds
            np.minimum.at(low, scene.tubes.owners, bounds[:, 0])
            np.maximum.at(high, scene.tubes.owners, bounds[:, 1])
        reach = self._kinds.reach[:, None]
        np.minimum.at(low, scene.parts.owners, scene.parts.places - reach)
        np.maximum.at(high, scene.parts.owners, scene.parts.places + reach)
        return np.stack([low, high], axis=1)

    def _weights(self) -> NDArray[np.int64]:
        """(f,) how many triangles each feature adds to a file, about."""
        scene = self._scene
        pieces = np.diff(scene.tubes.starts) - 1
        corners = 10 + 8 * scene.tubes.ducts.prod(axis=1)
        count = len(scene.features)
        tubes = np.bincount(scene.tubes.owners, corners * (2 * pieces + 2), count)
        parts = np.bincount(scene.parts.owners, minlength=count) * 4
        weights: NDArray[np.int64] = (tubes + parts).astype(np.int64)
        return weights


def _around(bounds: Floats, positions: Floats) -> Floats:
    """A box that holds positions as well."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    return np.array([np.minimum(bounds[0], low), np.maximum(bounds[1], high)])


def _code() -> bytes:
    """A hash of what sweeps: it makes tiles as much as this package does."""
    digest = hashlib.sha256()
    for path in sorted(Path(cim_core.__file__).parent.glob("sweep*")):
        digest.update(path.read_bytes())
    return digest.digest()


_CODE = _code()
