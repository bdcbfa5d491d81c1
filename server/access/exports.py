"""The export guard: how much contiguous ground of protected layers one person takes out.

Protected is what is not public, and what is as detailed as a large-scale map. Files, pages of
features, answers of analyses and fine tiles count alike, in one sum for each person.
"""

import csv
import io
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
import shapely
from starlette.types import Scope

from cim_core.areas_exported import RESOLUTION, growth
from cim_core.cells import Cells, cells_of, parents, resolutions, touched
from cim_core.city import City
from cim_core.errors import Forbidden
from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.sight import WHOLE_KINDS
from cim_core.store.feature_cells import FeatureCells
from cim_core.store.labels import Label
from cim_core.store.layers import LayerVersion
from server.access.notes import Note, note_of
from server.access.person import Person
from server.access.policy import Limits
from tiles.mercator import MapTile
from tiles.places import read_places, terrain_outline

Wanted = Mapping[tuple[str, int], Sequence[str] | None]
"""Ids of features by their layer and version; None for all there are."""

_LARGE_SCALE = 5000 * 0.00028
"""Metres on the ground of a pixel of 0.28 mm on a map of 1:5,000: what is finer is large-scale."""

_STEPS = {"mvt": 4096}
"""How many places a tile tells apart from one side to the other; a picture 256."""

_HARMLESS = {".json", ".subtree", ".png", ".jpg", ".jpeg", ".webp", ".ktx2", ".basis", ".xml"}
"""Files of a version that show no places by themselves: trees of tiles, and pictures put on models."""

TILESET = "tileset.json"

_LABELS_SECONDS = 1.0
_PEOPLE = 256
_TILESETS = 8
_TILES = 4096


class ExportGuard:
    """Counts what each person takes out, and refuses what is more than the policy allows.

    Those on this machine in a city without a policy have the city's folder anyway: they are not
    counted. Whoever is not known counts by address.
    """

    def __init__(self, city: City, limits: Callable[[], Limits]) -> None:
        self._city = city
        self._limits = limits
        self._lock = Lock()
        self._taken: OrderedDict[str, Cells] = OrderedDict()
        self._protected: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._places = kept(_TILESETS)(read_places)
        self._of_tile = kept(_TILES)(self._tile_cells)
        self._of_map_tile = kept(_TILES)(self._map_tile_cells)

    def protects(self, label: Label) -> bool:
        """Whether what is taken out of a layer counts."""
        return label.sensitivity != "public" or label.cim_level >= self._limits().large_scale_from

    def counts(self, person: Person, layer: str) -> bool:
        """Whether what a person takes out of a layer counts."""
        if person.via == "loopback":
            return False
        until, protected = self._protected
        if monotonic() > until:
            labels = self._city.layers.labels()
            protected = frozenset(label.layer for label in labels if self.protects(label))
            self._protected = monotonic() + _LABELS_SECONDS, protected
        return layer in protected

    def take(self, person: Person, wanted: Wanted, note: Note) -> None:
        """Count features, all or none of them; raises `Forbidden`."""
        cells = [
            self._features(filled=False).of(layer, version, ids)
            for (layer, version), ids in wanted.items()
            if self.counts(person, layer)
        ]
        if cells:
            self._take(person, np.unique(np.concatenate(cells)), note)

    def take_file(self, scope: Scope, layer: str, path: Path) -> None:
        """Count a file of a layer that a request is to be answered with; raises `Forbidden`."""
        person: Person = scope["state"]["person"]
        if scope["method"] == "HEAD" or path.suffix.lower() in _HARMLESS:
            return
        if self.counts(person, layer) and path.is_file():
            self._take(person, self._of_tile(layer, path), note_of(scope))

    def take_places(self, person: Person, layer: str, lon_lat: Floats, note: Note) -> None:
        """Count places in a layer, (n, 2) degrees; raises `Forbidden`."""
        if self.counts(person, layer):
            self._take(person, np.unique(cells_of(lon_lat, RESOLUTION)), note)

    def take_cells(self, person: Person, layers: Iterable[str], cells: Cells, note: Note) -> None:
        """Count cells, (n,), in which there is something of some layers; raises `Forbidden`."""
        fine = cells[resolutions(cells) > RESOLUTION]
        if len(fine) and any(self.counts(person, layer) for layer in layers):
            self._take(person, np.unique(parents(fine, RESOLUTION)), note)

    def take_lines(self, person: Person, lines: Sequence[shapely.Geometry], note: Note) -> None:
        """Count the ground along lines that belong to no layer and are not public, degrees.

        Raises `Forbidden`.
        """
        if person.via != "loopback" and lines:
            self._take(person, touched(lines, RESOLUTION), note)

    def take_map_tile(
        self, person: Person, known: LayerVersion, tile: MapTile, ending: str, note: Note
    ) -> None:
        """Count a map tile, if it is of a large scale; raises `Forbidden`.

        Shapes of what is sensitive count at any scale: a vector tile leaves no point out, and names
        each.
        """
        large = tile.metres() / _STEPS.get(ending, 256) <= _LARGE_SCALE
        named = ending == "mvt" and known.about.sensitivity == "sensitive"
        if (large or named) and self.counts(person, known.layer):
            self._take(person, self._of_map_tile(known.layer, known.version, tile), note)

    def _features(self, *, filled: bool) -> FeatureCells:
        limit = self._limits().export_km2
        return FeatureCells(self._city.database, RESOLUTION, limit, filled=filled)

    def _map_tile_cells(self, layer: str, version: int, tile: MapTile) -> Cells:
        kind = self._city.layers.version(layer, version).summary.get("kind")
        return self._features(filled=kind in WHOLE_KINDS).in_box(layer, version, tile.box())

    def _tile_cells(self, layer: str, path: Path) -> Cells:
        if path.suffix == ".terrain":
            z, x, y = (int(part) for part in path.with_suffix("").parts[-3:])
            outline = terrain_outline(path.parents[2], z, x, y)
            box = self._city.layers.version(layer, int(path.parents[4].name)).summary["bbox"]
            if outline is None or box is None:
                return touched([], RESOLUTION)
            # Tiles of the coarsest level lie half around the earth; what is there is the layer.
            shown = outline & shapely.box(box[0], box[1], box[3], box[4])
            return touched([] if shown.is_empty else [shown], RESOLUTION)
        versions = [known.version for known in self._city.layers.versions(layer)]
        for version in versions:
            tileset = self._city.layers_folder / layer / str(version) / TILESET
            outlines = self._places(tileset).of(path) if tileset.is_file() else None
            if outlines is not None:
                return touched(outlines, RESOLUTION)
        # A whole raster, or a tile that no tree names: it may show anything of the layer.
        return self._features(filled=True).of(layer, versions[0])

    def _take(self, person: Person, cells: Cells, note: Note) -> None:
        account = _account(person)
        with self._lock:
            had = self._had(account)
            new = np.setdiff1d(cells, had)
            if len(new) == 0:
                return

            def allowed(taken: Cells) -> None:
                self._allow(np.setdiff1d(taken, new), new, note)

            self._city.office.exported.add(account, new, note.export or "", allowed)
            self._taken[account] = np.union1d(had, new)

    def _allow(self, taken: Cells, new: Cells, note: Note) -> None:
        limit = self._limits().export_km2
        found = growth(taken, new)
        if found.after <= limit:
            return
        note.detail |= {
            "taken_km2": round(found.before, 2), "with_this_km2": round(found.after, 2),
            "limit_km2": limit,
        }  # fmt: skip
        raise Forbidden(
            f"you have taken {found.before:.1f} km² of contiguous protected data here and with this it "
            f"would be {found.after:.1f} km², where {limit:g} km² is the limit; ask the city's "
            "security administrator for more"
        )

    def _had(self, account: str) -> Cells:
        if account not in self._taken:
            self._taken[account] = self._city.office.exported.cells(account)
            while len(self._taken) > _PEOPLE:
                self._taken.popitem(last=False)
        self._taken.move_to_end(account)
        return self._taken[account]


