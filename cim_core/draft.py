"""A new version of a layer while it is being made: unseen until published, gone if it fails."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from cim_core.about import Said
from cim_core.extent import Outline, extents
from cim_core.feature import Feature
from cim_core.files import make_durable, write_whole
from cim_core.frame import Frame
from cim_core.geometry_file import save_geometry
from cim_core.layer import Layer, PipeNetwork
from cim_core.locks import locked, locked_if_free
from cim_core.network_file import FOLDER, save_network
from cim_core.outlines import outlines_of
from cim_core.progress import Progress
from cim_core.receipt import Receipt
from cim_core.store.database import Database
from cim_core.store.features import insert_features
from cim_core.store.layer_summary import TilesetSummary
from cim_core.store.layers import LayerStore, publish_version
from cim_core.summary import Tally
from cim_core.traffic.road_file import save_roads

CONTENT = "content"
GEOMETRY = "geometry.npz"
TILESET = "tileset.json"
CHECKIN = "checkin.json"

_ROWS_PER_COMMIT = 500
"""Small transactions, so that other writers never wait long."""


class Draft:
    """A version that is being built; make one with `drafted`.

    content
        The folder of tile contents, shared by all versions of the layer.
    folder
        The folder of this version alone.
    checkin
        The findings of the kept check-in report by severity; None before there is one.
    said
        What is said about the layer with this version, see `cim_core.about`.
    """

    def __init__(self, database: Database, root: Path, layer_id: str, version: int) -> None:
        self._database = database
        self.layer_id = layer_id
        self.version = version
        self.content = root / layer_id / CONTENT
        self.folder = root / layer_id / str(version)
        self.content.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir()
        self._tally = Tally()
        self.checkin: dict[str, int] | None = None
        self.said: Said = {}
        self.published = False

    @property
    def bbox(self) -> list[float] | None:
        """west, south, bottom, east, north, top of what was saved; None without geometry."""
        return self._tally.bbox

    def save(self, layer: Layer, geoid_separation: float, progress: Progress) -> None:
        """Keep the layer's features and geometry under this version."""
        features, meshes = layer.features, layer.meshes
        if meshes:
            save_geometry(self.folder / GEOMETRY, features, meshes, layer.tessellations)
        if isinstance(layer.content, PipeNetwork):
            save_network(self.folder / FOLDER, layer.content.network)
        if layer.roads is not None:
            save_roads(self.folder, layer.roads)
        known = self._known_outlines(layer.frame)
        found = extents(features, meshes, layer.frame, geoid_separation, progress, known)
        rows = iter(self._tally.counted(found))
        while chunk := list(islice(rows, _ROWS_PER_COMMIT)):
            with self._database.transaction() as connection:
                insert_features(connection, self.layer_id, self.version, chunk)

    def _known_outlines(self, frame: Frame) -> Callable[[Feature], Outline | None]:
        """What the version that is served now knows of outlines."""
        for served in LayerStore(self._database).current():
            if served.layer == self.layer_id and served.summary.get("kind", "model") == "model":
                geometry = self.folder.parent / str(served.version) / GEOMETRY
                return outlines_of(self._database, served, geometry, frame)
        return lambda _: None

    def keep_checkin(self, report: bytes, counts: dict[str, int]) -> None:
        """Keep the check-in report with this version; `counts` are its findings by severity."""
        write_whole(self.folder / CHECKIN, report)
        self.checkin = counts

    def publish(
        self,
        layer: Layer,
        tileset: TilesetSummary,
        receipt: Receipt,
        also: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        """Serve this version from now on; `also` joins the same transaction."""
        for folder in (self.content, self.folder, self.folder.parent, self.folder.parent.parent):
            make_durable(folder)
        summary = self._tally.summary(layer, tileset, self.checkin)
        with self._database.transaction() as connection:
            publish_version(
                connection, self.layer_id, self.version, layer.title, summary, receipt, self.said
            )
            if also is not None:
                also(connection)
        self.published = True


@contextmanager
def drafted(
    database: Database, root: Path, layer_id: str, title: str, keep: int, progress: Progress
) -> Iterator[Draft]:
    """Build a version of a layer under the layer's lock.

    `root` is the city's folder of layers. Whatever the block does, afterwards only published
    versions, the `keep` of them that came into service last, and the contents they name are left.
    """
    with locked(_lock_file(root, layer_id), progress):
        layers = LayerStore(database)
        _sweep(layers, root, layer_id, keep)
        draft = Draft(database, root, layer_id, layers.begin(layer_id, title))
        try:
            yield draft
        finally:
            _sweep(layers, root, layer_id, keep)


def sweep_unfinished(database: Database, root: Path, keep: int) -> None:
    """Clear away what builders that died have left; those that live hold their layer's lock."""
    layers = LayerStore(database)
    for layer_id in {layer for layer, _ in layers.unfinished()}:
        with locked_if_free(_lock_file(root, layer_id)) as free:
            if free:
                _sweep(layers, root, layer_id, keep)


def remove_layer(database: Database, root: Path, layer_id: str) -> None:
    """Forget a layer and delete its files; raises `NotFound`."""
    layers = LayerStore(database)
    layers.get(layer_id)
    with locked(_lock_file(root, layer_id)):
        layers.remove(layer_id)
        shutil.rmtree(root / layer_id, ignore_errors=True)


def _lock_file(root: Path, layer_id: str) -> Path:
    """One builder per layer at a time, in all processes of this machine."""
    return root.parent / ".locks" / f"{layer_id}.lock"


def _sweep(layers: LayerStore, root: Path, layer_id: str, keep: int) -> None:
    """Remove dead drafts, versions beyond `keep`, and everything no kept version names.

    After a roll-back the version rolled back to counts as the newest: the import that replaces it
    must not take away what one would roll back to.
    """
    for layer, version in layers.unfinished():
        if layer == layer_id:
            layers.discard(layer, version)
    kept: list[int] = []
    if any(item.layer == layer_id for item in layers.current()):
        for version in layers.last_served(layer_id)[keep:]:
            layers.discard(layer_id, version)
        kept = [item.version for item in layers.versions(layer_id)]
    folder = root / layer_id
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for entry in folder.iterdir():
        if entry.name != CONTENT and entry.name not in {str(version) for version in kept}:
            shutil.rmtree(entry)
    named = {name for version in kept for name in contents_of(folder / str(version) / TILESET)}
    for entry in (folder / CONTENT).iterdir():
        if entry.name.removesuffix(".gz") not in named:
            entry.unlink()


def contents_of(tileset: Path) -> Iterable[str]:
    """The file names of the contents a tileset.json names."""
    if not tileset.is_file():  # lost on disk: nothing of that version can be served any more
        return
    stack = [json.loads(tileset.read_bytes())["root"]]
    while stack:
        tile = stack.pop()
        if "content" in tile:
            yield tile["content"]["uri"].rsplit("/", 1)[-1]
        stack.extend(tile.get("children", ()))
