"""Features in the registry: writing a version of a layer, and finding things in it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim_core.errors import NotFound
from cim_core.feature import Feature, Property, PropertySet, Value
from cim_core.sight import EVERYTHING, Part, Sight
from cim_core.store.conditions import like_pattern, property_condition, seen_rows
from cim_core.store.database import Database
from cim_core.store.geopackage import area_name, decode, decode_all, encode

_FEW = 50_000
"""A box that may hold more features is not looked up in the R*Tree: all of them would be read."""

_AT_ONCE = 1000

COLUMNS = (
    "f.geom, f.layer, f.version, f.id, f.class, f.name, f.parent, f.zmin, f.zmax, f.attributes,"
    " f.property_sets, f.shaped"
)
"""What `feature_rows` makes features of."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a feature lies.

    footprint
        Its outline seen from above, longitude and latitude; None without geometry.
    bbox
        west, south, bottom, east, north, top: degrees and metres in the city's vertical datum.
    cells
        Its H3 cover, (n,) uint64.
    """

    footprint: shapely.Geometry | None
    bbox: tuple[float, float, float, float, float, float] | None
    cells: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature as the registry answers it, without its geometry in the layer's frame."""

    layer: str
    version: int
    feature: Feature
    footprint: shapely.Geometry | None
    zmin: float | None
    zmax: float | None

    @property
    def bbox(self) -> tuple[float, float, float, float, float, float] | None:
        """west, south, bottom, east, north, top; None without geometry."""
        if self.footprint is None or self.zmin is None or self.zmax is None:
            return None
        west, south, east, north = self.footprint.bounds
        return west, south, self.zmin, east, north, self.zmax


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for in a layer; every given part must hold.

    ids
        The ids it may have.
    bbox
        west, south, east, north in degrees.
    heights
        lowest and highest, metres.
    properties
        "Pset_WallCommon.IsExternal" (or an attribute's name) → its value as text.
    """

    bbox: tuple[float, float, float, float] | None = None
    heights: tuple[float, float] | None = None
    feature_class: str | None = None
    storey: str | None = None
    text: str | None = None
    properties: Mapping[str, str] | None = None
    ids: tuple[str, ...] | None = None

    @property
    def all(self) -> bool:
        """Whether nothing is asked of a feature."""
        return self in (Query(), Query(properties={}))


def insert_features(
    connection: sqlite3.Connection,
    layer: str,
    version: int,
    features: Iterable[tuple[Feature, Extent]],
) -> None:
    """Write features of a version that is being built; nobody sees them before it is published."""
    for feature, extent in features:
        bottom_top = (extent.bbox[2], extent.bbox[5]) if extent.bbox else (None, None)
        cursor = connection.execute(
            "INSERT INTO features (geom, layer, version, id, class, name, parent, storey, body,"
            " zmin, zmax, cells, attributes, property_sets, shaped)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                encode(extent.footprint), layer, version, feature.id, feature.feature_class,
                feature.name, feature.parent, feature.attributes.get("storey"),
                1 if extent.bbox else 0, *bottom_top,
                extent.cells.astype("<u8").tobytes(), _dump(dict(feature.attributes)),
                _dump([_pset_to_plain(pset) for pset in feature.property_sets]),
                feature.shape is not None,
            ),
        )  # fmt: skip
        if extent.bbox is not None:
            west, south, _, east, north, _ = extent.bbox
            connection.execute(
                "INSERT INTO rtree_feature_boxes VALUES (?,?,?,?,?)",
                (cursor.lastrowid, west, east, south, north),
            )


def delete_features(connection: sqlite3.Connection, layer: str, version: int) -> None:
    """Forget a version's features."""
    connection.execute(
        "DELETE FROM rtree_feature_boxes WHERE fid IN"
        " (SELECT fid FROM features WHERE layer = ? AND version = ?)",
        (layer, version),
    )
    connection.execute("DELETE FROM features WHERE layer = ? AND version = ?", (layer, version))


class FeatureStore:
    """Reading the features of a city."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight

    def get(self, layer: str, version: int, feature_id: str) -> FeatureRow:
        """One feature by its id; raises `NotFound`."""
        seen, values = seen_rows(self._sight.part(layer))
        row = self._database.connection.execute(
            f"SELECT {COLUMNS} FROM features f WHERE layer = ? AND version = ? AND id = ?{seen}",
            (layer, version, feature_id, *values),
        ).fetchone()
        if row is None:
            raise NotFound(f"there is no feature {feature_id!r} in the layer {layer!r}")
        return feature_rows([row], self._sight)[0]

    def held_by(self, layer: str, version: int, parents: Sequence[str]) -> list[FeatureRow]:
        """The features with geometry that some features hold directly, in the order of their ids."""
        seen, values = seen_rows(self._sight.part(layer))
        rows = self._database.connection.execute(
            f"SELECT {COLUMNS} FROM features f WHERE layer = ? AND version = ? AND body = 1"
            f" AND parent IN (SELECT value FROM json_each(?)){seen} ORDER BY id",
            (layer, version, _dump(list(parents)), *values),
        )
        return feature_rows(rows.fetchall(), self._sight)

    def all(self, layer: str, version: int) -> Iterator[FeatureRow]:
        """Every feature of a version, those without geometry too, in the order of their ids."""
        seen, values = seen_rows(self._sight.part(layer))
        rows = self._database.connection.execute(
            f"SELECT {COLUMNS} FROM features f WHERE layer = ? AND version = ?{seen} ORDER BY id",
            (layer, version, *values),
        )
        while portion := rows.fetchmany(_AT_ONCE):
            yield from feature_rows(portion, self._sight)

    def without_properties(self, layer: str, version: int, query: Query) -> list[Feature]:
        """Features with geometry that match, in the order of their ids, without property sets.

        Property sets are most of what a feature weighs.
        """
        matching, values = self._matching(layer, version, query)
        rows = self._database.connection.execute(
            "SELECT f.id, f.class, f.name, f.parent, f.attributes, f.shaped,"
            f" iif(f.shaped, f.geom, NULL) AS geom {matching} ORDER BY f.id",
            values,
        ).fetchall()
        part = self._sight.part(layer)
        return [
            part.shown(
                Feature(
                    row["id"], row["class"], row["name"], row["parent"],
                    orjson.loads(row["attributes"]), shape=shape,
                )
            )
            for row, shape in zip(rows, decode_all(row["geom"] for row in rows), strict=True)
        ]  # fmt: skip

    def outlines(
        self, layer: str, version: int
    ) -> dict[str, tuple[shapely.Geometry, NDArray[np.uint64]]]:
        """The footprint and the H3 cover, (n,), of every feature with geometry, by id."""
        rows = self._database.connection.execute(
            "SELECT id, geom, cells FROM features WHERE layer = ? AND version = ? AND body = 1",
            (layer, version),
        )
        found = {row["id"]: (decode(row["geom"]), row["cells"]) for row in rows}
        return {
            feature: (footprint, np.frombuffer(cells, "<u8").astype(np.uint64))
            for feature, (footprint, cells) in found.items()
            if footprint is not None
        }

    def bottoms(self, layer: str, version: int, storey: str) -> list[float]:
        """How high the elements of a storey begin, metres above the city's datum."""
        seen, values = seen_rows(self._sight.part(layer))
        rows = self._database.connection.execute(
            "SELECT zmin FROM features f"
            f" WHERE layer = ? AND version = ? AND storey = ? AND body = 1{seen}",
            (layer, version, storey, *values),
        )
        return [float(row[0]) for row in rows]

    def find(
        self, layer: str, version: int, query: Query, *, after: str | None, limit: int
    ) -> list[FeatureRow]:
        """Features with geometry that match, in the order of their ids, from after `after` on."""
        matching, values = self._matching(layer, version, query)
        if after is not None:
            matching += " AND f.id > ?"
            values.append(after)
        rows = self._database.connection.execute(
            f"SELECT {COLUMNS} {matching} ORDER BY f.id LIMIT ?", (*values, limit)
        )
        return feature_rows(rows.fetchall(), self._sight)

    def count(self, layer: str, version: int, query: Query) -> int:
        """How many features `find` would give in all."""
        matching, values = self._matching(layer, version, query)
        row = self._database.connection.execute(f"SELECT COUNT(*) {matching}", values).fetchone()
        return int(row[0])

    def search(self, text: str, limit: int) -> list[FeatureRow]:
        """Features of all layers' current versions by name or id; exact ids first, then prefixes."""
        pattern = like_pattern(text)
        seen, areas = self._seen_layers()
        rows = self._database.connection.execute(
            f"SELECT {COLUMNS} FROM features f JOIN layers l ON l.id = f.layer AND l.version = f.version"
            f" WHERE f.body = 1 AND {seen} AND (f.id = :text OR f.id LIKE :pattern ESCAPE '\\'"
            "  OR f.name LIKE :pattern ESCAPE '\\'"
            "  OR f.attributes ->> 'long_name' LIKE :pattern ESCAPE '\\')"
            " ORDER BY (f.id = :text) DESC, (f.name LIKE :prefix ESCAPE '\\') DESC, f.name, f.id"
            " LIMIT :limit",
            {
                "text": text, "pattern": f"%{pattern}%", "prefix": f"{pattern}%", "limit": limit,
                **areas,
            },
        )  # fmt: skip
        return feature_rows(rows.fetchall(), self._sight)

    def _seen_layers(self) -> tuple[str, dict[str, str]]:
        """The condition of what is seen over all layers, the features being `f`."""
        parts = self._sight.parts
        if parts is None:
            return "1", {}
        free = [layer for layer, part in parts.items() if part.area is None]
        values = {"free": _dump(free)}
        some = []
        for number, (layer, part) in enumerate(parts.items()):
            if part.area is not None:
                values |= {f"layer{number}": layer, f"area{number}": area_name(part.area)}
                some.append(f" OR f.layer = :layer{number} AND touches_area(:area{number}, f.geom)")
        return f"(f.layer IN (SELECT value FROM json_each(:free)){''.join(some)})", values

    def _matching(self, layer: str, version: int, query: Query) -> tuple[str, list[str | float]]:
        """FROM and WHERE of what a query finds, the features being `f`, and their values."""
        where, values = _conditions(layer, version, query, self._sight.part(layer))
        meets = "meets_box(f.geom, ?, ?, ?, ?)"
        if query.bbox is None:
            return f"FROM features f INDEXED BY features_in_order WHERE {where}", values
        if not self._holds_few(query.bbox):
            return (
                f"FROM features f INDEXED BY features_in_order WHERE {where} AND {meets}",
                [*values, *query.bbox],
            )
        west, south, east, north = query.bbox
        sides = (west, east, south, north)
        # CROSS JOIN makes SQLite begin with the R*Tree; by itself it prefers the index.
        return (
            "FROM rtree_feature_boxes b CROSS JOIN features f ON f.fid = b.fid WHERE b.east >= ?"
            " AND b.west <= ? AND b.north >= ? AND b.south <= ? AND (b.west >= ? AND b.east <= ?"
            f" AND b.south >= ? AND b.north <= ? OR {meets}) AND {where}",
            [*sides, *sides, *query.bbox, *values],
        )

    def _holds_few(self, box: tuple[float, float, float, float]) -> bool:
        """Whether it is quicker to look at all that a box holds than at one feature after another."""
        west, south, east, north = box
        row = self._database.connection.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM rtree_feature_boxes"
            " WHERE east >= ? AND west <= ? AND north >= ? AND south <= ? LIMIT ?)",
            (west, east, south, north, _FEW),
        ).fetchone()
        return int(row[0]) < _FEW


