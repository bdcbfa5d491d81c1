"""How far one gets from places on the roads in some minutes, as a question with a receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.analysis import Analysis, Answer, Text, parameter
from analysis.checkup.loaded import load
from analysis.checkup.metric_plane import MetricPlane, plane_of
from analysis.reach.cells import minutes_by_cell
from analysis.reach.entrances import entrances
from analysis.reach.layer_roads import LayerRoads, layer_roads
from analysis.reach.rules import Mode, mode_rules, reach_table
from analysis.reach.service import (
    Joined,
    Reached,
    area_beside,
    joined,
    nearest_times,
    network_of,
    reached,
    ways_in,
)
from cim_core.cells import FINEST
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.sketch import Scale, Sketch, SketchClass, SketchShape
from cim_core.store.layers import LayerVersion
from cim_core.table import Column, Table

_MOST_PLACES = 10_000
"""Places to begin at; an area has one for every twenty metres of its edge. Each is drawn once for a band."""

_COLORS = ("#1a9850", "#91cf60", "#d9ef8b", "#fee08b", "#fc8d59", "#d73027")
_BANDS = (
    Column("band", {"en": "Band", "zh": "等时圈"}, "text"),
    Column("minutes", {"en": "Within", "zh": "时间"}, "number", "min"),
    Column("area", {"en": "Area", "zh": "覆盖面积"}, "number", "m2"),
    Column("added", {"en": "More than within less", "zh": "新增面积"}, "number", "m2"),
    Column("roads", {"en": "Roads", "zh": "可达道路长度"}, "number", "m"),
)
_SITES = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Site", "zh": "设施"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("joined", {"en": "On the network", "zh": "是否接入路网"}, "text"),
    Column("away", {"en": "From the road", "zh": "距道路"}, "number", "m"),
    Column("access", {"en": "To the road", "zh": "到达道路"}, "number", "min"),
)
_ABOUT = (
    Column("mode", {"en": "Mode", "zh": "出行方式"}, "text"),
    Column("pace", {"en": "Pace", "zh": "步行速度"}, "number", "m/min"),
    Column("spread", {"en": "Beside the roads", "zh": "道路两侧宽度"}, "number", "m"),
    Column("edges", {"en": "Parts of roads", "zh": "路段数"}, "integer"),
    Column("length", {"en": "Length", "zh": "路网长度"}, "number", "m"),
    Column("in_part", {"en": "Only some sites are shown", "zh": "设施仅部分可见"}, "text"),
    Column("off", {"en": "Sites off the network", "zh": "未接入路网的设施数"}, "integer"),
    Column("unreachable", {"en": "Never reached", "zh": "不可达道路长度"}, "number", "m"),
    Column("source", {"en": "Source", "zh": "依据"}, "text"),
    Column("confidence", {"en": "Confidence", "zh": "可信程度"}, "text"),
)


@dataclass(frozen=True, slots=True)
class _Sites:
    """Where it is asked from, and who they are: (s,) shapes in the plane."""

    shapes: NDArray[np.object_]
    named: list[tuple[str, str, str]]
    versions: tuple[LayerVersion, ...]


class Isochrone(Analysis):
    """What is within some minutes of places or facilities, on foot or driving."""

    name: ClassVar[str] = "isochrone"
    title: ClassVar[Text] = {"en": "Reach in minutes", "zh": "等时圈分析"}
    description: ClassVar[Text] = {
        "en": "How far one gets from a place, or from the nearest facility of a layer, on the roads in some minutes.",
        "zh": "沿路网计算从指定位置或最近设施出发，在若干分钟内步行或驾车可达的道路和范围。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "bands": {"en": "Within", "zh": "等时圈"},
        "sites": {"en": "Sites", "zh": "设施"},
        "cells": {"en": "Minutes by cell", "zh": "网格到达时间"},
        "drawing": {"en": "On the map", "zh": "图示"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    place: dict[str, Any] | None = parameter(
        None,
        {"en": "From", "zh": "位置"},
        {"en": "Where it is asked from: a GeoJSON Point.", "zh": "出发位置（GeoJSON 点）。"},
        format="geojson-geometry", geometries=("Point", "MultiPoint"),
    )  # fmt: skip
    sites: str | None = parameter(
        None,
        {"en": "Facilities", "zh": "设施图层"},
        {"en": "Or from all features of this layer.", "zh": "或以该图层的全部要素为出发点。"},
        format="layer-id",
    )
    kind: str | None = parameter(
        None,
        {"en": "Kind", "zh": "设施类别"},
        {
            "en": "Only those whose attribute kind, or whose class, is this.",
            "zh": "仅限属性 kind 或类别为该值的设施。",
        },
    )
    minutes: tuple[float, ...] = parameter(
        (5.0, 10.0, 15.0),
        {"en": "Minutes", "zh": "时间"},
        {"en": "Up to six, each above 0, at most 120.", "zh": "至多六个，每个大于 0 且不超过 120。"},
        unit="min", min_length=1, max_length=6,
    )  # fmt: skip
    mode: Mode = parameter(
        "walk",
        {"en": "Mode", "zh": "出行方式"},
        {"en": "On foot, or as a fire engine drives.", "zh": "步行，或按消防车行驶速度驾车。"},
    )
    roads: str = parameter(
        "roads",
        {"en": "Roads", "zh": "道路图层"},
        {"en": "The layer of road centre lines.", "zh": "道路中心线图层。"},
        format="layer-id",
    )
    towards: bool = parameter(
        False,
        {"en": "Towards", "zh": "反向"},
        {"en": "From where one gets to the places, instead.", "zh": "计算能够到达这些位置的范围。"},
        rare=True,
    )
    resolution: int | None = parameter(
        None,
        {"en": "Resolution", "zh": "网格级别"},
        {"en": "Of the cells; 10 if not given.", "zh": "H3 网格的级别；不填则为 10。"},
        ge=0, le=FINEST, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The bands, the sites and how they join the roads; raises `InvalidInput`, `NotFound`."""
        limits = sorted({*self.minutes})
        if not all(0 < limit <= 120 for limit in limits):
            raise InvalidInput("minutes: each is above 0 and at most 120; give such, as in 5,10,15")
        plane = plane_of(city)
        sites = self._sites(city, plane)
        roads = layer_roads(city, self.roads, plane)
        network = network_of(roads, self.mode)
        if not len(network.shapes):
            raise InvalidInput(
                f"the layer {self.roads!r} has no road that is open to the mode {self.mode}; name "
                "other roads, or another mode"
            )
        places, of = entrances(sites.shapes)
        if len(places) > _MOST_PLACES:
            raise InvalidInput(
                f"there are {len(places)} places to begin at, of which {_MOST_PLACES} are enough; name a kind of "
                "facilities, or fewer places"
            )
        at = joined(network, places)
        at = at.turned() if self.towards else at
        nearest = _nearest(at, of)
        times = nearest_times(at)
        parts = [reached(at, times, limit) for limit in limits]
        areas = []
        for number, (limit, part) in enumerate(zip(limits, parts, strict=True)):
            progress(number, len(limits), "areas")
            lines = [*part.parts, *ways_in(at, limit)]
            areas.append(area_beside(lines, mode_rules(self.mode).spread))
        resolution = self.resolution
        if resolution is None:
            resolution = int(reach_table()["cells"]["resolution"])
        return Answer(
            {
                "bands": Table(_BANDS, tuple(_bands(limits, areas, parts))),
                "sites": Table(_SITES, tuple(_rows(sites, at, nearest))),
                "cells": minutes_by_cell(parts[-1], plane, resolution),
                "drawing": _drawing(limits, areas, sites, plane),
                "about": Table(_ABOUT, (_about(at, times, nearest, sites),)),
            },
            _versions(roads, sites),
        )

    def _sites(self, city: City, plane: MetricPlane) -> _Sites:
        if (self.place is None) == (self.sites is None):
            raise InvalidInput("a place or the layer of facilities is needed, one of the two")
        if self.place is not None:
            points = plane.laid_out(shapely.get_parts(_place(self.place)))
            return _Sites(points, [("", f"{n + 1}", "") for n in range(len(points))], ())
        assert self.sites is not None
        version = city.layers.get(self.sites)
        loaded = load(city, version, plane)
        count = len(loaded.ids)
        chosen = ~shapely.is_empty(loaded.shapes)
        if self.kind is not None:
            known = (loaded.columns.get(name) for name in ("kind", "class"))
            words = [[None] * count if one is None else one.tolist() for one in known]
            chosen &= np.array([self.kind in pair for pair in zip(*words, strict=True)], bool)
        if not chosen.any() and self.kind is not None:
            raise InvalidInput(
                f"the layer {self.sites!r} has no feature of the kind {self.kind!r} with a place; "
                "name another kind"
            )
        if not chosen.any():
            raise InvalidInput(
                f"the layer {self.sites!r} has no feature with a place; name another layer"
            )
        ids, names = loaded.ids[chosen].tolist(), loaded.names[chosen].tolist()
        named = [(self.sites, one, name) for one, name in zip(ids, names, strict=True)]
        return _Sites(loaded.shapes[chosen], named, (version,))


