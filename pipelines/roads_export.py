"""Intersections as files for others: MAP of T/CSAE 53 as JSON, and GeoJSON.

The MAP has raw integers as the ASN.1 of release 2019-07-24: a place is 1e-7 degrees from the node's
in the smallest choice of offset that holds it. `roads_of` in `pipelines.v2x_map` reads it again.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping

from cim_core.errors import InvalidInput, NotFound
from cim_core.traffic.roads import Connection, Intersection, Lane, Line, Link, RoadMap, Turn
from pipelines.roads_features import features_of
from pipelines.roads_geometry import level

_UNIT = 1e7
_OFFSETS = (
    ("position-LL1", 2_048), ("position-LL2", 8_192), ("position-LL3", 32_768),
    ("position-LL4", 131_072), ("position-LL5", 2_097_152), ("position-LL6", 8_388_608),
)  # fmt: skip
_BITS: dict[Turn, int] = {"straight": 0, "left": 1, "right": 2, "uturn": 3}
_MOST_POINTS, _MOST_LANES, _MOST_LINKS, _MOST_CONNECTIONS = 31, 32, 32, 16
_MAX_SPEED = "vehicleMaxSpeed"
_LANE_TYPES = {
    "driving": ("vehicle", 8), "bus": ("vehicle", 8), "bike": ("bikeLane", 16),
    "sidewalk": ("sidewalk", 16), "crosswalk": ("crosswalk", 16), "tram": ("trackedVehicle", 16),
    "parking": ("parking", 16), "shoulder": ("vehicle", 8),
}  # fmt: skip
_BUS_ONLY = 3
_NODE = re.compile(r"^(\d{1,5})-(\d{1,5})$")


def map_json(roads: RoadMap, intersection: str) -> bytes:
    """A MAP frame with one node: the intersection and the links that lead in, as JSON.

    Raises `NotFound`, and `InvalidInput` where a part has more members than a MAP can hold.
    """
    node = _intersection(roads, intersection)
    numbers = _numbers(roads)  # of all nodes, so that each has the same in every MAP of the map
    part = around(roads, intersection)
    links = [_link(part, node, arm.link, numbers) for arm in node.approaches]
    frame = {
        "mapFrame": {
            "msgCnt": 0,
            "nodes": [
                {
                    "name": (node.name_en or node.name or node.id)[:63],
                    "id": _reference(numbers[node.id]),
                    "refPos": {"lat": _raw(node.place[1]), "long": _raw(node.place[0])},
                    "inLinks": _held(links, _MOST_LINKS, f"intersection {node.id!r}", "links"),
                }
            ],
        }
    }
    return json.dumps(frame, ensure_ascii=False).encode()


def geojson(roads: RoadMap, intersection: str | None = None) -> bytes:
    """A FeatureCollection (RFC 7946) of a road map, or of one intersection and its roads.

    Lanes, stop lines, crosswalks, ways, areas of intersections, devices; raises `NotFound`.
    """
    if intersection is not None:
        _intersection(roads, intersection)
        roads = around(roads, intersection)
    features = [
        {
            "type": "Feature",
            "id": one.id,
            "geometry": mapping(one.shape),
            "properties": {"class": one.feature_class, "name": one.name, **one.attributes},
        }
        for one in features_of(roads)
    ]
    told = {"type": "FeatureCollection", "features": features}
    return json.dumps(told, ensure_ascii=False).encode()


def around(roads: RoadMap, intersection: str) -> RoadMap:
    """What of a road map belongs to one intersection: its roads in and out, ways, signals, devices."""
    node = _intersection(roads, intersection)
    ways = roads.connections_of(node.id)
    through = {lane for way in ways for lane in (way.from_lane, way.to_lane)}
    links = {arm.link for arm in node.approaches} | {*node.exits}
    links |= {roads.lane_by_id[lane].link for lane in through}
    lanes = {lane.id for lane in roads.lanes if lane.link in links}
    own = {way.id for way in ways}
    return RoadMap(
        links=tuple(x for x in roads.links if x.id in links),
        lanes=tuple(x for x in roads.lanes if x.id in lanes),
        intersections=(node,),
        connections=ways,
        crosswalks=tuple(x for x in roads.crosswalks if x.intersection == node.id),
        groups=roads.groups_of(node.id),
        plans=roads.plans_of(node.id),
        devices=tuple(x for x in roads.devices if x.intersection == node.id),
        restrictions=tuple(
            x for x in roads.restrictions if lanes & {*x.lanes} or own & {*x.connections}
        ),
        works=tuple(x for x in roads.works if lanes & {*x.lanes} or links & {*x.links}),
        source=roads.source,
    )


def _intersection(roads: RoadMap, id_: str) -> Intersection:
    found = roads.intersection_by_id.get(id_)
    if found is None:
        raise NotFound(f"the road map has no intersection {id_!r}")
    return found


def _numbers(roads: RoadMap) -> dict[str | None, tuple[int, int]]:
    """Region and number of each node of the map: its own, its id's, else the next free one of region 0."""
    found: dict[str | None, tuple[int, int]] = {
        one.id: one.node for one in roads.intersections if one.node is not None
    }
    ends = [end for link in roads.links for end in (link.start, link.end)]
    for id_ in [*(one.id for one in roads.intersections), *(end for end in ends if end)]:
        told = _NODE.match(id_)
        if id_ not in found and told is not None and max(map(int, told.groups())) < 65_536:
            found[id_] = int(told[1]), int(told[2])
    taken = {*found.values()}
    free = (number for number in range(256, 65_536) if (0, number) not in taken)  # to 255 for tests
    for end in [*(one.id for one in roads.intersections), *ends]:
        if end is not None and end not in found:
            found[end] = 0, next(free)
    found[None] = 0, 0
    return found