def _conditions(
    layer: str, version: int, query: Query, seen: Part
) -> tuple[str, list[str | float]]:
    parts = ["f.layer = ?", "f.version = ?", "f.body = 1"]
    values: list[str | float] = [layer, version]
    if seen.area is not None:
        parts.append("touches_area(?, f.geom)")
        values.append(area_name(seen.area))
    if (query.heights is not None and not seen.heights) or any(
        map(seen.hides, query.properties or ())
    ):
        parts.append("0")  # what is not shown is not told by asking for it either
    if query.heights is not None:
        parts.append("f.zmax >= ? AND f.zmin <= ?")
        values += query.heights
    if query.ids is not None:
        parts.append("f.id IN (SELECT value FROM json_each(?))")
        values.append(_dump(list(query.ids)))
    if query.feature_class is not None:
        parts.append("f.class = ?")
        values.append(query.feature_class)
    if query.storey is not None:
        parts.append("f.storey = ?")
        values.append(query.storey)
    if query.text:
        parts.append("(f.name LIKE ? ESCAPE '\\' OR f.id LIKE ? ESCAPE '\\')")
        values += [f"%{like_pattern(query.text)}%"] * 2
    for name, value in (query.properties or {}).items():
        condition, extra = property_condition(name, value)
        parts.append(condition)
        values += extra
    return " AND ".join(parts), values


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pset_to_plain(pset: PropertySet) -> dict[str, Value]:
    return {
        "name": pset.name,
        "kind": pset.kind,
        "properties": [
            {"name": item.name, "value": item.value, "unit": item.unit} for item in pset.properties
        ],
    }


