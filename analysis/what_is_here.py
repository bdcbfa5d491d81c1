"""What is here: all that a place touches, across all layers."""

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import model_validator

from analysis.analysis import Analysis, Answer, Output, Text, parameter
from cim_core.cell_grid import counted
from cim_core.cells import FINEST, Cells, cell_named, cell_polygon, cells_of
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.store.feature_places import Candidates
from cim_core.table import Column, Table
from cim_core.vicinity import box_around, laid_flat

_FARTHEST = 20_000.0
_MOST = 10_000

_LAYER = Column("layer", {"en": "Layer", "zh": "图层"}, "text")
_CLASS = Column("class", {"en": "Class", "zh": "类别"}, "text")
_COUNT = Column("count", {"en": "Count", "zh": "数量"}, "integer")
_FEATURE = (
    _LAYER,
    Column("id", {"en": "Id", "zh": "标识"}, "text"),
    _CLASS,
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("bottom", {"en": "Bottom", "zh": "底部高程"}, "number", "m"),
    Column("top", {"en": "Top", "zh": "顶部高程"}, "number", "m"),
    Column("bbox", {"en": "Extent", "zh": "范围"}, "box"),
)


class WhatIsHere(Analysis):
    """Everything that touches a point, a shape, a circle or a cell, whichever layer has it.

    The exact outline of a feature decides, and touching is enough. Heights are those of the
    feature's box.
    """

    name: ClassVar[str] = "what-is-here"
    title: ClassVar[Text] = {"en": "What is here", "zh": "此处有什么"}
    description: ClassVar[Text] = {
        "en": "All features of all layers that touch a place, with counts by layer, class and H3 cell.",
        "zh": "查询与指定位置相交的所有图层要素，并按图层、类别和 H3 网格统计数量。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "features": {"en": "Features", "zh": "要素"},
        "layers": {"en": "Count by layer", "zh": "按图层统计"},
        "classes": {"en": "Count by class", "zh": "按类别统计"},
        "cells": {"en": "Count by cell", "zh": "按网格统计"},
    }

    place: dict[str, Any] | None = parameter(
        None,
        {"en": "Place", "zh": "位置"},
        {
            "en": "A point, a line or an area: a GeoJSON geometry.",
            "zh": "点、线或面（GeoJSON 几何）。",
        },
        format="geojson-geometry",
        geometries=("Point", "Polygon"),
    )
    radius: float = parameter(
        0.0,
        {"en": "Radius", "zh": "半径"},
        {"en": "How far around a point; 0 for the point alone.", "zh": "点周围的距离；0 表示仅该点。"},
        unit="m", ge=0, le=_FARTHEST,
    )  # fmt: skip
    cell: str | None = parameter(
        None,
        {"en": "Cell", "zh": "网格"},
        {"en": "An H3 cell instead of a place.", "zh": "以 H3 网格代替位置。"},
        format="h3-cell",
    )
    bottom: float | None = parameter(
        None,
        {"en": "From height", "zh": "最低高程"},
        {"en": "Only what reaches above this height.", "zh": "仅查询高于此高程的部分。"},
        unit="m", allow_inf_nan=False,
    )  # fmt: skip
    top: float | None = parameter(
        None,
        {"en": "To height", "zh": "最高高程"},
        {"en": "Only what begins below this height.", "zh": "仅查询低于此高程的部分。"},
        unit="m", allow_inf_nan=False,
    )  # fmt: skip
    layers: tuple[str, ...] = parameter(
        (),
        {"en": "Layers", "zh": "图层"},
        {
            "en": "Only these layers; all if none is named.",
            "zh": "仅查询这些图层；不填则查询全部。",
        },
        format="layer-id",
    )
    resolution: int = parameter(
        11,
        {"en": "Resolution", "zh": "网格级别"},
        {"en": "Of the cells that are counted by.", "zh": "统计所用 H3 网格的级别。"},
        ge=0, le=FINEST,
    )  # fmt: skip
    limit: int = parameter(
        100,
        {"en": "Features at once", "zh": "每页要素数"},
        {"en": "How many features are listed; all are counted.", "zh": "列出的要素数量；统计不受此限制。"},
        ge=1, le=_MOST,
    )  # fmt: skip
    after: str | None = parameter(
        None,
        {"en": "After", "zh": "续页位置"},
        {"en": "Where the page before ended.", "zh": "上一页结束的位置。"},
        format="cursor",
    )

    @model_validator(mode="after")
    def _one_place(self) -> "WhatIsHere":
        if (self.place is None) == (self.cell is None):
            raise InvalidInput("a place or a cell is needed, and not both; give one of them")
        if self.bottom is not None and self.top is not None and self.bottom > self.top:
            raise InvalidInput(
                f"no height lies between {self.bottom} and {self.top}; give the lower one as bottom"
            )
        if self.after is not None and ":" not in self.after:
            raise InvalidInput(
                f"after={self.after} does not say where a page ended; give what the page before has "
                "as next"
            )
        self._where()
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The features that touch the place, page by page, and how many there are in all.

        Raises `NotFound` for a layer that is not there.
        """
        where = self._where()
        versions = [city.layers.get(layer) for layer in self.layers] or city.layers.current()
        found = _Found(self.after, self.limit)
        expected = sum(version.summary["features"] for version in versions)
        done = 0
        named = [(version.layer, version.version) for version in versions]
        for some in city.feature_places.candidates(where.box, named, (self.bottom, self.top)):
            found.add(some, where.touched(some.shapes), where)
            done += len(some.ids)
            progress(min(done, expected), expected, "looking")
        rows = city.feature_places.by_key([key for _, _, key in found.page])
        titles = {version.layer: version.title for version in versions}
        outputs: dict[str, Output] = {
            "features": Table(
                _FEATURE,
                tuple(
                    (
                        row.layer, row.feature.id, row.feature.feature_class, row.feature.name,
                        row.zmin, row.zmax, list(row.bbox) if row.bbox else None,
                    )
                    for row in rows
                ),
                found.next,
            ),
            "layers": Table(
                (_LAYER, Column("title", {"en": "Title", "zh": "名称"}, "text"), _COUNT),
                tuple((layer, titles[layer], count) for layer, count in found.by_layer()),
            ),
            "classes": Table(
                (_LAYER, _CLASS, _COUNT),
                tuple((*known, count) for known, count in sorted(found.classes.items())),
            ),
            "cells": counted(found.all_cells(), self.resolution),
        }  # fmt: skip
        return Answer(outputs, tuple(versions))

    def _where(self) -> "_Where":
        if self.cell is not None:
            return _Where(cell_polygon(cell_named(self.cell)))
        shape = _shape(self.place or {})
        if self.radius == 0:
            return _Where(shape)
        if shape.geom_type != "Point":
            raise InvalidInput("a radius goes with a point; leave it out, or give a point")
        return _Where(shape, self.radius)


@dataclass(frozen=True)
class _Where:
    """The place: a shape in longitude and latitude, or all within `radius` metres of a point."""

    shape: shapely.Geometry
    radius: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        west, south, east, north = self.shape.bounds
        return box_around(west, south, self.radius) if self.radius else (west, south, east, north)

    def touched(self, shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which shapes, (n,), touch the place."""
        touched: NDArray[np.bool_]
        if self.radius:
            flat = laid_flat(shapes, self.shape.x, self.shape.y)
            touched = shapely.dwithin(flat, shapely.Point(0.0, 0.0), self.radius)
        else:
            shapely.prepare(self.shape)
            touched = shapely.intersects(self.shape, shapes)
        return touched

    def middles(self, shapes: NDArray[np.object_]) -> Floats:
        """A point, (n, 2) degrees, of each shape, (n,), that lies in the place as well."""
        points: Floats = shapely.get_coordinates(shapely.point_on_surface(shapes))
        area = self._circle() if self.radius else self.shape
        shapely.prepare(area)
        out = ~shapely.intersects_xy(area, points)
        if out.any():
            parts = shapely.intersection(shapely.force_2d(shapes[out]), area)
            inner = shapely.point_on_surface(np.where(shapely.is_empty(parts), shapes[out], parts))
            points[out] = shapely.get_coordinates(inner)
        return points

    def _circle(self) -> shapely.Geometry:
        west, south, east, north = box_around(self.shape.x, self.shape.y, self.radius)
        circle = shapely.Point(0, 0).buffer(1.0, quad_segs=32)
        return shapely.affinity.translate(
            shapely.affinity.scale(circle, (east - west) / 2, (north - south) / 2, origin=(0, 0)),
            self.shape.x, self.shape.y,
        )  # fmt: skip


