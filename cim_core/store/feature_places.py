"""Features by where they are: what is nearest, and what a box may hold, over all layers."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.sight import EVERYTHING, Part, Sight
from cim_core.store.conditions import seen_rows
from cim_core.store.database import Database
from cim_core.store.features import COLUMNS, FeatureRow, feature_rows
from cim_core.store.geopackage import decode_all
from cim_core.vicinity import FARTHEST, box_around, distances

_AT_ONCE = 5000
_FIRST_REACH = 20.0

Box = tuple[float, float, float, float]
"""west, south, east, north, degrees."""

_IN_BOX = (
    "FROM rtree_feature_boxes b CROSS JOIN features f ON f.fid = b.fid"
    " WHERE b.east >= ? AND b.west <= ? AND b.north >= ? AND b.south <= ? AND f.body = 1"
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Some of the features a box may hold: their keys, layers, ids, classes and shapes, each (n,)."""

    fids: NDArray[np.int64]
    layers: tuple[str, ...]
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    shapes: NDArray[np.object_]


class FeaturePlaces:
    """Reading the features of a city by where they are."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight

    def nearest(
        self, layer: str, version: int, lon: float, lat: float, limit: int
    ) -> list[tuple[FeatureRow, float]]:
        """The features nearest to a place with their distances in metres, at most 100 km away."""
        connection = self._database.connection
        seen, values = seen_rows(self._sight.part(layer))
        reach = _FIRST_REACH
        while reach < FARTHEST and not self._holds(box_around(lon, lat, reach), limit):
            reach = min(reach * 1.5, FARTHEST)
        while True:
            found = connection.execute(
                f"SELECT f.fid, f.geom {_IN_BOX} AND f.layer = ? AND f.version = ?{seen}",
                (*_sides(box_around(lon, lat, reach)), layer, version, *values),
            ).fetchall()
            away = distances(decode_all(row[1] for row in found), lon, lat)
            order = np.argsort(away, kind="stable")[:limit]
            order = order[away[order] <= FARTHEST]
            enough = len(order) == limit
            if reach >= FARTHEST or (enough and away[order[-1]] <= reach):
                break
            reach = min(float(away[order[-1]]) + 1.0 if enough else reach * 4.0, FARTHEST)
        rows = self.by_key([int(found[index][0]) for index in order.tolist()])
        return list(zip(rows, away[order].tolist(), strict=True))

    def _holds(self, box: Box, count: int) -> bool:
        """Whether a box holds so many features of any layers, by their boxes."""
        found = self._database.connection.execute(
            "SELECT 1 FROM rtree_feature_boxes"
            " WHERE east >= ? AND west <= ? AND north >= ? AND south <= ? LIMIT ?",
            (*_sides(box), count),
        ).fetchall()
        return len(found) == count

    def candidates(
        self,
        box: Box,
        versions: Iterable[tuple[str, int]],
        heights: tuple[float | None, float | None] = (None, None),
    ) -> Iterator[Candidates]:
        """The features of versions of layers whose boxes meet a box, some thousand at a time.

        `heights` are the lowest and the highest that count, metres in the city's vertical datum.
        """
        asked = heights != (None, None)
        alike: dict[str, list[tuple[str, int]]] = {}
        areas: dict[str, Part] = {}
        for layer, version in versions:
            part = self._sight.part(layer)
            if asked and not part.heights:
                continue  # how high it lies is not told by asking for it either
            alike.setdefault(part.key, []).append((layer, version))
            areas[part.key] = part
        for key, some in alike.items():
            yield from self._candidates(box, some, heights, areas[key])

    def _candidates(
        self, box: Box, versions: Iterable[tuple[str, int]],
        heights: tuple[float | None, float | None], part: Part,
    ) -> Iterator[Candidates]:  # fmt: skip
        bottom, top = heights
        seen, values = seen_rows(part)
        rows = self._database.connection.execute(
            f"SELECT f.fid, f.layer, f.id, f.class, f.geom {_IN_BOX}"
            " AND f.layer || ':' || f.version IN (SELECT value FROM json_each(?))"
            f" AND (? IS NULL OR f.zmax >= ?) AND (? IS NULL OR f.zmin <= ?){seen}",
            (
                *_sides(box), json.dumps([f"{layer}:{version}" for layer, version in versions]),
                bottom, bottom, top, top, *values,
            ),
        )  # fmt: skip
        while portion := rows.fetchmany(_AT_ONCE):
            fids, layers, ids, classes, shapes = zip(*portion, strict=True)
            found = decode_all(shapes)
            flat = found if part.heights else shapely.force_2d(found)
            yield Candidates(np.array(fids, np.int64), layers, ids, classes, flat)

    def by_key(self, keys: list[int]) -> list[FeatureRow]:
        """Features by the keys of their rows, in the order given."""
        rows = self._database.connection.execute(
            f"SELECT {COLUMNS} FROM json_each(?) k CROSS JOIN features f ON f.fid = k.value"
            " ORDER BY k.key",
            (json.dumps(keys),),
        )
        return feature_rows(rows.fetchall(), self._sight)


def _sides(box: Box) -> Box:
    """In the order in which the R*Tree is asked for them."""
    west, south, east, north = box
    return west, east, south, north