def feature_rows(rows: Sequence[sqlite3.Row], sight: Sight = EVERYTHING) -> list[FeatureRow]:
    """Rows of the columns `COLUMNS` as features, with what is shown of them."""
    found = _feature_rows(rows)
    if sight.parts is None:
        return found
    return [_shown(row, sight.part(row.layer)) for row in found]


def _shown(row: FeatureRow, part: Part) -> FeatureRow:
    if part.whole:
        return row
    bottom, top = (row.zmin, row.zmax) if part.heights else (None, None)
    return replace(row, feature=part.shown(row.feature), zmin=bottom, zmax=top)


def _feature_rows(rows: Sequence[sqlite3.Row]) -> list[FeatureRow]:
    shapes = decode_all(row[0] for row in rows)
    outlines = shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes
    return [
        FeatureRow(
            layer, version,
            Feature(
                item, kind, name, parent, orjson.loads(attributes),
                () if psets == "[]" else _psets(psets), (), shape if shaped else None,
            ),
            flat, bottom, top,
        )
        for (
            _, layer, version, item, kind, name, parent, bottom, top, attributes, psets, shaped
        ), shape, flat in zip(rows, shapes, outlines, strict=True)
    ]  # fmt: skip


def _psets(text: str) -> tuple[PropertySet, ...]:
    return tuple(
        PropertySet(
            pset["name"],
            pset["kind"],
            tuple(Property(p["name"], p["value"], p["unit"]) for p in pset["properties"]),
        )
        for pset in orjson.loads(text)
    )