@dataclass
class _Found:
    """What was found so far: counts of all, and the first of those that follow `after`."""

    after: str | None
    limit: int
    classes: Counter[tuple[str, str]] = field(default_factory=Counter)
    cells: list[Cells] = field(default_factory=list)
    first: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, some: Candidates, touched: NDArray[np.bool_], where: _Where) -> None:
        rows = np.flatnonzero(touched).tolist()
        if not rows:
            return
        self.classes.update((some.layers[row], some.classes[row]) for row in rows)
        self.cells.append(cells_of(where.middles(some.shapes[rows]), FINEST))
        begin = tuple(self.after.split(":", 1)) if self.after else ("", "")
        further = [
            (some.layers[row], some.ids[row], int(some.fids[row]))
            for row in rows
            if (some.layers[row], some.ids[row]) > begin
        ]
        self.first = heapq.nsmallest(self.limit + 1, [*self.first, *further])

    @property
    def page(self) -> list[tuple[str, str, int]]:
        return self.first[: self.limit]

    @property
    def next(self) -> str | None:
        if len(self.first) <= self.limit:
            return None
        layer, item, _ = self.page[-1]
        return f"{layer}:{item}"

    def by_layer(self) -> list[tuple[str, int]]:
        counts: Counter[str] = Counter()
        for (layer, _), count in self.classes.items():
            counts[layer] += count
        return sorted(counts.items())

    def all_cells(self) -> Cells:
        return np.concatenate([np.empty(0, np.uint64), *self.cells])


def _shape(place: Mapping[str, Any]) -> shapely.Geometry:
    """A GeoJSON geometry, or the one of a GeoJSON feature."""
    geometry = place.get("geometry", place)
    try:
        shape = shapely.geometry.shape(geometry)
        west, south, east, north = shape.bounds
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise _no_place() from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _no_place()
    if not shape.is_valid:
        raise InvalidInput(
            f"the place crosses itself ({shapely.is_valid_reason(shape)}); draw it without that"
        )
    return shapely.force_2d(shape)


def _no_place() -> InvalidInput:
    return InvalidInput(
        "the place is not a GeoJSON geometry in longitude and latitude; give a Point, a LineString "
        "or a Polygon with its coordinates"
    )