def _account(person: Person) -> str:
    """Under what name somebody is counted: strangers by address, as far as one is given to a place.

    >>> from server.access.person import stranger
    >>> _account(stranger("192.0.2.7")), _account(stranger("2001:db8:1:2:3::4"))
    ('address 192.0.2.7', 'address 2001:db8:1:2::')
    """
    if person.id is not None:
        return person.id
    try:
        address = ip_address(person.address)
    except ValueError:  # a socket in the file system has none
        return "address"
    if address.version == 6:
        address = ip_network((address, 64), strict=False).network_address
    return f"address {address}"


def named_features(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """The ids of the features that the tables of an analysis name, by their layers.

    >>> rows = {"columns": [{"name": "layer"}, {"name": "id"}], "rows": [["water", "p1"]]}
    >>> named_features({"pipes": rows})
    {'water': ['p1']}
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for output in document.values():
        for header, rows in _tables(output):
            for layer, item in (("layer", "id"), ("other_layer", "other_id")):
                if layer in header and item in header:
                    at, which = header.index(layer), header.index(item)
                    for row in rows:
                        if row[at] and row[which]:
                            found[row[at]].append(row[which])
    return dict(found)


def _tables(output: Any) -> Iterator[tuple[list[str], list[Sequence[Any]]]]:
    """An output as a header and rows, if it is a table; one that is CSV already is read again."""
    if not isinstance(output, Mapping):
        return
    if "columns" in output and "rows" in output:
        yield [column["name"] for column in output["columns"]], output["rows"]
    elif output.get("mediaType") == "text/csv":
        header, *rows = csv.reader(io.StringIO(output["value"].removeprefix("\ufeff")))
        yield header, list(rows)