def _link(
    roads: RoadMap, node: Intersection, link_id: str, numbers: dict[str | None, tuple[int, int]]
) -> dict[str, Any]:
    link = roads.link_by_id[link_id]
    lanes = roads.lanes_of(link_id)
    ways = roads.connections_of(node.id)
    return {
        "name": (link.name or link.id)[:63],
        "upstreamNodeId": _reference(_far(roads, link, link.start, numbers)),
        "speedLimits": [_limit(link.speed)],
        "linkWidth": min(round(100 * sum(lane.width for lane in lanes)), 32_767),
        "points": _points(link.line, node, link_id),
        "lanes": _held(
            [_lane(roads, node, lane, ways, numbers) for lane in lanes], _MOST_LANES,
            f"link {link_id!r}", "lanes",
        ),
    }  # fmt: skip


def _far(
    roads: RoadMap, link: Link, end: str | None, numbers: dict[str | None, tuple[int, int]]
) -> tuple[int, int]:
    """The node at an end of a link.

    One that leaves the map has a node of its own there, and so has the second of two links between
    the same nodes, which a MAP could not tell apart.
    """
    twin = next(x.id for x in roads.links if (x.start, x.end) == (link.start, link.end))
    if end is not None and twin == link.id:
        return numbers[end]
    own = f"\0{link.id}"
    if own not in numbers:
        taken = {*numbers.values()}
        numbers[own] = 0, next(n for n in range(65_535, 255, -1) if (0, n) not in taken)
    return numbers[own]


def _lane(
    roads: RoadMap, node: Intersection, lane: Lane, ways: Iterable[Connection],
    numbers: dict[str | None, tuple[int, int]],
) -> dict[str, Any]:  # fmt: skip
    word, size = _LANE_TYPES[lane.type]
    told: dict[str, Any] = {
        "laneID": lane.number,
        "laneWidth": min(round(100 * lane.width), 32_767),
        "laneAttributes": {
            "laneType": {word: _bit_string([_BUS_ONLY] if lane.type == "bus" else [], size)}
        },
        "maneuvers": _bit_string([_BITS[turn] for turn in lane.turns], 12),
        "speedLimits": [_limit(lane.speed)],
        "points": _points(lane.line, node, lane.id),
    }
    connections = []
    for way in ways:
        if way.from_lane != lane.id:
            continue
        into = roads.lane_by_id[way.to_lane]
        onward = roads.link_by_id[into.link]
        far = _far(roads, onward, onward.end, numbers)
        connection: dict[str, Any] = {
            "remoteIntersection": _reference(far),
            "connectingLane": {"lane": into.number, "maneuver": _bit_string([_BITS[way.turn]], 12)},
        }
        phase = _phase(roads, way)
        if phase is not None:
            connection["phaseId"] = phase
        connections.append(connection)
    if connections:
        told["connectsTo"] = _held(
            connections, _MOST_CONNECTIONS, f"lane {lane.id!r}", "connections"
        )
    return told


def _phase(roads: RoadMap, way: Connection) -> int | None:
    """The number of the group a way obeys: its own, else one more than its place among those."""
    if way.group is None:
        return None
    numbers = {group.id: group.number for group in roads.groups_of(way.intersection)}
    own = {id_: number for id_, number in numbers.items() if number in range(1, 255)}
    free = (number for number in range(1, 255) if number not in own.values())
    for id_ in numbers:
        if id_ not in own:
            own[id_] = next(free)
    return own[way.group]


def _points(line: Line, node: Intersection, what: str) -> list[dict[str, Any]]:
    """Places as offsets; of more than 31 those that matter least for the shape are left out."""
    plane = level(line, node.place)
    kept = list(range(len(line)))
    tolerance = 0.005
    while len(kept) > _MOST_POINTS:
        thinner = shapely.get_coordinates(shapely.LineString(plane).simplify(tolerance))
        rows = {(round(x, 9), round(y, 9)) for x, y in thinner.tolist()}
        kept = [n for n, (x, y) in enumerate(plane.tolist()) if (round(x, 9), round(y, 9)) in rows]
        tolerance *= 2
        if tolerance > 1e6:
            raise InvalidInput(f"{what!r} cannot be drawn with {_MOST_POINTS} places")
    here = np.array([_raw(node.place[0]), _raw(node.place[1])])
    found = []
    for row in kept:
        place = np.array([_raw(line[row][0]), _raw(line[row][1])])
        by = (place - here).tolist()
        choice = next((name for name, most in _OFFSETS if max(map(abs, by)) < most), None)
        lon, lat = place.tolist() if choice is None else by
        found.append(
            {"posOffset": {"offsetLL": {choice or "position-LatLon": {"lon": lon, "lat": lat}}}}
        )
    return found


def _raw(degrees: float) -> int:
    return round(degrees * _UNIT)


def _limit(speed: float) -> dict[str, Any]:
    return {"type": _MAX_SPEED, "speed": min(round(speed / 0.02), 8_190)}


def _reference(key: tuple[int, int]) -> dict[str, int]:
    return {"region": key[0], "id": key[1]}


def _bit_string(which: Iterable[int], size: int) -> str:
    """Zeros and ones, the first bit first."""
    set_ = {*which}
    return "".join("1" if n in set_ else "0" for n in range(size))


def _held(parts: list[dict[str, Any]], most: int, what: str, of: str) -> list[dict[str, Any]]:
    if not 0 < len(parts) <= most:
        raise InvalidInput(f"{what} has {len(parts)} {of}; a MAP holds 1 to {most}")
    return parts
