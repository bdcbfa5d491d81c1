"""What of a layer is drawn on a map tile: found by its box, without what is too small to see."""

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from cim_core.sight import EVERYTHING, Sight
from cim_core.store.conditions import seen_rows
from cim_core.store.database import Database
from cim_core.store.geopackage import decode_all


@dataclass(frozen=True, slots=True)
class Drawn:
    """Features of a box: the registry's own numbers, ids, classes, names, attributes and shapes."""

    numbers: list[int]
    ids: list[str]
    classes: list[str]
    names: list[str]
    attributes: list[dict[str, Any]]
    shapes: NDArray[np.object_]


class DrawnFeatures:
    """Reads features to be drawn."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight
        self._known: dict[tuple[str, int], tuple[int, int]] = {}

    def seen_by(self, sight: Sight) -> "DrawnFeatures":
        """The same with less to see; what it knows of versions is shared."""
        seen = DrawnFeatures(self._database, sight)
        seen._known = self._known
        return seen

    def in_box(
        self,
        layer: str,
        version: int,
        box: tuple[float, float, float, float],
        least: float,
        most: int,
    ) -> Drawn:
        """At most `most` features whose boxes touch a box (west, south, east, north, degrees).

        Lines and areas that are smaller than `least` degrees both ways are left out; points never.
        """
        west, south, east, north = box
        first, last = self._numbers(layer, version)
        part = self._sight.part(layer)
        seen, values = seen_rows(part)
        # Byte 42 of a blob is the kind of its geometry: point or multipoint, without or with height.
        rows: list[sqlite3.Row] = self._database.connection.execute(
            "SELECT f.fid, f.id, f.class, f.name, f.attributes, f.geom"
            " FROM rtree_feature_boxes r CROSS JOIN features f ON f.fid = r.fid"
            " WHERE r.east >= ? AND r.west <= ? AND r.north >= ? AND r.south <= ?"
            f" AND r.fid BETWEEN ? AND ? AND f.layer = ? AND f.version = ?{seen}"
            " AND (r.east - r.west >= ? OR r.north - r.south >= ?"
            "      OR substr(f.geom, 42, 1) IN (x'01', x'04', x'e9', x'ec')) LIMIT ?",
            (west, east, south, north, first, last, layer, version, *values, least, least, most),
        ).fetchall()
        return Drawn(
            [row["fid"] for row in rows],
            [row["id"] for row in rows],
            [row["class"] for row in rows],
            [row["name"] for row in rows],
            [
                {k: v for k, v in orjson.loads(row["attributes"]).items() if not part.hides(k)}
                for row in rows
            ],
            np.array(list(decode_all(row["geom"] for row in rows)), object),
        )

    def _numbers(self, layer: str, version: int) -> tuple[int, int]:
        """Between which of the registry's own numbers the features of a version lie.

        Most boxes of the tree are of other layers and versions; their features need not be read.
        """
        if (layer, version) not in self._known:
            row = self._database.connection.execute(
                "SELECT min(fid), max(fid) FROM features WHERE layer = ? AND version = ?",
                (layer, version),
            ).fetchone()
            self._known[layer, version] = (0, -1) if row[0] is None else (int(row[0]), int(row[1]))
        return self._known[layer, version]
