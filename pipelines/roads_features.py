"""What of a road map is drawn: lanes as areas, stop lines, crosswalks, ways, intersections, devices."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

import numpy as np
import shapely

from cim_core.feature import Feature, Value
from cim_core.layer import ClassStyle
from cim_core.mesh import Floats
from cim_core.traffic.roads import Lane, Line, RoadMap
from pipelines.roads_geometry import band, level, metres_per_degree

LEAD = 0.1
"""How long the last piece of a lane is at least that says how its stop line lies, metres."""


def features_of(roads: RoadMap) -> list[Feature]:
    """The features of a road map; ids are those of the map behind the name of their kind."""
    return [
        *_lanes(roads), *_stop_lines(roads), *_crosswalks(roads), *_connections(roads),
        *_intersections(roads), *_devices(roads),
    ]  # fmt: skip


def styles_of(features: Iterable[Feature]) -> dict[str, ClassStyle]:
    """The style of each class that there is, by name."""
    return {name: _styles()[name] for name in sorted({one.feature_class for one in features})}


def area_of(lane: Lane) -> shapely.Polygon:
    """The ground of a lane, degrees."""
    return _polygon(_degrees(band(level(lane.line), lane.width), lane.line[0]))


def stop_line(lane: Lane) -> shapely.LineString:
    """The line across the end of a lane, as wide as the lane, degrees."""
    line = level(lane.line, lane.line[-1])
    steps = np.linalg.norm(line, axis=1)
    other = np.flatnonzero(steps > LEAD)
    along = -line[other[-1]] if len(other) else np.array([0.0, 1.0])
    across = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-9)
    ends = np.array([-across, across]) * lane.width / 2
    return shapely.LineString(_degrees(ends, lane.line[-1]))


def _lanes(roads: RoadMap) -> Iterable[Feature]:
    for lane in roads.lanes:
        link = roads.link_by_id[lane.link]
        yield _feature(
            "lane", lane.id, f"Lane-{lane.type}", area_of(lane), link.name,
            link=lane.link, number=lane.number, type=lane.type, turns=" ".join(lane.turns),
            width=lane.width, speed=lane.speed, road_class=link.road_class, to=link.end,
        )  # fmt: skip


def _stop_lines(roads: RoadMap) -> Iterable[Feature]:
    groups: dict[str, dict[str, None]] = {}
    through: dict[str, str] = {}
    for way in roads.connections:
        through[way.from_lane] = way.intersection
        if way.group is not None:
            groups.setdefault(way.from_lane, {})[way.group] = None
    for lane in roads.lanes:
        at = through.get(lane.id)
        if at is not None and roads.intersection_by_id[at].control != "none":
            yield _feature(
                "stop", lane.id, "StopLine", stop_line(lane), "",
                link=lane.link, intersection=at, group=" ".join(groups.get(lane.id, ())),
            )  # fmt: skip


def _crosswalks(roads: RoadMap) -> Iterable[Feature]:
    for one in roads.crosswalks:
        if len(one.area) > 3:
            yield _feature(
                "crosswalk", one.id, "Crosswalk", _ring(one.area), "",
                intersection=one.intersection, link=one.link, group=one.group,
            )  # fmt: skip


def _connections(roads: RoadMap) -> Iterable[Feature]:
    for way in roads.connections:
        yield _feature(
            "way", way.id, "Connection", shapely.LineString(_flat(way.line)), "",
            intersection=way.intersection, turn=way.turn, group=way.group,
            from_lane=way.from_lane, to_lane=way.to_lane, conflicts=len(way.conflicts),
        )  # fmt: skip


def _intersections(roads: RoadMap) -> Iterable[Feature]:
    for one in roads.intersections:
        shape = _ring(one.area) if len(one.area) > 3 else shapely.Point(one.place[:2])
        yield _feature(
            "intersection", one.id, "Intersection", shape, one.name,
            control=one.control, approaches=len(one.approaches), name_en=one.name_en,
        )  # fmt: skip


def _devices(roads: RoadMap) -> Iterable[Feature]:
    for one in roads.devices:
        yield _feature(
            "device", one.id, "Device", shapely.Point(one.place[:2]), one.model,
            kind=one.kind, intersection=one.intersection, link=one.link, heading=one.heading,
            height=one.height, status=one.status, serial=one.serial, thing=one.thing,
        )  # fmt: skip


def _feature(
    of: str, id_: str, class_: str, shape: shapely.Geometry, name: str, **attributes: Value
) -> Feature:
    told = {key: value for key, value in attributes.items() if value not in (None, "")}
    return Feature(f"{of}/{id_}", class_, name or id_, None, told, shape=shape)


def _degrees(plane: Floats, origin: tuple[float, ...]) -> Floats:
    """(n, 2) metres around a place as degrees, as `level` made them."""
    lon, lat = origin[:2]
    found: Floats = np.round(plane / np.array(metres_per_degree(lat)) + np.array([lon, lat]), 9)
    return found


def _flat(line: Line) -> Floats:
    return np.array([one[:2] for one in line])


def _ring(area: Line) -> shapely.Polygon:
    return _polygon(_flat(area))


def _polygon(ring: Floats) -> shapely.Polygon:
    found = shapely.Polygon(ring)
    if found.is_valid:
        return found
    repaired = shapely.make_valid(found)
    parts = [x for x in shapely.get_parts(repaired) if isinstance(x, shapely.Polygon)]
    return max(parts, key=lambda one: one.area) if parts else found


@lru_cache
def _styles() -> Mapping[str, ClassStyle]:
    text = files("pipelines").joinpath("road_features.toml").read_text(encoding="utf-8")
    return {
        name: ClassStyle({"en": one["en"], "zh": one["zh"]}, one["color"], one.get("visible", True))
        for name, one in tomllib.loads(text).items()
    }