def _place(given: Mapping[str, Any]) -> shapely.Geometry:
    try:
        shape = shapely.force_2d(shapely.geometry.shape(given.get("geometry", given)))
        west, south, east, north = shape.bounds
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        shape, west, south, east, north = shapely.Point(), 0.0, 0.0, 0.0, 0.0
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if shape.geom_type not in ("Point", "MultiPoint") or shape.is_empty or not inside:
        raise InvalidInput(
            "place is not a GeoJSON Point in longitude and latitude; give one with its coordinates"
        )
    return shape


def _bands(
    limits: list[float], areas: list[shapely.Geometry], parts: list[Reached]
) -> list[tuple[Value, ...]]:
    sizes = [round(float(area.area), 1) for area in areas]
    return [
        (
            _band(limit), limit, size, round(size - before, 1),
            round(float(shapely.length(part.parts).sum()), 1),
        )
        for limit, size, before, part in zip(limits, sizes, [0.0, *sizes[:-1]], parts, strict=True)
    ]  # fmt: skip


def _band(limit: float) -> str:
    """The id of a band in the drawing.

    >>> _band(5.0), _band(7.5)
    ('5-min', '7.5-min')
    """
    return f"{limit:g}-min"


def _nearest(at: Joined, of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the places by which each site is entered, `of` each its site, the one nearest to a road, (s,)."""
    order = np.lexsort((at.access, of))
    _, first = np.unique(of[order], return_index=True)
    found: NDArray[np.int64] = order[first]
    return found


def _rows(sites: _Sites, at: Joined, nearest: NDArray[np.int64]) -> list[tuple[Value, ...]]:
    road = np.where(at.far, 0, at.nodes)
    away = np.hypot(*(at.network.nodes[road] - at.places).T)
    return [
        (*named, "no", None, None)
        if at.far[row]
        else (*named, "yes", round(float(away[row]), 2), round(float(at.access[row]), 3))
        for row, named in zip(nearest.tolist(), sites.named, strict=True)
    ]


def _about(
    at: Joined, times: NDArray[np.float64], nearest: NDArray[np.int64], sites: _Sites
) -> tuple[Value, ...]:
    network, rules = at.network, mode_rules(at.network.mode)
    never = np.isinf(times[network.ends]).all(axis=1)
    return (
        network.mode, rules.pace or None, rules.spread, len(network.shapes),
        round(float(network.lengths.sum()), 1),
        "yes" if any(version.part.area is not None for version in sites.versions) else "no",
        int(np.count_nonzero(at.far[nearest])),
        round(float(network.lengths[never].sum()), 1),
        rules.source, rules.confidence,
    )  # fmt: skip


def _drawing(
    limits: list[float], areas: list[shapely.Geometry], sites: _Sites, plane: MetricPlane
) -> Sketch:
    """The widest band below, each as a ring round the one before, and the sites over all."""
    rings = [
        area if number == 0 else shapely.difference(area, areas[number - 1])
        for number, area in enumerate(areas)
    ]
    drawn = plane.degrees(np.array([*rings, *sites.shapes, None], object)[:-1])
    shapes = [
        SketchShape(
            _band(limit), "band", shape,
            {"en": f"within {limit:g} min", "zh": f"{limit:g} 分钟以内"}, value=limit,
        )
        for limit, shape in zip(limits, drawn[: len(limits)], strict=True)
        if not shape.is_empty
    ]  # fmt: skip
    shapes += [
        SketchShape(
            f"site-{number + 1}", "site", shape, {"en": name or feature, "zh": name or feature}
        )
        for number, (shape, (_, feature, name)) in enumerate(
            zip(drawn[len(limits) :], sites.named, strict=True)
        )
    ]
    classes = {
        "band": SketchClass({"en": "Within reach", "zh": "可达范围"}, _COLORS[0]),
        "site": SketchClass({"en": "Site", "zh": "设施"}, "#2b2b2b"),
    }
    steps = tuple((a + b) / 2 for a, b in pairwise(limits))
    scale = Scale({"en": "Minutes", "zh": "时间"}, "min", steps, _COLORS[: len(limits)])
    return Sketch(tuple(shapes), classes, scale)


def _versions(roads: LayerRoads, sites: _Sites) -> tuple[LayerVersion, ...]:
    known = {version.layer: version for version in (roads.version, *sites.versions)}
    return tuple(known[layer] for layer in sorted(known))
