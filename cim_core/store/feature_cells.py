"""Which cells of one size features lie in, whoever asks: what is counted of what is taken out."""

import json
from collections.abc import Sequence

import numpy as np
import shapely

from cim_core.cells import Cells, parents, resolutions, touched
from cim_core.store.database import Database
from cim_core.store.feature_places import Box
from cim_core.store.geopackage import decode_all

_DEGREE = 111.2
"""Kilometres of a degree of latitude."""


class FeatureCells:
    """Reads the cells of features, all of one resolution.

    Of an area larger than `at_most` km² it is the outline that lies in cells: a county's is no map of
    the county. Not so where features are `filled`, as the sheets of a raster are: then it is all of
    the area, in larger cells.
    """

    def __init__(
        self, database: Database, resolution: int, at_most: float, *, filled: bool
    ) -> None:
        self._database = database
        self._resolution = resolution
        self._at_most = at_most
        self._filled = filled

    def of(self, layer: str, version: int, ids: Sequence[str] | None = None) -> Cells:
        """The cells, (n,) sorted, of some features of a version, or of all."""
        some = "" if ids is None else " AND id IN (SELECT value FROM json_each(?))"
        values = [] if ids is None else [json.dumps(list(ids))]
        return self._cells(
            f"SELECT fid, cells FROM features WHERE layer = ? AND version = ?{some}",
            (layer, version, *values),
        )

    def in_box(self, layer: str, version: int, box: tuple[float, float, float, float]) -> Cells:
        """The cells, (n,) sorted, of the features in a box, degrees, as far as they touch it."""
        west, south, east, north = box
        found = self._cells(
            "SELECT f.fid, f.cells FROM rtree_feature_boxes b CROSS JOIN features f ON f.fid = b.fid"
            " WHERE b.east >= ? AND b.west <= ? AND b.north >= ? AND b.south <= ?"
            " AND f.layer = ? AND f.version = ?",
            (west, east, south, north, layer, version),
            box,
        )
        return np.intersect1d(found, touched([shapely.box(*box)], self._resolution))

    def _cells(
        self, sql: str, values: Sequence[str | int | float], box: Box | None = None
    ) -> Cells:
        rows = self._database.connection.execute(sql, values).fetchall()
        cells = np.frombuffer(b"".join(row[1] for row in rows), "<u8").astype(np.uint64)
        row = np.repeat(np.arange(len(rows)), [len(blob) // 8 for _, blob in rows])
        rough = resolutions(cells) < self._resolution
        fine = np.unique(parents(cells[~rough], self._resolution))
        large = [int(rows[index][0]) for index in np.unique(row[rough]).tolist()]
        return np.union1d(fine, self._exact(large, box)) if large else fine

    def _exact(self, fids: list[int], box: Box | None) -> Cells:
        """The cells of features whose covers are rougher than the resolution, by their shapes."""
        rows = self._database.connection.execute(
            "SELECT geom, cells FROM features WHERE fid IN (SELECT value FROM json_each(?))",
            (json.dumps(fids),),
        ).fetchall()
        shapes = decode_all(row["geom"] for row in rows)
        middles = shapely.bounds(shapes)[:, [1, 3]].mean(axis=1)
        size = shapely.area(shapes) * _DEGREE**2 * np.cos(np.radians(middles))
        vast = size > self._at_most
        if not self._filled:
            shapes[vast] = shapely.boundary(shapes[vast])
        if box is not None:
            shapes = shapely.clip_by_rect(shapes, *box)
        rough = np.flatnonzero(vast & self._filled & (box is None)).tolist()
        exact = touched(np.delete(shapes, rough).tolist(), self._resolution)
        covers = [np.frombuffer(rows[index]["cells"], "<u8") for index in rough]
        return np.unique(np.concatenate([exact, *covers]).astype(np.uint64))
